"""Colour on a terminal: whole lines in bold, red, yellow or green, or left plain."""

_CODES = {"bold": "1", "red": "1;31", "yellow": "1;33", "green": "1;32", "dim": "2"}

VERDICTS = {
    "identical": "green",
    "equivalent": "green",
    "nothing_found": "green",
    "different": "red",
    "warnings": "red",
}
"""The colour of each verdict; the others are yellow."""


def painted(lines: list[str], style: str, *, colour: bool) -> list[str]:
    """Lines in a style, where colour is wanted."""
    return [f"\x1b[{_CODES[style]}m{line}\x1b[0m" if colour and line else line for line in lines]
