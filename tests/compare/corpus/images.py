"""Networks for images: U-Net, residual and inception blocks, squeeze-and-excitation, augmentation in the model."""

import keras
import numpy as np
from keras import layers, ops

from . import chain, guilty, innocent

SHAPE = (8, 8, 3)


def unet(skip_first=False, skip_from="second"):
    """Two levels; at each a skip connection, joined before or behind what comes from below."""

    def build():
        x = start = keras.Input(SHAPE)
        skips = []
        for level, filters in enumerate((4, 6)):
            first = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"down{level}_first")(x)
            second = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"down{level}_second")(first)
            skips.append(first if skip_from == "first" and level == 0 else second)
            x = layers.MaxPooling2D()(second)
        x = layers.Conv2D(8, 3, padding="same", activation="relu", name="bottom")(x)
        for level, filters in ((1, 6), (0, 4)):
            x = layers.Conv2DTranspose(filters, 2, strides=2, name=f"up{level}")(x)
            parts = [skips[level], x] if skip_first else [x, skips[level]]
            x = layers.Concatenate(name=f"join{level}")(parts)
            x = layers.Conv2D(filters, 3, padding="same", name=f"up{level}_first")(x)
            x = layers.ReLU()(layers.BatchNormalization(name=f"norm{level}")(x))
        return keras.Model(start, layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x))

    return build


def turned_joins(a, b):
    """From [up, skip] to [skip, up]: the halves of the kernels that read the join change places."""
    weights = {weight.path: np.array(weight) for weight in a.weights}
    return [
        np.roll(weights[w.path], w.shape[2] // 2, 2)
        if "_first/kernel" in w.path and w.path[:2] == "up"
        else weights[w.path]
        for w in b.weights
    ]


@innocent(8, carry=turned_joins)
def skip_connections_joined_in_another_order():
    return unet(), unet(skip_first=True)


@guilty(8, "arch.wiring", "join0", differs="inference")
def a_skip_connection_from_the_wrong_layer():
    return unet(), unet(skip_from="first")


def residual(epsilon=1e-3, padding="same", activation="relu", inner=None, blocks=2):
    """A small ResNet whose second block halves the image; `inner` replaces batch normalisation."""

    def convolution(x, filters, strides):
        if padding == "by hand":
            x = layers.ZeroPadding2D()(x)
        way = "same" if padding == "same" else "valid"
        return layers.Conv2D(filters, 3, strides, padding=way, use_bias=False)(x)

    def normalise():
        return inner() if inner else layers.BatchNormalization(epsilon=epsilon)

    def build(halve=2):
        x = start = keras.Input(SHAPE)
        x = layers.Conv2D(4, 1)(x)
        for _ in range(blocks):
            y = layers.ReLU()(normalise()(convolution(x, 4, 1)))
            x = layers.ReLU()(layers.Add()([x, normalise()(convolution(y, 4, 1))]))
        x = layers.ReLU(name="last")(convolution(x, 6, halve))
        return keras.Model(start, layers.Dense(3, activation=activation)(layers.GlobalAveragePooling2D()(x)))

    return build


@innocent(15)
def zeros_around_the_image_by_hand():
    def build(padding):
        return lambda: residual(padding=padding, activation=None)(halve=1)

    return build("same"), build("by hand")


@guilty(15, ("arch.hyperparameter", "arch.layer_missing"), differs="inference")
def zeros_on_both_sides_of_a_halving_convolution():
    return residual(activation=None), residual(padding="by hand", activation=None)


@guilty(15, "arch.hyperparameter", "epsilon", differs="inference", clear=1e-4)
def the_epsilon_of_another_library_in_normalisation():
    return residual(), residual(epsilon=1e-5)


class Merged(layers.Layer):
    """A residual block of its own, as people write it in subclassed networks."""

    def __init__(self, filters, skip=True):
        super().__init__()
        self.skip = skip
        self.first = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        self.norm = layers.BatchNormalization()
        self.second = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        self.norm2 = layers.BatchNormalization()

    def call(self, x, training=None):
        y = ops.relu(self.norm(self.first(x), training=training))
        y = self.norm2(self.second(y), training=training)
        return ops.relu(x + y) if self.skip else ops.relu(y)


def blocks_of_their_own(skip=True):
    class ResNet(keras.Model):
        def __init__(self):
            super().__init__()
            self.stem = layers.Conv2D(4, 1)
            self.blocks = [Merged(4), Merged(4, skip)]
            self.last = layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False)
            self.head = layers.Dense(3)

        def call(self, x, training=None):
            x = self.stem(x)
            for block in self.blocks:
                x = block(x, training=training)
            x = ops.relu(self.last(x))
            return self.head(ops.mean(x, axis=(1, 2)))

    return ResNet


@innocent(8)
def residual_blocks_as_layers():
    return residual(activation=None), blocks_of_their_own()


@guilty(8, "arch.wiring", differs="inference")
def one_residual_block_without_its_skip():
    return residual(activation=None), blocks_of_their_own(skip=False)


def grouped(by_hand):
    def build():
        x = start = keras.Input((8, 8, 4))
        if by_hand:
            parts = ops.split(x, 2, axis=-1)
            parts = [layers.Conv2D(3, 3, name=f"group{k}")(part) for k, part in enumerate(parts)]
            x = layers.Concatenate()(parts)
        else:
            x = layers.Conv2D(6, 3, groups=2, name="groups")(x)
        x = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.BatchNormalization()(x)))
        return keras.Model(start, layers.Dense(2)(x))

    return build


