import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from tests.analysis.made_runs import run

from twinbench.analysis.agreement import NEXT_SEED, agreement, agreement_sentence
from twinbench.store.predictions import pack

IMAGES = 200
LABELS = np.arange(IMAGES) % 10


def predicting(*wrong: int, by: int = 1) -> str:
    """The predictions of a run that gives these images the class that lies so far beside the true one."""
    return pack(LABELS + by * np.isin(np.arange(IMAGES), wrong), LABELS, 10)


def table_of(predictions: dict[str, list[str | None]], **settings) -> pd.DataFrame:
    runs = pd.DataFrame(
        run(variant, seed, None if text is None else 90.0, test_examples=IMAGES, **settings) | {"predictions": text}
        for variant, texts in predictions.items()
        for seed, text in enumerate(texts)
    )
    return agreement(runs, confidence=0.95)


def test_two_seeds_are_told_apart_image_by_image_and_not_by_their_score():
    row = table_of({"functional": [predicting(1, 2), predicting(3, 4), predicting(3, 4)]}).iloc[0]
    assert (row["compared_with"], row["pairs"], row["images"]) == (NEXT_SEED, 2, IMAGES)
    assert (row["lowest"], row["disagreement"], row["highest"]) == (0, 1, 2)
    assert "disagree on 1.00 % of the 200 test images (2 pairs, 0.00 to 2.00 %)" in row["sentence"]


def test_two_wrong_answers_of_different_classes_are_a_disagreement():
    row = table_of({"functional": [predicting(1), predicting(1, by=2)]}).iloc[0]
    assert row["disagreement"] == 0.5
    assert row["mcnemar_p"] == 1


def test_twins_that_end_alike_disagree_on_no_image_though_their_seeds_do():
    seeds = [predicting(1, 2), predicting(3)]
    table = table_of({"functional": seeds, "sequential": seeds})
    row = table[table["compared_with"] == "functional"].iloc[0]
    assert (row["pairs"], row["highest"]) == (2, 0)
    assert (
        row["sentence"]
        == "It and functional under one seed give every one of the 200 test images the same class (2 pairs)."
    )
    assert agreement_sentence(table) == (
        "Image by image, two seeds of one and the same model disagree on 1.50 % of the test images, "
        "Sequential and Functional under one seed on none."
    )


def test_a_twin_that_disagrees_is_never_said_to_agree():
    table = table_of({"functional": [predicting(1), predicting(2)], "sequential": [predicting(1), predicting(2, 5)]})
    assert agreement_sentence(table).endswith("Sequential and Functional under one seed on 0.25 %.")


def test_pairs_are_made_of_equal_seeds_that_both_ended_well():
    table = table_of(
        {"functional": [predicting(1), None, predicting(7)], "sequential": [None, predicting(1), predicting(7)]}
    )
    row = table[table["compared_with"] == "functional"].iloc[0]
    assert (row["pairs"], row["disagreement"]) == (1, 0)


@pytest.mark.parametrize(("first", "second"), [(9, 1), (3, 2), (0, 0), (40, 0)])
def test_one_run_of_each_gets_mcnemars_test(first: int, second: int):
    table = table_of({"functional": [predicting(*range(first))], "sequential": [predicting(*range(100, 100 + second))]})
    row = table[table["compared_with"] == "functional"].iloc[0]
    expected = mcnemar([[200 - first - second, second], [first, 0]], exact=True).pvalue
    assert row["mcnemar_p"] == pytest.approx(expected)
    assert row["mcnemar_different"] == (expected <= 0.05)
    assert ("McNemar's test of the one pair" in row["sentence"]) == bool(first)


def test_mcnemars_false_alarms_between_seeds_of_one_model_are_counted_and_named():
    table = table_of({"functional": [predicting(*range(40)), predicting(), predicting(1)]})
    row = table.iloc[0]
    assert row["mcnemar_different"] == 1
    assert pd.isna(row["mcnemar_p"])
    assert "takes 1 of these pairs for networks that score differently, though it is one model" in row["sentence"]


def test_a_reconstruction_says_that_it_predicts_no_class():
    table = table_of({"functional": [None, None], "sequential": [None, None]}, task="reconstruct")
    assert table["sentence"].unique().tolist() == [
        "A reconstruction predicts no class, so there is nothing to compare image by image."
    ]
    assert table["disagreement"].isna().all()
    assert "cannot be said here" in agreement_sentence(table)


def test_runs_of_which_no_two_can_be_compared_are_not_said_to_agree():
    table = table_of({"functional": [predicting(1)], "sequential": [None]})
    assert table["sentence"].unique().tolist() == ["There is no pair of runs that ended well and kept its predictions."]
