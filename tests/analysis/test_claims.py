"""The table of claims as a whole, and the claims about scores (C1, C4)."""

import pandas as pd
import pytest
from tests.analysis.made_tables import comparison, counted, decided, plan

from twinbench.analysis import outputs
from twinbench.analysis.claims import CLAIMS, decide_claims
from twinbench.analysis.claims.entry import ClaimVerdict, Stance, verdict_of, verdict_over_datasets


def test_every_claim_of_the_design_has_one_row():
    table = decide_claims({})
    assert list(table["claim"]) == ["C1", "C2", "C3a", "C3b", "C4", "C5", "C6", "C7", "C8"]
    assert list(table.columns) == outputs.CLAIMS.names


@pytest.mark.parametrize("empty", [True, False])
def test_without_tables_everything_is_inconclusive_with_a_reason(empty):
    names = ("runs", "comparisons", "parameters", "ladder", "gradients", "api_costs", "seeds_needed")
    table = decide_claims({name: pd.DataFrame() for name in names} if empty else {})
    assert set(table["verdict"]) == {"inconclusive"}
    assert table["because"].str.endswith(".").all()
    assert table["would_change"].str.len().gt(0).all()
    assert table["seeds_needed"].isna().all()


def test_runs_of_other_architectures_leave_every_claim_open():
    rows = pd.DataFrame([comparison("my_network", "sequential", "identical")])
    table = decide_claims({"runs": rows, "comparisons": rows, "parameters": rows})
    assert set(table["verdict"]) == {"inconclusive"}


@pytest.mark.parametrize(
    ("stances", "verdict"),
    [
        ("", "inconclusive"),
        ("f", "supported"),
        ("aa", "refuted"),
        ("fa", "depends"),
        ("fao", "depends"),
        ("fo", "inconclusive"),
        ("ao", "inconclusive"),
    ],
)
def test_stances_agree_contradict_or_stay_open(stances, verdict):
    letters = {"f": Stance.FOR, "a": Stance.AGAINST, "o": Stance.OPEN}
    assert verdict_of([letters[letter] for letter in stances]) == verdict


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (("refuted", "refuted"), "refuted"),
        (("supported", "refuted"), "depends"),
        (("supported", "refuted", "inconclusive"), "depends"),
        (("refuted", "inconclusive"), "inconclusive"),
        (("depends", "inconclusive"), "depends"),
    ],
)
def test_datasets_agree_contradict_or_leave_it_open(verdicts, verdict):
    assert verdict_over_datasets([ClaimVerdict(name) for name in verdicts]) == verdict


def stacks(*verdicts: tuple[str, float]) -> list[dict]:
    names = [("mlp", "sequential"), ("plain_cnn", "sequential"), ("plain_cnn", "sequential_deferred")]
    return [comparison(*name, verdict, mean) for name, (verdict, mean) in zip(names, verdicts, strict=False)]


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (stacks(("identical", 0), ("identical", 0), ("identical", 0)), "refuted"),
        (stacks(("identical", 0), ("equivalent", -0.1), ("different", 2.0)), "refuted"),
        (stacks(("different but within the margin", -0.2), ("identical", 0)), "refuted"),
        (stacks(("different", -2.0), ("different", -1.5)), "supported"),
        (stacks(("different", -2.0), ("identical", 0)), "depends"),
        (stacks(("identical", 0), ("undecided", -0.4)), "inconclusive"),
        (stacks(("different", -2.0), ("undecided", -0.4)), "inconclusive"),
        (stacks(("different", -0.55), ("different", -0.59)), "inconclusive"),
        (stacks(("different", -0.55), ("identical", 0)), "inconclusive"),
    ],
)
def test_c1_follows_the_comparisons_of_the_linear_stacks(rows, verdict):
    assert decided("C1", comparisons=rows)["verdict"] == verdict


