"""What a command does where there is a terminal: a line that says what is going on, colour, and the width of text."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

_CLEAR = "\r\x1b[2K"


def has_colour() -> bool:
    """Whether the answer may be coloured: on a terminal, unless `NO_COLOR` is set (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def text_width() -> int:
    """How many columns wide a text is: as the terminal, at most 100."""
    return min(100, shutil.get_terminal_size((90, 24)).columns)


@contextmanager
def live_line() -> Iterator[Callable[[str], None]]:
    """Show the stage that is under way in one line of standard error, where that is a terminal; clear it at the end.

    Yields:
        A function that takes the name of each stage as it begins.
    """
    shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def show(stage: str) -> None:
        if shown:
            click.echo(f"{_CLEAR}{stage[: text_width() - 5]} ...", err=True, nl=False, color=True)

    try:
        yield show
    finally:
        if shown:
            click.echo(_CLEAR, err=True, nl=False, color=True)
