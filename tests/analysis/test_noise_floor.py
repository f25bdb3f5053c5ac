import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.analysis.made_runs import runs_of

from twinbench.analysis.noise_floor import (
    gap_probability_from_model,
    gap_probability_from_pairs,
    gap_probability_interval,
    noise_floor,
)
from twinbench.analysis.outputs import NOISE_FLOOR


def floor_of(scores: list, **settings) -> "pd.Series":
    table = noise_floor(runs_of({"functional": scores}, **settings), confidence=0.95)
    assert len(table) == 1
    return table.iloc[0]


def test_the_columns_are_the_documented_ones_in_their_order():
    assert list(noise_floor(runs_of({"functional": [98.0, 97.5]}), confidence=0.95)) == NOISE_FLOOR.names
    assert list(noise_floor(runs_of({"functional": [98.0]}).iloc[:0], confidence=0.95)) == NOISE_FLOOR.names


def test_gaps_are_counted_over_all_ordered_pairs_of_different_seeds():
    scores = list(np.round(np.random.default_rng(1).normal(98, 0.5, 12), 2))
    row = floor_of(scores)
    assert row["source"] == "pairs of seeds"
    for gap in (0.1, 0.5, 1.0):
        pairs = list(itertools.permutations(scores, 2))
        share = sum(round(abs(a - b), 6) >= gap for a, b in pairs) / len(pairs)
        assert row[f"gap_{gap:g}"] == pytest.approx(share)


def test_a_gap_of_exactly_a_tenth_counts_in_spite_of_rounding():
    # 98.3 - 98.2 is 0.0999... in floating point.
    row = floor_of([98.2, 98.3] * 5)
    assert row["gap_0.1"] == pytest.approx(50 / 90)


def test_few_seeds_are_read_through_the_model():
    row = floor_of([98.0, 98.1, 98.2])
    assert row["source"] == "t model"
    assert 0 < row["gap_0.5"] < 0.2


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_gaps_that_the_model_calls_rare_are_that_rare(n):
    rng = np.random.default_rng(n)
    seen, new = rng.normal(98, 0.3, (4_000, n)), rng.normal(98, 0.3, (4_000, 2))
    told = np.array(
        [gap_probability_from_model(s, abs(a - b), resolution=1e-6) for s, (a, b) in zip(seen, new, strict=True)]
    )
    for probability in (0.05, 0.2, 0.5):
        four_standard_errors = 4 * np.sqrt(probability * (1 - probability) / 4_000)
        assert np.mean(told <= probability) == pytest.approx(probability, abs=four_standard_errors)


@pytest.mark.parametrize("images", [360, 1_000, 10_000])
@pytest.mark.parametrize("gap", [0.1, 0.5, 1.0])
def test_the_model_agrees_with_the_pairs_on_any_size_of_test_set(images, gap):
    step = 100 / images
    scores = np.round(np.random.default_rng(images).normal(98, 0.3, 2_000) / step) * step
    model = gap_probability_from_model(scores, gap, resolution=step)
    assert model == pytest.approx(gap_probability_from_pairs(scores, gap), abs=0.02)


def test_one_seed_has_no_gap_and_failed_runs_do_not_count():
    row = floor_of([98.0, None])
    assert row["n"] == 1
    assert row[["std", "gap_0.1", "source"]].isna().all()


def test_a_variant_whose_runs_all_failed_keeps_its_row():
    assert floor_of([None, None])["n"] == 0


def test_equal_scores_leave_room_for_one_image():
    row = floor_of([98.0] * 3, test_examples=100)
    assert row["std"] == 0
    assert row["gap_0.5"] > 0


def test_the_interval_of_a_gap_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(4)
    truth = 2 * stats.norm.sf(0.5 / (0.3 * np.sqrt(2)))
    samples = rng.normal(98, 0.3, (4000, 5))
    intervals = [gap_probability_interval(scores, 0.5, resolution=1e-6, confidence=0.95) for scores in samples]
    held = np.mean([interval.low <= truth <= interval.high for interval in intervals])
    assert held == pytest.approx(0.95, abs=0.015)