def test_c1_is_not_decided_by_the_seeds_that_survive():
    rows = [
        comparison("mlp", "sequential", "undecided", n=1, failed_alone=9),
        comparison("plain_cnn", "sequential", "different", 3.0, n=5, failed_alone=5),
    ]
    claim = decided("C1", comparisons=rows)
    assert claim["verdict"] == "inconclusive"
    assert "5 seeds, 5 others in which only one of the two failed" in claim["because"]
    assert (
        "Runs that do not fail in one of the two only: mlp/sequential, plain_cnn/sequential." in claim["would_change"]
    )


def test_c1_needs_two_seeds_and_says_on_what_it_rests():
    one = decided("C1", comparisons=[comparison("mlp", "sequential", "identical", n=1)])
    assert one["verdict"] == "inconclusive"
    assert "At least 2 seeds" in one["would_change"]
    rows = [comparison("mlp", "sequential", "identical", n=2), comparison("plain_cnn", "sequential", "identical", n=4)]
    two = decided("C1", comparisons=rows)
    assert two["verdict"] == "refuted"
    assert "This rests on 2 to 4 seeds of 2 networks (mlp, plain_cnn), all tested on the same images." in two["because"]


def test_a_difference_that_may_lie_inside_the_margin_supports_nothing():
    claim = decided("C1", comparisons=stacks(("different", -0.55)))
    assert claim["verdict"] == "inconclusive"
    assert "perhaps by less than the margin of 0.5 points: mlp/sequential" in claim["would_change"]


def test_each_claim_stands_beside_what_the_article_says():
    table = decide_claims({})
    assert table["article"].str.endswith(".").all()
    assert table["article"].is_unique
    (column,) = (column for column in outputs.CLAIMS.columns if column.name == "article")
    assert "despite using the same architecture?, 2025-01-30" in column.meaning


def test_c1_looks_neither_at_lookalikes_nor_at_other_twins():
    rows = [
        comparison("mlp", "sequential", "identical"),
        comparison("mlp", "subclass", "different", -3.0),
        comparison("mlp", "functional_reordered", "different", -3.0, kind="lookalike"),
        comparison("branching_cnn", "sequential_linear", "different", -3.0, kind="lookalike"),
    ]
    claim = decided("C1", comparisons=rows)
    assert claim["verdict"] == "refuted"
    assert claim["because"].count("bit-identical in 3 seeds") == 1
    assert claim["evidence"] == "comparisons: digits mlp/sequential; runs: digits mlp/sequential"


def test_c1_says_when_it_is_lower_by_less_than_the_margin():
    because = decided("C1", comparisons=stacks(("different but within the margin", -0.2)))["because"]
    assert "Lower, but by less than the margin of 0.5 points: mlp/sequential" in because


def test_an_open_comparison_names_the_seeds_that_are_planned_for_it():
    rows = stacks(("identical", 0), ("undecided", -0.4), ("undecided", 0.3))
    plans = [
        plan("mlp", "sequential", float("nan"), "identical"),
        plan("plain_cnn", "sequential", "seeds: 12"),
        plan("plain_cnn", "sequential_deferred", "seeds: 9"),
        plan("residual_cnn", "sequential_no_skip", "seeds: 400"),
    ]
    claim = decided("C1", comparisons=rows, seeds_needed=plans)
    assert claim["seeds_needed"] == 12
    assert "`seeds: 12`" in claim["would_change"]
    assert "plain_cnn/sequential, plain_cnn/sequential_deferred undecided" in claim["would_change"]


def test_an_equivalence_names_the_collapse_that_its_seeds_cannot_exclude():
    row = comparison("mlp", "sequential", "equivalent", -0.1, unseen_collapse=63.2)
    assert "equivalent, a collapse in up to 63 % of seeds not excluded)" in decided("C1", comparisons=[row])["because"]


def test_one_seed_without_a_spread_is_open_and_readable():
    row = comparison("mlp", "sequential", "undecided", -1.0, n=1, ci_low=float("nan"), ci_high=float("nan"))
    claim = decided("C1", comparisons=[row])
    assert claim["verdict"] == "inconclusive"
    assert "-1.00 points in 1 seed" in claim["because"]
    assert "nan" not in claim["because"]


