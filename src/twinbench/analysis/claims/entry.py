"""What a claim is, what a rule finds, and the one way in which findings are put together.

A rule reads tables and returns a finding; nothing in this package knows how an experiment came out. A finding is made
of stances: each comparison, count or measurement speaks for the claim, against it, or leaves it open.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from twinbench.analysis.claims.evidence import Evidence

# A claim about training is decided by no fewer.
LEAST_SEEDS: Final = 2


class ClaimVerdict(StrEnum):
    """What the evidence says of a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    DEPENDS = "depends"
    INCONCLUSIVE = "inconclusive"


class Stance(StrEnum):
    """What one piece of evidence says of a claim."""

    FOR = "for"
    AGAINST = "against"
    OPEN = "open"


@dataclass(frozen=True)
class Finding:
    """What a rule makes of the tables of one dataset.

    Attributes:
        verdict: what they say of the claim.
        because: the sentence with the numbers.
        evidence: the rows that it rests on, as `table: dataset architecture/variant`.
        lacking: for an inconclusive finding, what would settle it; otherwise empty.
        seeds_needed: seeds that settle the open comparisons, where seeds can.
    """

    verdict: ClaimVerdict
    because: str
    evidence: tuple[str, ...] = ()
    lacking: str = ""
    seeds_needed: int | None = None


@dataclass(frozen=True)
class Claim:
    """A statement that people make, and the rule that decides it.

    Attributes:
        name: C1 to C8.
        statement: the claim in our own words.
        article: the same as the article makes it, in close paraphrase.
        rule: takes the tables and a dataset and returns a finding.
        would_change: what would overturn a verdict that was reached.
        by_dataset: whether the rule looks at each dataset in turn; otherwise it is called once, with "".
    """

    name: str
    statement: str
    article: str
    rule: Callable[[Evidence, str], Finding]
    would_change: str
    by_dataset: bool = True


def verdict_of(stances: Sequence[Stance]) -> ClaimVerdict:
    """Return what several pieces of evidence say together.

    Contradiction is `depends`, whatever is still open; agreement needs that nothing is open.
    """
    taken = set(stances)
    if {Stance.FOR, Stance.AGAINST} <= taken:
        return ClaimVerdict.DEPENDS
    if not taken or Stance.OPEN in taken:
        return ClaimVerdict.INCONCLUSIVE
    return ClaimVerdict.SUPPORTED if Stance.FOR in taken else ClaimVerdict.REFUTED


def verdict_over_datasets(verdicts: Sequence[ClaimVerdict]) -> ClaimVerdict:
    """Return the verdict over all datasets: the common one; `depends` where two of them contradict each other."""
    different = set(verdicts)
    if len(different) == 1:
        return verdicts[0]
    if ClaimVerdict.DEPENDS in different or {ClaimVerdict.SUPPORTED, ClaimVerdict.REFUTED} <= different:
        return ClaimVerdict.DEPENDS
    return ClaimVerdict.INCONCLUSIVE


def unmeasured(what: str, lacking: str) -> Finding:
    """Return the finding where there is nothing to look at.

    Args:
        what: what is missing, as a sentence without a full stop.
        lacking: what to do about it, likewise.
    """
    return Finding(ClaimVerdict.INCONCLUSIVE, f"{what}.", lacking=f"{lacking}.")
