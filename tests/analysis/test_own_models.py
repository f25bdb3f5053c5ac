"""The answer on models of a person's own: the same or not, what differs, the gap, chance, and what to do next."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.analysis.made_tables import comparison

from twinbench.analysis.claims import OwnModelsAnswer, answer
from twinbench.report.ending import answer_in_words
from twinbench.report.page.first_screen import bars

NAMES = {
    1: "builds",
    2: "runs on a batch",
    3: "same graph",
    4: "same parameter count",
    5: "same initial weights",
    6: "same function",
    7: "same gradients",
    8: "same training",
    9: "same score",
}


def tables(
    failed: tuple[int, ...] = (),
    untested: tuple[int, ...] = (),
    *,
    verdict: str = "identical",
    mean: float = 0.0,
    weights: str = "one",
    status: str = "ok",
    variant: str = "b",
    optimizer: str = "adam",
    loss: str = "mse",
) -> dict[str, pd.DataFrame]:
    """The tables of a study of a and b; `failed` names the rungs that fail, `untested` those that were not climbed."""
    who = {"dataset": "mine", "architecture": "study", "variant": variant, "kind": "candidate"}
    ladder = [
        {**who, "rung": number, "name": name, "sentence": f"Rung {number}",
         "outcome": "fail" if number in failed else "not applicable" if number in untested else "pass"}
        for number, name in NAMES.items()
    ]  # fmt: skip
    settings = {"loss": loss, "optimizer": optimizer, "learning_rate": 0.1, "reason": "", "status": "ok", "seed": 1}
    reference = {**who, "variant": "a", "kind": "reference", "final_weights_sha256": "one", **settings}
    run: dict[str, Any] = {**who, "final_weights_sha256": weights, **settings, "status": status}
    run["reason"] = "" if status == "ok" else "It broke"
    scores = {"kind": "candidate", "dataset": "mine", "n": 5 if status == "ok" else 0}
    chance = {**who, "variant": "a", "kind": "reference", "score_name": "accuracy", "mean_gap": 0.8}
    return {
        "ladder": pd.DataFrame(ladder),
        "runs": pd.DataFrame([{**reference, "optimizer": "adam"}, run]),
        "comparisons": pd.DataFrame([comparison("study", variant, verdict, mean, **scores)]),
        "noise_floor": pd.DataFrame([chance]),
    }


def both(*several: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: pd.concat([one[name] for one in several]).drop_duplicates() for name in several[0]}


def first(*failed: int, untested: tuple[int, ...] = (), **other: Any) -> str:
    line = answer(tables(failed, untested, **other)).lines[0]
    return f"{line.lead} {line.text}"


def test_the_answer_on_a_persons_own_pair_has_four_lines_and_ends_with_what_to_do(tmp_path: Path) -> None:
    for name, table in tables((3, 6, 7, 8, 9), verdict="different", mean=-2.0).items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    same, gap, chance, what_next = answer_in_words(tmp_path)
    assert same == "Another model: Rung 3."
    assert gap == "b scores lower: \u22122.00 points against a (interval \u22122.10 to \u22121.90, 5 seeds)."
    assert chance == "Chance alone moves the same model by about 0.8 points, from one seed to the next."
    assert what_next.startswith("Next: `twinbench compare a.py:build b.py:build` names each difference")


@pytest.mark.parametrize(
    ("rungs", "other", "line"),
    [
        ((), {}, "The same model: bit-identical weights at the end in 1 seed."),
        ((5, 8), {}, "The same function, but not the same in training: Rung 5. Rung 8."),
        ((3,), {}, "The same function, written differently: Rung 3. Bit-identical weights at the end in 1 seed."),
        ((2,), {"untested": (3, 4, 5, 6, 7, 8, 9)}, "It does not run: Rung 2."),
        ((), {"untested": (7, 8)}, "Not fully tested: same gradients, same training."),
        ((3,), {"untested": (6, 7, 8)}, "Not fully tested: same function, same gradients, same training. Rung 3."),
        (
            (),
            {"optimizer": "sgd", "weights": "other", "verdict": "undecided"},
            "Trained differently: They are trained with optimizer adam against sgd. All tests of sameness pass.",
        ),
        (
            (),
            {"weights": "other", "verdict": "equivalent"},
            "No difference found: all tests of sameness pass. Trained to the end, the two have other weights in 1 of 1 "
            "seed.",
        ),
        (
            (),
            {"weights": "other", "verdict": "undecided", "loss": "bce, by Keras's own loop"},
            "No difference found in the networks: all tests of sameness pass; these train both alike, and not by what "
            "each is compiled with, which may differ. Trained to the end, the two have other weights in 1 of 1 seed.",
        ),
    ],
)
def test_the_first_line_says_whether_they_are_the_same_and_what_differs(rungs, other, line: str) -> None:
    assert first(*rungs, **other) == line


@pytest.mark.parametrize(
    ("verdict", "mean", "lead", "text"),
    [
        ("identical", 0.0, "No gap:", "equal scores in 5 seeds."),
        ("undecided", 0.3, "Undecided:", "that shows neither a gap nor that there is none"),
        ("different", 3.0, "b scores higher:", "+3.00 points"),
        ("equivalent", 0.1, "No gap that matters:", "within 0.5 points"),
        ("different but within the margin", 0.3, "A small gap:", "within 0.5 points"),
    ],
)
def test_the_second_line_gives_the_gap_with_its_interval_and_seeds(verdict, mean, lead: str, text: str) -> None:
    line = answer(tables((3, 6), verdict=verdict, mean=mean)).lines[1]
    assert line.lead == lead
    assert text in line.text
    assert "5 seeds" in line.text


def test_equal_scores_of_models_that_learned_nothing_are_told_as_such() -> None:
    made = tables((3, 6), verdict="identical", mean=0.0)
    made["comparisons"]["at_chance"] = True
    assert answer(made).lines[1].text == "equal scores in 5 seeds; neither is better than a constant guess."


def test_runs_that_failed_are_told_with_their_reason_and_come_first_in_what_to_do() -> None:
    result = answer(tables(status="failed", verdict="undecided"))
    assert result.lines[1].text == "no seed in which both ended well. b failed in 1 of 1 seed: It broke."
    assert result.next.text.startswith("fix what failed")


def test_several_models_are_told_by_name_and_each_has_a_bar_beside_that_of_chance() -> None:
    result = answer(both(tables(), tables((3, 6), variant="c", verdict="undecided", mean=-0.4)))
    assert isinstance(result, OwnModelsAnswer)
    assert result.lines[0].text == (
        "b: the same model: bit-identical weights at the end in 1 seed. c: another model: Rung 3."
    )
    assert [(bar.name, bar.text, bar.percent) for bar in bars(result)] == [
        ("b", "0 (bit-identical)", 0.0),
        ("c", "\u22120.4 (undecided)", 50.0),
        ("another seed", "±0.8", 100.0),
    ]


def test_of_a_pair_that_is_on_the_ladder_and_not_yet_trained_it_is_said_what_is_known() -> None:
    made = tables((3, 6))
    result = answer({"ladder": made["ladder"]})
    assert result.lines[0].text == "Rung 3."
    assert result.lines[1].lead == "No scores to compare:"


def test_beside_networks_of_the_benchmark_the_answer_on_the_api_follows() -> None:
    made = tables()
    made["comparisons"] = pd.concat([made["comparisons"], pd.DataFrame([comparison("mlp", "sequential", "identical")])])
    assert [line.lead for line in answer(made).lines][-1] == "It isn't the API:"
