"""The same model, trained by `fit` on one side and by a step of the person's own on the other."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from . import Pair, chain

GENERATOR = np.random.default_rng(12)
ROWS = GENERATOR.standard_normal((32, 5)).astype("float32")
CLASSES = ROWS[:, :3].argmax(1).astype("int32")
NUMBERS = ROWS.sum(1).astype("float32")


def stepped(code="none.equivalent", *words, verdicts=("different",)):
    def mark(make):
        right = code == "none.equivalent"
        return Pair(make.__name__, make, code, words, verdicts=("identical", "equivalent") if right else verdicts)

    return mark


def network(*middle, regularizer=None, optimizer=lambda: keras.optimizers.SGD(0.1, momentum=0.9), numbers=False):
    def build():
        end = layers.Dense(1) if numbers else layers.Dense(3, activation="softmax")
        first = layers.Dense(8, "relu", kernel_regularizer=regularizer)
        model = chain((5,), first, *[make() for make in middle], end)
        model.compile(optimizer(), "mse" if numbers else "sparse_categorical_crossentropy")
        return model

    return build


def dropout():
    return layers.Dropout(0.4)


def stepping(loss=None, *, training=True, penalties=True, change=None, optimizer=None, factor=1.0, reads=lambda m: m):
    loss = loss or keras.losses.SparseCategoricalCrossentropy()
    change = change or (lambda gradients: gradients)

    def step(model, x, y):
        with tf.GradientTape() as tape:
            value = factor * loss(y, model(x, training=training) if training else model(x))
            if penalties and model.losses:
                value += tf.add_n(model.losses)
        weights = reads(model).trainable_variables
        gradients = change(tape.gradient(value, weights))
        (optimizer or model.optimizer).apply_gradients(zip(gradients, weights, strict=True))
        return value

    return step


def sides(build, step, labels=CLASSES):
    """Builder against builder, what both are fed, and B's step."""
    return build, build, lambda: (ROWS, labels), step


# -- steps that do what `fit` does


@stepped()
def a_plain_step():
    return sides(network(), stepping())


@stepped()
def a_compiled_step_with_dropout_and_normalisation():
    return sides(network(dropout, layers.BatchNormalization), tf.function(stepping()))


@stepped()
def a_step_that_adds_the_penalties():
    return sides(network(regularizer="l2"), stepping())


@stepped()
def a_step_without_a_mode_where_no_layer_has_one():
    return sides(network(), stepping(training=False))


@stepped()
def a_step_that_clips_as_the_optimizer_does():
    build = network(optimizer=lambda: keras.optimizers.SGD(0.1, clipnorm=0.01))
    optimizer = keras.optimizers.SGD(0.1)

    def clip(gradients):
        return [tf.clip_by_norm(gradient, 0.01) for gradient in gradients]

    return sides(build, stepping(change=clip, optimizer=optimizer))


def column(y_true, y_pred):
    return tf.reduce_mean(tf.square(tf.reshape(y_true, tf.shape(y_pred)) - y_pred))


@stepped()
def a_step_that_shapes_its_labels():
    return sides(network(numbers=True), stepping(column), NUMBERS)


@stepped()
def a_sum_that_is_divided_by_the_rows():
    each = keras.losses.SparseCategoricalCrossentropy(reduction=None)
    return sides(network(), stepping(lambda y, p: tf.reduce_sum(each(y, p)) / len(ROWS)))


# -- steps that do something else


@stepped("mode.bn_dropout", "training=True")
def a_step_without_dropout():
    return sides(network(dropout), stepping(training=False))


@stepped("mode.bn_dropout", "training=True")
def a_step_that_leaves_the_moving_statistics():
    return sides(network(layers.BatchNormalization), stepping(training=False))


@stepped("regularization", "penalties")
def a_step_that_forgets_the_penalties():
    return sides(network(regularizer="l2"), stepping(penalties=False))


def broadcast(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred))


@stepped("compile.loss", "label rank")
def flat_labels_against_a_column():
    return sides(network(numbers=True), stepping(broadcast), NUMBERS)


@stepped("training_loop", "size of the loss")
def a_mean_that_is_taken_twice():
    return sides(network(), stepping(factor=1 / len(ROWS)))


@stepped("training_loop", "size of the loss")
def a_sum_where_a_mean_is_meant():
    return sides(network(), stepping(keras.losses.SparseCategoricalCrossentropy(reduction="sum")))


@stepped("compile.optimizer", "clipnorm")
def gradients_that_are_not_clipped():
    build = network(optimizer=lambda: keras.optimizers.SGD(0.1, clipnorm=0.01))
    return sides(build, stepping(optimizer=keras.optimizers.SGD(0.1)))


@stepped("compile.optimizer", "learning_rate")
def another_rate():
    return sides(network(), stepping(optimizer=keras.optimizers.SGD(0.3, momentum=0.9)))


@stepped("mode.trainable", "updates")
def a_step_that_trains_the_last_layer():
    return sides(network(), stepping(reads=lambda model: model.layers[-1]))


@stepped("training_loop", "training step")
def a_loss_of_their_own():
    return sides(network(), stepping(lambda y, p: tf.reduce_mean(tf.square(p - tf.one_hot(y, 3)))))


PAIRS = {pair.name: pair for pair in list(vars().values()) if isinstance(pair, Pair)}


def ends(pair, steps=3):
    """How far `fit` and the step move the weights apart, by Keras alone: what the step changes, relative to `fit`."""
    build, _, feed, step = pair.make()
    x, y = feed()
    moved = []
    for own in (False, True):
        keras.utils.set_random_seed(5)
        model = build()
        for layer in model.layers:
            if isinstance(layer, layers.Dropout):
                layer.seed_generator.state.assign([0, 11])
        model.set_weights([0.5 * np.random.default_rng(k).standard_normal(w.shape) ** 2 + 0.1 * w.size ** 0
                           for k, w in enumerate(model.get_weights())])  # fmt: skip
        before = model.get_weights()
        if own:
            for _ in range(steps):
                step(model, tf.constant(x), tf.constant(y))
        else:
            model.run_eagerly = True
            model.fit(x, y, batch_size=len(x), epochs=steps, shuffle=False, verbose=0)
        moved.append(np.concatenate([np.ravel(v - w) for v, w in zip(model.get_weights(), before, strict=True)]))
    return float(np.abs(moved[0] - moved[1]).max() / np.abs(moved[0]).max())
