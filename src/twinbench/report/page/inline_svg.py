"""Making a saved figure part of the page: own ids, colours that follow light and dark, and a text alternative."""

import re
from html import escape
from typing import Final

from twinbench.report.figures.style import BAND, GRID, INK, MUTED, PAPER

# What matplotlib wrote as a colour, and the variable of the page's style sheet that takes its place. The colours are
# seaborn's `colorblind`; those of another palette stay as they are.
_VARIABLES: Final = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    BAND: "--band",
    PAPER: "--paper",
    "#0173b2": "--blue",
    "#d55e00": "--red",
    "#029e73": "--green",
    "#cc78bc": "--purple",
}
_COLOUR: Final = re.compile("|".join(map(re.escape, _VARIABLES)))
_ID: Final = re.compile(r'\bid="([^"]+)"')
_REFERENCE: Final = re.compile(r'(href="#|url\(#)')
_PROLOGUE: Final = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
_METADATA: Final = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_STYLE: Final = re.compile(r'\s*<defs>\s*<style type="text/css">.*?</style>\s*</defs>', re.DOTALL)
_ROOT: Final = re.compile(r"<svg\b[^>]*>")
_VIEW_BOX: Final = re.compile(r'viewBox="([^"]+)"')
_TITLE: Final = re.compile(r"\s*<title>.*?</title>", re.DOTALL)


def inline(svg: str, *, prefix: str, alt: str) -> str:
    """Return the markup of a figure that matplotlib saved, fit to stand in a page among others.

    Args:
        svg: the file's text.
        prefix: put before every id, which would otherwise collide with those of the next figure.
        alt: text alternative.
    """
    text = _STYLE.sub("", _METADATA.sub("", _TITLE.sub("", _PROLOGUE.sub("", svg), count=1)))
    text = _ID.sub(rf'id="{prefix}-\1"', text)
    text = _REFERENCE.sub(rf"\g<1>{prefix}-", text)
    text = _COLOUR.sub(lambda colour: f"var({_VARIABLES[colour.group()]})", text)
    view_box = _VIEW_BOX.search(_ROOT.search(text).group())  # type: ignore[union-attr] # matplotlib always writes both
    box = view_box.group(1) if view_box else "0 0 576 432"
    root = (
        f'<svg class="figure" viewBox="{escape(box)}" role="img" aria-label="{escape(alt)}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return _ROOT.sub(lambda _: root, text, count=1).strip()
