"""The table `summary`: the score of each variant over its seeds."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from twinbench.analysis.intervals import observed_std, score_resolution, t_interval
from twinbench.analysis.outputs import SUMMARY

GROUP: Final = ["dataset", "architecture", "variant"]


def ended_well(runs: pd.DataFrame) -> "pd.Series[bool]":
    """Return which runs count: status `ok` and a test score."""
    return (runs["status"] == "ok") & runs["test_score"].notna()


def score_name_of(runs: pd.DataFrame) -> str:
    """Return the score's name that these runs of one variant share; empty where none has it."""
    names = runs["score_name"].dropna()
    return str(names.iloc[0]) if len(names) else ""


def images_tested(runs: pd.DataFrame) -> int:
    """Return the number of test images behind the scores of these runs, the smallest if they differ; 0 if unknown."""
    sizes = runs["test_examples"].dropna()
    return int(sizes.min()) if len(sizes) else 0


def binomial_se(mean: float, test_examples: int, score_name: str) -> float:
    """Return the binomial standard error of an accuracy in points (`scipy.stats.binom`); NaN for other scores.

    Args:
        mean: accuracy in points, 0 to 100.
        test_examples: images in the test set.
        score_name: `accuracy` or another score.
    """
    if score_name != "accuracy" or test_examples < 1 or not np.isfinite(mean):
        return float("nan")
    proportion = min(max(mean / 100, 0.0), 1.0)
    return 100 * float(stats.binom.std(test_examples, proportion)) / test_examples


def _summary_row(runs: pd.DataFrame, confidence: float) -> dict[str, object]:
    good = runs[ended_well(runs)]
    scores = good["test_score"].to_numpy(dtype=np.float64)
    score_name = score_name_of(runs)
    test_examples = images_tested(good)
    mean = float(scores.mean()) if scores.size else float("nan")
    std = observed_std(scores)
    low = high = float("nan")
    if scores.size > 1:
        resolution = score_resolution(score_name, test_examples)
        interval = t_interval(scores, confidence=confidence, resolution=resolution)
        low = max(float(interval.low), 0.0) if score_name == "accuracy" else float(interval.low)
        high = min(float(interval.high), 100.0)
    return {
        "kind": runs["kind"].iloc[0],
        "score_name": score_name,
        "n": scores.size,
        "failed": len(runs) - scores.size,
        "mean": mean,
        "std": std,
        "ci_low": low,
        "ci_high": high,
        "binomial_se": binomial_se(mean, test_examples, score_name),
    }


def summarise(runs: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Return one row per dataset, architecture and variant, in the order of `runs`.

    Args:
        runs: the table `runs` (dataset, architecture, variant, kind, seed, status, score_name, test_examples,
            test_score).
        confidence: of the t interval, 0 to 1.

    Returns:
        The table `SUMMARY`.
    """
    rows = [
        dict(zip(GROUP, key, strict=True)) | _summary_row(group, confidence)
        for key, group in runs.groupby(GROUP, sort=False)
    ]
    return SUMMARY.frame(rows)
