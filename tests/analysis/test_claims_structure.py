"""The claims about what networks are: parameters (C2, C8), the published examples (C3), branches (C6)."""

import pytest
from tests.analysis.made_tables import comparison, counted, decided, rungs

AUTOENCODER = "shared_autoencoder"


def shared_counts(sequential: int | None, unshared: int = 144) -> list[dict]:
    return [
        counted(AUTOENCODER, "functional", 72, kind="reference", parameters_per_call=144),
        counted(AUTOENCODER, "sequential", sequential, parameters_per_call=144),
        counted(AUTOENCODER, "sequential_unshared", unshared, kind="lookalike"),
    ]


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ({}, "refuted"),
        ({4: "fail", 6: "fail", 7: "fail"}, "supported"),
        ({6: "fail"}, "supported"),
        ({7: "not applicable"}, "inconclusive"),
    ],
)
@pytest.mark.parametrize(("claim", "architecture"), [("C2", AUTOENCODER), ("C6", "branching_cnn")])
def test_what_sequential_cannot_do_is_refuted_by_one_that_does_it(claim, architecture, outcomes, verdict):
    assert decided(claim, ladder=rungs(architecture, "sequential", outcomes))["verdict"] == verdict


@pytest.mark.parametrize(("claim", "architecture"), [("C2", AUTOENCODER), ("C6", "branching_cnn")])
def test_one_that_does_it_is_enough_whatever_others_do(claim, architecture):
    ladder = [*rungs(architecture, "sequential", {4: "fail"}), *rungs(architecture, "sequential_composite", {})]
    row = decided(claim, ladder=ladder)
    assert row["verdict"] == "refuted"
    assert f"Other networks, as their ladders show: {architecture}/sequential." in row["because"]


def test_failed_attempts_are_said_to_prove_nothing_about_others():
    because = decided("C6", ladder=rungs("branching_cnn", "sequential_composite", {6: "fail"}))["because"]
    assert "fails rung 6" in because
    assert "None of 1 Sequential that was tried is that network; another may be." in because


def test_c2_is_open_without_the_ladder_for_equal_counts_prove_nothing():
    assert decided("C2", parameters=shared_counts(72))["verdict"] == "inconclusive"


def test_c2_shows_the_count_that_one_gets_who_counts_every_use():
    because = decided("C2", parameters=shared_counts(72), ladder=rungs(AUTOENCODER, "sequential", {}))["because"]
    assert "with 72 parameters (a use of a layer counted as a layer of its own: 144)" in because


@pytest.mark.parametrize(
    ("sequential", "unshared", "verdict"), [(72, 144, "supported"), (72, 72, "refuted"), (144, 144, "depends")]
)
def test_c8_compares_shared_networks_with_unshared_ones(sequential, unshared, verdict):
    claim = decided("C8", parameters=shared_counts(sequential, unshared))
    assert claim["verdict"] == verdict
    assert f"{unshared:,} parameters unshared" in claim["because"]


def test_c8_is_open_where_no_unshared_network_was_counted():
    claim = decided("C8", parameters=shared_counts(72)[:2])
    assert claim["verdict"] == "inconclusive"
    assert "shared_views" in claim["would_change"]


def published(variant: str, outcomes: dict[int, str], value: float = 0.0) -> list[dict]:
    return rungs("published_autoencoder", variant, outcomes, kind="published", value=value)


STOPS_AT_BATCH = {2: "fail"} | dict.fromkeys(range(3, 9), "not applicable")
STOPS_AT_BUILDING = {1: "fail"} | dict.fromkeys(range(2, 9), "not applicable")


@pytest.mark.parametrize(
    ("claim", "variant", "outcomes", "value", "verdict"),
    [
        ("C3a", "sequential_c3a", STOPS_AT_BATCH, 0.0, "refuted"),
        ("C3a", "sequential_c3a", {}, 0.0, "supported"),
        ("C3a", "sequential_c3a", {4: "fail"}, -37_000.0, "depends"),
        ("C3b", "functional_c3b", STOPS_AT_BUILDING, 0.0, "refuted"),
        ("C3b", "functional_c3b", {4: "fail"}, -37_000.0, "supported"),
        ("C3b", "functional_c3b", {}, 0.0, "depends"),
        ("C3b", "functional_c3b", {4: "not applicable"}, 0.0, "inconclusive"),
    ],
)
def test_c3_follows_the_ladder_of_the_published_examples(claim, variant, outcomes, value, verdict):
    row = decided(claim, ladder=published(variant, outcomes, value))
    assert row["verdict"] == verdict
    assert row["evidence"] == f"ladder: digits published_autoencoder/{variant}"


def test_c3_quotes_the_error_once_however_many_datasets_hold_it():
    ladder = published("sequential_c3a", STOPS_AT_BATCH)
    because = decided("C3a", ladder=[*ladder, *(row | {"dataset": "mnist"} for row in ladder)])["because"]
    assert because == "It is built. Sentence of rung 2."


def branching(composite: dict[int, str], linear: dict[int, str]) -> list[dict]:
    return [
        *rungs("branching_cnn", "subclass", {}),
        *rungs("branching_cnn", "sequential_composite", composite),
        *rungs("branching_cnn", "sequential_linear", linear, kind="lookalike"),
    ]


@pytest.mark.parametrize(
    ("composite", "verdict"),
    [
        ({}, "refuted"),
        ({3: "fail", 5: "fail"}, "refuted"),
        ({6: "fail", 7: "not applicable"}, "supported"),
        ({1: "fail"}, "supported"),
        ({6: "not applicable", 7: "not applicable"}, "inconclusive"),
    ],
)
def test_c6_is_refuted_by_one_sequential_replica(composite, verdict):
    claim = decided("C6", ladder=branching(composite, {4: "fail", 6: "fail"}))
    assert claim["verdict"] == verdict
    assert "branching_cnn/subclass" not in claim["evidence"]


def test_c6_tells_the_replica_from_the_linear_stack_and_gives_its_numbers():
    claim = decided(
        "C6",
        ladder=branching({}, {4: "fail", 6: "fail"}),
        parameters=[counted("branching_cnn", "sequential_composite", 55_450)],
        comparisons=[comparison("branching_cnn", "sequential_composite", "identical")],
    )
    assert "with 55,450 parameters" in claim["because"]
    assert "bit-identical in 3 seeds" in claim["because"]
    assert "Other networks, as their ladders show: branching_cnn/sequential_linear" in claim["because"]


def test_c6_is_open_when_only_linear_stacks_were_tried():
    ladder = rungs("branching_cnn", "sequential_linear", {6: "fail"}, kind="lookalike")
    assert decided("C6", ladder=ladder)["verdict"] == "inconclusive"
