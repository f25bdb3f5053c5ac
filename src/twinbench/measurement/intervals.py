"""From repetitions to means, paired differences, and intervals that hold all together."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from twinbench.architectures.catalogue import Variant
from twinbench.measurement.columns import API_COSTS

QUANTITIES: Final = ("step_ms", "flops", "peak_memory_mb", "build_s")
Floats = NDArray[np.float64]


def t_ends(sample: Floats, confidence: float) -> tuple[float, float]:
    """Return Student's t interval for the mean of (n,) values; both ends the value itself where all are equal.

    NaN below two values.
    """
    if len(sample) < 2:
        return float("nan"), float("nan")
    if np.ptp(sample) == 0:
        return float(sample[0]), float(sample[0])
    ends = stats.ttest_1samp(sample, 0.0).confidence_interval(confidence_level=confidence)
    return float(ends.low), float(ends.high)


def cost_rows(
    dataset: str,
    measured: Mapping[Variant, Mapping[str, Mapping[int, float]]],
    failures: Mapping[Variant, str],
    *,
    confidence: float,
) -> pd.DataFrame:
    """Return the table `api_costs` of one dataset.

    Args:
        dataset: its name.
        measured: by variant and quantity, the value of each repetition by its number; references before their twins.
        failures: why other variants could not be measured.
        confidence: of each mean's interval, and of all intervals of one quantity's differences together.

    Returns:
        The table `API_COSTS`.
    """
    references = {variant.architecture: variant for variant in measured if variant.kind == "reference"}
    twins = sum(variant.kind != "reference" for variant in measured)
    level = 1 - (1 - confidence) / max(twins, 1)
    rows = []
    for variant, own in measured.items():
        reference = measured[references[variant.architecture]]
        for quantity in QUANTITIES:
            row: dict[str, Any] = {
                "dataset": dataset,
                "architecture": variant.architecture,
                "variant": variant.name,
                "kind": variant.kind,
                "quantity": quantity,
            }
            row |= _summary(own[quantity], exact=quantity == "flops", confidence=confidence)
            if variant.kind == "reference":
                row["verdict"] = "reference"
            else:
                row |= paired_difference(
                    own[quantity], reference[quantity], exact=quantity == "flops", confidence=level
                )
            rows.append(row)
    for variant, reason in failures.items():
        for quantity in QUANTITIES:
            row = {"dataset": dataset, "architecture": variant.architecture, "variant": variant.name}
            row |= {"kind": variant.kind, "quantity": quantity, "n": 0, "verdict": "not measured", "reason": reason}
            rows.append(row)
    return API_COSTS.frame(rows)


def _summary(values: Mapping[int, float], *, exact: bool, confidence: float) -> dict[str, Any]:
    sample = np.array(list(values.values()), np.float64)
    if not len(sample):
        return {"n": 0}
    low, high = (sample[0], sample[0]) if exact else t_ends(sample, confidence)
    return {"n": len(sample), "mean": float(sample.mean()), "ci_low": low, "ci_high": high}


def paired_difference(
    own: Mapping[int, float], reference: Mapping[int, float], *, exact: bool = False, confidence: float
) -> dict[str, Any]:
    """Return the paired difference in percent, its interval and its verdict.

    Args:
        own: the value of each repetition by its number.
        reference: the same of what it is compared with.
        exact: whether the values are counts, which have no noise.
        confidence: of the interval.
    """
    shared = [repeat for repeat in own if repeat in reference]
    base = float(np.mean([reference[repeat] for repeat in shared])) if shared else 0.0
    if base <= 0 or (len(shared) < 2 and not exact):
        return {"verdict": "not measured"}
    percent = np.array([100 * (own[repeat] - reference[repeat]) / base for repeat in shared])
    low, high = (percent[0], percent[0]) if exact else t_ends(percent, confidence)
    verdict = "more" if low > 0 else "less" if high < 0 else "none"
    return {
        "difference_percent": float(percent.mean()),
        "difference_low": low,
        "difference_high": high,
        "verdict": verdict,
    }
