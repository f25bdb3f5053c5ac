"""Tables of runs made by hand or drawn at random, for tests of the analysis."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

REFERENCE = "functional"


def run(variant: str, seed: int, score: float | None, **settings: Any) -> dict[str, Any]:
    """One row of the table `runs`; a score of None makes it a failed run."""
    kind = "reference" if variant == REFERENCE else "twin"
    return {
        "dataset": "digits",
        "architecture": "mlp",
        "variant": variant,
        "kind": kind,
        "seed": seed,
        "status": "failed" if score is None else "ok",
        "reason": "the loss became NaN" if score is None else "",
        "task": "classify",
        "score_name": "accuracy",
        "test_examples": 10_000,
        "test_score": float("nan") if score is None else score,
        "final_weights_sha256": None if score is None else f"{variant}-{seed}",
    } | settings


def runs_of(scores: Mapping[str, Sequence[float | None]], **settings: Any) -> pd.DataFrame:
    """The table `runs` with the seeds 0, 1, ... of each variant in turn."""
    return pd.DataFrame(
        [run(variant, seed, score, **settings) for variant, row in scores.items() for seed, score in enumerate(row)]
    )
