"""Several inputs and outputs, and towers that are shared."""

import keras
import numpy as np
from keras import layers, ops

from . import chain, guilty, innocent
from .truth import by_name


def two_heads(outputs=dict, weights=None, losses=None, inputs=list, turned=False):
    """A price and a class out of two inputs; inputs and outputs as lists or as dicts."""

    def build():
        text, table = keras.Input((6,), name="text"), keras.Input((6,), name="table")
        x = layers.Dense(5, activation="relu", name="read_text")(text)
        y = layers.Dense(5, activation="tanh", name="read_table")(table)
        x = layers.Concatenate(name="both")([x, y])
        price = layers.Dense(1, name="price")(x)
        kind = layers.Dense(1, activation="sigmoid", name="kind")(x)
        named = {"price": price, "kind": kind}
        named_losses = {"price": "mse", "kind": "binary_crossentropy"} | (losses or {})
        named_inputs = {"table": table, "text": text} if turned else {"text": text, "table": table}
        as_list = outputs is list
        names = ("price", "kind")
        model = keras.Model(
            named_inputs if inputs is dict else [text, table], [named[n] for n in names] if as_list else named
        )
        model.compile(
            keras.optimizers.SGD(0.01),
            [named_losses[n] for n in names] if as_list else named_losses,
            loss_weights=weights and ([weights[n] for n in names] if as_list else weights),
        )
        return model

    return build


def two_parts():
    generator = np.random.default_rng(4)
    return [generator.standard_normal((6, 6)).astype("float32") for _ in range(2)]


def two_labels():
    generator = np.random.default_rng(5)
    return {"price": generator.random((6, 1)), "kind": generator.integers(0, 2, (6, 1))}


BOTH = {
    "inputs": two_parts,
    "labels": two_labels,
}
LISTED = {
    **BOTH,
    "carry": by_name,
    "labels_b": lambda labels: [labels["price"], labels["kind"]],
    "outputs_b": lambda results: results[::-1],  # a dict's outputs are flattened by name: kind, price
}
NAMED = {**BOTH, "inputs_b": lambda inputs: dict(zip(("text", "table"), inputs, strict=True))}


@innocent(10, **LISTED)
def outputs_listed_and_named():
    weights = {"price": 0.2, "kind": 1.0}
    return two_heads(weights=weights), two_heads(list, weights=weights)


@innocent(10, **NAMED)
def inputs_named_in_another_order():
    return two_heads(), two_heads(inputs=dict, turned=True)


@guilty(10, "compile.loss", "loss", differs="step", **LISTED)
def weights_of_two_losses_swapped():
    return two_heads(weights={"price": 0.2, "kind": 1.0}), two_heads(list, weights={"price": 1.0, "kind": 0.2})


@guilty(10, "compile.loss", "price", differs="step", **BOTH)
def another_loss_of_one_output():
    return two_heads(), two_heads(losses={"price": "mae"})


def matched(how):
    """Two texts, a click: the towers' codes joined and judged, or judged apart and added."""

    def build():
        left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
        tower = keras.Sequential([layers.Dense(5, activation="relu"), layers.Dense(4, activation="tanh")])
        x, y = tower(left), tower(right)
        if how == "joined":
            z = layers.Dense(8, name="judge")(layers.Concatenate()([x, y]))
        elif how == "added":
            z = layers.Dense(8, name="judge")(x) + layers.Dense(8, use_bias=False, name="judge_right")(y)
        elif how == "left twice":
            z = layers.Dense(8, name="judge")(x) + layers.Dense(8, use_bias=False, name="judge_right")(x)
        return keras.Model([left, right], layers.Dense(1, activation="sigmoid")(ops.relu(z)))

    return build


def halving(a, b):
    weights = a.get_weights()
    kernel, bias = weights[4:6]
    return [*weights[:4], kernel[:4], bias, kernel[4:], *weights[6:]]


@innocent(8, carry=halving)
def one_dense_layer_on_joined_codes_and_two_added():
    return matched("joined"), matched("added")


@guilty(8, "arch.", differs="inference")
def one_tower_read_twice():
    return matched("added"), matched("left twice")


def distances(how):
    """Siamese towers compared by their distance."""

    class Distance(layers.Layer):
        def call(self, codes):
            x, y = codes
            gap = ops.square(x - y)
            return ops.sqrt(ops.maximum(ops.sum(gap, axis=-1, keepdims=True), 1e-7))

    def build():
        a, b = keras.Input((6, 6, 1)), keras.Input((6, 6, 1))
        tower = chain((6, 6, 1), layers.Conv2D(3, 3, activation="relu"), layers.Flatten(), layers.Dense(4))
        x, y = tower(a), tower(b)
        if how == "layer":
            z = Distance()([x, y])
        elif how == "operations":
            gap = layers.Subtract()([x, y])
            z = ops.sqrt(ops.maximum(ops.sum(gap * gap, axis=1, keepdims=True), 1e-7))
        else:
            z = ops.sum(ops.abs(x - y), axis=1, keepdims=True)
        return keras.Model([a, b], layers.Dense(1, activation="sigmoid")(z))

    return build


@innocent(9)
def a_distance_as_a_layer_and_as_operations():
    return distances("layer"), distances("operations")


@guilty(9, "arch.", differs="inference")
def another_distance():
    return distances("layer"), distances("absolute")


def one_output_each(a, b):
    weights = a.get_weights()
    kernel, bias = weights[-2:]
    return [*weights[:-2], kernel[:, :1], bias[:1], kernel[:, 1:], bias[1:]]


def ends(parts, second_from="trunk"):
    def build():
        start = keras.Input((6,))
        first = layers.Dense(5, activation="relu", name="first")(start)
        x = layers.Dense(5, activation="relu", name="trunk")(first)
        if not parts:
            return keras.Model(start, layers.Dense(2, name="out")(x))
        other = x if second_from == "trunk" else first
        pieces = [layers.Dense(1, name="mean")(x), layers.Dense(1, name="spread")(other)]
        return keras.Model(start, layers.Concatenate()(pieces))

    return build


@innocent(8, carry=one_output_each)
def one_last_layer_and_two_joined():
    return ends(parts=False), ends(parts=True)


@guilty(8, "arch.wiring", differs="inference", carry=one_output_each)
def two_last_layers_of_which_one_reads_too_early():
    return ends(parts=False), ends(parts=True, second_from="first")
