"""The table `summary`: the score of each variant over its seeds."""

from typing import Final

import numpy as np
import pandas as pd

from twinbench.analysis.intervals import binomial_se, observed_std, score_resolution, t_interval
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


def _summary_row(runs: pd.DataFrame, confidence: float) -> dict[str, object]:
    good = runs[ended_well(runs)]
    scores = good["test_score"].to_numpy(dtype=np.float64)
    score_name = score_name_of(runs)
    test_examples = images_tested(good)
    mean = float(scores.mean()) if scores.size else float("nan")
    std = observed_std(scores)
    interval = t_interval(scores, confidence=confidence, resolution=score_resolution(score_name, test_examples))
    low, high = float(interval.low), float(interval.high)
    return {
        "kind": runs["kind"].iloc[0],
        "score_name": score_name,
        "n": scores.size,
        "failed": len(runs) - scores.size,
        "mean": mean,
        "std": std,
        "ci_low": np.maximum(low, 0.0) if score_name == "accuracy" else low,
        "ci_high": np.minimum(high, 100.0),
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