def test_a_variant_that_failed_in_every_seed_is_open_and_says_so():
    missing = {name: float("nan") for name in ("mean_difference", "ci_low", "ci_high")}
    claim = decided("C1", comparisons=[comparison("mlp", "sequential", "undecided", n=0) | missing])
    assert claim["verdict"] == "inconclusive"
    assert "no seed in which both ended well" in claim["because"]


def test_datasets_that_disagree_make_it_depend_on_the_dataset():
    rows = [
        *stacks(("identical", 0), ("identical", 0)),
        *(row | {"dataset": "mnist"} for row in stacks(("different", -2.0), ("different", -1.0))),
    ]
    claim = decided("C1", comparisons=rows)
    assert claim["verdict"] == "depends"
    assert "On digits (refuted):" in claim["because"]
    assert "On mnist (supported):" in claim["because"]
    assert "runs: mnist mlp/sequential" in claim["evidence"]


def test_an_open_dataset_keeps_the_claim_open_and_its_seeds():
    rows = [*stacks(("identical", 0)), *(row | {"dataset": "mnist"} for row in stacks(("undecided", 0.2)))]
    plans = [plan("mlp", "sequential", "", "identical"), plan("mlp", "sequential", "seeds: 8") | {"dataset": "mnist"}]
    claim = decided("C1", comparisons=rows, seeds_needed=plans)
    assert (claim["verdict"], claim["seeds_needed"]) == ("inconclusive", 8)
    assert claim["would_change"].startswith("On mnist: ")


def unshared(autoencoder: tuple[str, float], views: tuple[str, float]) -> list[dict]:
    return [
        comparison("shared_autoencoder", "sequential_unshared", *autoencoder, kind="lookalike"),
        comparison("shared_views", "functional_unshared", *views, kind="lookalike"),
        comparison("shared_views", "sequential_composite", "identical"),
    ]


@pytest.mark.parametrize(
    ("autoencoder", "views", "verdict"),
    [
        (("different", -2.0), ("different", -0.9), "supported"),
        (("different", 2.0), ("equivalent", 0.1), "refuted"),
        (("different", 2.0), ("different", -0.9), "depends"),
        (("different", 2.0), ("undecided", -0.2), "inconclusive"),
    ],
)
def test_c4_follows_the_unshared_networks(autoencoder, views, verdict):
    counts = [counted("shared_views", "functional_unshared", 9000, difference_to_reference=4000, kind="lookalike")]
    claim = decided("C4", comparisons=unshared(autoencoder, views), parameters=counts)
    assert claim["verdict"] == verdict
    assert "+4,000" in claim["because"]
    assert "sequential_composite" not in claim["because"]


def test_c4_says_of_networks_that_learned_nothing_that_their_scores_say_nothing():
    rows = unshared(("undecided", -0.0), ("equivalent", -0.1))
    rows[0]["at_chance"] = True
    claim = decided("C4", comparisons=rows)
    assert claim["verdict"] == "inconclusive"
    assert "both score no better than a constant guess, where any two variants look alike)" in claim["because"]
    assert "Training that ends above a constant guess, which no number of seeds brings" in claim["would_change"]
    assert "undecided at this number of seeds" not in claim["would_change"]


def test_c4_says_which_networks_collapsed():
    rows = unshared(("undecided", -9.0), ("equivalent", -0.1))
    rows[0]["collapsed"] = 1
    assert "in 1 seed one of the two collapsed: it ended more than" in decided("C4", comparisons=rows)["because"]


def test_c4_does_not_take_a_lower_score_for_a_proof_of_its_cause():
    claim = decided("C4", comparisons=unshared(("different", -2.0), ("different", -0.9)))
    assert "reason does not follow" in claim["because"]


def test_a_verdict_that_was_reached_says_what_would_overturn_it():
    claim = decided("C1", comparisons=stacks(("identical", 0)))
    assert claim["would_change"] == next(one for one in CLAIMS if one.name == "C1").would_change
