import pandas as pd
import pytest
from tests.analysis.made_tables import comparison

from twinbench.analysis.claims import Answer, answer
from twinbench.analysis.suspects import API_ROW


def found(**tables) -> Answer:
    return answer({name: pd.DataFrame(rows) for name, rows in tables.items()})


def pairs(*verdicts: tuple[str, float]) -> Answer:
    rows = [comparison(f"network_{k}", "sequential", *verdict) for k, verdict in enumerate(verdicts)]
    return found(comparisons=rows)


def test_without_tables_every_line_says_that_nothing_was_tested():
    empty = answer({})
    assert empty.api.lead == "Not tested here:"
    assert "at least two seeds" in empty.chance.text
    assert "no mistake was planted" in empty.costs.text
    assert not empty.worst
    assert empty.api_points is empty.chance_points is None
    assert not empty.identical


def test_bit_identical_pairs_say_that_it_is_not_the_api():
    result = pairs(("identical", 0), ("identical", 0))
    assert result.api.lead == "It isn't the API:"
    assert result.api.text == "Sequential and Functional end with bit-identical weights in 2 of 2 pairs."
    assert result.identical


@pytest.mark.parametrize(
    ("verdicts", "lead", "text"),
    [
        ((("identical", 0), ("equivalent", -0.1)), "It isn't the API:", "bit-identical in 1, within 0.5 points in 1"),
        (
            (("identical", 0), ("different", 1.0)),
            "It isn't the API:",
            "higher in 1 (network_1/sequential +1.00 points)",
        ),
        ((("identical", 0), ("different", -1.0)), "In part it is the API:", "lower in 1 of 2 pairs"),
        (
            (("identical", 0), ("undecided", -1.0)),
            "No sign that it is the API:",
            "bit-identical in 1, and undecided in 1",
        ),
        (
            (("identical", 0), ("different", -0.55)),
            "No sign that it is the API:",
            "undecided in 1; shown to be lower in none",
        ),
        ((("different", -1.0), ("different", -2.0)), "It is the API:", "lower in 2 of 2 pairs"),
        ((("undecided", -1.0),), "Undecided:", "these runs cannot say"),
    ],
)
def test_the_first_line_follows_the_comparisons(verdicts, lead, text):
    result = pairs(*verdicts)
    assert result.api.lead == lead
    assert text in result.api.text
    assert not result.identical


def test_it_is_not_said_to_be_no_fault_of_the_api_where_runs_failed_in_one_of_the_two():
    rows = [
        comparison("mlp", "sequential", "undecided", n=1, failed_alone=9),
        comparison("plain_cnn", "sequential", "identical", n=10),
    ]
    line = found(comparisons=rows).api
    assert line.lead == "No sign that it is the API:"
    assert "Only one of the two failed: mlp/sequential in 9 seeds." in line.text


def test_one_seed_settles_nothing():
    assert found(comparisons=[comparison("mlp", "sequential", "identical", n=1)]).api.lead == "Undecided:"


def test_lookalikes_and_other_twins_do_not_count():
    rows = [
        comparison("mlp", "sequential", "identical"),
        comparison("mlp", "subclass", "different", -9.0),
        comparison("mlp", "sequential_no_skip", "different", -9.0, kind="lookalike"),
    ]
    assert "in 1 of 1 pair." in found(comparisons=rows).api.text


def noise(architecture: str, mean_gap: float, **other) -> dict:
    return {
        "dataset": "digits",
        "architecture": architecture,
        "variant": "functional",
        "kind": "reference",
        "score_name": "accuracy",
        "mean_gap": mean_gap,
    } | other


def test_the_second_line_gives_the_gaps_between_seeds_of_one_model():
    rows = [
        noise("mlp", 0.4),
        noise("plain_cnn", 0.9),
        noise("shared_autoencoder", 9.0, score_name="explained variance"),
        noise("mlp", 7.0, kind="twin"),
        noise("residual_cnn", float("nan")),
    ]
    assert "by 0.4 to 0.9 points" in found(noise_floor=rows).chance.text
    assert "by about 9.0 points" in found(noise_floor=rows[2:3]).chance.text


def suspect(name: str, mean: float, verdict: str = "different", **other) -> dict:
    low, high = mean - 1, mean + 1
    return {
        "dataset": "digits",
        "suspect": name,
        "cause": "none.identical" if name == API_ROW else "data",
        "mean_difference": mean,
        "verdict": verdict,
        "ci_low": low,
        "own_low": low,
        "ci_high": high,
        "own_high": high,
    } | other


def test_the_third_line_ranks_what_costs_points_and_says_of_what_it_is_sure():
    rows = [
        suspect(API_ROW, -50.0),
        suspect("padding", -1.5),
        suspect("frozen_layers", -8.0),
        suspect("guess", -30.0, "undecided", ci_high=5.0, own_high=5.0),
        suspect("hunch", -20.0, "undecided"),
        suspect("luck", 3.0),
        suspect("metric", 0.0, "identical", ci_low=0.0, ci_high=0.0, own_low=0.0, own_high=0.0),
    ]
    result = found(suspects=rows)
    assert [(cost.name, cost.points, cost.sure) for cost in result.worst] == [
        ("frozen layers", -8.0, True),
        ("padding", -1.5, True),
        ("hunch", -20.0, False),
    ]
    assert result.sentences[2].endswith(
        "up to 8 points: frozen layers (-8.0), padding (-1.5), hunch (-20.0, unconfirmed)."
    )


def test_of_mistakes_of_which_none_is_shown_to_cost_points_that_is_said():
    result = found(suspects=[suspect("hunch", -20.0, "undecided")])
    assert result.sentences[2].endswith(
        "none of the mistakes is shown to, with so few seeds; some may: hunch (-20.0, unconfirmed)."
    )


def test_a_mistake_must_cost_points_on_every_dataset():
    rows = [suspect("freezing", -8.0), suspect("freezing", -0.1, "undecided", dataset="mnist", own_high=1, ci_high=1)]
    result = found(suspects=rows)
    assert not result.worst
    assert "none of 1 planted mistake is shown to" in result.costs.text


def test_where_no_mistake_was_planted_other_networks_show_what_costs_points():
    rows = [
        comparison("mlp", "sequential_no_skip", "different", -9.0, kind="lookalike"),
        comparison("mlp", "sequential_linear", "undecided", -1.0, kind="lookalike"),
    ]
    assert [cost.name for cost in found(comparisons=rows).worst] == ["mlp/sequential_no_skip"]


def test_the_answer_says_beside_equivalent_what_collapse_its_seeds_cannot_exclude():
    rows = [comparison("mlp", "sequential", "equivalent", -0.1, n=10, unseen_collapse=25.9)]
    text = answer({"comparisons": pd.DataFrame(rows)}).api.text
    assert "within 0.5 points in 1 (a collapse in up to 26 % of seeds not excluded)" in text
