"""Models that are written in other ways in several bend, of which one at most matters: where do they part?"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from . import chain, guilty, innocent


class Scaled(layers.Layer):
    """Multiplies, in training or in inference only."""

    def __init__(self, factor, training):
        super().__init__()
        self.factor, self.training = factor, training

    def call(self, x, training=False):
        return x * self.factor if bool(training) == self.training else x


class Bent(layers.Layer):
    """Bends its values in NumPy, where no graph shows how far."""

    def __init__(self, bend):
        super().__init__()
        self.bend = bend

    def call(self, x):
        bend = self.bend
        bent = tf.numpy_function(lambda values: np.tanh(bend * values), [x], tf.float32)
        bent.set_shape(x.shape)
        return bent


def there_and_back():
    """Steps that only change how the values lie, and change them back."""
    return [layers.Reshape((5, 1)), layers.Permute((2, 1)), layers.Flatten()]


def around(*middle, activation="relu"):
    return lambda: chain(
        (6,),
        layers.Dense(5, activation="tanh"),
        *[step() for step in middle],
        layers.Dense(4, activation=activation),
        layers.Dense(2),
    )


def written(*middle, activation="relu"):
    """The same with values that are laid out otherwise for a while."""

    def build():
        steps = [step() for step in middle]
        return chain(
            (6,),
            layers.Dense(5, activation="tanh"),
            *there_and_back(),
            *steps,
            layers.Dense(4, activation=activation),
            layers.Dense(2),
        )

    return build


@guilty(20, "arch.hyperparameter", "mul", "factor", differs="inference", alone=True)
def own_code_that_acts_in_inference_by_another_factor():
    return around(lambda: Scaled(2.0, False)), written(lambda: Scaled(3.0, False))


@innocent(20)
def own_code_that_acts_in_inference_alike():
    return around(lambda: Scaled(2.0, False)), written(lambda: Scaled(2.0, False))


@guilty(20, "arch.hyperparameter", "mul", "factor", differs="training", alone=True)
def own_code_that_acts_in_training_by_another_factor():
    return around(lambda: Scaled(2.0, True)), written(lambda: Scaled(3.0, True))


@innocent(20)
def own_code_that_acts_in_training_alike():
    return around(lambda: Scaled(2.0, True)), written(lambda: Scaled(2.0, True))


@guilty(20, "arch.wiring", "pyfunc", differs=("inference", "training"), alone=True)
def a_table_that_no_graph_shows_behind_a_harmless_rewriting():
    return around(lambda: Bent(1)), written(lambda: Bent(2))


@innocent(20)
def a_table_that_no_graph_shows_that_is_the_same():
    return around(lambda: Bent(1)), written(lambda: Bent(1))


@guilty(20, "arch.activation", "dense", differs=("inference", "training"), alone=True)
def a_lost_activation_behind_a_harmless_rewriting():
    return around(), written(activation=None)


@guilty(20, "arch.wiring", "pyfunc", differs=("inference", "training"), alone=True)
def a_factor_of_zero_before_what_no_graph_shows():
    """The one difference that the graphs show adds nothing."""

    def build(added, bend):
        def steps(x):
            return ops.add(x, ops.multiply(ops.sin(x), added)) if added else x

        return lambda: chain((6,), layers.Dense(5), steps, Bent(bend), layers.Dense(2))

    return build(0, 1), build(1e-30, 2)


def images(pooling, *, first):
    """Two branches, one of them laid out with the channels in front for a while."""

    def build():
        start = keras.Input((6, 6, 3))
        x = layers.Conv2D(4, 3, activation="relu", name="left")(start)
        y = layers.Conv2D(4, 3, activation="relu", name="right")(start)
        if first:
            x = layers.Permute((2, 3, 1))(layers.Permute((3, 1, 2))(x))
        y = pooling(2)(y)
        x = layers.MaxPooling2D(2)(x)
        return keras.Model(start, layers.Dense(2)(layers.Flatten()(layers.Concatenate()([x, y]))))

    return build


@guilty(20, "arch.hyperparameter", "pooling", differs=("inference", "training"), alone=True)
def another_pooling_beside_a_branch_that_is_turned_there_and_back():
    return images(layers.MaxPooling2D, first=False), images(layers.AveragePooling2D, first=True)


@innocent(20)
def a_branch_that_is_turned_there_and_back():
    return images(layers.MaxPooling2D, first=False), images(layers.MaxPooling2D, first=True)


def turned(first, activation="relu"):
    def build():
        steps = [layers.Permute((2, 1)), layers.Activation(activation)]
        return chain((4, 3), layers.Dense(5), *(steps if first else steps[::-1]), layers.Flatten(), layers.Dense(2))

    return build


@innocent(20)
def an_activation_before_and_behind_a_turn():
    return turned(True), turned(False)


@innocent(20)
def factors_that_cancel():
    def plain():
        return chain((6,), layers.Dense(5), layers.Dense(4, use_bias=False), layers.Dense(2))

    def scaled():
        return chain(
            (6,),
            layers.Dense(5),
            lambda x: x * 4.0,
            layers.Dense(4, use_bias=False),
            lambda x: x / 4.0,
            layers.Dense(2),
        )

    return plain, scaled
