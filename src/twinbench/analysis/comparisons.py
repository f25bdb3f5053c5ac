"""The table `comparisons`: each variant against its reference, paired by seed, and a verdict in one word.

The seed is the replication unit. Two t tests decide, for a difference and for none. All comparisons of one dataset are
a family: each test has the level (1 - confidence) / comparisons, so that a table of thirty is wrong anywhere as seldom
as a table of one, and another dataset changes nothing. Of one comparison only one of the two tests can be wrong, since
its true difference cannot be none and the margin at once: so dividing by the comparisons covers both.
`docs/statistics.md` has the source of each number and how well it is calibrated.
"""

from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from twinbench.analysis.intervals import binomial_se, observed_std, sample_std
from twinbench.analysis.outputs import COMPARISONS
from twinbench.analysis.paired_tests import equivalence_p, paired_t_p
from twinbench.analysis.pairing import Pairs, pairs_by_seed

# A run has collapsed when it ends so many margins below the reference's median score, or so many of the reference's
# median absolute deviations where these are wider.
COLLAPSE: Final = 10
_OWN: Final = ("own_low", "own_high")
_SIMULTANEOUS: Final = ("ci_low", "ci_high")


class Verdict(StrEnum):
    """What the runs say of one comparison."""

    IDENTICAL = "identical"
    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    DIFFERENT_WITHIN_MARGIN = "different but within the margin"
    UNDECIDED = "undecided"


# Verdicts that call two variants the same, or as good as that.
SAME: Final = (Verdict.IDENTICAL, Verdict.EQUIVALENT, Verdict.DIFFERENT_WITHIN_MARGIN)


def unseen_rate(n: int, confidence: float) -> float:
    """Return the share of seeds, in percent, in which something may happen that n seeds have not shown.

    It is the upper confidence limit of a proportion of which none of n showed anything, 1 - (1 - confidence)^(1/n):
    the "rule of three", since at 95 % it is about 3/n (Hanley and Lippman-Hand 1983, JAMA 249(13)).
    """
    return float(100 * (1 - (1 - confidence) ** (1 / n)))


def _described(pairs: Pairs, margin: float, chance: float) -> dict[str, object]:
    """Return what needs no test."""
    enough = pairs.n > 0
    scores, references, differences = pairs.scores, pairs.reference_scores, pairs.differences
    middle = float(np.median(references)) if enough else 0.0
    floor = middle - COLLAPSE * max(margin, float(np.median(np.abs(references - middle))) if enough else 0.0)
    return {
        "dataset": pairs.dataset,
        "architecture": pairs.architecture,
        "variant": pairs.variant,
        "kind": pairs.kind,
        "reference": pairs.reference,
        "score_name": pairs.score_name,
        "n": pairs.n,
        "failed": pairs.failed,
        "reference_failed": pairs.reference_failed,
        "failed_alone": pairs.failed_alone,
        "unpaired": pairs.unpaired,
        "mean_difference": float(differences.mean()) if enough else float("nan"),
        "std_difference": observed_std(differences),
        "worst_difference": float(scores.min() - references.min()) if enough else float("nan"),
        "collapsed": int(((scores < floor) | (references < floor)).sum()) if enough else 0,
        "at_chance": enough and _at_chance(pairs, margin, chance),
        "family": pairs.dataset,
    }


def _at_chance(pairs: Pairs, margin: float, chance: float) -> bool:
    """Return whether neither mean score is above that of the best constant guess by more than the test set can show."""
    if np.isnan(chance):
        return False
    images = round(100 / pairs.resolution) if pairs.score_name == "accuracy" else 0
    error = np.nan_to_num(binomial_se(chance, images, pairs.score_name))
    return bool(max(pairs.scores.mean(), pairs.reference_scores.mean()) <= chance + max(margin, 3 * error))


def _tested(several: Sequence[Pairs], *, margin: float) -> list[dict[str, object]]:
    """Return the tests of pairs, all with as many seeds and the same resolution; nothing of fewer than two seeds."""
    resolution = several[0].resolution
    if several[0].n < 2:
        return [{} for _ in several]
    differences = np.stack([pairs.differences for pairs in several])
    std = sample_std(differences, resolution)
    p = paired_t_p(differences, resolution=resolution)
    equivalent_p = equivalence_p(differences, margin=margin, resolution=resolution)
    return [
        {"std_used": float(spread), "t_p": float(different), "tost_p": float(alike)}
        for spread, different, alike in zip(std, p, equivalent_p, strict=True)
    ]


def _correct_by_family(
    table: pd.DataFrame, confidence: float, share: float, family_sizes: Mapping[str, int] | None
) -> None:
    """Fill in what depends on the whole family: its size, the corrected p values and the simultaneous intervals."""
    tested = table["t_p"].notna()
    table["family_size"] = tested.groupby(table["family"]).transform("sum").astype(int)
    if family_sizes is not None:
        table["family_size"] = table["family"].map(family_sizes).astype(int)
    sizes = table["family_size"].clip(lower=1)
    for name in ("t_p", "tost_p"):
        table[f"{name}_corrected"] = (table[name] * sizes / share).clip(upper=1.0)
    n = table["n"].astype(float)
    error: pd.Series[float] = table["std_used"] / np.sqrt(n.clip(lower=1))
    spent = (1 - confidence) * share
    for (low, high), level in ((_OWN, spent), (_SIMULTANEOUS, spent / sizes)):
        reach = error * stats.t.isf(level / 2, (n - 1).clip(lower=1))
        reach = reach.where(tested, error)  # identical pairs have no spread, by proof and not by estimate
        table[low], table[high] = table["mean_difference"] - reach, table["mean_difference"] + reach


