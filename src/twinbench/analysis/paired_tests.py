"""The two t tests of differences paired by seed, on arrays of any number of comparisons.

As in `intervals`, samples lie along the last axis and a sample without spread is given the smallest one that
the score can show.
"""

import numpy as np
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from twinbench.analysis.intervals import Floats, with_smallest_spread


def paired_t_p(differences: Floats, *, resolution: float) -> Floats:
    """Return the two-sided p of the paired t test (`scipy.stats.ttest_1samp` of the differences against 0).

    Source: Student 1908, "The probable error of a mean", Biometrika 6(1).

    Args:
        differences: floats (..., n) with n >= 2, in points.
        resolution: the smallest step of the score, in points, above 0.
    """
    return np.asarray(stats.ttest_1samp(with_smallest_spread(differences, resolution), 0.0, axis=-1).pvalue)


def equivalence_p(differences: Floats, *, margin: float, resolution: float) -> Floats:
    """Return the p of two one-sided t tests for a mean difference inside +-margin (`DescrStatsW.ttost_mean`).

    Source: Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power approach for
    assessing the equivalence of average bioavailability", J. Pharmacokinetics and Biopharmaceutics 15(6).

    Args:
        differences: floats (n,) or (comparisons, n) with n >= 2, in points.
        margin: points, above 0.
        resolution: the smallest step of the score, in points, above 0.
    """
    samples = np.moveaxis(with_smallest_spread(differences, resolution), -1, 0)
    _, lower, upper = DescrStatsW(samples).ttost_mean(-margin, margin)
    return np.asarray(np.maximum(lower[1], upper[1]))
