"""The person's own lines under each cause: where the layer was made that a cause names."""

import re
from collections.abc import Sequence
from dataclasses import replace

from twinbench.compare.report import Cause
from twinbench.compare.sides import Side

_ABSENT = ("nothing in its place", "no such connection")
_OF_LAYERS = ("arch.", "masking", "mode.bn_dropout", "regularization", "init")
"""The codes whose places name the same layer on both sides."""
_NAMES = re.compile(r"'([^']+)'|([\w.-]+)/\w+")


def with_lines(cause: Cause, sides: Sequence[Side]) -> Cause:
    """A cause with the line of each side that made the first layer that it names, where that is known."""
    if not cause.code.startswith(_OF_LAYERS):
        return cause
    place = cause.where.partition(", after ")[0]
    parts = place.split(" / ", 1) if " / " in place else [place, place]
    values = cause.a, cause.b
    dropped = [value.startswith("'") for value in values]  # only this side has the layer that is named
    shown = [
        "" if value in _ABSENT or (any(dropped) and not own) else _line(part, side)
        for part, value, own, side in zip(parts, values, dropped, sides, strict=True)
    ]
    return replace(cause, line_a=shown[0], line_b=shown[1])


def _line(part: str, side: Side) -> str:
    match = _NAMES.search(part)
    if match is None:
        return ""
    name = match[1] or match[2]
    lines = [made.line for made in side.made.values() if made.layer.name == name and made.line is not None]
    return f"{lines[0].words()}: {lines[0].text}" if len(lines) == 1 and lines[0].text else ""
