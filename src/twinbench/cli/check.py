"""`twinbench check MODEL`: what is wrong with one model, and why its numbers are not what was expected."""

import json
import sys

import click

from twinbench.cli.compare import shape_of
from twinbench.cli.terminal import has_colour, live_line, text_width


@click.command(
    short_help="What is wrong with one model?",
    epilog="Example: twinbench check model.py:build --feed train.py:batches",
)
@click.argument("model")
@click.option("--feed", metavar="PLACE", help="Function that returns what it is trained on, as file.py:batches.")
@click.option("--input-shape", "shapes", multiple=True, metavar="N,N,...",
              help="Shape of an input without the batch axis, as 28,28,1; once for each input. Only where the model "
              "does not know its own.")  # fmt: skip
@click.option("--epochs", default=2, show_default=True, type=click.IntRange(1, 1000),
              help="Epochs to train before fit is set against evaluate.")  # fmt: skip
@click.option("--train/--no-train", default=True, show_default=True,
              help="Train for a while, to explain fit against evaluate and what does not repeat.")  # fmt: skip
@click.option("--timeout", default=300.0, show_default=True, type=click.FloatRange(min=1), metavar="SECONDS",
              help="Stop after this long.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON (documented in docs/check.md).")
def check(
    model: str,
    *,
    feed: str | None,
    shapes: tuple[str, ...],
    epochs: int,
    train: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """What is wrong with one model, and why are its numbers not what was expected?

    MODEL is a function that returns a keras.Model (file.py:function or package.module:function), a live model
    (file.py:model) or a saved model (file.keras or file.h5, loaded in safe mode). With a feed and a compiled model it
    also trains for a while, and says why fit and evaluate differ and whether the training repeats. Exit status: 0
    nothing found, 1 warnings, 2 an error of use, 3 not fully tested, or it cannot be told.
    """
    from twinbench.compare.process import CheckRequest, run_apart

    request = CheckRequest(
        model=model,
        feed=feed,
        input_shape=[shape_of(text) for text in shapes] or None,
        epochs=epochs,
        train=train,
        width=text_width(),
        colour=has_colour(),
    )
    with live_line() as progress:
        answer = run_apart(request, timeout, progress)
    click.echo(json.dumps(answer.report, indent=2) if as_json else answer.text)
    sys.exit(answer.exit_status)
