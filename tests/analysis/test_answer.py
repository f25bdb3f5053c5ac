import pandas as pd
import pytest
from tests.analysis.made_tables import comparison, plan

from twinbench.analysis.claims import answer
from twinbench.analysis.suspects import API_ROW


def sentences(**tables) -> list[str]:
    return answer({name: pd.DataFrame(rows) for name, rows in tables.items()})


def worse(*verdicts: tuple[str, float], plans=()) -> str:
    rows = [comparison(f"network_{k}", "sequential", *verdict) for k, verdict in enumerate(verdicts)]
    return sentences(comparisons=rows, seeds_needed=list(plans))[0]


def test_without_tables_the_three_sentences_say_that_nothing_was_tested():
    one, two, three = answer({})
    assert "not tested" in one
    assert "at least two seeds" in two
    assert "no suspect was trained" in three


def test_bit_identical_twins_make_a_plain_no():
    text = worse(("identical", 0), ("identical", 0))
    assert text.startswith("No: in all 2 pairs of twins, 3 seeds each")
    assert "bit-identical" in text


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((("identical", 0), ("equivalent", -0.1)), "No: of 2 pairs"),
        ((("identical", 0), ("different", 1.0)), "higher in 1 (network_1/sequential +1.00 points), and lower in none"),
        ((("identical", 0), ("different", -1.0)), "In part: of 2 pairs"),
        ((("different", -1.0), ("different", -2.0)), "Yes: of 2 pairs"),
        ((("identical", 0), ("different", -0.55)), "shown to be lower in none, bit-identical in 1, and 1 is open"),
        ((("identical", 0), ("undecided", -1.0)), "1 is open (14 seeds are planned to settle them)"),
    ],
)
def test_the_first_sentence_follows_the_comparisons(verdicts, expected):
    assert expected in worse(*verdicts, plans=[plan("network_1", "sequential", "seeds: 14")])


def test_the_headline_is_no_plain_no_where_runs_failed_in_one_of_the_two():
    rows = [
        comparison("mlp", "sequential", "undecided", n=1, failed_alone=9),
        comparison("plain_cnn", "sequential", "identical", n=10),
    ]
    text = sentences(comparisons=rows)[0]
    assert text.startswith("Not as far as 1 seed can tell")
    assert "Only one of the two failed: mlp/sequential in 9 seeds." in text


def test_the_headline_is_no_plain_no_on_one_seed():
    assert sentences(comparisons=[comparison("mlp", "sequential", "identical", n=1)])[0].startswith("Not as far as")


def test_lookalikes_and_other_twins_do_not_count():
    rows = [
        comparison("mlp", "sequential", "identical"),
        comparison("mlp", "subclass", "different", -9.0),
        comparison("mlp", "sequential_no_skip", "different", -9.0, kind="lookalike"),
    ]
    assert sentences(comparisons=rows)[0].startswith("No: in all 1 pair")


def noise(architecture: str, mean_gap: float, chance: float, **other) -> dict:
    return {
        "dataset": "digits",
        "architecture": architecture,
        "variant": "functional",
        "kind": "reference",
        "score_name": "accuracy",
        "mean_gap": mean_gap,
        "gap_0.5": chance,
        "gap_0.5_low": chance / 2,
        "gap_0.5_high": (1 + chance) / 2,
    } | other


def test_the_second_sentence_gives_the_gaps_between_seeds_of_one_model():
    rows = [
        noise("mlp", 0.4, 0.3),
        noise("plain_cnn", 0.9, 0.65),
        noise("shared_autoencoder", 9.0, 1.0, score_name="explained variance"),
        noise("mlp", 7.0, 1.0, kind="twin"),
        noise("residual_cnn", float("nan"), float("nan")),
    ]
    text = sentences(noise_floor=rows)[1]
    assert "0.40 (mlp on digits) to 0.90 (plain_cnn on digits) points apart" in text
    assert "in plain_cnn on digits at least 0.5 points apart with probability 0.65 (interval 0.33 to 0.82)" in text


def suspect(name: str, mean: float, verdict: str = "different", misread: float = 0.0, **other) -> dict:
    return {
        "dataset": "digits",
        "suspect": name,
        "changes": f"the {name}",
        "mean_difference": mean,
        "verdict": verdict,
        "seen_difference": mean + misread,
        "misread": misread,
        "n": 3,
        "own_high": mean + 1,
    } | other


def test_the_third_sentence_ranks_what_is_shown_to_cost_points():
    rows = [
        suspect(API_ROW, -50.0),
        suspect("padding", -1.0),
        suspect("freezing", -8.0),
        suspect("guess", -30.0, "undecided", own_high=5.0),
        suspect("hunch", -20.0, "undecided"),
        suspect("luck", 3.0),
        suspect("metric", 0.0, "identical", misread=-87.0),
    ]
    text = sentences(suspects=rows)[2]
    assert text.startswith("What really costs points: the freezing (-8.0), the padding (-1.0); candidates, ")
    assert "which 3 seeds cannot show of so many faults at once: the hunch (-20.0); and one only looks" in text
    assert "the metric (seen -87.0, in truth +0.0)" in text
    assert "guess" not in text
    assert "Sequential" not in text


def test_a_fault_must_cost_points_on_every_dataset():
    rows = [suspect("freezing", -8.0), suspect("freezing", -0.1, "undecided", dataset="mnist")]
    assert "none is shown" in sentences(suspects=rows)[2]
