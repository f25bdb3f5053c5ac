import pandas as pd
import pytest
from tests.analysis.made_runs import run

from twinbench.analysis.comparisons import compare_variants
from twinbench.analysis.outputs import API_ROW, SUSPECTS
from twinbench.analysis.suspects import suspects_table

REFERENCE = [97.0, 97.5, 96.8]


def runs_with(suspects, seen=None, sequential=REFERENCE) -> pd.DataFrame:
    rows = []
    for variant, kind, scores in [
        ("functional", "reference", REFERENCE),
        ("sequential", "twin", sequential),
        *((name, "suspect", scores) for name, scores in suspects.items()),
    ]:
        for seed, score in enumerate(scores):
            reading = (seen or {}).get(variant, score)
            row = run(variant, seed, score, architecture="plain_cnn", kind=kind, seen_score=reading)
            same = {"final_weights_sha256": f"shared-{seed}"} if scores == REFERENCE else {}
            rows.append(row | same)
    return pd.DataFrame(rows)


def suspects_of(runs: pd.DataFrame) -> pd.DataFrame:
    comparisons = compare_variants(runs, margin=0.5, confidence=0.95)
    return suspects_table(runs, comparisons).set_index("suspect", drop=False)


def test_the_change_of_api_stands_among_the_suspects_at_zero():
    table = suspects_of(runs_with({"frozen_layers": [90.0, 90.5, 90.2], "nothing": REFERENCE}))
    assert list(table.columns) == SUSPECTS.names
    assert list(table.index) == [API_ROW, "frozen_layers", "nothing"]
    row = table.loc[API_ROW]
    assert (row["mean_difference"], row["verdict"], row["cause"]) == (0.0, "identical", "none.identical")
    assert "bit for bit" in row["sentence"]


def test_a_change_of_api_that_is_not_bit_identical_is_not_called_so():
    row = suspects_of(runs_with({"nothing": REFERENCE}, sequential=[97.01, 97.49, 96.8])).loc[API_ROW]
    assert (row["verdict"], row["cause"]) == ("equivalent", "none.equivalent")
    assert "less than the margin" in row["sentence"]
    assert "a collapse in up to 63 % of seeds is not excluded" in row["sentence"]


def test_what_a_suspect_is_comes_from_the_catalogue():
    row = suspects_of(runs_with({"frozen_layers": [90.0, 90.5, 90.2]})).loc["frozen_layers"]
    assert row["cause"] == "mode.trainable"
    assert row["changes"] == "the convolutions are frozen"
    assert row["mean_difference"] == pytest.approx(-20.6 / 3)
    assert "cost" in row["sentence"]


def test_a_suspect_that_has_left_the_catalogue_keeps_its_numbers():
    row = suspects_of(runs_with({"long_gone": [90.0, 90.5, 90.2]})).loc["long_gone"]
    assert row["cause"] == ""
    assert row["n"] == 3


def test_a_metric_that_misreads_shows_what_is_seen_beside_what_is_true():
    row = suspects_of(runs_with({"wrong_metric": REFERENCE}, seen={"wrong_metric": 10.0})).loc["wrong_metric"]
    assert row["mean_difference"] == 0.0
    assert row["seen_difference"] == pytest.approx(10 - sum(REFERENCE) / 3)
    assert row["misread"] == pytest.approx(row["seen_difference"])
    assert "its owner sees -87.10" in row["sentence"]


def test_a_score_that_is_read_rightly_is_not_called_misread():
    row = suspects_of(runs_with({"frozen_layers": [90.0, 90.5, 90.2]})).loc["frozen_layers"]
    assert row["misread"] == pytest.approx(0)
    assert "owner" not in row["sentence"]


def test_a_suspect_whose_runs_all_failed_says_so():
    row = suspects_of(runs_with({"logits_as_probabilities": [None, None, None]})).loc["logits_as_probabilities"]
    assert (row["n"], row["failed"]) == (0, 3)
    assert pd.isna(row["seen_difference"])
    assert "no score" in row["sentence"]
    assert "3 of its runs failed" in row["sentence"]


def test_without_suspects_the_table_has_its_columns_and_no_rows():
    table = suspects_of(runs_with({}))
    assert table.empty
    assert list(table.columns) == SUSPECTS.names
