"""Models of which one thing was changed, or that are only written in another way: does the fix make them the same?"""

import keras
import numpy as np
from keras import layers

from . import chain, guilty, innocent


def network(*, activation="tanh", padding="same", epsilon=1e-3, rate=0.2, extra=(), units=True, **compiled):
    def build():
        model = chain(
            (6, 6, 2),
            layers.Conv2D(4, 3, padding=padding, activation="relu"),
            layers.LayerNormalization(epsilon=epsilon),
            *([layers.UnitNormalization()] if units else []),
            layers.Conv2D(4, 1, activation=activation),
            *[step() for step in extra],
            layers.Dropout(rate, seed=1),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        )
        if compiled:
            model.compile(**compiled)
        return model

    return build


def plain(**options):
    def build():
        names = ("first", "second")
        model = chain((4,), *[layers.Dense(3, name=name, **options.get(name, {})) for name in names], layers.Dense(2))
        model.compile("sgd", "mse")
        return model

    return build


def branched(*, joined=True, activation=None):
    def build():
        start = keras.Input((4,))
        x = layers.Dense(5, activation="tanh")(start)
        y = layers.Dense(5, activation=activation, name="hidden")(x)
        y = layers.Add(name="add")([x, y]) if joined else y
        return keras.Model(start, [layers.Dense(2)(y), layers.Dense(3)(y)])

    return build


class Subclassed(keras.Model):
    def __init__(self, activation="relu"):
        super().__init__()
        self.hidden = layers.Dense(5, activation=activation)
        self.out = layers.Dense(2)

    def call(self, x):
        return self.out(self.hidden(x))


def subclassed(activation="relu"):
    def build():
        model = Subclassed(activation)
        model.build((None, 4))
        return model

    return build


def rows():
    return np.random.default_rng(0).standard_normal((6, 4)).astype("float32")


def targets():
    return np.zeros((6, 2), "float32")


@guilty(21, "arch.activation", differs="inference", alone=True)
def an_activation_is_lost():
    return network(), network(activation=None)


@guilty(21, "arch.hyperparameter", "padding", differs="inference", alone=True)
def the_padding_is_another():
    return network(), network(padding="valid")


@guilty(21, "arch.hyperparameter", "epsilon", differs="inference", alone=True)
def the_epsilon_is_another():
    return network(), network(epsilon=0.5)


@guilty(21, "arch.hyperparameter", "rate", differs="training", alone=True)
def the_dropout_is_stronger():
    return network(), network(rate=0.6)


@guilty(21, "arch.activation", differs="inference", alone=True)
def a_layer_bends_once_more():
    return network(), network(extra=[layers.ReLU])


@guilty(21, "arch.layer_missing", "unit", differs="inference", alone=True)
def a_normalisation_is_missing():
    return network(), network(units=False)


@guilty(21, "arch.activation", differs="inference", alone=True, inputs=rows)
def an_activation_is_lost_in_a_class():
    return subclassed(), subclassed(None)


@guilty(21, "compile.optimizer", "learning_rate", differs="step", labels=targets)
def the_learning_rate_is_another():
    return tuple(network(optimizer=keras.optimizers.SGD(rate), loss="mse") for rate in (0.1, 0.01))


@guilty(21, "mode.trainable", "second", differs="step", alone=True, labels=targets)
def a_layer_is_frozen():
    return plain(), plain(second={"trainable": False})


@guilty(21, "regularization", "second", differs="step", alone=True, labels=targets)
def a_penalty_is_lost():
    return plain(second={"kernel_regularizer": "l2"}), plain()


@guilty(21, "arch.layer_missing", "unit", differs="inference")
def a_block_of_two_layers_is_missing():
    return network(extra=[lambda: layers.UnitNormalization(axis=1), lambda: layers.AveragePooling2D(2)]), network()


@guilty(21, "arch.hyperparameter", "kind of layer", differs="inference", alone=True)
def the_pooling_is_of_another_kind():
    return tuple(network(extra=[lambda kind=kind: kind(2)]) for kind in (layers.MaxPooling2D, layers.AveragePooling2D))


@guilty(21, "arch.activation", "recurrent_activation", differs="inference", alone=True)
def the_gates_bend_in_another_way():
    def build(gate):
        return lambda: chain((5, 2), layers.GRU(3, recurrent_activation=gate), layers.Dense(2))

    return build("sigmoid"), build("hard_sigmoid")


@guilty(21, "preprocessing", "rescaling", differs="inference", alone=True)
def the_inputs_are_not_scaled():
    def build(*front):
        return lambda: chain((6, 6, 2), *[step() for step in front], layers.Conv2D(3, 3), layers.Flatten())

    return build(lambda: layers.Rescaling(1 / 255)), build()


@guilty(21, "arch.wiring", "add", differs="inference", alone=True)
def a_connection_is_lost():
    return branched(joined=True), branched(joined=False)


@guilty(21, "arch.activation", "hidden", differs="inference", alone=True)
def an_activation_is_lost_under_two_heads():
    return branched(activation="relu"), branched()


@innocent(21)
def the_activation_is_a_layer_of_its_own():
    return network(), network(activation=None, extra=[lambda: layers.Activation("tanh")])


@innocent(21)
def a_layer_that_does_nothing():
    return network(), network(extra=[lambda: layers.Dropout(0.0)])


@innocent(21, labels=targets)
def an_optimizer_by_its_name():
    return network(optimizer="sgd", loss="mse"), network(optimizer=keras.optimizers.SGD(0.01), loss="mse")


@innocent(21, inputs=rows)
def a_class_for_a_chain():
    return lambda: chain((4,), layers.Dense(5, activation="relu"), layers.Dense(2)), subclassed()


@innocent(21)
def a_turn_and_its_undoing():
    return network(), network(extra=[lambda: layers.Permute((2, 1, 3)), lambda: layers.Permute((2, 1, 3))])


@innocent(21)
def a_factor_and_its_undoing():
    return network(), network(extra=[lambda: lambda x: x * 2.0, lambda: lambda x: x / 2.0])


@innocent(21)
def an_activation_that_is_none():
    return network(), network(extra=[lambda: layers.Activation("linear")])


@innocent(21)
def a_reshape_to_the_same_shape():
    return network(), network(extra=[lambda: layers.Reshape((6, 6, 4))])


@innocent(21)
def a_reshape_and_its_undoing():
    return network(), network(extra=[lambda: layers.Reshape((36, 4)), lambda: layers.Reshape((6, 6, 4))])


@innocent(21)
def two_turns_of_the_channels():
    return network(), network(extra=[lambda: layers.Permute((3, 1, 2)), lambda: layers.Permute((2, 3, 1))])


@innocent(21, labels=targets)
def a_layer_that_is_frozen_and_thawed():
    def build():
        model = plain()()
        model.get_layer("second").trainable = False
        model.get_layer("second").trainable = True
        return model

    return plain(), build


@innocent(21, labels=targets)
def a_penalty_by_its_name():
    return tuple(plain(second={"kernel_regularizer": one}) for one in ("l2", keras.regularizers.L2(0.01)))


@innocent(21)
def a_pooling_of_single_pixels():
    return network(extra=[lambda: layers.MaxPooling2D(1)]), network()


@innocent(21)
def gates_by_a_function():
    def build(gate):
        return lambda: chain((5, 2), layers.GRU(3, recurrent_activation=gate), layers.Dense(2))

    return build("sigmoid"), build(keras.activations.sigmoid)


@innocent(21)
def a_scale_of_one():
    return network(), network(extra=[lambda: layers.Rescaling(1.0)])
