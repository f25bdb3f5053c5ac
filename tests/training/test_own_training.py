"""A model that brings its training along is trained by it: loss, optimiser, overridden steps; a softmax is seen."""

from pathlib import Path

import pytest
from tests.architectures.test_places import forget

from twinbench.architectures import catalogue
from twinbench.config import parse_configuration
from twinbench.planning.plan import make_plan
from twinbench.store.record import Record
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs

NETS = """import keras
import tensorflow as tf
from keras import layers


def body(last=None):
    inputs = keras.Input((8, 8, 1))
    x = layers.Dense(16, activation="relu")(layers.Flatten()(inputs))
    return inputs, layers.Dense(10, activation=last)(x)


def logits():
    return keras.Model(*body())


def softmax():
    return keras.Model(*body("softmax"))


def sigmoid():
    return keras.Model(*body("sigmoid"))


def compiled(loss="sparse_categorical_crossentropy", last="softmax", **options):
    model = keras.Model(*body(last))
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([5], [0.1, 0.01])
    model.compile(keras.optimizers.SGD(rate, clipnorm=5.0, **options), loss, metrics=["accuracy"])
    return model


def one_hot():
    return compiled("categorical_crossentropy")


def averaged():
    return compiled(use_ema=True, ema_momentum=0.9)


def own_loss():
    def loss(true, predicted):
        return keras.losses.sparse_categorical_crossentropy(true, predicted)

    return compiled(loss)


def in_a_list():
    return compiled(["sparse_categorical_crossentropy"])


def own_one_hot():
    def loss(true, predicted):
        return -keras.ops.sum(keras.ops.cast(true, "float32") * keras.ops.log(predicted), axis=-1)

    return compiled(loss)


class OwnStep(keras.Model):
    def train_step(self, data):
        images, labels = data
        with tf.GradientTape() as tape:
            given = keras.losses.sparse_categorical_crossentropy(labels, self(images, training=True))
            loss = keras.ops.mean(given)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"what_it_is_called_here": loss}


def own_step():
    model = OwnStep(*body("softmax"))
    model.compile(keras.optimizers.SGD(0.1))
    return model


class Still(keras.Model):
    def train_step(self, data):
        return {"loss": 0.25}


def still():
    return Still(*body())


def wrong():
    return compiled(keras.losses.MeanSquaredError(), last=None, weight_decay="much")
"""


@pytest.fixture
def records(tmp_path: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch):
    """Returns a function that trains the builders of a file under seeds 1 and 2; the records by builder and seed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(NETS)

    def trained(*names: str, store: str = "store", seeds: int = 1) -> dict[tuple[str, int], Record]:
        forget()
        network = {"name": "own", "reference": "nets.py:logits", "variants": [f"nets.py:{name}" for name in names]}
        training = {"epochs": 3, "batch_size": 64, "learning_rate": 0.01}
        content = {"architectures": network, "suspects": [], "seeds": seeds, "training": training}
        configuration = parse_configuration(content)
        found = train_runs(make_plan(configuration).runs, configuration, tiny_npz, RunStore(tmp_path / store))
        return {(record.outcome.variant, record.outcome.seed): record for record in found}

    yield trained
    catalogue._brought.clear()
    forget()


def test_a_model_is_trained_as_its_author_says(records) -> None:
    names = ("softmax", "sigmoid", "compiled", "one_hot", "averaged", "own_loss", "still", "wrong")
    names += ("in_a_list", "own_one_hot", "own_step")
    by_name = {name: record for (name, _), record in records(*names).items()}
    outcomes = {name: record.outcome for name, record in by_name.items()}
    assert outcomes["logits"].loss == "crossentropy on logits"
    assert outcomes["softmax"].loss == "crossentropy on probabilities"
    assert outcomes["sigmoid"].loss == "binary_crossentropy, by Keras's own loop"
    assert outcomes["compiled"].loss == "sparse_categorical_crossentropy, by Keras's own loop"
    assert (outcomes["compiled"].optimizer, outcomes["compiled"].learning_rate) == ("sgd", 0.1)
    assert (outcomes["logits"].optimizer, outcomes["logits"].learning_rate) == ("adam", 0.01)
    losses = {name: [epoch.train_loss for epoch in record.history] for name, record in by_name.items()}
    for name in ("logits", "softmax", "sigmoid", "compiled", "one_hot", "own_loss"):
        assert losses[name][0] > losses[name][-1], losses[name]
    # What a loss does with classes and with one-hot rows is the same arithmetic.
    for name in ("one_hot", "own_loss", "in_a_list", "own_one_hot"):
        assert losses[name] == pytest.approx(losses["compiled"], rel=1e-3), outcomes[name].reason
    assert outcomes["in_a_list"].loss == outcomes["compiled"].loss
    # What reports no loss is told the one that fits its outputs.
    assert outcomes["own_step"].loss == "its own, by Keras's own loop"
    assert losses["own_step"][0] > losses["own_step"][-1] > 0
    assert 0 < outcomes["own_step"].test_loss < 2.3, outcomes["own_step"].reason
    # Averaged weights are put in place when training ends, and not before.
    assert losses["averaged"] == pytest.approx(losses["compiled"], rel=1e-3)
    assert outcomes["averaged"].final_weights_sha256 != outcomes["compiled"].final_weights_sha256
    assert outcomes["still"].final_weights_sha256 == outcomes["still"].initial_weights_sha256
    assert outcomes["wrong"].status == "failed"
    assert outcomes["wrong"].reason.startswith("It cannot be trained: ")


def test_a_run_by_keras_own_loop_is_the_same_alone_and_among_others(records) -> None:
    together = records("compiled", "averaged", seeds=2)
    alone = records("averaged", store="another", seeds=2)
    for seed in (1, 2):
        assert together["compiled", seed].outcome.optimizer == "sgd"
        assert alone["averaged", seed].outcome == together["averaged", seed].outcome
        assert alone["averaged", seed].history == together["averaged", seed].history
    assert together["compiled", 1].outcome.final_weights_sha256 != together["compiled", 2].outcome.final_weights_sha256
