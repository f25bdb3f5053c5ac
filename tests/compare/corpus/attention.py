"""Transformer encoders, written with layers and written out by hand."""

import keras
import numpy as np
from keras import layers, ops

from . import chain, guilty, innocent

WORDS, LENGTH, WIDTH, HEADS = 20, 6, 8, 2


class SelfAttention(layers.Layer):
    """Attention over several heads, written out."""

    def __init__(self, scaled=True, causal=False, fused=False, values_from="values"):
        super().__init__()
        self.scaled, self.causal, self.fused, self.values_from = scaled, causal, fused, values_from
        if fused:
            self.projection = layers.Dense(3 * WIDTH)
        else:
            self.queries, self.keys, self.values = (layers.Dense(WIDTH) for _ in range(3))
        self.out = layers.Dense(WIDTH)

    def heads(self, x):
        return ops.transpose(ops.reshape(x, (-1, LENGTH, HEADS, WIDTH // HEADS)), (0, 2, 1, 3))

    def call(self, x):
        if self.fused:
            parts = ops.split(self.projection(x), 3, axis=-1)
        else:
            parts = self.queries(x), self.keys(x), self.values(x)
        queries, keys, values = map(self.heads, parts)
        if self.values_from == "keys":
            values = keys
        scores = ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2)))
        if self.scaled:
            scores = scores / (WIDTH // HEADS) ** 0.5
        if self.causal:
            scores = ops.where(ops.tril(ops.ones((LENGTH, LENGTH), "bool")), scores, -1e9)
        x = ops.matmul(ops.softmax(scores, axis=-1), values)
        return self.out(ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, LENGTH, WIDTH)))


class Attention(layers.Layer):
    """The same with Keras's own layer."""

    def __init__(self, causal=False):
        super().__init__()
        self.attention = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
        self.causal = causal

    def call(self, x):
        return self.attention(x, x, use_causal_mask=self.causal)


class Positions(layers.Layer):
    """A learned vector for each place in the text."""

    def build(self, shape):
        self.table = self.add_weight(shape=(LENGTH, WIDTH), initializer="uniform", name="embeddings")

    def call(self, x):
        return x + self.table


class PositionsLookedUp(layers.Layer):
    """The same as a look-up of the numbers of the places."""

    def __init__(self):
        super().__init__()
        self.lookup = layers.Embedding(LENGTH, WIDTH)

    def call(self, x):
        return x + self.lookup(ops.arange(LENGTH))


class Normalised(layers.Layer):
    """Layer normalisation written out, by default as Keras has it."""

    def __init__(self, centred=True, epsilon=1e-3):
        super().__init__()
        self.centred, self.epsilon = centred, epsilon

    def build(self, shape):
        self.gamma = self.add_weight(shape=shape[-1:], initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=shape[-1:], initializer="zeros", name="beta")

    def call(self, x):
        mean, variance = ops.moments(x, axes=[-1], keepdims=True)
        x = x - mean if self.centred else x
        return x / ops.sqrt(variance + self.epsilon) * self.gamma + self.beta


def encoder(attention=Attention, *, positions=Positions, normalisation=None, before=False, blocks=1):
    """A small BERT: post-norm by default."""
    normalise = normalisation or (lambda: layers.LayerNormalization(epsilon=1e-6))

    def build():
        x = start = keras.Input((LENGTH,), dtype="int32")
        x = positions()(layers.Embedding(WORDS, WIDTH)(x))
        for _ in range(blocks):
            for inner in (
                attention(),
                keras.Sequential([layers.Dense(16, activation="gelu"), layers.Dense(WIDTH), layers.Dropout(0.1)]),
            ):
                x = x + inner(normalise()(x)) if before else normalise()(x + inner(x))
        x = layers.GlobalAveragePooling1D()(x)
        return keras.Model(start, layers.Dense(3, name="out")(x))

    return build


def fusing(blocks=1):
    """From separate projections to one: their kernels side by side."""

    def carry(a, b):
        weights = [np.array(weight) for weight in a.weights]
        fused = weights[:2]
        rest = weights[2:-2]
        for k in range(blocks):
            block = rest[k * 16 : (k + 1) * 16]
            fused += [np.concatenate(block[0:6:2], -1), np.concatenate(block[1:6:2], -1), *block[6:]]
        return [*fused, *weights[-2:]]

    return carry


