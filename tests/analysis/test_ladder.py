import pandas as pd
import pytest
from tests.analysis.made_runs import runs_of

from twinbench.analysis.comparisons import compare_variants
from twinbench.analysis.ladder import with_scores
from twinbench.measurement.columns import LADDER

NAMES = ["builds", "runs on a batch", "same graph", "same parameter count"]


def climbed(*variants: str, architecture: str = "mlp") -> pd.DataFrame:
    rows = [
        ("digits", architecture, variant, "twin", number, name, "pass", 0.0, "It passes.")
        for variant in variants
        for number, name in enumerate(NAMES, start=1)
    ]
    return pd.DataFrame(rows, columns=LADDER.names)


def compared(scores, **settings) -> pd.DataFrame:
    return compare_variants(runs_of(scores, **settings), margin=0.5, confidence=0.95)


def ninth(scores, **settings) -> "pd.Series":
    ladder = with_scores(climbed("sequential"), compared(scores, **settings))
    return ladder[ladder["rung"] == 9].iloc[0]


def test_every_variant_gets_its_ninth_rung_after_its_own_others():
    comparisons = compared({"functional": [98.0, 98.2], "sequential": [98.0, 98.2], "subclass": [97.0, 98.0]})
    ladder = with_scores(climbed("subclass", "sequential"), comparisons)
    assert list(ladder.columns) == LADDER.names
    assert list(ladder["variant"]) == ["subclass"] * 5 + ["sequential"] * 5
    assert list(ladder["rung"]) == [1, 2, 3, 4, 9] * 2


def test_bit_identical_runs_pass():
    rung = ninth({"functional": [98.0, 98.2], "sequential": [98.0, 98.2]}, final_weights_sha256="same")
    assert (rung["outcome"], rung["value"]) == ("pass", 0.0)
    assert "Bit-identical" in rung["sentence"]


@pytest.mark.parametrize(
    ("shift", "outcome"),
    [([0.01, -0.01, 0.0, 0.02, -0.02], "pass"), ([-5, -5.1, -4.9, -5.2, -4.8], "fail"), ([2, -2, 1, -1, 0], None)],
)
def test_the_ninth_rung_follows_the_comparison(shift, outcome):
    reference = [98.0] * 5
    rung = ninth({"functional": reference, "sequential": [98.0 + s for s in shift]})
    assert rung["outcome"] == (outcome or "not applicable")
    assert rung["value"] == pytest.approx(sum(shift) / 5)


def test_a_small_difference_that_is_shown_to_lie_inside_the_margin_passes():
    rung = ninth({"functional": [98.0] * 6, "sequential": [97.9, 97.91, 97.89, 97.9, 97.92, 97.88]})
    assert "within the margin" in rung["sentence"]
    assert rung["outcome"] == "pass"


def test_a_variant_that_was_not_trained_is_not_applicable():
    comparisons = compared({"functional": [98.0, 98.2], "sequential": [98.0, 98.2]})
    ladder = with_scores(climbed("sequential_c3a", architecture="published_autoencoder"), comparisons)
    assert ladder.iloc[-1]["outcome"] == "not applicable"
    assert "not trained" in ladder.iloc[-1]["sentence"]


def test_adding_scores_again_changes_nothing():
    comparisons = compared({"functional": [98.0, 98.2], "sequential": [98.1, 98.2]})
    once = with_scores(climbed("sequential"), comparisons)
    pd.testing.assert_frame_equal(with_scores(once, comparisons), once)


def test_an_empty_ladder_stays_empty_and_keeps_its_columns():
    comparisons = compared({"functional": [98.0], "sequential": [98.0]})
    assert list(with_scores(pd.DataFrame(columns=LADDER.names), comparisons).columns) == LADDER.names
