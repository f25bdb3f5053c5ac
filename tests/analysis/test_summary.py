import numpy as np
import pandas as pd
import pytest
from tests.analysis.made_runs import runs_of

from twinbench.analysis.outputs import SUMMARY
from twinbench.analysis.summary import summarise


def summary_of(runs: pd.DataFrame) -> "pd.Series":
    table = summarise(runs, confidence=0.95)
    assert len(table) == 1
    return table.iloc[0]


def test_the_columns_are_the_documented_ones_in_their_order():
    assert list(summarise(runs_of({"functional": [98.0, 98.2]}), confidence=0.95)) == SUMMARY.names


def test_mean_spread_and_interval_are_those_of_a_textbook_sample():
    row = summary_of(runs_of({"functional": [97.0, 98.0, 99.0]}))
    assert (row["n"], row["failed"], row["mean"], row["std"]) == (3, 0, 98.0, 1.0)
    # t(0.975, 2 degrees of freedom) = 4.302653, from any printed table
    assert row["ci_low"] == pytest.approx(98 - 4.302653 / np.sqrt(3), abs=1e-5)


def test_the_interval_stops_at_100_percent():
    row = summary_of(runs_of({"functional": [97.0, 98.0, 100.0]}))
    assert row["ci_high"] == 100.0


def test_failed_runs_are_counted_and_not_averaged():
    row = summary_of(runs_of({"functional": [98.0, None, 99.0]}))
    assert (row["n"], row["failed"], row["mean"]) == (2, 1, 98.5)


def test_a_variant_whose_runs_all_failed_keeps_its_row():
    row = summary_of(runs_of({"functional": [None, None]}))
    assert (row["n"], row["failed"]) == (0, 2)
    assert np.isnan(row["mean"])


def test_one_seed_has_a_mean_and_no_interval():
    row = summary_of(runs_of({"functional": [98.0]}))
    assert row["mean"] == 98.0
    assert row[["std", "ci_low", "ci_high"]].isna().all()


def test_equal_scores_get_the_smallest_interval_that_the_test_set_can_show():
    row = summary_of(runs_of({"functional": [98.0, 98.0, 98.0]}, test_examples=100))
    assert row["std"] == 0.0
    # One image of 100 is a point; std 1 / sqrt(3), standard error 1 / 3.
    assert row["ci_low"] == pytest.approx(98 - 4.302653 / 3, abs=1e-5)


@pytest.mark.parametrize(("accuracy", "error"), [(99.0, 0.0995), (93.0, 0.2551), (100.0, 0.0)])
def test_the_binomial_error_of_10000_images_is_the_known_one(accuracy, error):
    row = summary_of(runs_of({"functional": [accuracy, accuracy]}))
    assert row["binomial_se"] == pytest.approx(error, abs=1e-4)


def test_explained_variance_has_no_binomial_error():
    row = summary_of(runs_of({"functional": [90.0, 91.0]}, score_name="explained variance", task="reconstruct"))
    assert np.isnan(row["binomial_se"])
    assert row["score_name"] == "explained variance"


def test_variants_keep_the_order_of_the_runs():
    table = summarise(
        runs_of({"functional": [1.0, 2.0], "subclass": [1.0, 2.0], "sequential": [1.0, 2.0]}), confidence=0.9
    )
    assert list(table["variant"]) == ["functional", "subclass", "sequential"]


def test_no_runs_give_an_empty_table_with_all_columns():
    table = summarise(runs_of({"functional": [1.0]}).iloc[:0], confidence=0.95)
    assert table.empty
    assert list(table) == SUMMARY.names
