"""Seeds that are added at looks declared beforehand: who trains on, what is frozen, and what the looks may spend."""

import numpy as np
import pytest
from benchmarks import simulated_tables
from tests.analysis.made_runs import REFERENCE, runs_of

from twinbench.analysis.comparisons import compare_variants
from twinbench.analysis.seeds_needed import seeds_needed
from twinbench.analysis.settling import compare_at_looks, going_on, shares
from twinbench.report.seeds_advice import looks_in_brief, seeds_advice

LOOKS = [5, 10, 20]


def noisy(mean: float, seeds: int, spread: float = 0.3, start: int = 0) -> list[float]:
    """Scores around a mean that are the same in every process."""
    return [round(mean + spread * ((7 * (k + start)) % 11 - 5) / 5, 2) for k in range(seeds)]


def made(variants: dict[str, list[float]], seeds: int = 20):
    runs = runs_of({REFERENCE: noisy(98, seeds, start=3), **variants})
    runs["seed"] += 1
    same = runs["variant"] == "same"
    for name in ("test_score", "final_weights_sha256"):
        reference = runs[runs["variant"] == REFERENCE].set_index("seed")[name]
        runs.loc[same, name] = runs.loc[same, "seed"].map(reference)
    return runs


def at(runs, looks=LOOKS):
    return compare_at_looks(runs, looks, margin=0.5, confidence=0.95)


def test_the_error_is_spent_over_the_looks_as_it_was_declared() -> None:
    assert [round(0.05 * share, 4) for share in shares(5)] == [0.005, 0.01, 0.01, 0.01, 0.015]
    for count in range(1, 12):
        assert sum(shares(count)) == pytest.approx(1)


def test_each_row_is_that_of_the_look_at_which_it_was_decided_and_tested_at_its_level() -> None:
    runs = made({"far": noisy(60, 5), "near": noisy(97.6, 20, spread=1.2), "same": [0.0] * 5})
    table = at(runs).set_index("variant")
    assert table["look"].to_dict() == {"far": 1, "near": 3, "same": 1}
    assert table["n"].to_dict() == {"far": 5, "near": 20, "same": 5}
    assert table["family_size"].tolist() == [2, 2, 2]  # the identical one never counts
    assert table.loc["same", "verdict"] == "identical"
    assert table.loc["far", "sentence"].endswith("Decided at look 1 of 3.")
    alone = compare_variants(runs[runs["variant"].isin([REFERENCE, "near"])], margin=0.5, confidence=0.95).iloc[0]
    last = table.loc["near"]
    assert last["t_p"] == pytest.approx(alone["t_p"])
    assert last["t_p_corrected"] == pytest.approx(min(1, alone["t_p"] * 2 / shares(3)[-1]))
    assert last["ci_high"] > alone["ci_high"]


def test_what_is_undecided_trains_on_with_its_reference_and_nothing_else_does() -> None:
    runs = made({"far": noisy(60, 5), "near": noisy(97.6, 5, spread=1.2), "same": [0.0] * 5}, seeds=5)
    table = at(runs)
    assert going_on(table, 1) == [["mlp", REFERENCE], ["mlp", "near"]]
    assert going_on(table, 2) == []


def test_a_look_counts_only_when_all_its_runs_are_there() -> None:
    runs = made({"near": noisy(97.6, 8, spread=1.2)}, seeds=20)
    row = at(runs).iloc[0]
    assert (row["look"], row["n"]) == (1, 5)
    assert at(made({"near": noisy(97.6, 4, spread=1.2)})).empty


def test_more_seeds_are_not_trained_where_they_could_decide_nothing() -> None:
    runs = made({"broken": [None] * 5}, seeds=5)
    assert going_on(at(runs), 1) == []


def test_without_looks_the_table_is_that_of_fixed_seeds() -> None:
    runs = made({"far": noisy(60, 20)})
    fixed = compare_variants(runs, margin=0.5, confidence=0.95)
    assert at(runs, []).equals(fixed)
    assert fixed["look"].isna().all()
    assert looks_in_brief(fixed, runs) == ""
    assert "doubles the false verdicts" in seeds_advice(
        seeds_needed(
            compare_variants(made({"near": noisy(97.7, 5, spread=1.2)}, seeds=5), margin=0.5, confidence=0.95),
            confidence=0.95,
        )
    )


def test_it_is_said_at_which_look_verdicts_fell_and_what_that_cost() -> None:
    runs = made({"far": noisy(60, 5), "near": noisy(97.6, 20, spread=1.2), "same": [0.0] * 5})
    runs = runs[(runs["seed"] <= 5) | runs["variant"].isin([REFERENCE, "near"])]
    table = at(runs)
    brief = looks_in_brief(table, runs)
    assert "look 1 (5 seeds) settled 2 of 2; look 3 (20 seeds) settled" in brief
    assert "It took 50 runs; as many seeds for every variant would have taken 80." in brief
    assert set(seeds_needed(table, confidence=0.95)["config_line"]) == {""}


@pytest.mark.parametrize("scenario", simulated_tables.SETTLED[-3:], ids=lambda scenario: scenario.name)
def test_a_settled_table_is_wrong_as_seldom_as_promised_and_is_decided(scenario) -> None:
    rates = simulated_tables.settled_rates(scenario, tables=40, rng=np.random.default_rng(1))
    assert rates["any_false_claim"] <= 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / 40)
    assert rates["decided"] > 0.9
    assert rates["mean_seeds"] < 40
