"""What a finished workflow says last: the answer, then where everything is."""

from pathlib import Path

from twinbench.analysis.claims import answer
from twinbench.errors import TwinbenchError
from twinbench.report.tables import Tables


def ending(output: Path, place: str) -> str:
    """Return the answer in plain text, where there are tables to make it from, and where everything is.

    Args:
        output: the results folder here.
        place: the same as it is named, which may be on storage elsewhere.
    """
    names = {"Report": "report.html", "Figures": "figures", "Tables": "tables"}
    lines = [f"{name + ':':<9}{place}/{file}" for name, file in names.items()]
    try:
        sentences = answer(Tables.read(output / "tables").frames).sentences
    except (TwinbenchError, KeyError):  # tables of another version, or none as yet
        sentences = []
    return "\n".join([*(sentence.replace("**", "") for sentence in sentences), *lines])
