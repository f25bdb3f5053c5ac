"""`twinbench compare A B`: are these two models the same, and if not, why?"""

import json
import sys
from pathlib import Path

import click

from twinbench.cli.terminal import has_colour, live_line, text_width
from twinbench.errors import UsageError


@click.command(
    short_help="Are two models the same, and if not, why?",
    epilog="Example: twinbench compare old.py:build new.py:build",
)
@click.argument("a")
@click.argument("b")
@click.option("--input-shape", "shapes", multiple=True, metavar="N,N,...",
              help="Shape of an input without the batch axis, as 28,28,1; once for each input. Only where neither "
              "model knows its own; None is an axis of any length.")  # fmt: skip
@click.option("--feed-a", metavar="PLACE", help="Function that returns what A is trained on, as file.py:batches.")
@click.option("--feed-b", metavar="PLACE", help="The same for B.")
@click.option("--step-a", metavar="PLACE",
              help="Function step(model, x, y) that trains A instead of fit, as file.py:step.")  # fmt: skip
@click.option("--step-b", metavar="PLACE", help="The same for B.")
@click.option("--data", metavar="FILE",
              help="Train both on this under several seeds, as twinbench study does, with its runs.")  # fmt: skip
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(2, 1000), help="How many seeds that takes.")
@click.option("--output", default="study", show_default=True, metavar="FOLDER",
              help="Folder of that study, whose store has the runs.")  # fmt: skip
@click.option("--config", "settings", multiple=True, metavar="KEY=VALUE",
              help="Another key of that study's configuration: training='{epochs: 2}'; may be repeated.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(min=1), metavar="SECONDS",
              help="Stop after this long.  [default: 300, with --data 3600]")  # fmt: skip
@click.option("--fix", is_flag=True,
              help="Make the fixes on a copy of B, compare again, and print the lines to change.")  # fmt: skip
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write the report as a page, with both graphs side by side.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON (documented in docs/compare.md).")
def compare(  # noqa: PLR0917 - click passes the options by name
    a: str,
    b: str,
    shapes: tuple[str, ...],
    feed_a: str | None,
    feed_b: str | None,
    step_a: str | None,
    step_b: str | None,
    data: str | None,
    seeds: int,
    output: str,
    settings: tuple[str, ...],
    timeout: float | None,
    fix: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Are models A and B the same, and if not, why does one score lower?

    A and B are each a function that returns a keras.Model (file.py:function or package.module:function), a live model
    (file.py:model), a saved model (file.keras or file.h5, loaded in safe mode) or saved weights (file.weights.h5, for
    the other side's model). Exit status: 0 identical or equivalent, 1 different or with other weights, 2 an error of
    use, 3 not fully tested, or it cannot be told.
    """
    from twinbench.compare.process import Request, run_apart
    from twinbench.data.files import check_writable, write_text

    if html is not None:
        check_writable(html.parent, setting="--html")
    request = Request(
        a=a,
        b=b,
        input_shape=[shape_of(text) for text in shapes] or None,
        feed_a=feed_a,
        feed_b=feed_b,
        step_a=step_a,
        step_b=step_b,
        data=data,
        seeds=seeds,
        output=output,
        settings=settings,
        width=text_width(),
        colour=has_colour(),
        html=html is not None,
        fix=fix,
    )
    with live_line() as progress:
        answer = run_apart(request, timeout or (3600.0 if data else 300.0), progress)
    if html is not None and answer.page:
        write_text(html, answer.page, setting="--html")
    elif html is not None:
        click.echo(f"{html} was not written: there is no report to show.", err=True)
    click.echo(json.dumps(answer.report, indent=2) if as_json else answer.text)
    sys.exit(answer.exit_status)


def shape_of(text: str) -> list[int | None]:
    """The shape of an input, as it is written on the command line.

    Raises:
        UsageError: It is no shape.
    """
    parts = [part.strip() for part in text.strip("()[] ").split(",") if part.strip()]
    try:
        shape = [None if part.lower() == "none" else int(part) for part in parts]
    except ValueError:
        shape = []
    if not shape or any(axis is not None and axis < 1 for axis in shape):
        raise UsageError(f"--input-shape {text!r} is no shape; write the axes without the batch, as in 28,28,1.")
    return shape
