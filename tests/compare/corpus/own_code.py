"""Code of the person's own that acts far out, late, backwards, on some texts, or only on one side's weights."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from . import guilty, innocent

SIZE = 6
SEEN = ("not_fully_tested",)


def network(*middle, start=None, step=None, **compiled):
    """A small regression with layers of their own in its middle."""

    def build():
        kind = type("Stepping", (keras.Sequential,), {"train_step": step}) if step else keras.Sequential
        model = kind([keras.Input((SIZE,)), layers.Dense(5, "tanh"), *(make() for make in middle), layers.Dense(3)])
        if start:
            model.layers[0].kernel.assign(start(model.layers[0].kernel))
        if compiled:
            model.compile(**compiled)
        return model

    return build


def own(call, build=None):
    """A layer of their own with a `call`, and with weights where it builds some."""
    parts = {"call": call} | ({"build": build} if build else {})
    return type("Own", (layers.Layer,), parts)


def apart(*values, training=False, calls=1):
    """Checks whether two builds part, with equal weights, on inputs of some size, or after some calls."""

    def check(*sides, alike):
        a, b = (side() for side in sides)
        for p, q in zip(a.trainable_weights, b.trainable_weights, strict=True):
            q.assign(p)
        for value in values:
            x = np.linspace(-value, value, 4 * SIZE, dtype="float32").reshape(4, SIZE)
            for _ in range(calls):
                first, second = (np.array(model(x, training=training)) for model in (a, b))
            if not np.allclose(first, second, rtol=1e-4, atol=1e-6):
                assert not alike
                return
        assert alike

    return lambda alike: lambda *sides: check(*sides, alike=alike)


FAR, LATE = apart(1.0, 100.0, 10_000.0), apart(1.0, calls=60)

# -- far out -----------------------------------------------------------------------------------------------------------


def linear(middle):
    """A layer of their own behind a linear one, whose values are as large as the inputs."""
    return lambda: keras.Sequential([keras.Input((SIZE,)), layers.Dense(4), middle(), layers.Dense(3)])


def cut(x):
    return ops.where(x > 300.0, 300.0 + 0.0 * x, x)


@guilty(17, "arch.", check=FAR(False))
def values_in_the_hundreds_are_cut():
    return linear(own(lambda self, x: cut(x))), linear(own(lambda self, x: x * 1.0))


@innocent(17, check=FAR(True))
def values_in_the_hundreds_are_cut_on_both_sides():
    return linear(own(lambda self, x: cut(x))), linear(own(lambda self, x: ops.minimum(x, 300.0)))


# -- late --------------------------------------------------------------------------------------------------------------


def counts(self, shape):
    self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)


def warm(self, x):
    self.calls.assign(self.calls + 1.0)
    return ops.where(self.calls > 50.0, 0.5 * x, x)


def logs(self, x):
    self.calls.assign(self.calls + 1.0)
    return x


@guilty(17, "arch.", check=LATE(False))
def a_layer_that_halves_after_fifty_calls():
    return network(own(warm, counts)), network(own(lambda self, x: x))


@innocent(17, check=LATE(True))
def a_count_of_calls_for_a_log():
    return network(own(logs, counts)), network(own(lambda self, x: x))


def losing(after):
    """A step that takes the loss for a tenth after some steps."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
            scaled = loss * tf.where(self.optimizer.iterations >= after, 0.1, 1.0)
        self.optimizer.apply(tape.gradient(scaled, self.trainable_weights), self.trainable_weights)
        return {"loss": loss}

    return train_step


def trains(alike):
    def check(a, b):
        models = [a(), b()]
        models[1].set_weights(models[0].get_weights())
        x = np.linspace(-1, 1, 4 * SIZE, dtype="float32").reshape(4, SIZE)
        for model in models:
            model.fit(x, np.ones((4, 3)), epochs=5, verbose=0, shuffle=False)
        ends = [np.concatenate([w.ravel() for w in model.get_weights()]) for model in models]
        assert np.allclose(*ends, atol=1e-6) == alike

    return check


@guilty(17, "training_loop", "train_step", check=trains(False))
def a_step_that_loses_its_loss_from_the_third_on():
    options = {"optimizer": "sgd", "loss": "mse"}
    return network(step=losing(2), **options), network(**options)


@innocent(17, check=trains(True))
def the_same_step_from_one_function():
    options = {"optimizer": "sgd", "loss": "mse"}
    return network(step=losing(3), **options), network(step=losing(3), **options)


# -- backwards ---------------------------------------------------------------------------------------------------------


def straight(factor):
    """Rounds, and hands the gradient through, or a part of it."""

    @tf.custom_gradient
    def rounded(x):
        return tf.round(4.0 * x) / 4.0, lambda upstream: factor * upstream

    return lambda self, x: rounded(x)


