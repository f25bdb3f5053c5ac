"""What the answers at the top of the page share: a line, and what chance alone does."""

from collections.abc import Sequence
from dataclasses import dataclass

from twinbench.analysis.claims.evidence import Evidence, known

CHECK = "`twinbench compare a.py:build b.py:build`"


@dataclass(frozen=True)
class Line:
    """One line of the answer: what it says first, in bold, and the rest of the sentence."""

    lead: str
    text: str


def seed_gaps(evidence: Evidence) -> list[float]:
    """Return the mean gap between two seeds of each reference, ascending."""
    rows = [row for row in evidence.rows("noise_floor", kind="reference") if known(row["mean_gap"])]
    # Points of accuracy and of explained variance are different things; the question is asked about accuracy.
    rows = [row for row in rows if row["score_name"] == "accuracy"] or rows
    return sorted(float(row["mean_gap"]) for row in rows)


def chance_line(gaps: Sequence[float]) -> Line:
    """Return what chance alone does, from the gaps that `seed_gaps` returned."""
    if not gaps:
        return Line("Chance alone:", "how far it moves the same model cannot be said; that takes at least two seeds.")
    low, high = (f"{gap:.1f}" for gap in (gaps[0], gaps[-1]))
    by = f"{low} to {high}" if low != high else "less than 0.1" if high == "0.0" else f"about {high}"
    return Line("Chance alone", f"moves the same model by {by} points, from one seed to the next.")
