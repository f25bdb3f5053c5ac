"""Recurrent networks of several layers: states that are handed on, masks, both directions."""

import keras
import numpy as np
from keras import layers, ops

from . import chain, guilty, innocent

WORDS, STEPS, CHANNELS, UNITS = 15, 7, 4, 5


def translator(order=("h", "c"), how="functional", mask=True):
    """An encoder hands its two states on to a decoder."""

    def build():
        source = keras.Input((STEPS,), dtype="int32", name="source")
        target = keras.Input((STEPS,), dtype="int32", name="target")
        words = layers.Embedding(WORDS, 6, mask_zero=mask, name="source_words")(source)
        encoded, h, c = layers.LSTM(UNITS, return_state=True, name="encoder")(words)
        states = {"h": h, "c": c, "output": encoded}
        wanted = layers.Embedding(WORDS, 6, mask_zero=mask, name="target_words")(target)
        x = layers.LSTM(UNITS, return_sequences=True, name="decoder")(
            wanted, initial_state=[states[name] for name in order]
        )
        return keras.Model([source, target], layers.Dense(WORDS, activation="softmax", name="scores")(x))

    class Translator(keras.Model):
        def __init__(self):
            super().__init__()
            self.source_words = layers.Embedding(WORDS, 6, mask_zero=mask)
            self.encoder = layers.LSTM(UNITS, return_state=True)
            self.target_words = layers.Embedding(WORDS, 6, mask_zero=mask)
            self.decoder = layers.LSTM(UNITS, return_sequences=True)
            self.scores = layers.Dense(WORDS, activation="softmax")

        def call(self, inputs):
            source, target = inputs
            _, *states = self.encoder(self.source_words(source))
            x = self.decoder(self.target_words(target), initial_state=states)
            return self.scores(x)

    return build if how == "functional" else Translator


PARTS = ("source_words", "target_words", "encoder", "decoder", "scores")


def texts(rows=4):
    generator = np.random.default_rng(1)
    parts = [generator.integers(1, WORDS, (rows, STEPS)).astype("int32") for _ in range(2)]
    parts[0][:, -2:] = parts[1][:, -1:] = 0
    return parts


def of_the_same_layers(a, b):
    """The weights of B by the layers' names, where the models hold them in another order."""
    named = {name: getattr(a, name, None) or a.get_layer(name) for name in PARTS}
    other = {
        id(w): (name, k) for name in PARTS for k, w in enumerate((getattr(b, name, None) or b.get_layer(name)).weights)
    }
    return [np.array(named[name].weights[k]) for name, k in (other[id(weight)] for weight in b.weights)]


@innocent(10, inputs=texts, carry=of_the_same_layers)
def states_unpacked_in_two_ways():
    return translator(), translator(how="subclassed")


@innocent(10, inputs=texts)
def the_encoder_s_output_for_its_state():
    """An LSTM's output is its hidden state."""
    return translator(), translator(("output", "c"))


@guilty(10, "arch.wiring", "decoder", differs="inference", inputs=texts)
def states_in_the_wrong_order():
    return translator(), translator(("c", "h"))


def classifier(state):
    def build():
        start = keras.Input((STEPS, CHANNELS))
        x = layers.LSTM(UNITS, return_sequences=True, name="first")(start)
        output, h, c = layers.LSTM(UNITS, return_state=True, name="second")(x)
        return keras.Model(start, layers.Dense(2, name="out")({"output": output, "h": h, "c": c}[state]))

    return build


@guilty(10, "arch.wiring", "out", differs="inference")
def the_cell_state_for_the_hidden_state():
    return classifier("output"), classifier("c")


@innocent(10)
def the_hidden_state_for_the_output():
    return classifier("output"), classifier("h")


def last_step(how, dropout=0.0, activation="tanh", mask=False):
    """A stack of two LSTMs whose last step is used: as the layer gives it, or cut out of all steps."""

    def build():
        start = keras.Input((STEPS, CHANNELS))
        x = layers.Masking()(start) if mask else start
        x = layers.LSTM(UNITS, return_sequences=True, name="first")(x)
        if how == "layer":
            x = layers.LSTM(UNITS, activation=activation, name="second")(x)
        else:
            x = layers.LSTM(UNITS, activation=activation, return_sequences=True, name="second")(x)[:, -1]
        if dropout:
            x = layers.Dropout(dropout, name="drop")(x)
        return keras.Model(start, layers.Dense(2, name="out")(x))

    return build


