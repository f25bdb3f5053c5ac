"""Tests and effect sizes for differences paired by seed, on arrays of any number of comparisons.

As in `intervals`, samples lie along the last axis and a sample without spread is given the smallest one that
the score can show.
"""

import numpy as np
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from twinbench.analysis.intervals import Floats, sample_std, with_smallest_spread

# 2^8 sign changes take 40 ms, 2^13 more than a second.
_SEEDS_FOR_PERMUTATIONS = 8


def paired_t_p(differences: Floats, *, resolution: float) -> Floats:
    """Return the two-sided p of the paired t test (`scipy.stats.ttest_1samp` of the differences against 0).

    Source: Student 1908, "The probable error of a mean", Biometrika 6(1).

    Args:
        differences: floats (..., n) with n >= 2, in points.
        resolution: the smallest step of the score, in points, above 0.
    """
    return np.asarray(stats.ttest_1samp(with_smallest_spread(differences, resolution), 0.0, axis=-1).pvalue)


def wilcoxon_p(differences: Floats) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test of one comparison (`scipy.stats.wilcoxon`).

    Exact without ties and zeros up to 50 seeds and by all permutations of the signs with them up to 8 (beyond
    that they take seconds); else the normal approximation, corrected for
    ties and for continuity. Zero differences are
    dropped, Wilcoxon's own rule; when none is left p is 1. An exact p cannot fall below 2 / 2^n: fewer than six
    seeds are never significant at 0.05.

    Source: Wilcoxon 1945, "Individual comparisons by ranking methods", Biometrics Bulletin 1(6).

    Args:
        differences: floats (n,), in points.
    """
    if not np.any(differences):
        return 1.0
    tied = not np.all(differences) or len(np.unique(np.abs(differences))) < len(differences)
    method = "asymptotic" if tied and len(differences) > _SEEDS_FOR_PERMUTATIONS else "auto"
    return float(stats.wilcoxon(differences, method=method, correction=True).pvalue)


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


def cohens_dz(differences: Floats, *, resolution: float) -> Floats:
    """Return Cohen's d_z: the mean difference over the standard deviation of the differences.

    Source: Cohen 1988, "Statistical power analysis for the behavioral sciences", 2nd ed., section 2.3.5;
    Lakens 2013, "Calculating and reporting effect sizes", Frontiers in Psychology 4:863.

    Args:
        differences: floats (..., n) with n >= 2, in points.
        resolution: the smallest step of the score, in points, above 0.
    """
    return np.asarray(np.mean(differences, axis=-1) / sample_std(differences, resolution))


def probability_of_superiority(scores: Floats, reference_scores: Floats) -> float:
    """Return the probability that a random seed of one beats a random seed of the other; a tie counts half.

    It is Mann and Whitney's U over the number of pairs (`scipy.stats.mannwhitneyu`), seeds unpaired: what two
    people see who train one model each.

    Source: Vargha and Delaney 2000, "A critique and improvement of the CL common language effect size
    statistics of McGraw and Wong", J. Educational and Behavioral Statistics 25(2).

    Args:
        scores: floats (n,), in points.
        reference_scores: floats (m,), in points.
    """
    # Only U is used; the asymptotic method spares the exact null distribution.
    statistic = stats.mannwhitneyu(scores, reference_scores, method="asymptotic").statistic
    return float(statistic) / (len(scores) * len(reference_scores))
