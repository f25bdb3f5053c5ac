"""What a finished workflow says last, and what Snakemake's report opens on: the answer."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from twinbench.analysis.claims import answer
from twinbench.errors import TwinbenchError
from twinbench.report.tables import Tables

# Set where the command that started the workflow says the answer itself, last of all.
SAID_LATER: Final = "TWINBENCH_ANSWER_LATER"


def answer_in_words(tables: Path) -> Sequence[str]:
    """Return the answer in plain text, line by line; none where there are no tables to make it from."""
    try:
        sentences = answer(Tables.read(tables).frames).sentences
    except (TwinbenchError, KeyError):  # tables of another version, or none as yet
        return ()
    return [sentence.replace("**", "") for sentence in sentences]


def ending(output: Path, place: str) -> str:
    """Return the answer in plain text, where there are tables to make it from, and where everything is.

    Args:
        output: the results folder here.
        place: the same as it is named, which may be on storage elsewhere.
    """
    names = {"Report": "report.html", "Figures": "figures", "Tables": "tables"}
    sentences = () if SAID_LATER in os.environ else answer_in_words(output / "tables")
    return "\n".join([*sentences, *(f"{name + ':':<9}{place}/{file}" for name, file in names.items())])


def answer_for_snakemake(tables: Path) -> str:
    """Return the answer as the list in reStructuredText that the description of the workflow includes."""
    sentences = answer(Tables.read(tables).frames).sentences
    # An underscore at the end of a word would be a reference.
    return "".join(f"- {sentence}\n".replace("_", "\\_") for sentence in sentences)
