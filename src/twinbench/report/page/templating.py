"""The template engine and the page's own style sheet and scripts."""

import base64
import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from twinbench.data.files import OUTPUT, write_text

_PACKAGE: Final = "twinbench.report.page"
# So many things after one colon are read more easily below each other.
_MANY_ITEMS: Final = 3


def code(text: str) -> Markup:
    """Return a text as markup, with what stands between backticks as code."""
    parts = text.split("`")
    tag = Markup("<code>{}</code>")
    return Markup("").join(tag.format(part) if place % 2 else escape(part) for place, part in enumerate(parts))


def breakable(text: str) -> Markup:
    """Return a text as markup in which long names may break after a slash or an underscore."""
    broken = escape(text)
    for sign in "/_":
        broken = broken.replace(sign, Markup("{}<wbr>").format(sign))
    return broken


def enumerated(text: str) -> list[tuple[str, list[str]]]:
    """Return each sentence of a text as what it opens with and the items it lists; no items where they are few."""
    sentences = []
    for sentence in re.split(r"(?<=\.) (?=[A-Z])", text):
        opening, _, listed = sentence.partition(": ")
        items = listed.removesuffix(".").split("; ")
        sentences.append((f"{opening}:", items) if len(items) >= _MANY_ITEMS else (sentence, []))
    return sentences


def environment() -> Environment:
    """Return the engine: it escapes every string, and refuses a name that is not there."""
    engine = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters |= {"breakable": breakable, "code": code, "enumerated": enumerated}
    return engine


def asset(*names: str) -> Markup:
    """Return our own style sheet or scripts, one below the other."""
    folder = files(_PACKAGE).joinpath("templates")
    texts = [folder.joinpath(name).read_text(encoding="utf-8") for name in names]
    return Markup("".join(texts))  # noqa: S704 # files of this package


def digest(script: str) -> str:
    """Return what a content security policy calls a script by: its SHA-256 in base64."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


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
