"""The claims that measurements decide: gradients (C5) and costs (C7)."""

import pytest
from tests.analysis.made_tables import comparison, cost, decided, gradient

DEEP = "deep_residual_mlp"
REFERENCE = gradient(DEEP, "functional", [2.0, 2.2, 1.9], kind="reference")
SAME = [2.0, 2.2, 1.9]
FADED = [0.002, 0.003, 0.001]
EXPLODED = [400.0, 500.0, 300.0]


def replicas(composite: list[float], no_skip: list[float] | None, depth: int = 8) -> list[dict]:
    without = gradient(DEEP, "sequential_no_skip", no_skip, kind="lookalike") if no_skip else []
    rows = [*REFERENCE, *gradient(DEEP, "sequential_composite", composite), *without]
    return [row | {"depth": depth} for row in rows]


@pytest.mark.parametrize(
    ("composite", "no_skip", "verdict"),
    [
        (SAME, FADED, "depends"),
        (SAME, EXPLODED, "depends"),
        (SAME, [25.0, 18.0, 21.0], "inconclusive"),
        (SAME, [1.0, 1.4, 1.1], "refuted"),
        (FADED, FADED, "supported"),
        (SAME, [2.0, 0.002, 0.1], "inconclusive"),
        ([2.0, 0.002, 0.1], FADED, "inconclusive"),
        (SAME, None, "inconclusive"),
    ],
)
def test_c5_asks_whether_the_api_or_the_skip_makes_the_gradient_fade_or_blow_up(composite, no_skip, verdict):
    assert decided("C5", gradients=replicas(composite, no_skip))["verdict"] == verdict


def test_c5_publishes_at_which_other_factors_its_verdict_is_the_same():
    far = decided("C5", gradients=replicas(SAME, [2e-5, 2.2e-5, 1.9e-5]))
    assert "the verdict is the same for factors from 2 to 100" in far["because"]
    near = decided("C5", gradients=replicas(SAME, [2 / 30, 2.2 / 30, 1.9 / 30]))
    assert near["verdict"] == "depends"
    assert "of others from 2 to 100 the verdict is refuted at 50, refuted at 100" in near["because"]


def test_c5_corrects_for_the_number_of_its_intervals():
    norms = [2 / 30, 2.2 / 45, 1.9 / 25]
    alone = decided("C5", gradients=replicas(SAME, norms))
    many = decided("C5", gradients=[row for depth in range(2, 40) for row in replicas(SAME, norms, depth=depth)])
    assert (alone["verdict"], many["verdict"]) == ("depends", "inconclusive")


def test_c5_names_depths_and_factors():
    rows = [*replicas(SAME, [1.0, 1.1, 0.95], depth=2), *replicas(SAME, FADED, depth=30)]
    scores = [comparison(DEEP, "sequential_no_skip", "different", -40.0, kind="lookalike")]
    because = decided("C5", gradients=rows, comparisons=scores)["because"]
    assert f"{DEEP}/sequential_composite equal in every layer (2 blocks, 30 blocks)" in because
    assert f"{DEEP}/sequential_no_skip 0.5 times at initialisation (2 blocks), " in because
    assert "0.0009 times at initialisation (30 blocks)" in because
    assert f"Scores: {DEEP}/sequential_no_skip -40.00 points" in because


def test_c5_counts_a_gradient_of_exactly_zero_as_faded():
    assert decided("C5", gradients=replicas(SAME, [0.0, 0.0, 0.0]))["verdict"] == "depends"


def later(rows: list[dict], step: int) -> list[dict]:
    return [row | {"step": step} for row in rows]


def test_c5_counts_a_gradient_that_fades_while_training():
    start = replicas(SAME, [1.0, 1.4, 1.1])
    claim = decided("C5", gradients=[*start, *later(start, 1), *later(replicas(SAME, FADED), 5)])
    assert claim["verdict"] == "depends"
    assert "0.57 times at initialisation and 0.0009 times after 5 steps (8 blocks)" in claim["because"]


def test_c5_looks_at_the_first_and_the_last_step_that_were_measured():
    start = replicas(SAME, [1.0, 1.4, 1.1])
    between = later(replicas(SAME, FADED), 1)
    assert decided("C5", gradients=[*start, *between, *later(start, 5)])["verdict"] == "refuted"


