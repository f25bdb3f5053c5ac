"""The predicted class of every test image is kept with a run, small and to the bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinbench.data import load
from twinbench.errors import RecordError
from twinbench.store.predictions import pack, predicted_classes, unpack
from twinbench.training.reproduction import compare_outcomes

from .conftest import Train


@pytest.mark.parametrize("classes", [2, 10, 256, 257, 1_000_000])
def test_predictions_come_back_whatever_the_number_of_classes(classes: int) -> None:
    random = np.random.default_rng(classes)
    labels, predicted = random.integers(0, classes, (2, 300))
    text = pack(predicted, labels, classes)
    assert (predicted_classes(text, labels, classes) == predicted).all()
    assert ((unpack(text, 300) == 0) == (predicted == labels)).all()


def test_predictions_of_ten_thousand_images_take_less_than_a_kilobyte() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 10_000)
    predicted = np.where(random.random(10_000) < 0.015, random.integers(0, 10, 10_000), labels)
    assert len(pack(predicted, labels, 10)) < 1000


@pytest.mark.parametrize("text", ["", "no base 64!", "AAAA", pack(np.zeros(7, int), np.zeros(7, int), 10)])
def test_predictions_of_other_images_and_damaged_ones_are_refused(text: str) -> None:
    with pytest.raises(RecordError, match="The predictions of a run"):
        unpack(text, 8)


def test_a_run_keeps_the_class_of_every_test_image(train: Train, tiny_npz: Path) -> None:
    data = load(tiny_npz)
    for record in train("mlp/sequential", seeds=1):
        assert record.predictions is not None
        predicted = predicted_classes(record.predictions, data.y_test, data.classes)
        assert 100 * np.mean(predicted == data.y_test) == pytest.approx(record.outcome.test_score)


def test_a_reconstruction_keeps_none(train: Train) -> None:
    assert {record.predictions for record in train("shared_autoencoder/functional", seeds=1, epochs=1)} == {None}


def test_a_reproduction_that_differs_in_one_prediction_alone_is_not_bit_identical(train: Train) -> None:
    record = train("mlp/functional", seeds=1)[0]
    count = record.outcome.test_examples
    offsets = unpack(record.predictions or "", count).astype(int)
    offsets[3] = (offsets[3] + 1) % 10
    other = replace(record, predictions=pack(offsets, np.zeros(count, int), 10))
    assert compare_outcomes(record, record, [90.0, 91.0])[1].endswith("and every number and prediction")
    agreement, sentence = compare_outcomes(record, other, [90.0, 91.0])
    assert agreement == "within seed noise"
    assert "another class for 1 of 500 test images" in sentence
