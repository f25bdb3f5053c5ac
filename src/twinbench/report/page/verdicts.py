"""The verdict cards: the finding first, in a sentence that follows from the verdict, and links to its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from twinbench.report.page.shown_tables import ShownTable
from twinbench.report.tables import NothingToShowError, Tables

# What is true where a claim is refuted: its negation.
_REFUTED: Final = {
    "C1": "A plain stack of layers scores no lower when it is written with Sequential.",
    "C2": "Sequential can share a layer: all its uses have one set of weights.",
    "C3a": "The published Sequential autoencoder does not run.",
    "C3b": "The published Functional autoencoder does not run.",
    "C4": "Networks that do not share their layers score no lower.",
    "C5": "Residual networks written with Sequential propagate their gradients.",
    "C6": "A branching network can be written with Sequential.",
    "C7": "Functional costs no less to compute than Sequential.",
    "C8": "Using a layer twice does not reduce the number of parameters.",
}
_OTHERWISE: Final = {
    "depends": "It depends: the evidence goes both ways.",
    "inconclusive": "Not settled by these runs.",
}


@dataclass(frozen=True)
class Citation:
    """One piece of evidence: its name, where it is on the page, and for runs, what to search for there."""

    text: str
    href: str
    search: str = ""


@dataclass(frozen=True)
class Card:
    """One claim with its verdict.

    Attributes:
        claim: C1 to C8.
        finding: what is true, in a sentence.
        statement: the claim, in our words.
        article: the same as the article makes it.
        verdict: in a word.
        because: the numbers.
        evidence: what they rest on.
        would_change: what would change the verdict.
        seeds_needed: seeds that are planned to settle it; None where seeds are not what is lacking.
    """

    claim: str
    finding: str
    statement: str
    article: str
    verdict: str
    because: str
    evidence: tuple[Citation, ...]
    would_change: str
    seeds_needed: int | None


def finding(claim: str, statement: str, verdict: str) -> str:
    """Return what is true by a verdict."""
    if verdict == "refuted" and claim in _REFUTED:
        return _REFUTED[claim]
    return statement if verdict == "supported" else _OTHERWISE.get(verdict, "There is no verdict.")


def _row(row: Mapping[Any, Any], column: str) -> str:
    value = row.get(column)
    return "" if value is None or pd.isna(value) else str(value)


def cards(tables: Tables) -> list[Card]:
    """Return the verdicts of the table `claims`, the evidence without links as yet (`linked`)."""
    try:
        claims = tables.get("claims").to_dict("records")
    except NothingToShowError:
        return []
    shown = []
    for row in claims:
        claim, statement, verdict = (_row(row, name) for name in ("claim", "statement", "verdict"))
        seeds = _row(row, "seeds_needed")
        shown.append(
            Card(
                claim,
                finding(claim, statement, verdict),
                statement,
                _row(row, "article"),
                verdict,
                _row(row, "because"),
                tuple(Citation(name, "") for name in _row(row, "evidence").split("; ") if name),
                _row(row, "would_change"),
                int(float(seeds)) if seeds else None,
            )
        )
    return shown


def cited(shown: list[Card]) -> dict[str, set[str]]:
    """Return for each table the rows that the cards cite: `digits mlp/sequential`."""
    names: dict[str, set[str]] = {}
    for card in shown:
        for citation in card.evidence:
            table, _, row = citation.text.partition(": ")
            names.setdefault(table, set()).add(row)
    return names


def link(citation: Citation, tables: Mapping[str, ShownTable]) -> Citation:
    """Return a piece of evidence with where it is: a row of a shown table, or a search among the runs."""
    name, _, row = citation.text.partition(": ")
    if name == "runs":
        return Citation(citation.text, "#runs", row.replace("/", " "))
    anchors = tables[name].anchors if name in tables else {}
    return Citation(citation.text, f"#{anchors[row]}" if row in anchors else "")
