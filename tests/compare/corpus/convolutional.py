"""Convolutional networks: the slips that happen when one is rewritten."""

import keras
from keras import layers, ops

from . import chain, different, equal

SHAPE = (12, 12, 3)


def network(activation="relu", *, padding="same", pool=None, normalise=True, head=None, kernel=3, extra=False):
    def build():
        steps = [layers.Conv2D(6, kernel, padding=padding, activation=activation, name="first")]
        if normalise:
            steps.append(layers.BatchNormalization(name="norm"))
        steps.append(pool() if pool else layers.MaxPooling2D(name="pool"))
        steps.append(layers.Conv2D(8, 3, activation="relu", name="second"))
        if extra:
            steps.append(layers.Conv2D(8, 3, padding="same", activation="relu", name="third"))
        steps += [(head or layers.Flatten)(), layers.Dense(5, name="logits")]
        return chain(SHAPE, *steps)

    return build


@different("arch.activation", "first", "activation")
def a_lost_activation():
    return network(), network(activation=None)


@different("arch.activation", "first", "activation")
def tanh_for_relu():
    return network(), network(activation="tanh")


@different("arch.hyperparameter", "first", "padding")
def the_default_padding():
    return network(), network(padding="valid")


@different("arch.hyperparameter", "first", "kernel_size")
def another_kernel_size():
    return network(), network(kernel=5)


@different("arch.hyperparameter", "first", "kernel_size")
def a_kernel_of_one():
    return network(), network(kernel=1)


@different("arch.hyperparameter", "pool", "strides")
def pooling_with_stride_one():
    return network(), network(pool=lambda: layers.MaxPooling2D(2, strides=1, name="pool"))


@different("arch.hyperparameter", "pool", "kind of layer")
def average_pooling_for_max_pooling():
    return network(), network(pool=lambda: layers.AveragePooling2D(2, name="pool"))


@different("arch.layer_missing", "norm")
def batch_normalization_left_out():
    return network(), network(normalise=False)


@different("arch.layer_missing", "third")
def a_convolution_left_out():
    return network(extra=True), network()


@different("arch.layer_missing", "GlobalAveragePooling2D")
def flatten_for_global_pooling():
    return network(head=layers.GlobalAveragePooling2D), network(head=layers.Flatten)


@different("arch.hyperparameter", "BatchNormalization", "epsilon")
def another_epsilon():
    def build(epsilon):
        return lambda: chain(
            SHAPE, layers.Conv2D(4, 3), layers.BatchNormalization(epsilon=epsilon), layers.Flatten(), layers.Dense(3)
        )

    return build(1e-3), build(1e-5)


@different("arch.hyperparameter", "BatchNormalization", "momentum")
def another_momentum():
    def build(momentum):
        return lambda: chain(
            SHAPE, layers.Conv2D(4, 3), layers.BatchNormalization(momentum=momentum), layers.Flatten(), layers.Dense(3)
        )

    return build(0.99), build(0.9)


@different("arch.hyperparameter", "BatchNormalization", "axis")
def normalisation_along_another_axis():
    def build(axis):
        return lambda: chain(
            SHAPE,
            layers.Conv2D(12, 3, padding="same"),
            layers.BatchNormalization(axis=axis),
            layers.Flatten(),
            layers.Dense(3),
        )

    return build(-1), build(1)


@different("arch.activation", "conv")
def another_slope_of_leaky_relu():
    return (
        lambda: chain(SHAPE, layers.Conv2D(4, 3, name="conv"), layers.LeakyReLU(), layers.Flatten(), layers.Dense(3)),
        lambda: chain(
            SHAPE, layers.Conv2D(4, 3, name="conv", activation="leaky_relu"), layers.Flatten(), layers.Dense(3)
        ),
    )


