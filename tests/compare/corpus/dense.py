"""Dense networks."""

import keras
import tensorflow as tf
from keras import layers, ops

from . import chain, different, equal


def network(hidden=("relu", "relu"), units=(16, 12), last=None, dropout=0.3, **options):
    def build():
        steps = [layers.Flatten()]
        for k, (activation, width) in enumerate(zip(hidden, units, strict=True)):
            steps += [
                layers.Dense(width, activation=activation, name=f"hidden_{k}", **options),
                layers.Dropout(dropout),
            ]
        return chain((6, 6, 1), *steps, layers.Dense(4, activation=last, name="out"))

    return build


@different("arch.hyperparameter", "hidden_0", "units")
def fewer_units():
    return network(), network(units=(8, 12))


@different("arch.layer_missing", "hidden_1")
def a_hidden_layer_left_out():
    return network(), network(hidden=("relu",), units=(16,))


@different("arch.layer_missing", "Dense")
def one_block_less_in_a_loop():
    return network(("relu",) * 4, (10,) * 4), network(("relu",) * 3, (10,) * 3)


@different("arch.activation", "out")
def a_rectified_output():
    return network(), network(last="relu")


@different("arch.activation", "out")
def sigmoid_for_softmax():
    return network(last="softmax"), network(last="sigmoid")


@different("arch.hyperparameter", "Dropout", "rate")
def more_dropout():
    return network(), network(dropout=0.7)


@different("arch.hyperparameter", "Dropout", "rate")
def dropout_of_nothing():
    return network(), network(dropout=0.0)


@different("arch.layer_missing", "Dropout")
def dropout_left_out():
    return network(), lambda: chain(
        (6, 6, 1), layers.Flatten(), layers.Dense(16, "relu"), layers.Dense(12, "relu"), layers.Dense(4)
    )


@different("arch.hyperparameter", "hidden_0", "use_bias")
def no_bias():
    return network(), network(use_bias=False)


@different("arch.layer_missing", "Flatten")
def flatten_left_out():
    return (
        lambda: chain((6, 6), layers.Flatten(), layers.Dense(8, activation="relu"), layers.Dense(3)),
        lambda: chain((6, 6), layers.Dense(8, activation="relu"), layers.Dense(3), layers.GlobalAveragePooling1D()),
    )


@different("arch.shared_layer", "Dense")
def one_layer_object_used_again_and_again():
    def shared():
        hidden = layers.Dense(10, activation="relu", name="again")
        return chain((10,), hidden, hidden, hidden, layers.Dense(3))

    def separate():
        return chain((10,), *(layers.Dense(10, activation="relu") for _ in range(3)), layers.Dense(3))

    return separate, shared


@different("arch.input_shape", "shape")
def swapped_axes_of_the_input():
    def build(shape):
        return lambda: chain(shape, layers.LSTM(6), layers.Dense(2))

    return build((10, 4)), build((4, 10))


@different("arch.input_shape", "dtype")
def an_integer_input():
    return (
        lambda: chain((9,), layers.Dense(8, activation="relu"), layers.Dense(3)),
        lambda: chain((9,), layers.Dense(8, activation="relu"), layers.Dense(3), dtype="int32"),
    )


@different("preprocessing", "Normalization")
def normalization_in_one_model_only():
    return (
        lambda: chain((9,), layers.Normalization(mean=3.0, variance=4.0), layers.Dense(8, "relu"), layers.Dense(1)),
        lambda: chain((9,), layers.Dense(8, "relu"), layers.Dense(1)),
    )


@different("arch.layer_missing", "LayerNormalization")
def layer_normalization_left_out():
    return (
        lambda: chain((9,), layers.Dense(8), layers.LayerNormalization(), layers.ReLU(), layers.Dense(1)),
        lambda: chain((9,), layers.Dense(8), layers.ReLU(), layers.Dense(1)),
    )


# -- equal in spite of looks ---------------------------------------------------------------------------------------


@equal
def built_late_and_built_at_once():
    def late():
        tail = [layers.Dense(12, "relu"), layers.Dropout(0.3), layers.Dense(4)]
        return keras.Sequential([layers.Flatten(), layers.Dense(16, "relu"), layers.Dropout(0.3), *tail])

    return network(), late


@equal
def a_dense_layer_of_their_own():
    class OwnDense(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = units

        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform", name="w")
            self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

        def call(self, x):
            return tf.nn.relu(tf.matmul(x, self.w) + self.b)

    return (
        lambda: chain((9,), layers.Dense(8, activation="relu"), layers.Dense(3)),
        lambda: chain((9,), OwnDense(8), layers.Dense(3)),
    )


@equal
def one_activation_in_other_words():
    def swish(x):
        return x * ops.sigmoid(x)

    return (
        lambda: chain(
            (9,), layers.Dense(8, activation="swish"), layers.Dense(8, activation=tf.nn.gelu), layers.Dense(3)
        ),
        lambda: chain(
            (9,),
            layers.Dense(8, activation=swish),
            layers.Dense(8),
            layers.Activation(keras.activations.gelu),
            layers.Dense(3),
        ),
    )


@equal
def sums_in_another_order():
    def build(left):
        def make():
            start = keras.Input((9,))
            a, b, c = (layers.Dense(5, name=name)(start) for name in "abc")
            x = layers.Add()([a, b, c]) if left else a + (b + c)
            return keras.Model(start, layers.Dense(2)(ops.tanh(x)))

        return make

    return build(True), build(False)


@equal
def flat_input_and_image_input():
    return (
        lambda: chain((36,), layers.Dense(8, activation="relu"), layers.Dense(3)),
        lambda: chain((6, 6, 1), layers.Flatten(), layers.Dense(8, activation="relu"), layers.Dense(3)),
    )


@equal
def einsum_and_dense():
    return (
        lambda: chain((5, 9), layers.Dense(8, activation="relu"), layers.Flatten(), layers.Dense(3)),
        lambda: chain(
            (5, 9),
            layers.EinsumDense("abc,cd->abd", output_shape=(5, 8), bias_axes="d", activation="relu"),
            layers.Flatten(),
            layers.Dense(3),
        ),
    )


@equal
def nothing_but_names():
    def build(prefix):
        def make():
            start = keras.Input((9,), name=f"{prefix}_in")
            x = layers.Dense(5, activation="elu", name=f"{prefix}_1")(start)
            return keras.Model(start, layers.Dense(2, name=f"{prefix}_2")(x), name=prefix)

        return make

    return build("old"), build("new")
