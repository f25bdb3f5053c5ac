"""Models with several inputs or outputs."""

import keras
from keras import layers, ops

from . import different, equal


def two_inputs(swapped=False, merge=None, named="ab", as_dict=False):
    def build():
        image = keras.Input((6, 6, 1), name="image")
        table = keras.Input((4,), name="table")
        x = layers.Flatten()(layers.Conv2D(3, 3, activation="relu", name="see")(image))
        y = layers.Dense(5, activation="relu", name="read")(table)
        z = (merge or layers.Concatenate(name="join"))([x, y])
        inputs = {"image": image, "table": table} if as_dict else [image, table]
        return keras.Model(inputs, layers.Dense(3, name="out")(z))

    return build


@different("arch.wiring", "output")
def outputs_in_another_order():
    def build(turned):
        def make():
            start = keras.Input((8,))
            x = layers.Dense(6, activation="relu", name="trunk")(start)
            first = layers.Dense(3, activation="relu", name="first")(x)
            second = layers.Dense(3, activation="tanh", name="second")(x)
            return keras.Model(start, [second, first] if turned else [first, second])

        return make

    return build(False), build(True)


@different("arch.wiring", "read")
def a_branch_that_reads_the_wrong_input():
    def build(wrong):
        def make():
            a, b = keras.Input((8,), name="a"), keras.Input((8,), name="b")
            x = layers.Dense(4, activation="relu", name="left")(a)
            y = layers.Dense(5, activation="relu", name="read")(a if wrong else b)
            return keras.Model([a, b], layers.Dense(3)(layers.Concatenate()([x, y])))

        return make

    return build(False), build(True)


@different("arch.shared_layer", "Dense")
def a_siamese_network_with_two_encoders():
    def build(shared):
        def make():
            a, b = keras.Input((8,), name="a"), keras.Input((8,), name="b")
            encoder = layers.Dense(5, activation="relu", name="encoder")
            other = encoder if shared else layers.Dense(5, activation="relu", name="encoder_2")
            gap = layers.Subtract()([encoder(a), other(b)])
            return keras.Model([a, b], layers.Dense(1, activation="sigmoid")(ops.abs(gap)))

        return make

    return build(True), build(False)


@different("arch.layer_missing", "see")
def a_branch_left_out():
    def build(both):
        def make():
            start = keras.Input((8, 8, 1))
            x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu", name="deep")(start))
            if both:
                y = layers.Flatten()(layers.Conv2D(2, 5, activation="relu", name="see")(start))
                x = layers.Concatenate()([x, y])
            return keras.Model(start, layers.Dense(3)(x))

        return make

    return build(True), build(False)


@different("arch.hyperparameter", "oncatenate", "axis")
def concatenated_along_another_axis():
    def build(axis):
        def make():
            start = keras.Input((6, 6))
            x, y = layers.Dense(6)(start), layers.Dense(6)(start)
            z = layers.Concatenate(axis=axis)([x, y])
            return keras.Model(start, layers.GlobalMaxPooling1D()(z))

        return make

    return build(1), build(2)


@different("arch.wiring", "Multiply")
def a_product_for_a_sum():
    def build(merge):
        def make():
            start = keras.Input((6,))
            x, y = layers.Dense(6)(start), layers.Dense(6, activation="sigmoid")(start)
            return keras.Model(start, layers.Dense(2)(merge()([x, y])))

        return make

    return build(layers.Multiply), build(layers.Add)


@different("arch.input_shape", "inputs")
def one_input_for_two():
    def single():
        start = keras.Input((40,))
        return keras.Model(start, layers.Dense(3)(layers.Dense(5, activation="relu")(start)))

    return two_inputs(), single


# -- equal in spite of looks ---------------------------------------------------------------------------------------


@equal
def inputs_as_a_dict_and_as_a_list():
    return two_inputs(), two_inputs(as_dict=True)


@equal
def a_subclass_with_two_arguments():
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.see = layers.Conv2D(3, 3, activation="relu")
            self.read = layers.Dense(5, activation="relu")
            self.out = layers.Dense(3)

        def call(self, image, table):
            x = ops.reshape(self.see(image), (-1, 48))
            return self.out(ops.concatenate([x, self.read(table)], axis=-1))

    return two_inputs(), Two


@equal
def one_encoder_in_two_styles():
    def nested():
        a, b = keras.Input((8,)), keras.Input((8,))
        encoder = keras.Sequential([keras.Input((8,)), layers.Dense(5, activation="relu"), layers.Dense(4)])
        return keras.Model([a, b], layers.Dot(axes=-1, normalize=True)([encoder(a), encoder(b)]))

    def flat():
        a, b = keras.Input((8,)), keras.Input((8,))
        first, second = layers.Dense(5, activation="relu"), layers.Dense(4)
        return keras.Model([a, b], layers.Dot(axes=-1, normalize=True)([second(first(a)), second(first(b))]))

    return nested, flat
