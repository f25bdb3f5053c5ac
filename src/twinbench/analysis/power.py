"""Power of the paired t test and of the equivalence test, and the number of seeds that reaches a power.

All functions take the standard deviation of the differences as known; tables put the observed one in.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import special, stats
from statsmodels.stats.power import ftest_power_f2

from twinbench.analysis.intervals import Floats

# Plans beyond this many seeds are not plans; the tables then say "more than".
MAXIMUM_SEEDS = 10_000
# Strata of the sampling distribution of the standard deviation; 2,000 fix the power to four digits.
_STRATA = 2_000


@lru_cache(maxsize=1024)
def _sampled_stds(n: int) -> Floats:
    """Return the standard deviations that n values of true standard deviation 1 show, one for each stratum."""
    strata = (np.arange(_STRATA) + 0.5) / _STRATA
    return np.asarray(np.sqrt(stats.chi2.ppf(strata, n - 1) / (n - 1)))


def difference_power(difference: float, std: float, n: int, *, level: float) -> float:
    """Return the probability that the two-sided paired t test finds a true mean difference.

    The square of the paired t statistic is F with 1 and n - 1 degrees of freedom and noncentrality
    n * (difference / std)^2, so this is `statsmodels.stats.power.ftest_power_f2`; it equals `TTestPower.power`,
    whose noncentral t gives NaN for strong effects.

    Source: Cohen 1988, "Statistical power analysis for the behavioral sciences", 2nd ed., chapter 2.

    Args:
        difference: the true mean difference, in points.
        std: standard deviation of the differences, in points, above 0.
        n: seeds; with fewer than two there is no test and the power is 0.
        level: of the two-sided test, 0 to 1.
    """
    if n < 2:
        return 0.0
    # Beyond an effect of 1e6 the power is 1 for every n and level in use; larger squares overflow.
    effect = min(abs(difference) / std, 1e6)
    return float(ftest_power_f2(effect**2, 1, n - 1, level, ncc=0))


def equivalence_power(margin: float, std: float, n: int, *, level: float, difference: float = 0.0) -> float:
    """Return the probability that two one-sided t tests show a true mean difference to lie inside +-margin.

    Given the sample's standard deviation s, both tests reject when the mean lies within margin - t s / sqrt(n)
    of 0, whose probability is normal; it is averaged over s by stratified simulation (one value of s for each
    of 2,000 equally likely strata of the chi-square distribution).

    Source: Phillips 1990, "Power of the two one-sided tests procedure in bioequivalence",
    J. Pharmacokinetics and Biopharmaceutics 18(2).

    Args:
        margin: points, above 0.
        std: standard deviation of the differences, in points, above 0.
        n: seeds; with fewer than two there is no test and the power is 0.
        level: of each one-sided test, 0 to 1.
        difference: the true mean difference, in points.
    """
    if n < 2:
        return 0.0
    standard_error = std / np.sqrt(n)
    reach = np.maximum(margin - stats.t.ppf(1 - level, n - 1) * standard_error * _sampled_stds(n), 0.0)
    inside = special.ndtr((reach - difference) / standard_error) - special.ndtr((-reach - difference) / standard_error)
    return float(np.mean(inside))


def smallest_number_of_seeds(power: Callable[[int], float], target: float) -> int | None:
    """Return the smallest n >= 2 whose power reaches the target, or None beyond `MAXIMUM_SEEDS`.

    Args:
        power: the power with n seeds, not falling with n.
        target: the power to reach, 0 to 1.
    """
    high = 2
    while power(high) < target:
        if high >= MAXIMUM_SEEDS:
            return None
        high = min(2 * high, MAXIMUM_SEEDS)
    low = max(high // 2, 1)
    while high - low > 1:
        middle = (low + high) // 2
        if power(middle) < target:
            low = middle
        else:
            high = middle
    return high


def upper_std(std: float, n: int, *, confidence: float = 0.8) -> float:
    """Return the upper confidence limit of a standard deviation estimated from n values.

    A plan made from a small pilot with the estimate itself falls short half of the time; with this limit it
    does not in about `confidence` of cases.

    Source: Browne 1995, "On the use of a pilot sample for sample size determination", Statistics in Medicine 14.

    Args:
        std: the estimate, in points.
        n: values behind it, at least 2.
        confidence: one-sided, 0 to 1.
    """
    return float(std * np.sqrt((n - 1) / stats.chi2.ppf(1 - confidence, n - 1)))
