import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW

from twinbench.analysis.power import (
    MAXIMUM_SEEDS,
    difference_power,
    equivalence_power,
    smallest_number_of_seeds,
    upper_std,
)


@pytest.mark.parametrize("n", [2, 3, 10, 30, 200])
@pytest.mark.parametrize("level", [0.05, 0.05 / 40])
def test_the_power_of_the_paired_test_is_that_of_statsmodels(n, level):
    for effect in (0.05, 0.5, 1.0):
        expected = TTestPower().power(effect, n, level, alternative="two-sided")
        assert difference_power(effect * 0.3, 0.3, n, level=level) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("effect", [5, 50, 1e3, 1e9])
@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_strong_effects_have_a_power_and_not_nan(effect, n):
    weaker = difference_power(effect / 2, 1.0, n, level=0.05 / 40)
    assert 0 < weaker <= difference_power(effect, 1.0, n, level=0.05 / 40) + 1e-9 <= 1 + 2e-9


@pytest.mark.parametrize(("n", "difference"), [(3, 0.0), (5, 0.2), (10, 0.0), (10, 0.3), (30, 0.4)])
def test_the_power_of_the_equivalence_test_is_how_often_it_succeeds(n, difference):
    rng = np.random.default_rng(n)
    samples = rng.normal(difference, 0.4, (n, 20_000))
    _, lower, upper = DescrStatsW(samples).ttost_mean(-0.5, 0.5)
    succeeded = np.mean(np.maximum(lower[1], upper[1]) <= 0.05)
    predicted = equivalence_power(0.5, 0.4, n, level=0.05, difference=difference)
    # Four standard errors of 20,000 simulations are at most 0.0142.
    assert predicted == pytest.approx(succeeded, abs=0.0142)


def test_one_seed_has_no_power():
    assert difference_power(10, 0.1, 1, level=0.05) == 0
    assert equivalence_power(10, 0.1, 1, level=0.05) == 0


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("effect", [0.02, 0.1, 0.5, 3.0])
def test_the_number_of_seeds_is_the_smallest_that_reaches_the_power(target, effect):
    def power(n: int) -> float:
        return difference_power(effect, 1.0, n, level=0.05)

    n = smallest_number_of_seeds(power, target)
    if n is None:
        assert power(MAXIMUM_SEEDS) < target
    else:
        assert power(n) >= target
        assert n == 2 or power(n - 1) < target


def test_no_number_of_seeds_finds_nothing():
    assert smallest_number_of_seeds(lambda n: difference_power(0.0, 1.0, n, level=0.05), 0.8) is None


@pytest.mark.parametrize("n", [3, 5, 20])
def test_the_upper_limit_of_a_spread_holds_as_often_as_it_says(n):
    rng = np.random.default_rng(n)
    spreads = np.std(rng.normal(0, 0.3, (20_000, n)), axis=1, ddof=1)
    factor = upper_std(1.0, n)
    assert np.mean(spreads * factor >= 0.3) == pytest.approx(0.8, abs=4 * stats.bernoulli.std(0.8) / np.sqrt(20_000))
