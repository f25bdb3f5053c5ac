import numpy as np
import pandas as pd
import pytest

from twinbench.analysis.costs import api_costs, determinism_costs


def repetitions(variant, values, quantity="step_ms", dataset="digits"):
    who = {"dataset": dataset, "architecture": "mlp", "variant": variant}
    kind = "reference" if variant == "functional" else "twin"
    return [
        who | {"kind": kind, "quantity": quantity, "repetition": place, "value": value, "reason": None}
        for place, value in enumerate(values)
    ]


def table_of(reference, sequential, quantity="step_ms"):
    # Something is always measured: the other quantities may be missing.
    timed = [row for variant in ("functional", "sequential") for row in repetitions(variant, [1.0], "build_s")]
    rows = [*timed, *repetitions("functional", reference, quantity), *repetitions("sequential", sequential, quantity)]
    table = api_costs(pd.DataFrame(rows), confidence=0.95)
    return table[table["quantity"] == quantity].set_index("variant")


def test_a_difference_inside_the_noise_is_called_none():
    row = table_of([1.0, 1.4, 0.9, 1.2], [1.1, 1.3, 1.0, 1.1]).loc["sequential"]
    assert row["verdict"] == "unclear"
    assert row["difference_low"] < 0 < row["difference_high"]


def test_none_is_shown_only_by_an_interval_within_the_threshold_on_both_sides():
    assert table_of([1.0, 1.01, 1.0, 0.99], [1.01, 1.0, 1.0, 1.0]).loc["sequential"]["verdict"] == "none"


@pytest.mark.parametrize("factor", [1.05, 0.95])
def test_a_difference_that_is_not_worth_having_is_none(factor):
    row = table_of([1.0, 1.001, 1.0, 0.999], [factor, factor, 1.001 * factor, factor]).loc["sequential"]
    assert row["difference_low"] * row["difference_high"] > 0
    assert row["verdict"] == "none"


@pytest.mark.parametrize(("factor", "verdict"), [(1.5, "more"), (0.5, "less")])
def test_a_difference_outside_the_noise_is_called_by_its_sign(factor, verdict):
    row = table_of([1.0, 1.1, 1.05, 0.98], [factor * 1.0, factor * 1.1, factor * 1.04, factor * 0.99]).loc["sequential"]
    assert row["verdict"] == verdict
    assert row["difference_percent"] == pytest.approx(100 * (factor - 1), abs=1)


def test_repetitions_are_compared_within_themselves():
    # The machine slows down threefold on the way: unpaired, one tenth more would drown in that.
    slowing = np.linspace(1, 3, 7)
    assert table_of(slowing, 1.3 * slowing).loc["sequential"]["verdict"] == "more"


def test_counts_have_no_noise():
    row = table_of([1000.0], [1200.0], quantity="flops").loc["sequential"]
    assert (row["n"], row["verdict"]) == (1, "more")
    assert row["difference_low"] == row["difference_high"] == pytest.approx(20)
    assert table_of([1000.0], [1000.0], quantity="flops").loc["sequential"]["verdict"] == "none"


def test_what_could_not_be_measured_says_so():
    assert table_of([], [], quantity="step_ms").loc["sequential"]["verdict"] == "not measured"
    assert table_of([0.0, 0.0], [1.0, 1.0], quantity="step_ms").loc["sequential"]["verdict"] == "not measured"


def test_the_reference_is_compared_with_nothing():
    row = table_of([1.0, 1.1], [1.0, 1.1]).loc["functional"]
    assert row["verdict"] == "reference"
    assert np.isnan(row["difference_percent"])


def test_intervals_hold_together_so_that_equal_apis_are_rarely_told_apart():
    generator = np.random.default_rng(0)
    variants = ("functional", "sequential", "sequential_deferred", "subclass")
    alarms = 0
    for _ in range(300):
        rows = [row for variant in variants for row in repetitions(variant, generator.normal(10, 0.3, 5))]
        table = api_costs(pd.DataFrame(rows), confidence=0.95)
        alarms += bool(table["verdict"].isin(["more", "less"]).any())
    # 5 % of 300 is 15; 30 lies beyond four standard errors.
    assert alarms < 30


def test_values_that_are_all_equal_have_an_interval_without_width_and_one_value_has_none():
    row = table_of([2.0, 2.0, 2.0], [3.0, 3.0, 3.0]).loc["sequential"]
    assert (row["mean"], row["ci_low"], row["ci_high"]) == (3.0, 3.0, 3.0)
    assert (row["difference_low"], row["difference_high"], row["verdict"]) == (50.0, 50.0, "more")
    assert np.isnan(table_of([2.0], [3.0]).loc["sequential"]["ci_low"])


def test_each_dataset_is_compared_with_its_own_reference():
    rows = [
        *(row for name in ("a", "b") for row in repetitions("functional", [1.0, 1.1, 1.0], dataset=name)),
        *repetitions("sequential", [1.0, 1.1, 1.0], dataset="a"),
        *repetitions("sequential", [2.0, 2.2, 2.0], dataset="b"),
    ]
    table = api_costs(pd.DataFrame(rows), confidence=0.95)
    chosen = table[(table["quantity"] == "step_ms") & (table["kind"] == "twin")]
    assert chosen["difference_percent"].tolist() == pytest.approx([0.0, 100.0])


def test_determinism_is_compared_within_the_repetitions_of_each_architecture():
    rows = repetitions("functional", [1.1, 1.21, 1.32], "strict_ms")
    rows += repetitions("functional", [1.0, 1.1, 1.2], "seeded_ms")
    [row] = determinism_costs(pd.DataFrame(rows), confidence=0.95).to_dict("records")
    assert (row["n"], row["strict_ms"], row["seeded_ms"]) == (3, pytest.approx(1.21), pytest.approx(1.1))
    assert (row["difference_percent"], row["verdict"]) == (pytest.approx(10.0), "more")


def test_a_variant_that_fails_is_a_row_with_its_reason_and_narrows_no_other_interval():
    rows = [*repetitions("functional", [1.0, 1.1, 1.05]), *repetitions("sequential", [1.0, 1.2, 1.1])]
    failed = {**repetitions("subclass", [0.0])[0], "quantity": None, "repetition": None, "value": None}
    table = api_costs(pd.DataFrame([*rows, failed | {"reason": "It raises."}]), confidence=0.95)
    shown = table[table["variant"] == "subclass"]
    assert shown[["n", "verdict", "reason"]].drop_duplicates().to_numpy().tolist() == [
        [0, "not measured", "It raises."]
    ]
    alone = api_costs(pd.DataFrame(rows), confidence=0.95)
    pd.testing.assert_frame_equal(table[table["variant"] != "subclass"], alone, check_dtype=False)
    determinism = pd.DataFrame([{**failed, "reason": "It raises."}])
    [row] = determinism_costs(determinism, confidence=0.95).to_dict("records")
    assert (row["n"], row["verdict"], row["reason"]) == (0, "not measured", "It raises.")
