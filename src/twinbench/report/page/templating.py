"""The template engine and the page's own style sheet and scripts."""

import re
from pathlib import Path
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

from twinbench.data.files import OUTPUT, write_text
from twinbench.html import templating

_PACKAGE: Final = "twinbench.report.page"
# So many things after one colon are read more easily below each other.
_MANY_ITEMS: Final = 3


def enumerated(text: str) -> list[tuple[str, list[str]]]:
    """Return each sentence of a text as what it opens with and the items it lists; no items where they are few."""
    sentences = []
    for sentence in re.split(r"(?<=\.) (?=[A-Z])", text):
        opening, _, listed = sentence.partition(": ")
        items = listed.removesuffix(".").split("; ")
        sentences.append((f"{opening}:", items) if len(items) >= _MANY_ITEMS else (sentence, []))
    return sentences


def environment() -> Environment:
    """Return the engine for these templates."""
    engine = templating.environment(_PACKAGE)
    engine.filters["enumerated"] = enumerated
    return engine


def asset(*names: str) -> Markup:
    """Return our own scripts, one below the other."""
    return templating.asset(_PACKAGE, *names)


def style_sheet() -> Markup:
    """Return the style sheet of these pages."""
    return templating.style_sheet(_PACKAGE, "page.css")


def write(path: Path, text: str, *, setting: str = OUTPUT) -> Path:
    """Write a file, whole or not at all, and return its path.

    Args:
        path: the file.
        text: what it is to hold.
        setting: what chooses another place for it, for the sentence where it cannot be written.

    Raises:
        DataError: it cannot be written.
    """
    write_text(path, text, setting=setting)
    return path
