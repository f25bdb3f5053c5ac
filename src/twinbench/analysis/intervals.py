"""How far a score is in doubt: Student's t interval over seeds, and the binomial error of a test set.

Every function takes samples along the last axis, so that one comparison (n,) and 10,000 simulated ones
(10000, n) go through the same code: what the calibration measures is what the tables use.

A sample whose values are all equal says that its spread is smaller than the score can show, not that it is zero:
accuracy on 360 images moves in steps of 0.28 points. Such a sample gets the smallest spread that the score could
have shown (`smallest_std`), so that nothing divides by zero and two equal differences prove no certainty.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

# Scores are compared to 1e-9 points: 98.3 - 98.2 is 0.1 and not 0.0999..., and equal differences are ties.
SCORE_DECIMALS = 9


class Interval(NamedTuple):
    """Lower and upper end, in the unit of the sample; arrays of shape (...)."""

    low: Floats
    high: Floats


def smallest_std(resolution: float, n: int) -> float:
    """Return the smallest standard deviation above zero of `n` scores that move in steps of `resolution`.

    It is that of n - 1 equal values and one that is a step away: resolution / sqrt(n).
    """
    return float(resolution / np.sqrt(n))


def sample_std(sample: Floats, resolution: float) -> Floats:
    """Return the standard deviation (n - 1) along the last axis, never below `smallest_std`.

    Args:
        sample: floats (..., n) with n >= 2, in points.
        resolution: the smallest step of the score, in points, above 0.
    """
    n = sample.shape[-1]
    return np.asarray(np.maximum(np.std(sample, axis=-1, ddof=1), smallest_std(resolution, n)))


def observed_std(sample: Floats) -> float:
    """Return the standard deviation (n - 1) of one sample (n,): exactly 0 for equal values, NaN below two."""
    if len(sample) < 2:
        return float("nan")
    return float(np.std(sample, ddof=1)) if np.ptp(sample) else 0.0


def with_smallest_spread(sample: Floats, resolution: float) -> Floats:
    """Return `sample` with each slice of no spread replaced by one of the smallest spread and the same mean.

    The replacement is evenly spaced around the mean with standard deviation `smallest_std`; other slices are
    returned as they are.

    Args:
        sample: floats (..., n) with n >= 2, in points.
        resolution: the smallest step of the score, in points, above 0.
    """
    n = sample.shape[-1]
    floor = smallest_std(resolution, n)
    evenly_spaced = np.asarray(stats.zscore(np.arange(n), ddof=1), dtype=np.float64)
    mean = np.mean(sample, axis=-1, keepdims=True)
    # Half a floor tells "all equal" from the smallest real spread whatever the rounding.
    flat = np.std(sample, axis=-1, ddof=1, keepdims=True) < floor / 2
    return np.where(flat, mean + floor * evenly_spaced, sample)


def t_interval(sample: Floats, *, confidence: float, resolution: float | None = None) -> Interval:
    """Return Student's t interval for the mean over the last axis (`scipy.stats.ttest_1samp`); NaN below two values.

    Args:
        sample: floats (..., n).
        confidence: of the two-sided interval, 0 to 1.
        resolution: the smallest step of a score, in points, above 0; without it equal values, which were measured on
            a scale without steps, have an interval without width.
    """
    n = sample.shape[-1]
    if n < 2:
        unknown = np.full(sample.shape[:-1], np.nan)
        return Interval(unknown, unknown)
    if resolution is None:
        mean, half = np.mean(sample, axis=-1), stats.t.ppf((1 + confidence) / 2, n - 1) * stats.sem(sample, axis=-1)
        return Interval(np.asarray(mean - half), np.asarray(mean + half))
    test = stats.ttest_1samp(with_smallest_spread(sample, resolution), 0.0, axis=-1)
    interval = test.confidence_interval(confidence_level=confidence)
    return Interval(np.asarray(interval.low), np.asarray(interval.high))


def binomial_se(mean: float, test_examples: int, score_name: str = "accuracy") -> float:
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


def score_resolution(score_name: str, test_examples: int) -> float:
    """Return the smallest step of a score in points: one test image for accuracy, float32 rounding for others."""
    if score_name == "accuracy" and test_examples > 0:
        return 100.0 / test_examples
    return 100.0 * float(np.finfo(np.float32).eps)
