import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.analysis.made_runs import run, runs_of

from twinbench.analysis.comparisons import Verdict, compare_variants
from twinbench.analysis.outputs import SEEDS_NEEDED
from twinbench.analysis.seeds_needed import seeds_for_all, seeds_needed


def plan_of(runs: pd.DataFrame, margin: float = 0.5) -> pd.DataFrame:
    comparisons = compare_variants(runs, margin=margin, confidence=0.95)
    return seeds_needed(comparisons, confidence=0.95)


def noisy(n: int, std: float, mean: float = 0.0) -> list[float]:
    return list(98 + mean + std * stats.zscore(stats.norm.ppf((np.arange(n) + 0.5) / n), ddof=1))


def plan_one(differences: list[float], **settings) -> "pd.Series":
    runs = runs_of({"functional": [98.0] * len(differences), "sequential": differences}, **settings)
    return plan_of(runs).iloc[0]


def test_the_columns_are_the_documented_ones_in_their_order():
    assert list(plan_of(runs_of({"functional": [98.0, 97.0], "sequential": [98.0, 98.5]}))) == SEEDS_NEEDED.names
    assert list(plan_of(runs_of({"functional": [98.0]}))) == SEEDS_NEEDED.names


def test_the_number_of_seeds_is_the_textbook_one():
    # A paired t test finds an effect of half a standard deviation with 80 % power at 0.05 from 34 pairs
    # (Cohen 1988; G*Power 3.1: n = 34).
    row = plan_one(noisy(5, 1.0))
    assert row["seeds_difference"] == 34


def test_an_undecided_comparison_gets_a_line_for_the_configuration():
    row = plan_one(noisy(5, 1.0))
    assert row["verdict"] == Verdict.UNDECIDED
    needed = max(row["seeds_difference"], row["seeds_equivalence"])
    assert row["config_line"] == f"seeds: {needed}"
    assert f"{needed} seeds settle it" in row["sentence"]


def test_more_comparisons_in_the_family_need_more_seeds():
    alone = plan_one(noisy(5, 1.0))
    many = {f"variant_{k}": noisy(5, 1.0, 0.01 * k) for k in range(10)}
    among = plan_of(runs_of({"functional": [98.0] * 5, "sequential": noisy(5, 1.0)} | many)).iloc[0]
    assert among["level"] == pytest.approx(0.05 / 11)
    assert among["seeds_difference"] > alone["seeds_difference"]


def test_a_settled_comparison_gets_no_line():
    row = plan_one(noisy(10, 0.2))
    assert row["verdict"] == Verdict.EQUIVALENT
    assert row["config_line"] == ""
    assert "Settled (equivalent)" in row["sentence"]


def test_a_bit_identical_comparison_needs_no_seeds():
    row = plan_one([98.0, 98.0], final_weights_sha256="same")
    assert row["verdict"] == Verdict.IDENTICAL
    assert row["config_line"] == ""
    assert pd.isna(row["seeds_difference"])
    assert "more seeds change nothing" in row["sentence"]


def test_one_seed_is_told_to_start_with_a_few():
    row = plan_one([98.3])
    assert row["config_line"] == "seeds: 5"
    assert "show no spread" in row["sentence"]


def test_a_planned_number_that_was_not_enough_is_never_repeated():
    row = plan_one(noisy(12, 0.5, 0.28))
    assert row["verdict"] == Verdict.UNDECIDED
    assert max(row["seeds_difference"], row["seeds_equivalence"]) <= 12
    assert "if the truth is the observed difference" in row["sentence"]
    assert int(row["config_line"].removeprefix("seeds: ")) == max(row["seeds_observed"], 13)


def test_a_large_observed_difference_may_need_fewer_seeds_and_is_told_so():
    row = plan_one(noisy(3, 1.0, -2.2))
    assert row["verdict"] == Verdict.UNDECIDED
    assert row["seeds_observed"] < row["seeds_difference"]
    assert row["config_line"] == f"seeds: {max(row['seeds_difference'], row['seeds_equivalence'])}"
    assert f"({row['seeds_observed']} if it is the observed difference)" in row["sentence"]


def test_a_spread_beyond_any_plan_says_so():
    row = plan_one(noisy(5, 100.0))
    assert row["config_line"] == ""
    assert pd.isna(row["seeds_difference"])
    assert "more than 10,000" in row["sentence"]


def test_failures_and_a_missing_reference_are_not_mended_by_seeds():
    failing = plan_of(runs_of({"functional": [98.0, 98.1], "sequential": [None, None]})).iloc[0]
    assert (failing["config_line"], "fix that first" in failing["sentence"]) == ("", True)
    alone = plan_of(pd.DataFrame([run("sequential", 0, 98.0)])).iloc[0]
    assert (alone["config_line"], "reference was not run" in alone["sentence"]) == ("", True)


def test_a_plan_from_the_stored_table_is_the_same(tmp_path):
    runs = runs_of({"functional": [98.0] * 5, "wide": noisy(5, 1.0), "lost": [None] * 5})
    alone = runs_of({"sequential": [98.0, 98.1]}, architecture="plain_cnn")
    comparisons = compare_variants(pd.concat([runs, alone]), margin=0.5, confidence=0.95)
    comparisons.to_csv(tmp_path / "comparisons.csv", index=False)
    stored = seeds_needed(pd.read_csv(tmp_path / "comparisons.csv"), confidence=0.95)
    direct = seeds_needed(comparisons, confidence=0.95)
    assert stored["config_line"].tolist() == direct["config_line"].tolist()
    assert stored["sentence"].tolist() == direct["sentence"].tolist()


def test_the_cautious_plan_is_the_larger():
    row = plan_one(noisy(5, 1.0))
    assert row["cautious_seeds"] > max(row["seeds_difference"], row["seeds_equivalence"])


def test_one_number_of_seeds_settles_all_that_is_undecided():
    table = plan_of(
        runs_of({"functional": [98.0] * 5, "narrow": noisy(5, 0.5), "wide": noisy(5, 1.0), "lost": noisy(5, 0.1, -9)})
    )
    lines = [int(line.removeprefix("seeds: ")) for line in table["config_line"] if line]
    assert seeds_for_all(table) == max(lines)
    assert seeds_for_all(table[table["verdict"] == Verdict.DIFFERENT]) is None
