"""Models that part only near a limit, late in training, on a few samples, or by what they draw at random."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, losses, metrics, optimizers

from . import guilty, innocent

RNG = np.random.default_rng(7)
ROWS = RNG.standard_normal((96, 6)).astype("float32")
CLASSES = RNG.integers(0, 3, 96)


def network(*middle, activation="softmax", units=3, compiled=None, **options):
    """A small classifier; `middle` makes layers that stand between its two dense ones."""

    def build():
        hidden = layers.Dense(5, activation="relu", name="hidden", **options)
        model = keras.Sequential(
            [keras.Input((6,)), hidden, *(make() for make in middle), layers.Dense(units, activation, name="out")]
        )
        if compiled:
            model.compile(**compiled())
        return model

    return build


def classifier(loss=losses.SparseCategoricalCrossentropy, rate=lambda: 1e-3):
    return network(compiled=lambda: {"optimizer": optimizers.SGD(rate()), "loss": loss()})


def regression(loss):
    return network(activation=None, units=1, compiled=lambda: {"optimizer": "sgd", "loss": loss})


# -- limits ------------------------------------------------------------------------------------------------------


def read_apart(make, labels, predictions):
    """Whether what two objects read on the same predictions differs."""

    def check(*sides):
        x, y = (float(np.mean(make(side())(labels, predictions))) for side in sides)
        assert abs(x - y) > 1e-2 * max(abs(x), abs(y)), (x, y)

    return check


FAR = np.linspace(-9, 9, 24, dtype="float32")[:, None]
FIRST = np.tile(np.array([0.6, 0.2, 0.2], "float32"), (96, 1))


@guilty(11, "compile.loss", "loss", check=read_apart(lambda model: model.loss, np.zeros((24, 1), "float32"), FAR))
def a_huber_loss_that_is_linear_elsewhere():
    return regression(losses.Huber(1.0)), regression(losses.Huber(5.0))


@guilty(11, "compile.loss", "loss", check=read_apart(lambda model: model.loss, CLASSES, FIRST))
def a_class_that_does_not_count():
    return classifier(), classifier(lambda: losses.SparseCategoricalCrossentropy(ignore_class=0))


def judged(threshold):
    def compiled():
        metric = metrics.BinaryAccuracy(threshold=threshold)
        return {"optimizer": "sgd", "loss": "binary_crossentropy", "metrics": [metric]}

    return network(activation="sigmoid", units=1, compiled=compiled)


def accuracies_differ(a, b):
    predictions = np.linspace(0.3, 0.6, 30)[:, None]
    read = []
    for build in (a, b):
        metric = build()._compile_metrics._user_metrics[0]
        metric.update_state(np.ones((30, 1)), predictions)
        read.append(float(metric.result()))
    assert abs(read[0] - read[1]) > 0.1, read


@guilty(11, "compile.metric", "binary_accuracy", check=accuracies_differ)
def an_accuracy_with_another_threshold():
    return judged(0.5), judged(0.4)


def falling(rate):
    return classifier(rate=lambda: optimizers.schedules.PiecewiseConstantDecay([100_000], [0.1, rate]))


def rates_differ_late(a, b):
    rates = [[float(build().optimizer._learning_rate(step)) for step in (0, 90_000, 120_000)] for build in (a, b)]
    assert rates[0][:2] == rates[1][:2]
    assert rates[0][2] != rates[1][2]


@guilty(11, "compile.optimizer", "learning_rate", check=rates_differ_late)
def a_learning_rate_that_falls_late():
    return falling(0.1), falling(0.001)


class Between(keras.constraints.Constraint):
    """A constraint that names its limit nowhere."""

    def __init__(self, limit):
        self.limit = limit

    def __call__(self, weights):
        return keras.ops.clip(weights, -self.limit, self.limit)


class Longest(keras.constraints.Constraint):
    """What `MaxNorm` does."""

    def __call__(self, weights):
        length = keras.ops.sqrt(keras.ops.sum(weights**2, axis=0, keepdims=True))
        return weights * keras.ops.clip(length, 0, 1.5) / (1e-7 + length)


class Squares(keras.regularizers.Regularizer):
    """What `L2` does."""

    def __call__(self, weights):
        return 0.01 * keras.ops.sum(weights**2)


def acts(name, *, alike):
    """Whether the constraints or regularisers of two kernels do the same to a matrix."""

    def check(a, b):
        drawn = 2 * RNG.standard_normal((6, 5)).astype("float32")
        x, y = (np.array(getattr(build().layers[0].kernel, name)(drawn)) for build in (a, b))
        assert np.allclose(x, y, rtol=1e-4) == alike

    return check


@guilty(11, "regularization", "hidden/kernel", check=acts("constraint", alike=False))
def a_constraint_of_their_own_with_another_limit():
    return network(kernel_constraint=Between(0.5)), network(kernel_constraint=Between(0.1))


@innocent(11, check=acts("constraint", alike=True))
def a_constraint_written_out():
    return network(kernel_constraint=Longest()), network(kernel_constraint=keras.constraints.MaxNorm(1.5))


@innocent(11, check=acts("regularizer", alike=True))
def a_regularizer_written_out():
    return network(kernel_regularizer=Squares()), network(kernel_regularizer=keras.regularizers.L2(0.01))


# -- a few samples -----------------------------------------------------------------------------------------------


def fed(x=ROWS, y=CLASSES, **options):
    return lambda: {"x": x, "y": y, "batch_size": 16, "epochs": 2, **options}


def labelled(feed):
    """Every sample with its label, in no order."""
    given = feed()
    return sorted((x.tobytes(), int(y)) for x, y in zip(given["x"], given["y"], strict=True))


def pairs_of_samples(*, alike):
    def check(a, b, first, second):
        assert (labelled(first) == labelled(second)) == alike

    return check


@guilty(12, "data", "labels of the samples", check=pairs_of_samples(alike=False))
def three_samples_with_another_label():
    changed = CLASSES.copy()
    changed[:3] = (changed[:3] + 1) % 3
    return classifier(), classifier(), fed(), fed(y=changed)


@guilty(12, "data", "not finite", check=pairs_of_samples(alike=False))
def one_sample_that_is_no_number():
    spoilt = ROWS.copy()
    spoilt[5, 3] = np.nan
    return classifier(), classifier(), fed(), fed(x=spoilt)


def scored_on_other_labels(a, b, first, second):
    held = [feed()["validation_data"] for feed in (first, second)]
    assert np.array_equal(held[0][0], held[1][0])
    assert not np.array_equal(held[0][1], held[1][1])


@guilty(12, "data", "validation set: labels", check=scored_on_other_labels)
def a_validation_set_with_other_labels():
    held = ROWS[:30] + 1, CLASSES[:30]
    other = held[0], (held[1] + 1) % 3
    return classifier(), classifier(), fed(validation_data=held), fed(validation_data=other)


@innocent(12, check=pairs_of_samples(alike=True))
def samples_that_occur_twice_with_two_labels():
    x, y = np.concatenate([ROWS, ROWS[:20]]), np.concatenate([CLASSES, (CLASSES[:20] + 1) % 3])
    order = np.random.default_rng(2).permutation(len(x))
    return classifier(), classifier(), fed(x, y), fed(x[order], y[order])


# -- chance ------------------------------------------------------------------------------------------------------


class Drops(layers.Layer):
    """Dropout that a layer draws itself: by Keras, or by TensorFlow."""

    def __init__(self, rate=0.3, by="keras"):
        super().__init__()
        self.rate_of_loss, self.by = rate, by
        self.draws = keras.random.SeedGenerator(1)

    def call(self, x, training=False):
        if not training:
            return x
        if self.by == "keras":
            return keras.random.dropout(x, self.rate_of_loss, seed=self.draws)
        return tf.nn.dropout(x, self.rate_of_loss)


class Depth(layers.Layer):
    """Stochastic depth, in two spellings."""

    def __init__(self, style):
        super().__init__()
        self.style, self.draws = style, keras.random.SeedGenerator(1)

    def call(self, x, training=False):
        if not training:
            return x
        drawn = keras.random.uniform((keras.ops.shape(x)[0], 1), seed=self.draws)
        if self.style == "floor":
            return x / 0.75 * keras.ops.floor(0.75 + drawn)
        return keras.ops.where(drawn >= 0.25, x / 0.75, 0.0)


def shares(*, alike):
    """Whether two layers keep a value equally often in training, and scale it alike."""

    def check(a, b):
        kept = []
        for build in (a, b):
            layer = build().layers[1]
            results = np.array([np.array(layer(np.ones((40, 5), "float32"), training=True)) for _ in range(60)])
            kept.append(((results > 0).mean(), results.max()))
        assert np.allclose(kept[0], kept[1], atol=0.03) == alike, kept

    return check


@innocent(9, check=shares(alike=True))
def dropout_of_their_own_and_of_keras():
    return network(Drops), network(lambda: layers.Dropout(0.3))


@guilty(9, ("arch.", "mode."), check=shares(alike=False))
def dropout_of_their_own_that_drops_more():
    return network(lambda: Drops(0.5)), network(lambda: layers.Dropout(0.3))


@innocent(9, also=("not_fully_tested",), check=shares(alike=True))
def dropout_drawn_by_tensorflow():
    return network(lambda: Drops(by="tensorflow")), network(lambda: layers.Dropout(0.3))


@guilty(9, ("arch.", "mode."), check=shares(alike=False))
def dropout_drawn_by_tensorflow_that_drops_more():
    return network(lambda: Drops(0.5, "tensorflow")), network(lambda: Drops(0.2, "tensorflow"))


@innocent(9, check=shares(alike=True))
def stochastic_depth_in_two_spellings():
    return network(lambda: Depth("floor")), network(lambda: Depth("where"))
