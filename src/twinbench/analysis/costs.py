"""The tables `api_costs` and `determinism_costs`: repetitions become means, paired differences and verdicts.

A variant is compared with its reference within each repetition, each of which built both anew. All timed intervals of
one dataset hold together (Bonferroni). Of an API's cost a difference is told only when its interval lies beyond
`THRESHOLD_PERCENT` as a whole, and none only when it lies within.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from twinbench.analysis.intervals import t_interval
from twinbench.analysis.outputs import API_COSTS, DETERMINISM_COSTS
from twinbench.measurement.columns import COUNTS, QUANTITIES, TIMES

_VARIANT: Final = ["architecture", "variant", "kind"]
# Percent more or less that are worth having.
THRESHOLD_PERCENT: Final = 10.0


def api_costs(repetitions: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Return what each variant costs beside its reference.

    Args:
        repetitions: the table `COST_REPETITIONS`.
        confidence: of each mean's interval, and of all intervals of one quantity's differences together.

    Returns:
        The table `API_COSTS`, in the order of `repetitions`.
    """
    rows: list[dict[str, Any]] = []
    for dataset, measured in repetitions.groupby("dataset", sort=False):
        twins = measured.loc[(measured["kind"] != "reference") & measured["reason"].isna(), _VARIANT]
        level = _level(confidence, len(TIMES) * len(twins.drop_duplicates()))
        references = measured[measured["kind"] == "reference"]
        for key, repeated in measured.groupby(_VARIANT, sort=False):
            variant = dict(zip(_VARIANT, key, strict=True))
            reference = references[references["architecture"] == variant["architecture"]]
            for quantity in QUANTITIES:
                values, exact = _values(repeated, quantity), quantity in COUNTS
                row = {"dataset": dataset, **variant, "quantity": quantity}
                row |= _mean(values, exact=exact, confidence=confidence)
                if reason := _reason(repeated):
                    row |= {"verdict": "not measured", "reason": reason}
                elif variant["kind"] == "reference":
                    row["verdict"] = "reference"
                else:
                    row |= paired_difference(
                        values,
                        _values(reference, quantity),
                        exact=exact,
                        confidence=level,
                        threshold=THRESHOLD_PERCENT,
                    )
                rows.append(row)
    return API_COSTS.frame(rows)


def determinism_costs(repetitions: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Return what deterministic operations cost each reference.

    Args:
        repetitions: the table `DETERMINISM_REPETITIONS`.
        confidence: of all intervals of one dataset together.

    Returns:
        The table `DETERMINISM_COSTS`, in the order of `repetitions`.
    """
    rows: list[dict[str, Any]] = []
    for dataset, measured in repetitions.groupby("dataset", sort=False):
        level = _level(confidence, measured.loc[measured["reason"].isna(), "architecture"].nunique())
        for architecture, repeated in measured.groupby("architecture", sort=False):
            strict, seeded = (_values(repeated, f"{name}_ms") for name in ("strict", "seeded"))
            row = {"dataset": dataset, "architecture": architecture, "n": len(strict), "reason": _reason(repeated)}
            row |= {"strict_ms": float(strict.mean()), "seeded_ms": float(seeded.mean())}
            rows.append(row | paired_difference(strict, seeded, confidence=level))
    return DETERMINISM_COSTS.frame(rows)


def _level(confidence: float, comparisons: int) -> float:
    """Return the confidence of one interval of so many that hold all together."""
    return 1 - (1 - confidence) / max(comparisons, 1)


def _reason(repetitions: pd.DataFrame) -> str | None:
    """Return why a variant could not be measured; None where it was."""
    return next(iter(repetitions["reason"].dropna()), None)


def _values(repetitions: pd.DataFrame, quantity: str) -> "pd.Series[float]":
    return repetitions[repetitions["quantity"] == quantity].set_index("repetition")["value"]


def _mean(values: "pd.Series[float]", *, exact: bool, confidence: float) -> dict[str, Any]:
    if values.empty:
        return {"n": 0}
    low, high = _ends(values, exact=exact, confidence=confidence)
    return {"n": len(values), "mean": float(values.mean()), "ci_low": low, "ci_high": high}


def _ends(values: "pd.Series[float]", *, exact: bool, confidence: float) -> tuple[float, float]:
    if exact:
        return values.iloc[0], values.iloc[0]
    interval = t_interval(np.asarray(values, np.float64), confidence=confidence)
    return float(interval.low), float(interval.high)


def paired_difference(
    values: "pd.Series[float]",
    reference: "pd.Series[float]",
    *,
    exact: bool = False,
    confidence: float,
    threshold: float = 0.0,
) -> dict[str, Any]:
    """Return the paired difference in percent, its interval and its verdict.

    Args:
        values: of each repetition, by its number.
        reference: the same of what they are compared with.
        exact: whether the values are counts, which have no noise.
        confidence: of the interval.
        threshold: percent beyond which a difference counts; at 0 an interval that holds zero is called none.
    """
    shared = values.index.intersection(reference.index)
    base = float(reference[shared].mean()) if len(shared) else 0.0
    if base <= 0 or (len(shared) < 2 and not exact):
        return {"verdict": "not measured"}
    percent = 100 * (values[shared] - reference[shared]) / base
    low, high = _ends(percent, exact=exact, confidence=confidence)
    return {
        "difference_percent": float(percent.mean()),
        "difference_low": low,
        "difference_high": high,
        "verdict": _verdict(low, high, threshold),
    }


def _verdict(low: float, high: float, threshold: float) -> str:
    if low > threshold:
        return "more"
    if high < -threshold:
        return "less"
    return "none" if threshold == 0 or (-threshold <= low and high <= threshold) else "unclear"
