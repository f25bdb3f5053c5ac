"""Weights are carried across wherever each number of one model is a number of the other, and nowhere else."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from twinbench.sameness.probes import compare_outputs, give_random_weights, kept
from twinbench.sameness.signature import signature_of
from twinbench.sameness.subjects import pair, subject


def together(a, b):
    return pair(*(subject(model, signature_of(model)) for model in (a, b)))


def agree(pairing):
    arrays = [np.random.default_rng(9).standard_normal((3, *s.concrete())) for s in pairing.a.signature.inputs]
    with kept(pairing.a, pairing.b):
        give_random_weights(pairing.transfer, 21)
        return compare_outputs(pairing, arrays, training=False).equal


def one_wide(x):
    return layers.Dense(3)(layers.Dense(8, activation="relu")(x))


def two_narrow(x, second="relu"):
    x = layers.Concatenate()([layers.Dense(5, activation="relu")(x), layers.Dense(3, activation=second)(x)])
    return layers.Dense(3)(x)


def gated(x):
    signal, gate = ops.split(layers.Conv1D(8, 3)(x), 2, axis=-1)
    return layers.Dense(2)(layers.GlobalMaxPooling1D()(signal * ops.sigmoid(gate)))


def gated_apart(x):
    signal, gate = layers.Conv1D(4, 3)(x), layers.Conv1D(4, 3)(x)
    return layers.Dense(2)(layers.GlobalMaxPooling1D()(signal * ops.sigmoid(gate)))


def attention(x):
    return layers.MultiHeadAttention(2, 3)(x, x)


def attention_from_one_product(x):
    """Queries, keys and values interleaved by head, as some libraries store them."""
    parts = ops.reshape(layers.Dense(18)(x), (-1, 4, 2, 3, 3))
    query, key, value = (ops.transpose(parts[:, :, :, k], (0, 2, 1, 3)) for k in range(3))
    weights = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / np.sqrt(3))
    return layers.Dense(6)(ops.reshape(ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3)), (-1, 4, 6)))


def joined(x, *, turned):
    parts = [layers.Conv2D(2, 1)(x), layers.Conv2D(3, 3, padding="same", activation="relu")(x)]
    x = layers.BatchNormalization()(layers.Concatenate()(parts[::-1] if turned else parts))
    parts = [layers.Conv2D(2, 1)(x), layers.DepthwiseConv2D(3, padding="same")(x)]
    x = layers.BatchNormalization()(layers.Concatenate()(parts[::-1] if turned else parts))
    return layers.Dense(2)(layers.GlobalAveragePooling2D()(x))


def by_heads(x):
    return layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de")(x)


def gates_together(x):
    return layers.LSTM(4)(x)


def gates_apart(x):
    input_products = [layers.Dense(4) for _ in range(4)]
    state_products = [layers.Dense(4, use_bias=False) for _ in range(4)]
    state = memory = ops.zeros_like(x[:, 0, :1]) * ops.ones((1, 4))
    for step in range(3):
        products = zip(input_products, state_products, strict=True)
        out, forget, new, take = (p(x[:, step]) + q(state) for p, q in products)
        memory = ops.sigmoid(forget) * memory + ops.sigmoid(take) * ops.tanh(new)
        state = ops.sigmoid(out) * ops.tanh(memory)
    return state


REWRITTEN = {
    "one dense layer, two joined": ((6,), one_wide, two_narrow),
    "one convolution that is split, two convolutions": ((9, 3), gated, gated_apart),
    "attention, and written out with one product": ((4, 6), attention, attention_from_one_product),
    "branches in another order, two blocks deep": (
        (6, 6, 2), lambda x: joined(x, turned=False), lambda x: joined(x, turned=True)
    ),
    "an LSTM, and its gates one by one": ((3, 2), gates_together, gates_apart),
    "a product by heads, and a dense layer": (
        (4, 6), by_heads,
        lambda x: layers.Reshape((4, 2, 3))(layers.Dense(6)(x)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REWRITTEN)
def test_weights_that_are_laid_out_otherwise_are_carried_across(name):
    shape, first, second = REWRITTEN[name]
    models = []
    for function in (first, second):
        start = keras.Input(shape)
        models.append(keras.Model(start, function(start)))
    pairing = together(*models)
    assert pairing.transfer.complete
    assert agree(pairing)


def test_an_arrangement_under_which_the_functions_differ_is_rejected():
    start = keras.Input((6,))
    other = keras.Input((6,))
    pairing = together(keras.Model(start, one_wide(start)), keras.Model(other, two_narrow(other, "tanh")))
    assert not pairing.transfer.complete
    assert pairing.arrangeable is False
