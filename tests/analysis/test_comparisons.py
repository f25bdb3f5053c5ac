import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.analysis.made_runs import run, runs_of

from twinbench.analysis.comparisons import Verdict, compare_variants
from twinbench.analysis.outputs import COMPARISONS
from twinbench.errors import RecordError


def compare(runs: pd.DataFrame, margin: float = 0.5) -> pd.DataFrame:
    """Compare with every warning an error: no input may cause one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return compare_variants(runs, margin=margin, confidence=0.95)


def compare_one(scores: list, reference: list, margin: float = 0.5, **settings) -> "pd.Series":
    table = compare(runs_of({"functional": reference, "sequential": scores}, **settings), margin)
    assert len(table) == 1
    return table.iloc[0]


def spread(n: int, std: float, mean: float = 0.0) -> np.ndarray:
    """Differences with this mean and standard deviation, rounded to images of 10,000."""
    return np.round(mean + std * stats.zscore(stats.norm.ppf((np.arange(n) + 0.5) / n), ddof=1), 2)


def test_the_columns_are_the_documented_ones_in_their_order():
    table = compare(runs_of({"functional": [98.0, 98.2, 98.3], "sequential": [98.1, 98.0, 98.4]}))
    assert list(table) == COMPARISONS.names
    assert compare(runs_of({"functional": [98.0]})).columns.tolist() == COMPARISONS.names


def test_bit_identical_pairs_are_identical_and_not_tested():
    table = runs_of({"functional": [98.0, 98.2], "sequential": [98.0, 98.2]})
    table["final_weights_sha256"] = [f"weights-{seed}" for seed in table["seed"]]
    row = compare(table).iloc[0]
    assert row["verdict"] == Verdict.IDENTICAL
    assert row["family_size"] == 0
    assert row[["t_p", "t_p_corrected", "tost_p", "tost_p_corrected"]].isna().all()
    assert (row[["mean_difference", "std_difference", "ci_low", "ci_high"]] == 0).all()
    assert "Bit-identical to functional in 2 seeds" in row["sentence"]


def test_one_pair_of_different_weights_is_enough_not_to_be_identical():
    table = runs_of({"functional": [98.0, 98.2, 98.1], "sequential": [98.0, 98.2, 98.1]})
    table["final_weights_sha256"] = [f"weights-{seed}" for seed in table["seed"]]
    table.loc[5, "final_weights_sha256"] = "other"
    assert compare(table).iloc[0]["verdict"] != Verdict.IDENTICAL


def test_equal_weights_with_unequal_scores_are_not_identical():
    table = runs_of({"functional": [98.0, 98.2], "sequential": [97.0, 98.2]})
    table["final_weights_sha256"] = [f"weights-{seed}" for seed in table["seed"]]
    assert compare(table).iloc[0]["verdict"] != Verdict.IDENTICAL


def test_runs_without_hashes_are_never_identical():
    row = compare_one([98.0, 98.2], [98.0, 98.2], final_weights_sha256=None)
    assert row["verdict"] != Verdict.IDENTICAL
    assert np.isfinite(row["tost_p"])


def test_numbers_agree_with_scipy_on_the_two_samples():
    rng = np.random.default_rng(3)
    reference, scores = rng.normal(98, 0.3, 12), rng.normal(97.8, 0.3, 12)
    row = compare_one(list(scores), list(reference))
    paired = stats.ttest_rel(scores, reference)
    assert row["t_p"] == pytest.approx(paired.pvalue)
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(list(paired.confidence_interval(0.95)))


def test_equivalence_is_shown_exactly_where_the_90_percent_interval_lies_inside_the_margin():
    for mean in (0.0, 0.2, 0.35, 0.45, 0.6):
        differences = spread(10, 0.25, mean)
        row = compare_one(list(98 + differences), [98.0] * 10)
        interval = stats.ttest_1samp(differences, 0).confidence_interval(0.90)
        assert (interval.low > -0.5 and interval.high < 0.5) == (row["tost_p"] < 0.05)


@pytest.mark.parametrize(
    ("mean", "std", "n", "verdict"),
    [
        (0.0, 0.2, 10, Verdict.EQUIVALENT),
        (-2.0, 0.2, 10, Verdict.DIFFERENT),
        (-0.2, 0.1, 10, Verdict.DIFFERENT_WITHIN_MARGIN),
        (-0.4, 0.9, 5, Verdict.UNDECIDED),
    ],
)
def test_the_verdict_follows_from_both_tests(mean, std, n, verdict):
    row = compare_one(list(98 + spread(n, std, mean)), [98.0] * n)
    assert row["verdict"] == verdict
    assert f"{abs(row['mean_difference']):.2f} points" in row["sentence"] or row["mean_difference"] == 0


def test_an_effect_that_one_test_finds_can_be_undecided_in_a_family_of_many():
    differences = spread(6, 0.5, -0.7)
    alone = compare_one(list(98 + differences), [98.0] * 6)
    assert alone["verdict"] == Verdict.DIFFERENT
    noise = {f"variant_{k}": list(98 + spread(6, 0.5, 0.01 * k)) for k in range(20)}
    table = compare(runs_of({"functional": [98.0] * 6, "sequential": list(98 + differences)} | noise))
    among = table.set_index("variant").loc["sequential"]
    assert among["t_p"] == pytest.approx(alone["t_p"])
    assert among["t_p_corrected"] == pytest.approx(21 * alone["t_p"])
    assert among["verdict"] == Verdict.UNDECIDED


def test_all_comparisons_of_a_dataset_are_one_family():
    runs = runs_of({"functional": [98.0, 98.1, 98.3], "sequential": [98.1, 98.3, 98.2]})
    faults = [run(f"fault_{k}", s, 90 + k + s / 7, kind="suspect") for k in range(5) for s in range(3)]
    table = compare(pd.concat([runs, pd.DataFrame(faults)], ignore_index=True)).set_index("variant")
    assert table.loc["sequential", ["family", "family_size"]].tolist() == ["digits", 6]
    assert table.loc["fault_0", ["family", "family_size"]].tolist() == ["digits", 6]


def test_another_dataset_changes_no_number_and_no_verdict_of_the_first():
    first = runs_of({"functional": [98.0, 98.1, 98.3, 98.2], "sequential": [97.6, 97.6, 97.9, 97.7]})
    second = [
        run(variant, seed, 90 + k + seed / 7, dataset="mnist")
        for k, variant in enumerate(("functional", *(f"variant_{j}" for j in range(30))))
        for seed in range(4)
    ]
    alone = compare(first)
    beside = compare(pd.concat([first, pd.DataFrame(second)], ignore_index=True))
    pd.testing.assert_frame_equal(beside[beside["dataset"] == "digits"], alone)


def test_a_difference_is_shown_exactly_where_the_simultaneous_interval_misses_zero():
    rng = np.random.default_rng(5)
    scores = {f"variant_{k}": list(rng.normal(98 - 0.2 * k, 0.3, 6)) for k in range(8)}
    table = compare(runs_of({"functional": list(rng.normal(98, 0.3, 6))} | scores))
    apart = (table["ci_low"] > 0) | (table["ci_high"] < 0)
    assert apart.any()
    assert not apart.all()
    assert (apart == (table["t_p_corrected"] <= 0.05)).all()
    assert (table["own_low"] > table["ci_low"]).all()


def test_survivors_of_failures_in_one_of_the_two_are_never_called_alike():
    reference = [98.0 + seed / 10 for seed in range(10)]
    rows = runs_of({"functional": reference, "sequential": [98.0, *[None] * 9]})
    rows["final_weights_sha256"] = [f"weights-{seed}" for seed in rows["seed"]]
    row = compare(rows).iloc[0]
    assert (row["verdict"], row["failed_alone"], row["failed"]) == (Verdict.UNDECIDED, 9, 9)
    assert "in 9 seeds one of the two failed and the other did not" in row["sentence"]
    close = compare_one([*spread(9, 0.1, 98.0), None], [98.0] * 10)
    assert close["tost_p_corrected"] < 0.05
    assert close["verdict"] == Verdict.UNDECIDED
    turned = compare_one(list(spread(10, 0.1, 98.0)), [98.0] * 9 + [None])
    assert (turned["verdict"], turned["reference_failed"]) == (Verdict.UNDECIDED, 1)


def test_failures_in_the_same_seeds_leave_a_verdict():
    row = compare_one([*spread(9, 0.1, 98.0), None], [98.0] * 9 + [None])
    assert (row["verdict"], row["failed_alone"]) == (Verdict.EQUIVALENT, 0)


def test_each_equivalence_says_what_rate_of_collapse_its_seeds_cannot_exclude():
    row = compare_one(list(98 + spread(10, 0.2)), [98.0] * 10)
    assert row["verdict"] == Verdict.EQUIVALENT
    assert row["unseen_collapse"] == pytest.approx(100 * (1 - 0.05**0.1))
    assert "cannot be excluded in up to 26 % of its seeds" in row["sentence"]
    assert np.isnan(compare_one([90.0, 90.1, 90.3], [98.0, 98.1, 98.2])["unseen_collapse"])


def test_one_collapse_among_hundreds_of_seeds_is_no_equivalence_though_the_mean_is():
    row = compare_one([*spread(400, 0.2, 98.0), 92.0], [98.0] * 401)
    assert row["tost_p_corrected"] < 0.05
    assert (row["verdict"], row["collapsed"]) == (Verdict.UNDECIDED, 1)
    assert "it ended more than 5 points below" in row["sentence"]
    assert row["worst_difference"] == pytest.approx(-6)


@pytest.mark.parametrize(("guess", "verdict"), [(10.0, Verdict.UNDECIDED), (2.0, Verdict.EQUIVALENT)])
def test_two_that_guess_are_not_called_equivalent(guess, verdict):
    rows = runs_of({"functional": [10.0, 10.1, 9.9, 10.0], "sequential": [10.1, 10.0, 10.0, 9.9]})
    row = compare_variants(rows, margin=0.5, confidence=0.95, chance={"digits": guess}).iloc[0]
    assert row["verdict"] == verdict
    assert ("constant guess" in row["sentence"]) == (verdict == Verdict.UNDECIDED)


def test_reconstructions_that_explain_nothing_are_not_called_equivalent():
    row = compare_one([0.1, 0.0, 0.2, 0.1], [0.0, 0.1, 0.1, 0.1], score_name="explained variance")
    assert (row["verdict"], bool(row["at_chance"])) == (Verdict.UNDECIDED, True)


@pytest.mark.parametrize("difference", [0.0, -0.01, 1.0, -40.0])
@pytest.mark.parametrize("n", [2, 3, 10, 60])
def test_equal_differences_give_numbers_without_warnings_or_certainty(difference, n):
    reference = [98.0 + 0.01 * k for k in range(n)]
    row = compare_one([score + difference for score in reference], reference)
    assert row["std_difference"] == 0
    assert row["std_used"] == pytest.approx(0.01 / np.sqrt(n))
    finite = ["ci_low", "ci_high", "t_p", "tost_p"]
    assert np.isfinite(row[finite].to_numpy(dtype=float)).all()
    assert row["ci_low"] < row["mean_difference"] < row["ci_high"]
    assert (row["t_p"] == pytest.approx(1.0)) == (difference == 0)
    assert "All differences are equal" in row["sentence"]


def test_two_seeds_that_agree_by_chance_on_a_small_test_set_prove_nothing():
    row = compare_one([98.0, 97.0], [99.0, 98.0], test_examples=100)
    assert row["verdict"] == Verdict.UNDECIDED


def test_one_seed_is_undecided_and_says_why():
    row = compare_one([98.5], [98.0])
    assert (row["n"], row["mean_difference"], row["verdict"]) == (1, 0.5, Verdict.UNDECIDED)
    assert row[["std_difference", "ci_low", "t_p", "tost_p"]].isna().all()
    assert "one seed shows no spread" in row["sentence"]


def test_failed_and_missing_runs_are_left_out_in_pairs_and_said():
    row = compare_one([98.0, None, 98.2, 98.4], [98.1, 98.3, 98.2])
    assert (row["n"], row["failed"], row["unpaired"]) == (2, 1, 2)
    assert row["mean_difference"] == pytest.approx(-0.05)
    assert "1 of its runs failed" in row["sentence"]
    assert "2 seeds left out for want of a pair" in row["sentence"]


def test_a_variant_that_always_fails_is_undecided():
    row = compare_one([None, None], [98.1, 98.3])
    assert (row["n"], row["failed"], row["verdict"]) == (0, 2, Verdict.UNDECIDED)
    assert "no seed in which both it and functional ended well" in row["sentence"]


def test_without_its_reference_a_variant_is_undecided():
    row = compare(runs_of({"sequential": [98.0, 98.1, 98.2]})).iloc[0]
    assert (row["n"], row["reference"], row["verdict"]) == (0, "", Verdict.UNDECIDED)
    assert "the reference was not run" in row["sentence"]


def test_pairs_are_made_by_seed_and_not_by_position():
    rows = [run("functional", seed, 90.0 + seed) for seed in (3, 1, 2)]
    rows += [run("sequential", seed, 91.0 + seed) for seed in (2, 3, 1)]
    row = compare(pd.DataFrame(rows)).iloc[0]
    assert (row["mean_difference"], row["std_difference"]) == (1.0, 0.0)


def test_each_dataset_is_paired_with_its_own_reference():
    low = runs_of({"functional": [90.0, 90.5], "sequential": [89.0, 89.2]}, dataset="kmnist")
    high = runs_of({"functional": [99.0, 99.5], "sequential": [99.0, 99.2]}, dataset="mnist")
    table = compare(pd.concat([low, high], ignore_index=True))
    assert table["mean_difference"].tolist() == pytest.approx([-1.15, -0.15])


def test_differences_that_are_equal_but_for_rounding_noise_are_ties():
    # 98.3 - 98.2 and 97.2 - 97.1 differ in the last bits of a float.
    row = compare_one([98.3, 97.2, 96.4], [98.2, 97.1, 96.3])
    assert row["std_difference"] == 0


def test_explained_variance_without_spread_is_compared_at_float32_resolution():
    row = compare_one([90.0, 91.0, 92.0], [90.0, 91.0, 92.0], score_name="explained variance")
    assert 0 < row["std_used"] < 1e-4
    assert row["verdict"] == Verdict.EQUIVALENT


def test_a_run_that_appears_twice_is_refused():
    rows = [run("functional", 0, 98.0), run("functional", 0, 98.1), run("sequential", 0, 98.0)]
    with pytest.raises(RecordError, match=r"mlp functional on digits with seed 0 .*twice"):
        compare(pd.DataFrame(rows))


def test_two_references_are_refused():
    runs = runs_of({"functional": [98.0], "subclass": [98.0], "sequential": [97.0]})
    runs["kind"] = ["reference", "reference", "twin"]
    with pytest.raises(RecordError, match="several references"):
        compare(runs)


score_on_a_small_test_set = st.one_of(st.none(), st.integers(0, 40).map(lambda right: 100 * right / 40))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.integers(1, 14), st.sampled_from(["accuracy", "explained variance"]))
def test_any_scores_give_a_verdict_and_probabilities_without_a_warning(data, n, score_name):
    seeds = st.lists(score_on_a_small_test_set, min_size=n, max_size=n)
    scores = {variant: data.draw(seeds) for variant in ("functional", "sequential", "subclass")}
    table = compare(runs_of(scores, test_examples=40, score_name=score_name))
    assert set(table["verdict"]) <= set(Verdict)
    for name in ("t_p", "t_p_corrected", "tost_p", "tost_p_corrected"):
        assert table[name].dropna().between(0, 1).all()
    tested = table[table["n"] > 1]
    assert tested[["ci_low", "t_p_corrected", "tost_p_corrected"]].notna().all(axis=None)
    assert (tested["ci_low"] < tested["mean_difference"]).all()
