"""Where two results say the same, where not, and why: sentences computed from their tables."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from twinbench.analysis.comparisons import Verdict
from twinbench.analysis.suspects import Standing, standing_of
from twinbench.report.tables import Tables

Row = Mapping[Any, Any]


def effect(row: Row) -> str:
    """Return a suspect's effect with its interval and what may be said of it."""
    mean = row["mean_difference"]
    if math.isnan(mean):
        return "no score"
    if row["verdict"] == Verdict.IDENTICAL:
        seen = f", seen {row['seen_difference']:+.1f}" if abs(row["misread"]) > 1 else ""
        return f"0 (bit-identical{seen})"
    said = "unconfirmed" if standing_of(row) is Standing.UNCONFIRMED else row["verdict"]
    seen = f", seen {row['seen_difference']:+.1f}" if abs(row["misread"]) > 1 else ""
    return f"{round(mean, 2) + 0.0:+.2f}{seen} ({row['ci_low']:+.2f} to {row['ci_high']:+.2f}) {said}"


def agreeing_claims(named: Mapping[str, Tables]) -> list[str]:
    """Return on which claims the verdicts of two results agree, and for each other one what decides it where.

    Args:
        named: the results by the name of their dataset; with one there is nothing to say.
    """
    if len(named) < 2:
        return []
    (first, one), (second, other) = named.items()
    ours, theirs = ({str(row["claim"]): row for row in part.get("claims").to_dict("records")} for part in (one, other))
    shared = [claim for claim in ours if claim in theirs]
    apart = [claim for claim in shared if ours[claim]["verdict"] != theirs[claim]["verdict"]]
    equal = [claim for claim in shared if claim not in apart]
    opening = f"{len(equal)} of {len(shared)} claims have the same verdict as on {first}"
    sentences = [f"{opening} ({', '.join(equal)})." if apart else f"{opening}."]
    for claim in apart:
        verdicts = f"{ours[claim]['verdict']} on {first} and {theirs[claim]['verdict']} on {second}"
        sentences.append(f"**{claim}** is {verdicts}. On {second}: {theirs[claim]['because']}")
    return sentences


def agreeing_suspects(named: Mapping[str, Tables]) -> list[str]:
    """Return which suspects cost points on both, and for each that is shown on one only, why it is not on the other."""
    if len(named) < 2:
        return []
    (first, one), (second, other) = named.items()
    ours, theirs = (
        {str(row["suspect"]): row for row in part.get("suspects").to_dict("records")} for part in (one, other)
    )
    faults = [suspect for suspect in ours if suspect in theirs and standing_of(ours[suspect]) is not Standing.CONTROL]
    both = [suspect for suspect in faults if _shown(ours[suspect]) and _shown(theirs[suspect])]
    neither = [suspect for suspect in faults if not _shown(ours[suspect]) and not _shown(theirs[suspect])]
    sentences = [
        f"{len(both)} of {len(faults)} suspects have an effect that is shown on both"
        + (f": {', '.join(f'`{suspect}`' for suspect in both)}." if both else "."),
        *_on_one(faults, ours, theirs, first, second),
        *_on_one(faults, theirs, ours, second, first),
    ]
    if neither:
        sentences.append(f"On neither: {', '.join(f'`{suspect}`' for suspect in neither)}.")
    return sentences


def _shown(row: Row) -> bool:
    return standing_of(row) is Standing.SHOWN


def _on_one(
    faults: list[str], shown: Mapping[str, Row], others: Mapping[str, Row], here: str, there: str
) -> Iterator[str]:
    for suspect in faults:
        row, other = shown[suspect], others[suspect]
        if not _shown(row) or _shown(other):
            continue
        mean, there_mean = row["mean_difference"], other["mean_difference"]
        text = (
            f"`{suspect}` has an effect on {here} ({mean:+.2f} points) that is not shown on {there}: {effect(other)}. "
        )
        if math.isnan(there_mean):
            yield f"{text}There it gave no score."
        elif other["verdict"] != Verdict.IDENTICAL and other["ci_low"] <= mean <= other["ci_high"]:
            yield f"{text}The {other['n']} seeds there are too few to tell: the interval holds the other's effect too."
        else:
            yield f"{text}There the effect is another: the interval excludes {mean:+.2f}."