def pulls(alike):
    def check(a, b):
        models = [a(), b()]
        models[1].set_weights(models[0].get_weights())
        x = tf.linspace(-tf.ones(SIZE), tf.ones(SIZE), 4)
        gradients = []
        for model in models:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model(x) ** 2)
            gradients.append(np.array(tape.gradient(loss, model.layers[0].kernel.value)))
        assert np.allclose(*gradients, atol=1e-6) == alike

    return check


@guilty(17, "training_loop", "gradient", "Own", check=pulls(False))
def a_straight_through_gradient_that_is_halved():
    return network(own(straight(1.0))), network(own(straight(0.5)))


@innocent(17, check=pulls(True))
def a_straight_through_gradient_by_stop_gradient():
    def call(self, x):
        return x + ops.stop_gradient(ops.round(4.0 * x) / 4.0 - x)

    return network(own(straight(1.0))), network(own(call))


# -- the opposite sign -------------------------------------------------------------------------------------------------


def kernel(self, shape):
    self.kernel = self.add_weight(shape=(shape[-1], 4), name="kernel")


def mirrored(a, b):
    models = [a(), b()]
    weights = models[0].get_weights()
    weights[2] = -weights[2]
    models[1].set_weights(weights)
    x = np.linspace(-1, 1, 4 * SIZE, dtype="float32").reshape(4, SIZE)
    assert np.allclose(*(np.array(model(x)) for model in models), atol=1e-6)


@innocent(17, check=mirrored)
def a_kernel_that_is_used_with_the_opposite_sign():
    plain, opposite = (own(lambda self, x, s=sign: ops.tanh(x @ (s * self.kernel)), kernel) for sign in (1.0, -1.0))
    return network(plain), network(opposite)


@guilty(17, "arch.", check=FAR(False))
def an_output_with_the_opposite_sign():
    def build(sign):
        ends = own(lambda self, x: sign * ops.exp(x))
        return lambda: keras.Sequential([keras.Input((SIZE,)), layers.Dense(4), ends()])

    return build(1.0), build(-1.0)


# -- texts, starts and metrics -----------------------------------------------------------------------------------------


def titles(standardize):
    def build():
        text = keras.Input((1,), dtype="string")
        words = layers.TextVectorization(
            standardize=standardize, output_sequence_length=5, vocabulary=["red", "green", "blue"]
        )
        return keras.Model(text, layers.Dense(2)(layers.Flatten()(layers.Embedding(5, 3)(words(text)))))

    return build


def without(mark):
    def clean(texts):
        return tf.strings.regex_replace(tf.strings.lower(texts), mark, " ")

    return clean


def reads(text, *, alike):
    def check(a, b):
        words = [np.array(side().layers[1](tf.constant([[text]]))) for side in (a, b)]
        assert np.array_equal(*words) == alike

    return check


@guilty(17, "not_fully_tested", verdict="not_fully_tested", check=reads("red¶green", alike=False))
def texts_that_are_cleaned_of_another_mark():
    return titles(without("¶")), titles(without("§"))


@innocent(17, check=reads("red¶green", alike=True))
def texts_that_are_cleaned_by_one_function():
    return titles(without("¶")), titles(without("¶"))


def first_weights(factor):
    def check(a, b):
        kernels = []
        for side in (a, b):
            keras.utils.set_random_seed(4)
            kernels.append(np.array(side().layers[0].kernel))
        assert np.allclose(factor * kernels[0], kernels[1])

    return check


@guilty(17, "init", "kernel", check=first_weights(1.5))
def a_small_kernel_that_starts_half_as_large_again():
    return network(), network(start=lambda kernel: 1.5 * kernel)


@innocent(17, check=first_weights(1.0))
def a_kernel_that_is_assigned_what_it_holds():
    return network(), network(start=lambda kernel: kernel + 0.0)


def weighted(*, weights):
    x = np.linspace(-1, 1, 24 * SIZE, dtype="float32").reshape(24, SIZE)
    samples = {"x": x, "y": x[:, :3], "batch_size": 8}
    return samples | {"sample_weight": np.linspace(0, 1, 24)} if weights else samples


def counted(*, apart):
    def check(a, b, first, second):
        for model in (built := [a(), b()]):
            model.set_weights(built[0].get_weights())
        reports = [model.evaluate(**first, verbose=0, return_dict=True) for model in built]
        read = [next(value for name, value in report.items() if name != "loss") for report in reports]
        assert (abs(read[0] - read[1]) > 1e-6) == apart

    return check


def scored(**metrics):
    return network(optimizer="sgd", loss="mse", **metrics)


@guilty(17, "compile.metric", "weighted_metrics", check=counted(apart=True))
def a_metric_that_counts_the_weights_of_samples():
    feed = weighted(weights=True)
    return scored(metrics=["mae"]), scored(weighted_metrics=["mae"]), feed, feed


@innocent(17, check=counted(apart=False))
def a_weighted_metric_without_weights():
    feed = weighted(weights=False)
    return scored(metrics=["mae"]), scored(weighted_metrics=["mae"]), feed, feed
