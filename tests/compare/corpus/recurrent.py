"""Recurrent networks, embeddings and masks."""

import keras
import tensorflow as tf
from keras import layers, ops

from . import chain, different, equal

WORDS = 30


def text(cell=layers.LSTM, mask=True, between=None, embedding=8, **options):
    def build():
        steps = [layers.Embedding(WORDS, embedding, mask_zero=mask, name="words")]
        if between is not None:
            steps.append(between)
        steps += [cell(6, name="cell", **options), layers.Dense(3, name="out")]
        return chain((11,), *steps)

    return build


@different("masking", "words", "mask_zero")
def no_mask_from_the_embedding():
    return text(), text(mask=False)


@different("masking", "mask")
def a_bare_operation_drops_the_mask():
    return text(), text(between=layers.Lambda(tf.identity))


@different("masking", "Masking")
def masking_left_out():
    return (
        lambda: chain((11, 4), layers.Masking(), layers.GRU(6), layers.Dense(3)),
        lambda: chain((11, 4), layers.GRU(6), layers.Dense(3)),
    )


@different("masking", "mask_value")
def another_mask_value():
    def build(value):
        return lambda: chain((11, 4), layers.Masking(mask_value=value), layers.GRU(6), layers.Dense(3))

    return build(0.0), build(-1.0)


@different("arch.hyperparameter", "cell", "kind of layer")
def gru_for_lstm():
    return text(), text(cell=layers.GRU)


@different("arch.activation", "cell", "recurrent_activation")
def another_gate():
    return text(), text(recurrent_activation="hard_sigmoid")


@different("arch.activation", "cell", "activation")
def relu_in_the_cell():
    return text(), text(activation="relu")


@different("arch.hyperparameter", "cell", "recurrent_dropout")
def recurrent_dropout_in_one_only():
    return text(recurrent_dropout=0.3), text()


@different("arch.hyperparameter", "cell", "go_backwards")
def read_from_the_end():
    return text(), text(go_backwards=True)


@different("arch.hyperparameter", "gru", "reset_after")
def the_old_gru():
    def build(**options):
        return lambda: chain((11, 4), layers.GRU(6, name="gru", **options), layers.Dense(3))

    return build(), build(reset_after=False)


@different("arch.hyperparameter", "words", "output_dim")
def a_narrower_embedding():
    return text(), text(embedding=4)


def both_ways(how):
    def build():
        start = keras.Input((9,))
        x = layers.Embedding(WORDS, 5)(start)
        if how == "bidirectional":
            x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
        else:
            forward = layers.LSTM(4, return_sequences=True)(x)
            backward = layers.LSTM(4, return_sequences=True, go_backwards=True)(x)
            if how == "turned":
                backward = ops.flip(backward, axis=1)
            x = layers.Concatenate()([forward, backward])
        return keras.Model(start, layers.TimeDistributed(layers.Dense(3, activation="softmax"))(x))

    return build


@different("arch.layer_missing", "Reverse")
def a_backward_pass_that_is_not_turned_round():
    return both_ways("bidirectional"), both_ways("not turned")


@different("arch.layer_missing", "LSTM")
def one_direction_for_both():
    return (
        lambda: chain((9, 4), layers.Bidirectional(layers.LSTM(4)), layers.Dense(2)),
        lambda: chain((9, 4), layers.LSTM(8), layers.Dense(2)),
    )


@different("arch.layer_missing", "GlobalAveragePooling1D")
def the_last_step_against_a_mean_of_all():
    return (
        lambda: chain((9, 4), layers.LSTM(4, name="cell"), layers.Dense(2)),
        lambda: chain(
            (9, 4), layers.LSTM(4, name="cell", return_sequences=True), layers.GlobalAveragePooling1D(), layers.Dense(2)
        ),
    )


@different("arch.hyperparameter", "cell", "stateful")
def a_state_kept_between_batches():
    def build(stateful):
        def make():
            start = keras.Input(batch_shape=(8, 9, 4))
            x = layers.LSTM(4, stateful=stateful, name="cell")(start)
            return keras.Model(start, layers.Dense(2)(x))

        return make

    return build(False), build(True)


@different("arch.shared_layer", "Embedding")
def two_embeddings_where_one_was_shared():
    def build(shared):
        def make():
            first, second = keras.Input((5,)), keras.Input((5,))
            table = layers.Embedding(WORDS, 4, name="table")
            other = table if shared else layers.Embedding(WORDS, 4, name="other")
            x = layers.Concatenate()([layers.Flatten()(table(first)), layers.Flatten()(other(second))])
            return keras.Model([first, second], layers.Dense(2)(x))

        return make

    return build(True), build(False)


@different("arch.hyperparameter", "attention", "num_heads")
def fewer_heads():
    def build(heads):
        def make():
            start = keras.Input((6, 8))
            x = layers.MultiHeadAttention(heads, 4, name="attention")(start, start)
            return keras.Model(start, layers.Dense(2)(layers.GlobalAveragePooling1D()(x + start)))

        return make

    return build(4), build(2)


# -- equal in spite of looks ---------------------------------------------------------------------------------------


@equal
def bidirectional_by_hand():
    return both_ways("bidirectional"), both_ways("turned")


@equal
def a_layer_and_its_cell():
    return (
        lambda: chain((9, 4), layers.LSTM(5, return_sequences=True), layers.GRU(4), layers.Dense(2)),
        lambda: chain(
            (9, 4),
            layers.RNN(layers.LSTMCell(5), return_sequences=True),
            layers.RNN(layers.GRUCell(4)),
            layers.Dense(2),
        ),
    )


@equal
def time_distributed_and_dense():
    return (
        lambda: chain(
            (9, 4),
            layers.GRU(5, return_sequences=True),
            layers.TimeDistributed(layers.Dense(3, activation="tanh")),
            layers.Flatten(),
        ),
        lambda: chain(
            (9, 4), layers.GRU(5, return_sequences=True), layers.Dense(3), layers.Activation("tanh"), layers.Flatten()
        ),
    )


@equal
def the_mask_made_by_hand():
    def by_hand():
        start = keras.Input((11,))
        x = layers.Embedding(WORDS, 8)(start)
        x = layers.LSTM(6)(x, mask=ops.not_equal(start, 0))
        return keras.Model(start, layers.Dense(3)(x))

    return text(), by_hand


@equal
def masks_in_three_styles():
    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.words = layers.Embedding(WORDS, 8, mask_zero=True)
            self.cell = layers.LSTM(6)
            self.out = layers.Dense(3)

        def call(self, tokens, training=None):
            return self.out(self.cell(self.words(tokens), training=training))

    return text(), Reader


@equal
def integer_and_float_tokens():
    return text(), lambda: keras.Sequential(
        [keras.Input((11,), dtype="int32"), layers.Embedding(WORDS, 8, mask_zero=True), layers.LSTM(6), layers.Dense(3)]
    )


@equal
def a_free_length_and_a_fixed_one():
    return (
        lambda: chain((None, 4), layers.LSTM(5), layers.Dense(2)),
        lambda: chain((9, 4), layers.LSTM(5), layers.Dense(2)),
    )


@equal
def frames_through_one_network():
    def inner():
        return keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(3, 3, activation="relu"), layers.Flatten()])

    def one_by_one():
        return chain(
            (4, 8, 8, 1),
            layers.TimeDistributed(layers.Conv2D(3, 3)),
            layers.ReLU(),
            layers.TimeDistributed(layers.Flatten()),
            layers.GRU(4),
        )

    return lambda: chain((4, 8, 8, 1), layers.TimeDistributed(inner()), layers.GRU(4)), one_by_one