def padded():
    sequences = np.random.default_rng(2).standard_normal((4, STEPS, CHANNELS)).astype("float32")
    sequences[:2, -3:] = 0
    return sequences


@innocent(15)
def the_last_step_cut_out():
    return last_step("layer"), last_step("cut out")


@innocent(15, inputs=padded)
def the_last_step_cut_out_of_masked_ones():
    return last_step("layer", mask=True), last_step("cut out", mask=True)


@guilty(15, "arch.activation", "second", differs="inference", alone=True)
def the_last_step_cut_out_and_another_activation():
    return last_step("layer"), last_step("cut out", activation="relu")


@guilty(15, "arch.hyperparameter", "drop", "rate", differs="training", alone=True)
def the_last_step_cut_out_and_another_rate():
    return last_step("layer", dropout=0.2), last_step("cut out", dropout=0.5)


def stacked(how, mask=True, cut=False):
    def build():
        start = keras.Input((STEPS,), dtype="int32")
        x = layers.Embedding(WORDS, 6, mask_zero=mask)(start)
        if how == "cells":
            x = layers.RNN([layers.GRUCell(UNITS), layers.GRUCell(UNITS)])(x)
        else:
            x = layers.GRU(UNITS, return_sequences=True, name="first")(x)
            if cut:
                x = layers.Lambda(lambda y: y * 1.0, output_shape=lambda shape: shape)(x)
            x = layers.GRU(UNITS, name="second")(x)
        return keras.Model(start, layers.Dense(2)(x))

    return build


@innocent(8, inputs=lambda: texts()[0])
def cells_stacked_in_one_layer():
    return stacked("layers", mask=False), stacked("cells", mask=False)


@guilty(9, "masking", differs="inference", inputs=lambda: texts()[0])
def a_mask_lost_between_two_layers():
    return stacked("layers"), stacked("layers", cut=True)


def both_ways(how):
    def build():
        start = keras.Input((STEPS, CHANNELS))
        if how == "bidirectional":
            x = layers.Bidirectional(layers.GRU(UNITS), merge_mode="sum")(start)
        else:
            backward = layers.GRU(UNITS, go_backwards=how == "by hand")(start)
            x = layers.Add()([layers.GRU(UNITS)(start), backward])
        return keras.Model(start, layers.Dense(2)(x))

    return build


@innocent(8)
def both_directions_added_by_hand():
    return both_ways("bidirectional"), both_ways("by hand")


@guilty(8, "arch.", differs="inference")
def the_same_direction_twice():
    return both_ways("bidirectional"), both_ways("forward twice")


class Loop(layers.Layer):
    """A simple recurrent network as a loop over the steps."""

    def __init__(self):
        super().__init__()
        self.read = layers.Dense(UNITS, use_bias=False)
        self.remember = layers.Dense(UNITS)

    def call(self, x):
        state = ops.zeros((ops.shape(x)[0], UNITS))
        for part in ops.unstack(x, STEPS, axis=1):
            state = ops.tanh(self.read(part) + self.remember(state))
        return state


class Split(layers.Layer):
    """Cuts a window in half and hands both halves to one network."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.inner = layers.Dense(UNITS, activation="relu")

    def call(self, x):
        if self.how == "split":
            past, present = ops.split(x, [4], axis=1)
        else:
            past, present = x[:, :4], x[:, 4:]
        if self.how == "swapped":
            past, present = present, past
        past, present = self.inner(past), self.inner(present)
        return ops.concatenate([ops.mean(past, axis=1), ops.max(present, axis=1)], axis=-1)


def windows(how):
    return lambda: chain((STEPS, CHANNELS), Split(how), layers.Dense(2))


@innocent(9)
def a_recurrent_network_as_a_loop():
    return lambda: chain((STEPS, CHANNELS), layers.SimpleRNN(UNITS), layers.Dense(2)), lambda: chain(
        (STEPS, CHANNELS), Loop(), layers.Dense(2)
    )


@innocent(9)
def a_window_split_and_sliced():
    return windows("split"), windows("sliced")


@guilty(9, "arch.", differs="inference")
def the_halves_of_a_window_swapped():
    return windows("split"), windows("swapped")
