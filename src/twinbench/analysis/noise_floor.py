"""The table `noise_floor`: how far apart two runs of one and the same variant end.

Someone who trains each of two models once, with seeds of their own, compares two single runs. The table says how
often such a comparison shows a gap of a given size though the two models are the same.
"""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial.distance import pdist

from twinbench.analysis.intervals import SCORE_DECIMALS, Floats, Interval, observed_std, sample_std, score_resolution
from twinbench.analysis.outputs import GAPS, NOISE_FLOOR, gap_column
from twinbench.analysis.summary import GROUP, ended_well, images_tested, score_name_of

# From so many seeds on the 45 and more pairs of seeds are used themselves; below it the model.
SEEDS_FOR_PAIRS: Final = 10


def gap_probability_from_pairs(scores: Floats, gap: float) -> float:
    """Return the share of ordered pairs of different seeds whose scores are at least `gap` points apart.

    A gap is symmetric, so unordered pairs (`scipy.spatial.distance.pdist`) give the same share.

    Args:
        scores: floats (n,) with n >= 2, in points.
        gap: points, above 0.
    """
    # Rounded, so that 98.3 against 98.2 is a gap of 0.1.
    return float(np.mean(np.round(pdist(scores[:, None]), SCORE_DECIMALS) >= gap))


def gap_probability_from_model(scores: Floats, gap: float, *, resolution: float) -> float:
    """Return the predictive probability that two new runs end at least `gap` points apart.

    For normal scores the difference of two new runs over sqrt(2) times the standard deviation of n seen ones is
    Student's t with n - 1 degrees of freedom: its tails hold what n seeds leave in doubt. Scores move in steps, so
    the gap asked for is the smallest number of whole steps that reaches it, less half a step (the usual correction
    of a continuous distribution for a discrete one).

    Source: Hahn and Meeker 1991, "Statistical Intervals", chapter 4 (normal prediction intervals).

    Args:
        scores: floats (n,) with n >= 2, in points.
        gap: points, above 0.
        resolution: the smallest step of the score, in points, above 0.
    """
    std = float(sample_std(scores, resolution))
    return float(2 * stats.t.sf(_reach(gap, resolution) / std, len(scores) - 1))


def gap_probability_interval(scores: Floats, gap: float, *, resolution: float, confidence: float) -> Interval:
    """Return the interval of the probability that two new runs end at least `gap` points apart.

    It is the chi-square interval of the scores' standard deviation, put through the normal model.

    Args:
        scores: floats (n,) with n >= 2, in points.
        gap: points, above 0.
        resolution: the smallest step of the score, in points, above 0.
        confidence: of the interval, 0 to 1.
    """
    degrees, tail = len(scores) - 1, (1 - confidence) / 2
    stds = sample_std(scores, resolution) * np.sqrt(degrees / stats.chi2.isf([tail, 1 - tail], degrees))
    return Interval(*(2 * stats.norm.sf(_reach(gap, resolution) / stds)))


def _reach(gap: float, resolution: float) -> float:
    """Return a gap in whole steps of the score, less half a step, by the spread of a difference of two runs."""
    steps = np.ceil(np.round(gap / resolution, SCORE_DECIMALS))
    return float((steps - 0.5) * resolution / np.sqrt(2))


def _gaps(scores: Floats, resolution: float, confidence: float) -> dict[str, object]:
    """Return the gaps between the seeds of one variant; nothing where there is no pair."""
    if len(scores) < 2:
        return {}
    enough = len(scores) >= SEEDS_FOR_PAIRS
    intervals = {
        gap_column(gap): gap_probability_interval(scores, gap, resolution=resolution, confidence=confidence)
        for gap in GAPS
    }
    return {
        "range": float(np.round(np.ptp(scores), SCORE_DECIMALS)),
        "mean_gap": float(np.mean(pdist(scores[:, None]))),
        "source": "pairs of seeds" if enough else "t model",
        **{
            gap_column(gap): gap_probability_from_pairs(scores, gap)
            if enough
            else gap_probability_from_model(scores, gap, resolution=resolution)
            for gap in GAPS
        },
        **{f"{name}_low": float(interval.low) for name, interval in intervals.items()},
        **{f"{name}_high": float(interval.high) for name, interval in intervals.items()},
    }


def _row(runs: pd.DataFrame, confidence: float) -> dict[str, object]:
    good = runs[ended_well(runs)]
    scores = good["test_score"].to_numpy(dtype=np.float64)
    score_name = score_name_of(runs)
    return {
        "kind": runs["kind"].iloc[0],
        "score_name": score_name,
        "n": len(scores),
        "std": observed_std(scores),
    } | _gaps(scores, score_resolution(score_name, images_tested(good)), confidence)


def noise_floor(runs: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Return one row per dataset, architecture and variant, in the order of `runs`.

    Failed runs are left out; with one run that ended well there is no gap to speak of and its numbers are NaN.

    Args:
        runs: the table `runs` (dataset, architecture, variant, kind, seed, status, score_name, test_examples,
            test_score).
        confidence: of the intervals, of all references of a dataset together.

    Returns:
        The table `NOISE_FLOOR`.
    """
    references = runs[runs["kind"] == "reference"].groupby("dataset")["architecture"].nunique()
    rows = []
    for key, group in runs.groupby(GROUP, sort=False):
        level = (1 - confidence) / max(int(references.get(key[0], 1)), 1)
        rows.append(dict(zip(GROUP, key, strict=True)) | _row(group, 1 - level))
    return NOISE_FLOOR.frame(rows)
