"""Convolutional residual blocks with batch normalisation: each adds its input to its output (claim C5)."""

from typing import Any

from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import lookalike, reference, twin

TASK = "classify"
BLOCKS = 2
WIDTH = 16


@reference
def functional(input_shape: tuple[int, ...], classes: int, blocks: int = BLOCKS) -> Model:
    """The Functional API: the skip connection is one more tensor, added at the end of its block."""
    image = Input(input_shape)
    x = layers.Conv2D(WIDTH, 3, padding="same", activation="relu")(image)
    x = layers.MaxPooling2D()(x)
    for _ in range(blocks):
        skip = x
        x = layers.Conv2D(WIDTH, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.Conv2D(WIDTH, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Add()([skip, x])
        x = layers.ReLU()(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    logits = layers.Dense(classes)(x)
    return Model(image, logits)


class ResidualBlock(layers.Layer):  # type: ignore[misc] # keras is untyped
    """The block with its skip connection in one layer, so that it fits into a Sequential."""

    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Conv2D(WIDTH, 3, padding="same", use_bias=False)
        self.first_normalise = layers.BatchNormalization()
        self.rectify = layers.ReLU()
        self.second = layers.Conv2D(WIDTH, 3, padding="same", use_bias=False)
        self.second_normalise = layers.BatchNormalization()
        self.add = layers.Add()
        self.rectify_sum = layers.ReLU()

    def call(self, x: Any) -> Any:
        """Return a tensor of the input's shape; Keras hands the training mode on to the layers."""
        residual = self.rectify(self.first_normalise(self.first(x)))
        residual = self.second_normalise(self.second(residual))
        return self.rectify_sum(self.add([x, residual]))


@twin
def sequential_composite(input_shape: tuple[int, ...], classes: int, blocks: int = BLOCKS) -> Model:
    """The Sequential API, each residual block one composite layer."""
    return Sequential(
        [
            Input(input_shape),
            layers.Conv2D(WIDTH, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            *[ResidualBlock() for _ in range(blocks)],
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(classes),
        ]
    )


class ResidualCNN(Model):  # type: ignore[misc] # keras is untyped
    """The same layers, constructed in `__init__` and called in `call`."""

    def __init__(self, classes: int, blocks: int) -> None:
        super().__init__()
        self.stem = layers.Conv2D(WIDTH, 3, padding="same", activation="relu")
        self.first_pool = layers.MaxPooling2D()
        self.blocks = [ResidualBlock() for _ in range(blocks)]
        self.second_pool = layers.MaxPooling2D()
        self.flatten = layers.Flatten()
        self.head = layers.Dense(classes)

    def call(self, image: Any, training: bool | None = None) -> Any:
        """Return logits (batch, classes). Without `training` here, `fit` would run every layer in inference mode."""
        x = self.first_pool(self.stem(image))
        for block in self.blocks:
            x = block(x)
        return self.head(self.flatten(self.second_pool(x)))


@twin
def subclass(input_shape: tuple[int, ...], classes: int, blocks: int = BLOCKS) -> Model:
    """A subclass of keras.Model: the graph exists only while `call` runs."""
    return ResidualCNN(classes, blocks)


@lookalike(differs="function")
def sequential_no_skip(input_shape: tuple[int, ...], classes: int, blocks: int = BLOCKS) -> Model:
    """A Sequential of the same layers without the skips: the same parameters, wired in one line."""
    stack = [Input(input_shape), layers.Conv2D(WIDTH, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    for _ in range(blocks):
        stack += [
            layers.Conv2D(WIDTH, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(WIDTH, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
    return Sequential([*stack, layers.MaxPooling2D(), layers.Flatten(), layers.Dense(classes)])