def residual(skip_from="block", merge="add"):
    def build():
        image = keras.Input(SHAPE)
        stem = layers.Conv2D(6, 3, padding="same", activation="relu", name="stem")(image)
        x = layers.Conv2D(6, 3, padding="same", activation="relu", name="one")(stem)
        y = layers.Conv2D(6, 3, padding="same", name="two")(x)
        if merge == "add":
            y = layers.Add(name="sum")([y, {"block": stem, "inner": x}[skip_from]])
        elif merge == "concatenate":
            y = layers.Concatenate(name="sum")([y, stem])
        y = layers.ReLU()(y)
        return keras.Model(image, layers.Dense(4)(layers.GlobalAveragePooling2D()(y)))

    return build


@different("arch.wiring", "sum")
def a_lost_skip_connection():
    return residual(), residual(merge=None)


@different("arch.wiring", "sum")
def a_skip_from_the_wrong_layer():
    return residual(), residual(skip_from="inner")


@different("arch.wiring", "sum")
def concatenation_for_addition():
    return residual(), residual(merge="concatenate")


@different("arch.disconnected", "second")
def a_layer_applied_to_the_wrong_tensor():
    def build(wrong):
        def make():
            image = keras.Input(SHAPE)
            x = layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(image)
            y = layers.Conv2D(4, 3, padding="same", activation="relu", name="second")(x)
            z = layers.Conv2D(4, 3, padding="same", activation="relu", name="third")(x if wrong else y)
            return keras.Model(image, layers.Dense(3)(layers.Flatten()(z)))

        return make

    return build(False), build(True)


@different("arch.disconnected", "RandomContrast")
def augmentation_that_is_overwritten():
    def build(wrong):
        def make():
            image = keras.Input(SHAPE)
            x = layers.RandomContrast(0.5, value_range=(0, 1))(image)
            x = layers.Conv2D(4, 3, activation="relu")(image if wrong else x)
            return keras.Model(image, layers.Dense(3)(layers.Flatten()(x)))

        return make

    return build(False), build(True)


@different("preprocessing", "caling")
def rescaling_in_one_model_only():
    return (
        lambda: chain(SHAPE, layers.Rescaling(1 / 255), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)),
        lambda: chain(SHAPE, layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)),
    )


@different("preprocessing", "factor")
def another_factor_of_rescaling():
    return (
        lambda: chain(SHAPE, layers.Rescaling(1 / 255), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)),
        lambda: chain(
            SHAPE, layers.Lambda(lambda x: x / 127.5), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)
        ),
    )


@different("arch.hyperparameter", "UpSampling2D", "interpolation")
def another_interpolation():
    def build(**options):
        return lambda: chain(SHAPE, layers.Conv2D(4, 3), layers.UpSampling2D(**options), layers.Conv2D(3, 3))

    return build(), build(interpolation="bilinear")


@different("arch.wiring", "activation relu")
def activation_before_normalisation():
    def build(first):
        def make():
            pair = [layers.ReLU(), layers.BatchNormalization(name="norm")]
            return chain(
                SHAPE,
                layers.Conv2D(4, 3, name="conv"),
                *(pair if first else pair[::-1]),
                layers.Flatten(),
                layers.Dense(3),
            )

        return make

    return build(False), build(True)


@different("arch.layer_missing", "Permute")
def reshape_for_permute():
    return (
        lambda: chain((6, 4, 3), layers.Permute((2, 1, 3)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)),
        lambda: chain((6, 4, 3), layers.Reshape((4, 6, 3)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)),
    )


# -- equal in spite of looks ---------------------------------------------------------------------------------------


@equal
def sequential_and_functional():
    def sequential():
        return keras.Sequential(
            [
                keras.Input(SHAPE),
                layers.Conv2D(6, 3, padding="same", activation="relu"),
                layers.BatchNormalization(),
                layers.MaxPooling2D(),
                layers.Conv2D(8, 3, activation="relu"),
                layers.Flatten(),
                layers.Dense(5),
            ]
        )

    return network(), sequential