def test_c5_with_one_seed_is_open_even_where_all_norms_are_equal():
    assert decided("C5", gradients=replicas(SAME[:1], FADED[:1]))["verdict"] == "inconclusive"
    assert decided("C5", gradients=replicas(SAME[:1], SAME[:1]))["verdict"] == "inconclusive"
    assert decided("C5", gradients=replicas(SAME[:2], SAME[:2]))["verdict"] == "refuted"


def test_c5_is_open_without_a_sequential_that_keeps_the_skip():
    rows = [*REFERENCE, *gradient(DEEP, "sequential_no_skip", FADED, kind="lookalike")]
    assert decided("C5", gradients=rows)["verdict"] == "inconclusive"


COUNTS = ("operations", "flops", "tensor_mb", "peak_tensor_mb")
EQUAL = ("none", 0.0, 0.0)


def costs_of(
    step: tuple = ("none", 0.2, 2.0), build: tuple = ("none", 1.0, 5.0), missing: str = "", **counts: tuple
) -> list[dict]:
    quantities = {"step_ms": step, "build_s": build} | dict.fromkeys(COUNTS, EQUAL) | counts
    twins = ("sequential", "sequential_deferred")
    return [
        cost(twin, quantity, *values)
        for quantity, values in quantities.items()
        for twin in twins
        if quantity != missing
    ]


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (costs_of(), "refuted"),
        (costs_of(flops=("less", -30.0, -30.0)), "refuted"),
        (costs_of(operations=("more", 20.0, 20.0)), "supported"),
        (costs_of(peak_tensor_mb=("more", 20.0, 20.0)), "supported"),
        (costs_of(missing="peak_tensor_mb"), "inconclusive"),
        (costs_of(flops=("not measured", float("nan"), float("nan"))), "inconclusive"),
    ],
)
def test_c7_rests_on_what_is_counted(rows, verdict):
    if verdict == "supported":  # the clock must not contradict it in every twin
        rows = [row | ({"verdict": "unclear"} if row["quantity"] == "step_ms" else {}) for row in rows]
    assert decided("C7", api_costs=rows)["verdict"] == verdict


@pytest.mark.parametrize("step", [("unclear", 5.0, 40.0), ("none", 0.2, 2.0), ("less", -30.0, -20.0)])
@pytest.mark.parametrize("build", [("more", 50.0, 60.0), ("unclear", 5.0, 80.0)])
def test_c7_is_the_same_however_busy_the_machine_was(step, build):
    assert decided("C7", api_costs=costs_of(step, build))["verdict"] == "refuted"


def test_c7_is_contradicted_by_the_clock_only_in_every_twin():
    everywhere = costs_of(("more", 20.0, 25.0))
    assert decided("C7", api_costs=everywhere)["verdict"] == "depends"
    once = [row | {"verdict": "none"} if row["variant"] == "sequential" else row for row in everywhere]
    assert decided("C7", api_costs=once)["verdict"] == "refuted"


def test_c7_depends_where_only_one_twin_does_more():
    rows = costs_of(("unclear", 5.0, 40.0))
    rows = [
        row | {"verdict": "more", "difference_percent": 20.0}
        if (row["variant"], row["quantity"]) == ("sequential", "flops")
        else row
        for row in rows
    ]
    assert decided("C7", api_costs=rows)["verdict"] == "depends"


def test_c7_looks_at_sequential_twins_only():
    others = [
        cost("subclass", "operations", "more", 50.0, 60.0),
        cost("sequential_linear", "operations", "more", 50.0, 60.0, kind="lookalike"),
    ]
    claim = decided("C7", api_costs=[*costs_of(), *others])
    assert claim["verdict"] == "refuted"
    assert "subclass" not in claim["evidence"]


def test_c7_says_which_cost_is_how_large():
    because = decided("C7", api_costs=costs_of(build=("more", 20.0, 30.0)))["because"]
    assert "floating-point operations equal in all 2 twins" in because
    assert "By the clock, which only confirms: time per step median +0.2 % over 2 twins: 2 within 10 %" in because
    assert "time to build median +20.0 % over 2 twins: 2 more (mlp/sequential +20.0 %)" in because


def test_c7_without_counts_is_open_whatever_the_clock_says():
    claim = decided("C7", api_costs=[row for row in costs_of() if row["quantity"] in ("step_ms", "build_s")])
    assert claim["verdict"] == "inconclusive"
    assert claim["would_change"] == "The counts of a training step of mlp/sequential, mlp/sequential_deferred."
