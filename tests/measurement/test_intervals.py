import numpy as np
import pytest

from twinbench.architectures.catalogue import architectures
from twinbench.measurement.columns import API_COSTS
from twinbench.measurement.intervals import QUANTITIES, cost_rows, t_ends

FUNCTIONAL, SEQUENTIAL = architectures()["mlp"].variants[:2]


def table_of(reference, sequential, quantity="step_ms", **options):
    nothing = {name: {} for name in QUANTITIES}
    measured = {
        FUNCTIONAL: nothing | {quantity: dict(enumerate(reference))},
        SEQUENTIAL: nothing | {quantity: dict(enumerate(sequential))},
    }
    table = cost_rows("digits", measured, {}, confidence=0.95, **options)
    assert list(table.columns) == API_COSTS.names
    return table[table["quantity"] == quantity].set_index("variant")


def test_a_difference_inside_the_noise_is_called_none():
    row = table_of([1.0, 1.4, 0.9, 1.2], [1.1, 1.3, 1.0, 1.1]).loc["sequential"]
    assert row["verdict"] == "none"
    assert row["difference_low"] < 0 < row["difference_high"]


@pytest.mark.parametrize(("factor", "verdict"), [(1.5, "more"), (0.5, "less")])
def test_a_difference_outside_the_noise_is_called_by_its_sign(factor, verdict):
    row = table_of([1.0, 1.1, 1.05, 0.98], [factor * 1.0, factor * 1.1, factor * 1.04, factor * 0.99]).loc["sequential"]
    assert row["verdict"] == verdict
    assert row["difference_percent"] == pytest.approx(100 * (factor - 1), abs=1)


def test_repetitions_are_compared_within_themselves():
    # The machine slows down threefold on the way: unpaired, one tenth more would drown in that.
    slowing = np.linspace(1, 3, 7)
    assert table_of(slowing, 1.1 * slowing).loc["sequential"]["verdict"] == "more"


def test_counts_have_no_noise():
    row = table_of([1000.0], [1001.0], quantity="flops").loc["sequential"]
    assert (row["n"], row["verdict"]) == (1, "more")
    assert row["difference_low"] == row["difference_high"] == pytest.approx(0.1)
    assert table_of([1000.0], [1000.0], quantity="flops").loc["sequential"]["verdict"] == "none"


def test_what_could_not_be_measured_says_so():
    assert table_of([], [], quantity="peak_memory_mb").loc["sequential"]["verdict"] == "not measured"
    assert table_of([0.0, 0.0], [1.0, 1.0], quantity="peak_memory_mb").loc["sequential"]["verdict"] == "not measured"


def test_the_reference_is_compared_with_nothing():
    row = table_of([1.0, 1.1], [1.0, 1.1]).loc["functional"]
    assert row["verdict"] == "reference"
    assert np.isnan(row["difference_percent"])


def test_intervals_hold_together_so_that_equal_apis_are_rarely_told_apart():
    generator = np.random.default_rng(0)
    twins = architectures()["plain_cnn"].variants[1:4]
    reference = architectures()["plain_cnn"].reference
    alarms = 0
    for _ in range(300):
        measured = {
            variant: {name: {} for name in QUANTITIES} | {"step_ms": dict(enumerate(generator.normal(10, 0.3, 5)))}
            for variant in (reference, *twins)
        }
        table = cost_rows("digits", measured, {}, confidence=0.95)
        alarms += bool(table["verdict"].isin(["more", "less"]).any())
    # 5 % of 300 is 15; 30 lies beyond four standard errors.
    assert alarms < 30


def test_values_that_are_all_equal_have_an_interval_without_width():
    assert t_ends(np.array([2.0, 2.0, 2.0]), 0.95) == (2.0, 2.0)
    assert np.isnan(t_ends(np.array([2.0]), 0.95)).all()