@equal
def global_pooling_in_three_spellings():
    def spelled(x):
        return ops.mean(x, axis=(1, 2))

    return (
        lambda: chain(SHAPE, layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3)),
        lambda: chain(SHAPE, layers.Conv2D(4, 3), spelled, layers.Dense(3)),
    )


@equal
def average_pooling_over_everything():
    return (
        lambda: chain(SHAPE, layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3)),
        lambda: chain(SHAPE, layers.Conv2D(4, 3), layers.AveragePooling2D(10), layers.Flatten(), layers.Dense(3)),
    )


@equal
def a_convolution_of_one_and_a_dense_layer():
    return (
        lambda: chain(
            SHAPE, layers.Conv2D(4, 3), layers.Conv2D(7, 1, activation="relu"), layers.Flatten(), layers.Dense(3)
        ),
        lambda: chain(
            SHAPE, layers.Conv2D(4, 3), layers.Dense(7, activation="relu"), layers.Flatten(), layers.Dense(3)
        ),
    )


@equal
def padding_by_hand():
    return (
        lambda: chain(SHAPE, layers.Conv2D(4, 3, padding="same"), layers.ReLU(), layers.Flatten(), layers.Dense(3)),
        lambda: chain(
            SHAPE, layers.ZeroPadding2D(1), layers.Conv2D(4, 3), layers.ReLU(), layers.Flatten(), layers.Dense(3)
        ),
    )


@equal
def rescaling_and_division():
    return (
        lambda: chain(SHAPE, layers.Rescaling(1 / 255), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)),
        lambda: chain(SHAPE, lambda x: x / 255.0, layers.Conv2D(4, 3), layers.Reshape((-1,)), layers.Dense(3)),
    )


@equal
def branches_in_another_order():
    def build(swapped):
        def make():
            image = keras.Input(SHAPE)
            if swapped:
                wide = layers.Conv2D(4, 5, padding="same", activation="relu")(image)
                narrow = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
            else:
                narrow = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
                wide = layers.Conv2D(4, 5, padding="same", activation="relu")(image)
            x = layers.Add()([wide, narrow] if swapped else [narrow, wide])
            return keras.Model(image, layers.Dense(3)(layers.Flatten()(x)))

        return make

    return build(False), build(True)


@equal
def a_concatenation_in_another_order_before_a_dense_layer():
    def build(swapped):
        def make():
            image = keras.Input(SHAPE)
            narrow = layers.GlobalMaxPooling2D()(layers.Conv2D(4, 3, activation="relu")(image))
            wide = layers.Flatten()(layers.Conv2D(2, 5, activation="relu")(image))
            x = layers.Concatenate()([wide, narrow] if swapped else [narrow, wide])
            x = layers.Dropout(0.2)(layers.BatchNormalization()(x))
            return keras.Model(image, layers.Dense(3)(x))

        return make

    return build(False), build(True)


@equal
def nested_models_and_a_flat_one():
    def nested():
        block = keras.Sequential(
            [layers.Conv2D(6, 3, padding="same", activation="relu"), layers.BatchNormalization()], name="block"
        )
        tail = keras.Sequential([keras.Input((6, 6, 6)), layers.Conv2D(8, 3), layers.Activation("relu")])
        return chain(SHAPE, block, layers.MaxPooling2D(), tail, layers.Flatten(), layers.Dense(5))

    return network(), nested


@equal
def layers_that_do_nothing():
    def padded():
        return chain(
            SHAPE,
            layers.Identity(),
            layers.Conv2D(6, 3, padding="same"),
            layers.Activation("linear"),
            layers.Lambda(lambda x: ops.maximum(x, 0)),
            layers.Dropout(0.0),
            layers.BatchNormalization(),
            layers.GaussianNoise(0.0),
            layers.MaxPooling2D(),
            layers.ZeroPadding2D(0),
            layers.Conv2D(8, 3, activation=ops.relu),
            layers.Flatten(),
            layers.Flatten(),
            layers.Dense(5),
        )

    return network(), padded
