"""What a person brings and cannot be trained: a sentence in that network's row each, and the others are trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.architectures.test_places import forget

from twinbench.architectures import catalogue
from twinbench.architectures.places import unseen
from twinbench.config import Configuration, Dataset, parse_configuration
from twinbench.data import prepare
from twinbench.errors import ConfigurationError
from twinbench.planning.plan import make_plan
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs

NETS = """import keras
from keras import layers

CALLS = []


def good(input_shape, classes):
    return keras.Sequential([keras.Input(input_shape), layers.Dense(classes)])


def nothing():
    keras.Sequential([layers.Dense(3)])


def no_model():
    return [1, 2]


def raises():
    raise RuntimeError("no weights file")


def leaves():
    raise SystemExit(3)


def another_shape():
    return keras.Sequential([keras.Input((7,)), layers.Dense(3)])


def too_few_outputs():
    return keras.Sequential([keras.Input((4,)), layers.Dense(2)])


def two_outputs():
    inputs = keras.Input((4,))
    return keras.Model(inputs, [layers.Dense(3)(inputs), layers.Dense(3)(inputs)])


def grows():
    CALLS.append(1)
    return keras.Sequential([keras.Input((4,)), *(layers.Dense(4) for _ in CALLS), layers.Dense(3)])


def another_loss():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.compile("sgd", keras.losses.CosineSimilarity(axis=3))
    return model


def explodes():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, kernel_initializer=keras.initializers.Constant(1e38))])
    model.compile("sgd", "mse")
    return model


def wrong_metric():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["no_such_metric"])
    return model
"""
REASONS = {
    "nothing": "It cannot be built: UnfitModelError: the builder returns None instead of a keras.Model.",
    "no_model": "It cannot be built: UnfitModelError: the builder returns an object of type list instead",
    "raises": "It cannot be built: RuntimeError: no weights file (nets.py, in raises)",
    "leaves": "It cannot be built: SystemExit",
    "another_shape": "It cannot be built: ValueError: ",
    "too_few_outputs": "the model's output has shape (batch, 2); to classify, it must be (batch, 3).",
    "two_outputs": "the model gives 2 outputs in a list; to classify, it must give one of shape (batch, 3).",
    "another_loss": "It cannot be trained: ",
    "explodes": "The loss became ",
    "wrong_metric": "It cannot be trained: ValueError: ",
}


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Returns a function that makes a configuration of builders; their file lies in the folder that is worked in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(NETS)

    def make(*names: str) -> Configuration:
        forget()
        network = {
            "name": "own",
            "reference": f"nets.py:{names[0]}",
            "variants": [f"nets.py:{name}" for name in names[1:]],
        }
        training = {"epochs": 1, "batch_size": 10}
        return parse_configuration({"architectures": network, "suspects": [], "seeds": 2, "training": training})

    yield make
    catalogue._brought.clear()
    forget()


def test_each_is_a_failed_row_with_its_reason_and_nothing_else_is_lost(configured: Any, tmp_path: Path) -> None:
    table, classes = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 3
    np.savez("mine.npz", x_train=table, y_train=classes, x_test=table, y_test=classes)
    prepare(Dataset.model_validate("mine.npz"), tmp_path / "out.npz", tmp_path / "out.json")
    configuration = configured("good", *REASONS)
    runs = make_plan(configuration).runs
    outcomes = [
        record.outcome for record in train_runs(runs, configuration, tmp_path / "out.npz", RunStore(tmp_path / "s"))
    ]
    assert len(outcomes) == len(runs)
    for outcome in outcomes:
        if outcome.variant == "good":
            assert outcome.status == "ok"
        else:
            assert outcome.status == "failed"
            assert REASONS[outcome.variant] in outcome.reason, outcome.variant
            assert "\n" not in outcome.reason


def test_a_builder_whose_result_depends_on_its_calls_is_not_trained_as_one_network(
    configured: Any, tmp_path: Path
) -> None:
    pixels, classes = np.zeros((30, 2, 2), np.uint8), np.arange(30) % 3
    (tmp_path / "nets.py").write_text(
        NETS.replace("keras.Input((4,)), *(", "keras.Input((2, 2, 1)), layers.Flatten(), *(")
    )
    np.savez("mine.npz", x_train=pixels, y_train=classes, x_test=pixels, y_test=classes)
    prepare(Dataset.model_validate("mine.npz"), tmp_path / "out.npz", tmp_path / "out.json")
    configuration = configured("grows", "nothing")
    records = train_runs(make_plan(configuration).runs, configuration, tmp_path / "out.npz", RunStore(tmp_path / "s"))
    assert [record.outcome.status for record in records] == ["ok", "failed", "failed", "failed"]
    assert "its builder returns another network each time it is called" in records[1].outcome.reason


def test_what_the_text_of_the_code_tells_is_told_before_anything_runs(configured: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"names nets.py:good 2 times: name each function once"):
        make_plan(configured("good", "good"))
    with pytest.raises(ConfigurationError, match="has no 'goood'; did you mean 'good'"):
        make_plan(configured("goood", "nothing"))
    (tmp_path / "nets.py").write_text("def good(:\n")
    with pytest.raises(ConfigurationError, match=r"nets.py:1: "):
        make_plan(configured("good", "nothing"))
    (tmp_path / "nets.py").write_text(
        NETS + "\n\ndef timed():\n    import time\n\n    return good((4,), int(time.time()))\n"
    )
    assert any("may read the clock" in sentence for sentence in unseen(configured("good", "timed")))
