"""The verdict is earned: what was not tested is named, and nothing untested counts as the same."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from tests.compare.corpus import chain

import twinbench
from twinbench.compare.coverage import SUBJECTS, Coverage

GENERATOR = np.random.default_rng(1)
INPUTS = GENERATOR.random((120, 6)).astype("float32")
CLASSES = GENERATOR.integers(0, 3, 120)
TARGETS = GENERATOR.random((120, 1)).astype("float32")


def classifier(cls=keras.Model, optimizer="sgd", **methods):
    start = keras.Input((6,))
    model = type("Own", (cls,), methods)(start, layers.Dense(3, activation="softmax")(start))
    model.compile(optimizer if isinstance(optimizer, str) else optimizer(), "sparse_categorical_crossentropy")
    return model


def regressor():
    model = chain((6,), layers.Dense(4, activation="relu"), layers.Dense(1))
    model.compile("sgd", "mse")
    return model


def step(loss):
    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            value = loss(y, self(x, training=True))
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(value, weights), weights, strict=True))
        return {"loss": value}

    return train_step


def fed(a, b, build=classifier):
    return twinbench.compare(build, build, feed_a=lambda: a, feed_b=lambda: b)


def of(inputs=INPUTS, labels=CLASSES, **options):
    return {"x": inputs, "y": labels, **options}


def test_every_subject_is_untested_until_its_test_reports_and_a_gap_stays():
    coverage = Coverage()
    assert {test.subject for test in coverage.gaps} == set(SUBJECTS)
    with coverage.test("loss"):
        raise ValueError("no such thing")
    coverage.tested("loss")
    coverage.tested("graph")
    assert "loss" in {test.subject for test in coverage.gaps}
    assert "graph" not in {test.subject for test in coverage.gaps}


def test_seed_noise_is_only_said_where_feeds_were_given():
    without, given = twinbench.compare(classifier, classifier), fed(of(), of())
    assert [report.verdict for report in (without, given)] == ["identical", "identical"]
    assert without.exit_status == 0
    assert "seed noise" not in without.sentence
    assert "what they were trained on, how they were trained, or chance" in without.sentence
    assert given.sentence.endswith("seed noise.")


def test_a_feed_on_one_side_only_is_not_fully_tested():
    report = twinbench.compare(classifier, classifier, feed_a=of)
    assert report.verdict == "not_fully_tested"
    assert report.exit_status == 3
    assert "--feed-b" in report.sentence
    assert {"subject", "outcome", "reason"} == set(report.to_dict()["tests"][0])


def test_a_step_that_takes_no_labels_that_were_tried_is_not_tested():
    def refuses(y, scores):
        raise TypeError("labels of another kind")

    def build():
        return classifier(train_step=step(refuses))

    assert twinbench.compare(build, build).verdict == "not_fully_tested"


def test_a_step_that_is_wrong_for_flat_labels_only_is_a_cause():
    def squared(y, scores):
        return ops.mean(ops.square(ops.cast(y, "float32") - scores))

    def build():
        start = keras.Input((6,))
        model = type("Own", (keras.Model,), {"train_step": step(squared)})(start, layers.Dense(1)(start))
        model.compile("sgd", "mse")
        return model

    def plain():
        model = chain((6,), layers.Dense(1))
        model.compile("sgd", "mse")
        return model

    report = twinbench.compare(plain, build)
    assert report.code == "training_loop"
    assert "without a last axis" in report.causes[0].detail
    column = twinbench.compare(plain, build, feed_a=lambda: of(labels=TARGETS), feed_b=lambda: of(labels=TARGETS))
    # Its own step did the same on every batch that was tried, and no more is known of it.
    assert (column.verdict, column.causes) == ("not_fully_tested", [])
    assert "train_step" in column.sentence


@pytest.mark.parametrize(
    ("a", "b", "code", "words"),
    [
        (of(), of(labels=np.roll(CLASSES, -1)), "data", "shifted"),
        (of(), of(labels=(CLASSES + 1) % 3), "data", "permuted"),
        (of(), of(2 * INPUTS - 1), "preprocessing", "range"),
        (of(), of(INPUTS[:, ::-1]), "preprocessing", "opposite order"),
        (of(), of(class_weight={0: 3.0, 1: 1.0, 2: 1.0}), "data", "class_weight"),
        (of(), of(sample_weight=np.linspace(0, 1, 120)), "data", "sample_weight"),
        (of(validation_split=0.1), of(validation_split=0.3), "data", "validation"),
        (
            of(validation_data=(INPUTS[:20] + 2, CLASSES[:20])),
            of(validation_data=(INPUTS[:20], CLASSES[:20])),
            "data",
            "leak",
        ),
        (of(epochs=3), of(epochs=5), "training_loop", "epochs"),
        (of(), of(callbacks=[keras.callbacks.EarlyStopping(patience=1)]), "training_loop", "EarlyStopping"),
        (of(INPUTS[:100], CLASSES[:100]), of(INPUTS[:60], CLASSES[:60]), "data", "number of samples"),
    ],
)
def test_what_feeds_do_otherwise_is_named(a, b, code, words):
    report = fed(a, b)
    assert report.code == code, report.causes
    assert words in report.causes[0].where


def test_feeds_that_say_the_same_in_other_words_are_not_blamed():
    order = np.random.default_rng(2).permutation(120)
    for other in (
        of(INPUTS[order], CLASSES[order]),
        of(INPUTS.astype("float64"), CLASSES.astype("int32")[:, None]),
        of(sample_weight=np.ones(120)),
        of(callbacks=[keras.callbacks.History()]),
    ):
        report = fed(of(), other)
        assert report.causes == [], report.causes
        assert report.verdict == "identical"


def test_samples_that_are_drawn_anew_are_not_fully_tested():
    def noisy():
        for start in range(0, 120, 30):
            yield (
                INPUTS[start : start + 30] + 0.1 * np.random.default_rng().random((30, 6)),
                CLASSES[start : start + 30],
            )

    report = twinbench.compare(classifier, classifier, feed_a=noisy, feed_b=noisy)
    assert report.verdict == "not_fully_tested"
    assert "drawn anew" in report.sentence


@pytest.mark.parametrize("data", ["Mnist", "digits"])
def test_a_dataset_that_cannot_be_trained_on_keeps_the_verdict_and_says_why(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = twinbench.compare(regressor, regressor, data=data, seeds=2)
    assert report.exit_status == 3
    assert "training on data" in report.sentence
    assert "could not be trained" in report.rungs[7].sentence