@innocent(8, tokens=WORDS)
def attention_written_out():
    return encoder(), encoder(SelfAttention)


@innocent(8, tokens=WORDS, carry=fusing())
def one_projection_for_queries_keys_and_values():
    return encoder(SelfAttention), encoder(lambda: SelfAttention(fused=True))


@innocent(8, tokens=WORDS)
def positions_looked_up():
    return encoder(), encoder(positions=PositionsLookedUp)


@innocent(8, tokens=WORDS)
def a_causal_mask_written_out():
    return encoder(lambda: Attention(causal=True)), encoder(lambda: SelfAttention(causal=True))


@innocent(9, tokens=WORDS)
def layer_normalisation_by_moments():
    return encoder(normalisation=layers.LayerNormalization), encoder(normalisation=Normalised)


@guilty(9, "arch.", differs="inference", tokens=WORDS)
def layer_normalisation_that_is_not_centred():
    return encoder(normalisation=Normalised), encoder(normalisation=lambda: Normalised(centred=False))


@guilty(8, "arch.", differs="inference", tokens=WORDS)
def attention_that_is_not_scaled():
    return encoder(), encoder(lambda: SelfAttention(scaled=False))


@guilty(9, "arch.", differs="inference", tokens=WORDS)
def attention_whose_values_are_the_keys():
    return encoder(lambda: SelfAttention(fused=True)), encoder(lambda: SelfAttention(fused=True, values_from="keys"))


@guilty(8, ("arch.hyperparameter", "arch.wiring", "arch.layer_missing", "masking"), differs="inference", tokens=WORDS)
def attention_that_sees_what_comes():
    return encoder(lambda: Attention(causal=True)), encoder()


@guilty(15, "arch.hyperparameter", "epsilon", differs="inference", tokens=WORDS, scale=0.02, clear=5e-5)
def an_epsilon_of_another_library():
    return (
        encoder(normalisation=lambda: layers.LayerNormalization(epsilon=1e-12)),
        encoder(normalisation=lambda: layers.LayerNormalization(epsilon=1e-5)),
    )


def turned_round(a, b):
    """From normalisation before attention and dense layers to normalisation after them."""
    first, rest, last = a.get_weights()[:2], a.get_weights()[2:-2], a.get_weights()[-2:]
    blocks = [rest[k : k + 16] for k in range(0, len(rest), 16)]
    moved = [w for block in blocks for w in (*block[2:10], *block[:2], *block[12:], *block[10:12])]
    return [*first, *moved, *last]


@guilty(15, "arch.wiring", differs="inference", tokens=WORDS, carry=turned_round)
def normalised_after_for_normalised_before():
    return encoder(before=True), encoder()


def gated(turned):
    """A gated unit whose one projection is split into value and gate."""

    class Gated(layers.Layer):
        def __init__(self):
            super().__init__()
            self.both = layers.Dense(2 * WIDTH)

        def call(self, x):
            value, gate = ops.split(self.both(x), 2, axis=-1)
            if turned:
                value, gate = gate, value
            return value * ops.sigmoid(gate)

    return lambda: chain((LENGTH, 5), Gated(), layers.LayerNormalization(), layers.Flatten(), layers.Dense(3))


def gated_apart():
    start = keras.Input((LENGTH, 5))
    x = layers.Multiply()([layers.Dense(WIDTH)(start), layers.Dense(WIDTH, activation="sigmoid")(start)])
    return keras.Model(start, layers.Dense(3)(layers.Flatten()(layers.LayerNormalization()(x))))


def turning(a, b):
    kernel, bias, *rest = [np.array(weight) for weight in a.weights]
    return [np.roll(kernel, WIDTH, -1), np.roll(bias, WIDTH, -1), *rest]


def splitting(a, b):
    kernel, bias, *rest = [np.array(weight) for weight in a.weights]
    return [kernel[:, :WIDTH], bias[:WIDTH], kernel[:, WIDTH:], bias[WIDTH:], *rest]


@innocent(8, carry=turning)
def the_gate_before_the_value():
    return gated(False), gated(True)


@innocent(8, carry=splitting)
def a_gate_of_its_own():
    return gated(False), gated_apart
