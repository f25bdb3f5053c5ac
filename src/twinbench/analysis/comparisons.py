"""The table `comparisons`: each variant against its reference, paired by seed, and a verdict in one word.

The seed is the replication unit. Two t tests decide, both corrected by Holm over the family of comparisons, so that a
table of thirty comparisons is wrong anywhere as seldom as a table of one.
`docs/statistics.md` has the source of each number and how well it is calibrated.
"""

from collections.abc import Hashable
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from twinbench.analysis.intervals import observed_std, sample_std, t_interval
from twinbench.analysis.outputs import COMPARISONS
from twinbench.analysis.paired_tests import equivalence_p, paired_t_p
from twinbench.analysis.pairing import Pairs, pairs_by_seed

_TESTED: Final = ("t_p", "tost_p")


class Verdict(StrEnum):
    """What the runs say of one comparison."""

    IDENTICAL = "identical"
    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    DIFFERENT_WITHIN_MARGIN = "different but within the margin"
    UNDECIDED = "undecided"


def _described(pairs: Pairs) -> dict[str, object]:
    """Return what needs no test."""
    enough = pairs.n > 0
    differences = pairs.differences
    return {
        "dataset": pairs.dataset,
        "architecture": pairs.architecture,
        "variant": pairs.variant,
        "kind": pairs.kind,
        "reference": pairs.reference,
        "score_name": pairs.score_name,
        "n": pairs.n,
        "failed": pairs.failed,
        "unpaired": pairs.unpaired,
        "mean_difference": float(differences.mean()) if enough else float("nan"),
        "std_difference": observed_std(differences),
        "family": "suspects" if pairs.kind == "suspect" else "variants",
    }


def _tested(pairs: Pairs, *, margin: float, confidence: float) -> dict[str, object]:
    """Return tests and interval of two pairs or more."""
    differences, resolution = pairs.differences, pairs.resolution
    interval = t_interval(differences, confidence=confidence, resolution=resolution)
    return {
        "std_used": float(sample_std(differences, resolution)),
        "ci_low": float(interval.low),
        "ci_high": float(interval.high),
        "t_p": float(paired_t_p(differences, resolution=resolution)),
        "tost_p": float(equivalence_p(differences, margin=margin, resolution=resolution)),
    }


def _correct_by_family(table: pd.DataFrame) -> None:
    """Fill in what depends on the whole family: its size, and the corrected p values."""
    table["family_size"] = 0
    for column in _TESTED:
        table[f"{column}_holm"] = np.nan
    for family, members in table.groupby("family", sort=False):
        tested = members.index[members["t_p"].notna()]
        table.loc[table["family"] == family, "family_size"] = len(tested)
        if len(tested):
            for column in _TESTED:
                corrected = multipletests(table.loc[tested, column].to_numpy(), method="holm")[1]
                table.loc[tested, f"{column}_holm"] = corrected


def _verdict(identical: bool, t_p_holm: float, tost_p_holm: float, level: float) -> Verdict:
    """Return the verdict; NaN p values (too few pairs) decide nothing."""
    if identical:
        return Verdict.IDENTICAL
    different, inside = t_p_holm <= level, tost_p_holm <= level
    if different and inside:
        return Verdict.DIFFERENT_WITHIN_MARGIN
    if different:
        return Verdict.DIFFERENT
    return Verdict.EQUIVALENT if inside else Verdict.UNDECIDED


def _compared(mean: float) -> str:
    if mean == 0:
        return "the mean scores are equal"
    return f"it scores {abs(mean):.2f} points {'lower' if mean < 0 else 'higher'}"


def _seeds(n: int) -> str:
    return "1 seed" if n == 1 else f"{n} seeds"


def _finding(row: dict[Hashable, Any], confidence: float) -> str:
    """Return the result of one comparison in words, without what was left out."""
    reference, n = row["reference"], row["n"]
    if not reference:
        return "Undecided: the reference was not run."
    if n == 0:
        return f"Undecided: no seed in which both it and {reference} ended well."
    if row["verdict"] == Verdict.IDENTICAL:
        return f"Bit-identical to {reference} in {_seeds(n)}: weights and scores are equal, nothing to test."
    compared = _compared(row["mean_difference"])
    if n == 1:
        return f"Undecided against {reference}: {compared} in the only seed, and one seed shows no spread."
    ends = (
        f"{100 * confidence:g} % interval {row['ci_low']:+.2f} to {row['ci_high']:+.2f}, {_seeds(n)}, "
        f"p {row['t_p_holm']:.2g} for no difference and {row['tost_p_holm']:.2g} for a difference beyond "
        f"{row['margin']:g} points, both after Holm"
    )
    opening = {
        Verdict.EQUIVALENT: f"Equivalent to {reference}: {compared}",
        Verdict.DIFFERENT: f"Different from {reference}: {compared}",
        Verdict.DIFFERENT_WITHIN_MARGIN: f"Different from {reference}, though within the margin: {compared}",
        Verdict.UNDECIDED: f"Undecided against {reference}: {compared}",
    }[Verdict(row["verdict"])]
    return f"{opening} ({ends})."


def _left_out(row: dict[Hashable, Any]) -> str:
    """Return what the numbers leave out or assume, in words; empty where that is nothing."""
    notes = []
    failed, unpaired = row["failed"], row["unpaired"]
    if failed:
        notes.append(f"{failed} of its runs failed and {'is' if failed == 1 else 'are'} in no average.")
    if unpaired and row["reference"]:
        notes.append(f"{_seeds(unpaired)} left out for want of a pair.")
    if row["std_difference"] == 0 and row["verdict"] != Verdict.IDENTICAL:
        notes.append("All differences are equal, so their spread is taken as the smallest that the test set can show.")
    return " ".join(notes)


def compare_variants(runs: pd.DataFrame, *, margin: float, confidence: float) -> pd.DataFrame:
    """Return one row per variant that is not a reference, compared with its reference over the seeds of both.

    Args:
        runs: the table `runs` (dataset, architecture, variant, kind, seed, status, score_name, test_examples,
            test_score, final_weights_sha256).
        margin: the equivalence margin in points, above 0.
        confidence: of the intervals; tests have the level 1 - confidence.

    Returns:
        The table `COMPARISONS`, in the order of `runs`. Numbers that cannot be had (tests of identical pairs, of
        fewer than two pairs) are NaN.

    Raises:
        RecordError: a run appears twice, or an architecture has several references.
    """
    rows: list[dict[str, object]] = []
    identical: list[bool] = []
    for pairs in pairs_by_seed(runs):
        row = _described(pairs)
        if pairs.identical:
            # No spread, by proof and not by estimate.
            row |= dict.fromkeys(("std_difference", "std_used", "ci_low", "ci_high"), 0.0)
        elif pairs.n > 1:
            row |= _tested(pairs, margin=margin, confidence=confidence)
        rows.append(row)
        identical.append(pairs.identical)
    table = COMPARISONS.frame(rows)
    if table.empty:
        return table
    level = 1 - confidence
    table["margin"] = margin
    _correct_by_family(table)
    table["verdict"] = [
        str(_verdict(same, t_p, tost_p, level))
        for same, t_p, tost_p in zip(identical, table["t_p_holm"], table["tost_p_holm"], strict=True)
    ]
    table["sentence"] = [f"{_finding(row, confidence)} {_left_out(row)}".strip() for row in table.to_dict("records")]
    return table