def _seeds(n: int) -> str:
    return "1 seed" if n == 1 else f"{n} seeds"


def reservation(row: Mapping[Any, Any]) -> str:
    """Return why the seeds of a row cannot show that its two variants are as good as the same; empty where they can."""
    if row["failed_alone"]:
        return f"in {_seeds(row['failed_alone'])} one of the two failed and the other did not"
    if row["verdict"] == Verdict.IDENTICAL:
        return ""
    if row["at_chance"]:
        return "both score no better than a constant guess, where any two variants look alike"
    if row["collapsed"]:
        below = f"more than {COLLAPSE * row['margin']:g} points below the others"
        return f"in {_seeds(row['collapsed'])} one of the two collapsed: it ended {below}"
    return ""


def _verdict(identical: bool, row: Mapping[Any, Any], level: float) -> Verdict:
    """Return the verdict; NaN p values (too few pairs) decide nothing."""
    different, inside = row["t_p_corrected"] <= level, row["tost_p_corrected"] <= level
    if identical and not reservation({**row, "verdict": Verdict.IDENTICAL}):
        return Verdict.IDENTICAL
    if inside and not reservation({**row, "verdict": ""}):
        return Verdict.DIFFERENT_WITHIN_MARGIN if different else Verdict.EQUIVALENT
    return Verdict.DIFFERENT if different else Verdict.UNDECIDED


def _compared(mean: float) -> str:
    if mean == 0:
        return "the mean scores are equal"
    return f"it scores {abs(mean):.2f} points {'lower' if mean < 0 else 'higher'}"


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
    if np.isnan(row["t_p"]):
        alone = "in the only seed, and one seed shows no spread" if n == 1 else f"in the {n} seeds that are left"
        return f"Undecided against {reference}: {compared} {alone}."
    size = row["family_size"]
    ends = (
        f"{100 * confidence:g} % interval {row['ci_low']:+.2f} to {row['ci_high']:+.2f}, {_seeds(n)}, "
        f"p {row['t_p_corrected']:.2g} for no difference and {row['tost_p_corrected']:.2g} for a difference beyond "
        f"{row['margin']:g} points"
    )
    if size > 1:
        ends += f", all corrected for {size} comparisons"
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
    if row["n"] and row["verdict"] in (Verdict.UNDECIDED, Verdict.DIFFERENT) and (why := reservation(row)):
        notes.append(f"Nothing here can show that the two are alike: {why}.")
    if not np.isnan(row["unseen_collapse"]):
        notes.append(
            f"A collapse that these seeds have not shown cannot be excluded in up to {row['unseen_collapse']:.0f} % of "
            "its seeds."
        )
    if row["std_difference"] == 0 and not np.isnan(row["t_p"]):
        notes.append("All differences are equal, so their spread is taken as the smallest that the test set can show.")
    return " ".join(notes)


def compare_variants(
    runs: pd.DataFrame,
    *,
    margin: float,
    confidence: float,
    chance: Mapping[str, float] | None = None,
    share: float = 1.0,
    sizes: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Return one row per variant that is not a reference, compared with its reference over the seeds of both.

    Args:
        runs: the table `runs` (dataset, architecture, variant, kind, seed, status, score_name, test_examples,
            test_score, final_weights_sha256).
        margin: the equivalence margin in points, above 0.
        confidence: of the intervals; tests have the level 1 - confidence.
        chance: accuracy of the best constant guess in points, by dataset; where it is not known, whether both score
            no better than that is not looked at.
        share: the part of the error that may be spent, where these runs are looked at more than once (`settling`).
        sizes: how many comparisons are corrected together, by family, where that was known before.

    Returns:
        The table `COMPARISONS`, in the order of `runs`. Numbers that cannot be had (tests of identical pairs, of
        fewer than two pairs) are NaN.

    Raises:
        RecordError: a run appears twice, or an architecture has several references.
    """
    compared = list(pairs_by_seed(runs))
    rows: list[dict[str, object]] = []
    tested_together: dict[object, list[int]] = {}
    for place, pairs in enumerate(compared):
        guess = (chance or {}).get(pairs.dataset, np.nan) if pairs.score_name == "accuracy" else 0.0
        rows.append(_described(pairs, margin, guess) | {"margin": margin})
        if pairs.identical:
            rows[-1]["std_used"] = 0.0
        else:
            tested_together.setdefault((pairs.n, pairs.resolution), []).append(place)
    for places in tested_together.values():
        for place, tests in zip(places, _tested([compared[place] for place in places], margin=margin), strict=True):
            rows[place] |= tests
    table = COMPARISONS.frame(rows)
    if table.empty:
        return table
    _correct_by_family(table, confidence, share, sizes)
    table["verdict"] = [
        str(_verdict(pairs.identical, row, 1 - confidence))
        for pairs, row in zip(compared, table.to_dict("records"), strict=True)
    ]
    alike = table["verdict"].isin([Verdict.EQUIVALENT, Verdict.DIFFERENT_WITHIN_MARGIN])
    table["unseen_collapse"] = [
        unseen_rate(n, confidence) if same else np.nan for n, same in zip(table["n"], alike, strict=True)
    ]
    table["sentence"] = [f"{_finding(row, confidence)} {_left_out(row)}".strip() for row in table.to_dict("records")]
    return table
