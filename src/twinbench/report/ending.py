"""What a finished workflow says last, and what Snakemake's report opens on: the answer."""

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


def answer_for_snakemake(tables: Path) -> str:
    """Return the answer as the list in reStructuredText that the description of the workflow includes."""
    sentences = answer(Tables.read(tables).frames).sentences
    # An underscore at the end of a word would be a reference.
    return "".join(f"- {sentence}\n".replace("_", "\\_") for sentence in sentences)
