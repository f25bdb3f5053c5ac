"""Subclassed models and layers: what goes wrong where there is no graph to look at."""

import keras
import tensorflow as tf
from keras import layers, ops

from . import chain, different, equal, equal_as_far_as_seen

SHAPE = (10, 10, 2)


def functional(dropout=0.4):
    return chain(
        SHAPE,
        layers.Conv2D(5, 3, activation="relu", name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.Flatten(),
        layers.Dropout(dropout, name="drop"),
        layers.Dense(9, activation="relu", name="hidden"),
        layers.Dense(9, activation="relu", name="more"),
        layers.Dense(4, name="out"),
    )


class Network(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = layers.Dense(4, name="out")
        self.more = layers.Dense(9, name="more")
        self.hidden = layers.Dense(9, name="hidden")
        self.norm = layers.BatchNormalization(name="norm")
        self.conv = layers.Conv2D(5, 3, name="conv")
        self.drop = layers.Dropout(0.4, name="drop")

    def front(self, image, training):
        x = self.norm(tf.nn.relu(self.conv(image)), training=training)
        return self.drop(tf.reshape(x, (tf.shape(x)[0], 8 * 8 * 5)), training=training)

    def call(self, image, training=None):
        x = self.front(image, training)
        return self.out(ops.relu(self.more(ops.relu(self.hidden(x)))))


def variant(**methods):
    return type("Rewritten", (Network,), methods)


@different("mode.bn_dropout", "norm")
def normalisation_called_as_in_inference():
    def front(self, image, training):
        x = self.norm(tf.nn.relu(self.conv(image)), training=False)
        return self.drop(tf.reshape(x, (tf.shape(x)[0], 320)), training=training)

    return functional, variant(front=front)


@different("mode.bn_dropout", "drop")
def dropout_on_for_ever():
    def front(self, image, training):
        x = self.norm(tf.nn.relu(self.conv(image)), training=training)
        return self.drop(tf.reshape(x, (tf.shape(x)[0], 320)), training=True)

    return functional, variant(front=front)


@different("mode.bn_dropout", "norm")
def a_call_that_takes_no_training_argument():
    def call(self, image):
        x = self.norm(tf.nn.relu(self.conv(image)))
        x = self.drop(tf.reshape(x, (tf.shape(x)[0], 320)))
        return self.out(ops.relu(self.more(ops.relu(self.hidden(x)))))

    return functional, variant(call=call)


@different("arch.disconnected", "more")
def a_layer_that_call_forgets():
    def call(self, image, training=None):
        return self.out(ops.relu(self.hidden(self.front(image, training))))

    return functional, variant(call=call)


@different("arch.shared_layer", "more")
def one_layer_called_twice():
    def build(twice):
        class Deep(keras.Model):
            def __init__(self):
                super().__init__()
                self.first = layers.Dense(9, activation="relu", name="first")
                self.more = layers.Dense(9, activation="relu", name="more")
                self.other = layers.Dense(9, activation="relu", name="other")
                self.out = layers.Dense(3, name="out")

            def call(self, x):
                x = self.more(self.first(x))
                x = self.more(x) if twice else self.other(x)
                return self.out(x)

        return Deep

    return lambda: chain((9,), *(layers.Dense(9, activation="relu") for _ in range(3)), layers.Dense(3)), build(True)


@different("arch.activation", "hidden")
def an_activation_left_out_of_call():
    def call(self, image, training=None):
        return self.out(ops.relu(self.more(self.hidden(self.front(image, training)))))

    return functional, variant(call=call)


@different("arch.activation", "out")
def softmax_along_the_wrong_axis():
    class Scores(keras.Model):
        def __init__(self, axis):
            super().__init__()
            self.out = layers.Dense(4, name="out")
            self.axis = axis

        def call(self, x):
            return tf.nn.softmax(self.out(x), axis=self.axis)

    return lambda: Scores(-1), lambda: Scores(1)


@different("mode.trainable", "Dense", "trainable")
def layers_that_keras_cannot_see():
    class Hidden:
        def __init__(self):
            self.layer = layers.Dense(9, activation="relu", name="unseen_dense")
            self.layer.build((None, 9))

        def __call__(self, x):
            return self.layer(x)

    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            self.helper = Hidden()
            self.out = layers.Dense(3)

        def call(self, x):
            return self.out(self.helper(x))

    return lambda: chain((9,), layers.Dense(9, activation="relu", name="seen_dense"), layers.Dense(3)), Network


@different("arch.wiring", "Conv2D")
def each_branch_reads_the_input_instead_of_a_chain():
    class Net(keras.Model):
        def __init__(self, chained):
            super().__init__()
            self.a = layers.Conv2D(2, 3, padding="same", name="a")
            self.b = layers.Conv2D(2, 3, padding="same", name="b")
            self.c = layers.Conv2D(2, 3, padding="same", name="c")
            self.chained = chained

        def call(self, x):
            y = self.a(x)
            z = self.b(y if self.chained else x)
            return ops.concatenate([y, z, self.c(z)], axis=-1)

    return lambda: Net(True), lambda: Net(False)


@different("masking", "mask")
def a_custom_layer_that_drops_the_mask():
    class Scale(layers.Layer):
        def __init__(self, keep):
            super().__init__()
            self.supports_masking = keep

        def call(self, x):
            return x * 2.0

    def build(keep):
        return lambda: chain(
            (9,), layers.Embedding(20, 5, mask_zero=True), Scale(keep), layers.LSTM(4), layers.Dense(2)
        )

    return build(True), build(False)


@different("arch.hyperparameter", "operand")
def a_number_hidden_in_a_custom_layer():
    class Power(layers.Layer):
        def __init__(self, exponent):
            super().__init__()
            self.exponent = exponent

        def call(self, x):
            return tf.pow(tf.abs(x) + 0.1, self.exponent)

    def build(exponent):
        return lambda: chain((9,), layers.Dense(8), Power(exponent), layers.Dense(2))

    return build(0.5), build(0.7)


@different("arch.layer_missing", "StopGradient")
def a_stopped_gradient():
    def build(stop):
        def make():
            start = keras.Input((9,))
            x = layers.Dense(8, activation="relu")(start)
            x = ops.stop_gradient(x) if stop else x
            return keras.Model(start, layers.Dense(2)(x))

        return make

    return build(False), build(True)


class Branching(keras.Model):
    """Python that branches on the values of a tensor cannot be traced, only run."""

    def __init__(self, activation):
        super().__init__()
        self.first = layers.Dense(8, activation=activation, name="first")
        self.out = layers.Dense(2, name="out")

    def call(self, x):
        if tf.reduce_sum(x) > 1e30:
            x = x * 0.0
        return self.out(self.first(x))


@different("arch.activation", "first")
def an_activation_lost_where_nothing_can_be_traced():
    return lambda: chain((9,), layers.Dense(8, activation="relu", name="first"), layers.Dense(2)), lambda: Branching(
        None
    )


# -- equal in spite of looks ---------------------------------------------------------------------------------------


@equal
def a_subclass_with_bare_operations():
    return functional, Network


@equal
def layers_made_in_another_order():
    class Ordered(keras.Model):
        def __init__(self, backwards):
            super().__init__()
            made = {}
            for name in ("one", "two", "three")[:: -1 if backwards else 1]:
                made[name] = layers.Dense(7, activation="relu", name=name)
            self.made = made
            self.out = layers.Dense(7)

        def call(self, x):
            return self.out(self.made["three"](self.made["two"](self.made["one"](x))))

    return lambda: Ordered(False), lambda: Ordered(True)


@equal
def a_training_flag_that_fit_overrides():
    def build(flag):
        def make():
            start = keras.Input((9,))
            x = layers.BatchNormalization()(layers.Dense(8)(start), **({"training": True} if flag else {}))
            x = layers.Dropout(0.3)(x, **({"training": False} if flag else {}))
            return keras.Model(start, layers.Dense(2)(x))

        return make

    return build(False), build(True)


@equal
def a_normalisation_of_their_own_that_hands_the_mode_on():
    class Own(layers.BatchNormalization):
        def call(self, inputs, training=None, mask=None):
            return super().call(inputs, training=training, mask=mask)

    return (
        lambda: chain((9,), layers.Dense(8), layers.BatchNormalization(), layers.Dense(2)),
        lambda: chain((9,), layers.Dense(8), Own(), layers.Dense(2)),
    )


@equal
def python_that_branches_on_the_mode():
    class Careful(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(8, activation="relu")
            self.drop = layers.Dropout(0.5)
            self.out = layers.Dense(2)

        def call(self, x, training=False):
            x = self.first(x)
            if training:
                x = self.drop(x, training=True)
            return self.out(x)

    return lambda: chain((9,), layers.Dense(8, activation="relu"), layers.Dropout(0.5), layers.Dense(2)), Careful


@equal
def blocks_of_layers_in_a_subclass():
    class Block(layers.Layer):
        def __init__(self, width):
            super().__init__()
            self.inner = keras.Sequential([layers.Dense(width, activation="relu"), layers.Dense(width)])

        def call(self, x):
            return ops.relu(x + self.inner(x))

    class Stack(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [Block(8) for _ in range(3)]
            self.out = layers.Dense(2)

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.out(x)

    def flat():
        x = start = keras.Input((8,))
        for _ in range(3):
            y = layers.Dense(8)(layers.Dense(8, activation="relu")(x))
            x = layers.ReLU()(layers.Add()([x, y]))
        return keras.Model(start, layers.Dense(2)(x))

    return flat, Stack


@equal_as_far_as_seen
def a_model_that_cannot_be_traced():
    return lambda: chain((9,), layers.Dense(8, activation="relu"), layers.Dense(2)), lambda: Branching("relu")