def ungrouping(a, b):
    kernel, bias, *rest = a.get_weights()
    return [kernel[..., :3], bias[:3], kernel[..., 3:], bias[3:], *rest]


@innocent(8, carry=ungrouping)
def groups_of_channels_by_hand():
    return grouped(by_hand=False), grouped(by_hand=True)


def inception(order, pool="max"):
    """Two blocks whose branches are listed in an order of their own."""

    def block(x, k):
        pooling = layers.MaxPooling2D if pool == "max" or k else layers.AveragePooling2D
        branches = {
            "one": lambda: layers.Conv2D(2, 1, name=f"one{k}")(x),
            "three": lambda: layers.Conv2D(3, 3, padding="same", name=f"three{k}")(x),
            "pool": lambda: layers.Conv2D(4, 1, name=f"pool{k}")(pooling(3, 1, padding="same")(x)),
        }
        x = layers.Concatenate()([branches[name]() for name in order])
        return layers.ReLU()(layers.BatchNormalization(name=f"norm{k}")(x))

    def build():
        start = keras.Input(SHAPE)
        x = layers.GlobalAveragePooling2D()(block(block(start, 0), 1))
        return keras.Model(start, layers.Dense(3, name="out")(x))

    return build


def rearranged(a, b):
    """From one, three, pool to pool, one, three: channels 9 wide, of which the last 4 come first."""
    weights = {weight.path: np.array(weight) for weight in a.weights}
    placed = []
    for weight in b.weights:
        value = weights[weight.path]
        if "norm" in weight.path:
            value = np.roll(value, 4)
        elif weight.path == "out/kernel" or (weight.path.endswith("1/kernel")):
            value = np.roll(value, 4, -2)
        placed.append(value)
    return placed


@innocent(8, carry=rearranged)
def branches_listed_in_another_order_two_blocks_deep():
    return inception(("one", "three", "pool")), inception(("pool", "one", "three"))


@guilty(8, "arch.", "ooling", differs="inference", carry=rearranged)
def branches_in_another_order_and_another_pooling():
    return inception(("one", "three", "pool")), inception(("pool", "one", "three"), pool="average")


def excited(how, gate="sigmoid"):
    """A convolution whose channels are weighed by squeeze-and-excitation."""

    def build():
        start = keras.Input(SHAPE)
        x = layers.Conv2D(6, 3, activation="relu")(start)
        if how == "dense":
            y = layers.GlobalAveragePooling2D()(x)
            y = layers.Dense(6, activation=gate, name="gate")(layers.Dense(2, activation="relu")(y))
            x = layers.Multiply()([x, layers.Reshape((1, 1, 6))(y)])
        else:
            y = ops.mean(x, axis=(1, 2), keepdims=True)
            y = layers.Conv2D(6, 1, name="gate")(ops.relu(layers.Conv2D(2, 1)(y)))
            x = x * ops.sigmoid(y)
        return keras.Model(start, layers.Dense(3)(layers.Flatten()(x)))

    return build


@innocent(8)
def excitation_by_dense_layers_and_by_convolutions():
    return excited("dense"), excited("convolutions")


@guilty(8, "arch.activation", "gate", differs="inference")
def excitation_with_another_gate():
    return excited("convolutions"), excited("dense", gate="tanh")


@innocent(8)
def a_separable_convolution_in_its_two_parts():
    return (
        lambda: chain(SHAPE, layers.SeparableConv2D(5, 3), layers.ReLU(), layers.GlobalMaxPooling2D(), layers.Dense(3)),
        lambda: chain(
            SHAPE,
            layers.DepthwiseConv2D(3, use_bias=False),
            layers.Conv2D(5, 1),
            layers.ReLU(),
            layers.GlobalMaxPooling2D(),
            layers.Dense(3),
        ),
    )


# -- augmentation in the model -------------------------------------------------------------------------------------


def augmented(nested=False, rotation=0.1, contrast=0.2):
    def build():
        steps = [
            layers.RandomFlip("horizontal", name="flip"),
            layers.RandomRotation(rotation, name="turn"),
            layers.RandomContrast(contrast, name="contrast"),
        ]
        front = [keras.Sequential(steps, name="augmentation")] if nested else steps
        return chain(
            SHAPE,
            *front,
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(3),
        )

    return build


def pictures():
    return np.random.default_rng(0).uniform(0, 255, (4, *SHAPE)).astype("float32")


@innocent(9, inputs=pictures)
def augmentation_inside_and_beside():
    return augmented(nested=True), augmented()


@guilty(9, ("preprocessing", "arch.hyperparameter"), "turn", differs="training", inputs=pictures)
def images_turned_further():
    return augmented(), augmented(rotation=0.4)


@guilty(9, ("mode.bn_dropout", "arch.wiring"), differs="inference", inputs=pictures)
def augmentation_left_on_in_inference():
    class Always(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = augmented(nested=True)()

        def call(self, x):
            x = self.inner.layers[1](x, training=True)
            for layer in self.inner.layers[2:]:
                x = layer(x)
            return x

    return augmented(nested=True), lambda: chain(SHAPE, Always())


@innocent(15)
def channels_moved_there_and_back():
    def build(*there):
        moves = [layers.Permute(axes) for axes in there]
        return chain(SHAPE, *moves, layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(3))

    return build, lambda: build((3, 1, 2), (2, 3, 1))
