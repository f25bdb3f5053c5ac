"""`twinbench roundtrip MODEL`: what is lost when a model is saved and loaded?"""

import json
import sys

import click

from twinbench.cli.compare import shape_of
from twinbench.cli.terminal import live_line, text_width


@click.command(
    short_help="What is lost when a model is saved and loaded?",
    epilog="Example: twinbench roundtrip model.py:build",
)
@click.argument("model")
@click.option("--format", "ending", type=click.Choice([".keras", ".h5"]), default=".keras", show_default=True,
              help="The format in which it is saved.")  # fmt: skip
@click.option("--input-shape", "shapes", multiple=True, metavar="N,N,...",
              help="Shape of an input without the batch axis; once for each input. Only where the model does not know "
              "its own.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(min=1), default=300.0, show_default=True, metavar="SECONDS",
              help="Stop after this long.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON (documented in docs/roundtrip.md).")
def roundtrip(model: str, ending: str, shapes: tuple[str, ...], timeout: float, as_json: bool) -> None:
    """What is lost when MODEL is saved and loaded, and how to keep it?

    MODEL is a function that returns a keras.Model (file.py:function or package.module:function), a live model
    (file.py:model) or a saved model (file.keras or file.h5). It is saved, loaded in a fresh process, and compared:
    weights, state, how it is compiled, metrics, predictions. Exit status: 0 nothing is lost, 1 something is lost, or it
    cannot be saved or loaded, 2 an error of use, 3 not fully tested.
    """
    from twinbench.compare.process import RoundtripRequest, run_apart

    request = RoundtripRequest(
        model=model, ending=ending, input_shape=[shape_of(text) for text in shapes] or None, width=text_width()
    )
    with live_line() as progress:
        answer = run_apart(request, timeout, progress)
    click.echo(json.dumps(answer.report, indent=2) if as_json else answer.text)
    sys.exit(answer.exit_status)
