"""The table `suspects`: what each deliberate fault costs, beside what its owner sees, and beside the change of API.

Every row is paired by seed with the untouched reference of the suspects' architecture. The row "Sequential instead of
Functional" is that architecture's Sequential twin, so that the question asked at the top stands among the answers.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import pandas as pd

from twinbench.analysis.comparisons import Verdict
from twinbench.analysis.outputs import API_ROW, SUSPECTS
from twinbench.analysis.summary import ended_well
from twinbench.architectures.catalogue import SUSPECTS_ARCHITECTURE, Variant, find_variant

API_VARIANT: Final = "sequential"
# A metric misreads when it is this far, in points, from the true score: a tenth of an image in a thousand is rounding.
MISREADING: Final = 0.01
_ENDS: Final = ("ci_low", "ci_high", "own_low", "own_high")


class Standing(StrEnum):
    """What may be said of one row of the table."""

    CONTROL = "control"  # it changes nothing that matters: the API, the seed, or nothing
    SHOWN = "shown"  # a difference, corrected for the number of comparisons
    UNCONFIRMED = "unconfirmed"  # its interval by itself misses zero only before correction
    OPEN = "open"


def standing_of(row: Mapping[Any, Any]) -> Standing:
    """Return the standing of one row of the table `SUSPECTS`."""
    if str(row["cause"]).startswith("none."):
        return Standing.CONTROL
    if differs(row):
        return Standing.SHOWN
    return Standing.UNCONFIRMED if row.get("own_high", 0) < 0 or row.get("own_low", 0) > 0 else Standing.OPEN


def differs(row: Mapping[Any, Any]) -> bool:
    """Return whether a difference is shown, corrected for the number of comparisons."""
    return row["verdict"] in (Verdict.DIFFERENT, Verdict.DIFFERENT_WITHIN_MARGIN)


def ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Return the suspects with the largest damage first and those without an effect last."""
    order = table.assign(_size=table["mean_difference"].fillna(0).round(6))
    return order.sort_values(["_size", "suspect"], kind="stable").drop(columns="_size").reset_index(drop=True)


def _seen(runs: pd.DataFrame, dataset: str, variant: str, reference: str) -> float:
    """Return the mean of seen minus true reference score over the seeds that both ended well, in points."""
    good = runs[(runs["dataset"] == dataset) & (runs["architecture"] == SUSPECTS_ARCHITECTURE) & ended_well(runs)]
    seen = good.loc[good["variant"] == variant].set_index("seed")["seen_score"]
    true = good.loc[good["variant"] == reference].set_index("seed")["test_score"]
    return float((seen - true).dropna().mean())


def _declared(name: str) -> Variant | None:
    """Return what the catalogue says of a suspect or variant; None of one that has left it since it was trained."""
    try:
        return find_variant(SUSPECTS_ARCHITECTURE, name)
    except KeyError:
        return None


def _effect(row: dict[Any, Any]) -> str:
    mean = row["mean_difference"]
    if pd.isna(mean):
        return "gave no score"
    if row["verdict"] == Verdict.IDENTICAL:
        return "changed nothing, bit for bit"
    if row["verdict"] == Verdict.EQUIVALENT:
        return f"changed the score by less than the margin ({mean:+.2f} points)"
    if row["verdict"] == Verdict.UNDECIDED:
        return f"moved the score by {mean:+.2f} points, which this many seeds cannot tell from noise"
    return f"{'cost' if mean < 0 else 'gained'} {abs(mean):.2f} points"


def _sentence(row: dict[Any, Any], misread: float) -> str:
    text = f"It {_effect(row)}"
    if pd.notna(row["ci_low"]) and row["verdict"] != Verdict.IDENTICAL:
        text += f" (interval {row['ci_low']:+.2f} to {row['ci_high']:+.2f}, {row['n']} seeds)"
    if pd.notna(row["unseen_collapse"]):
        text += f"; a collapse in up to {row['unseen_collapse']:.0f} % of seeds is not excluded"
    if pd.notna(misread) and abs(misread) > MISREADING:
        text += f", and its owner sees {row['mean_difference'] + misread:+.2f}"
    failed = row["failed"]
    return f"{text}.{f' {failed} of its runs failed.' if failed else ''}"


def _row(comparison: dict[Any, Any], runs: pd.DataFrame) -> dict[str, Any]:
    variant = str(comparison["variant"])
    declared = _declared(variant)
    reference = comparison["reference"]
    seen = _seen(runs, comparison["dataset"], variant, reference) if isinstance(reference, str) else float("nan")
    misread = seen - comparison["mean_difference"]
    if variant == API_VARIANT:
        identical = comparison["verdict"] == Verdict.IDENTICAL
        about = {
            "suspect": API_ROW,
            "cause": "none.identical" if identical else "none.equivalent",
            "changes": "the API: the same layers in keras.Sequential",
        }
    else:
        about = {
            "suspect": variant,
            "cause": declared.cause if declared and declared.cause else "",
            "changes": declared.changes if declared and declared.changes else "",
        }
    kept = ("dataset", "n", "failed", "mean_difference", *_ENDS, "verdict", "variant")
    return {
        **{name: comparison[name] for name in kept},
        **about,
        "p_corrected": comparison["t_p_corrected"],
        "seen_difference": seen,
        "misread": misread,
        "sentence": _sentence(comparison, misread),
    }


def suspects_table(runs: pd.DataFrame, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return one row per dataset and suspect, and one for the change of API, in the order of `comparisons`.

    Args:
        runs: the table `runs` (dataset, architecture, variant, seed, status, test_score, seen_score).
        comparisons: the table of `compare_variants` on the same runs.

    Returns:
        The table `SUSPECTS`; no rows where no suspect was trained.
    """
    candidates = comparisons[comparisons["architecture"] == SUSPECTS_ARCHITECTURE]
    chosen = candidates[(candidates["kind"] == "suspect") | (candidates["variant"] == API_VARIANT)]
    if not (chosen["kind"] == "suspect").any():
        return SUSPECTS.frame([])
    return SUSPECTS.frame([_row(row, runs) for row in chosen.to_dict("records")])
