"""Graph networks: nodes that read their neighbours through an adjacency matrix."""

import keras
import numpy as np
from keras import layers, ops

from . import guilty, innocent

NODES, FEATURES, HIDDEN = 5, 4, 6


class Convolution(layers.Layer):
    """Sums the neighbours' features, before or behind the dense layer."""

    def __init__(self, units, transposed=False, first="dense", normalised=True):
        super().__init__()
        self.dense = layers.Dense(units, use_bias=False)
        self.transposed, self.first, self.normalised = transposed, first, normalised

    def call(self, inputs):
        features, adjacency = inputs
        if self.normalised:
            adjacency = adjacency / (ops.sum(adjacency, axis=-1, keepdims=True) + 1e-6)
        if self.transposed:
            adjacency = ops.transpose(adjacency, (0, 2, 1))
        if self.first == "dense":
            return ops.relu(ops.matmul(adjacency, self.dense(features)))
        return ops.relu(self.dense(ops.matmul(adjacency, features)))


def network(**options):
    def build():
        features = keras.Input((NODES, FEATURES), name="features")
        adjacency = keras.Input((NODES, NODES), name="adjacency")
        x = Convolution(HIDDEN, **options)([features, adjacency])
        x = Convolution(HIDDEN, **options)([x, adjacency])
        return keras.Model([features, adjacency], layers.Dense(2, name="out")(ops.max(x, axis=1)))

    return build


def with_layers():
    features = keras.Input((NODES, FEATURES), name="features")
    adjacency = keras.Input((NODES, NODES), name="adjacency")
    x = features
    for _ in range(2):
        x = layers.Dot(axes=(2, 1))([adjacency, layers.Dense(HIDDEN, use_bias=False)(x)])
        x = layers.ReLU()(x)
    return keras.Model([features, adjacency], layers.Dense(2, name="out")(layers.GlobalMaxPooling1D()(x)))


def with_named_inputs():
    """The same; its inputs are a dict in another order."""
    model = network()()
    features, adjacency = model.inputs
    return keras.Model({"adjacency": adjacency, "features": features}, model.outputs[0])


def neighbourhood():
    generator = np.random.default_rng(2)
    features = generator.standard_normal((6, NODES, FEATURES)).astype("float32")
    return [features, generator.integers(0, 2, (6, NODES, NODES)).astype("float32")]


@innocent(8, inputs=neighbourhood)
def neighbours_summed_by_a_dot_layer():
    return network(normalised=False), with_layers


@innocent(8, inputs=neighbourhood)
def neighbours_summed_before_the_dense_layer():
    """(AX)W and A(XW) are one product."""
    return network(), network(first="neighbours")


@innocent(10, inputs=neighbourhood, inputs_b=lambda given: {"features": given[0], "adjacency": given[1]})
def a_graph_s_inputs_by_name():
    return network(), with_named_inputs


@guilty(8, "arch.", differs="inference", inputs=neighbourhood)
def neighbours_read_against_the_arrows():
    return network(), network(transposed=True)


@guilty(8, "arch.", differs="inference", inputs=neighbourhood)
def neighbours_summed_for_neighbours_averaged():
    return network(), network(normalised=False)


class Experts(layers.Layer):
    """The two best of four experts, weighed by the gate."""

    def __init__(self, best=2, renormalised=True):
        super().__init__()
        self.gate, self.experts = layers.Dense(4), [layers.Dense(HIDDEN, activation="tanh") for _ in range(4)]
        self.best, self.renormalised = best, renormalised

    def call(self, x):
        gates = ops.softmax(self.gate(x))
        values, places = ops.top_k(gates, self.best)
        if self.renormalised:
            values = values / ops.sum(values, axis=-1, keepdims=True)
        weights = ops.sum(ops.one_hot(places, 4) * values[..., None], axis=-2)
        results = ops.stack([expert(x) for expert in self.experts], axis=-2)
        return ops.sum(results * weights[..., None], axis=-2)


def mixture(**options):
    def build():
        start = keras.Input((FEATURES,))
        return keras.Model(start, layers.Dense(2)(Experts(**options)(start)))

    return build


class ExpertsInACall(keras.Model):
    """The same as a subclassed model."""

    def __init__(self):
        super().__init__()
        self.mixture, self.out = Experts(), layers.Dense(2)

    def call(self, x):
        return self.out(self.mixture(x))


@innocent(9)
def experts_chosen_in_two_styles():
    return mixture(), ExpertsInACall


@guilty(9, "arch.", differs="inference")
def experts_whose_weights_are_not_renormalised():
    return mixture(), mixture(renormalised=False)
