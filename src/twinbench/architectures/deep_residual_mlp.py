"""Thirty dense residual blocks: deep enough that a lost skip connection shows (claim C5)."""

from typing import Any

from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import lookalike, reference, twin

TASK = "classify"
COMPILER = "xla"
BLOCKS = 30
WIDTH = 64


@reference
def functional(input_shape: tuple[int, ...], classes: int, blocks: int = BLOCKS) -> Model:
    """The Functional API: the skip connection is one more tensor, added at the end of its block."""
    image = Input(input_shape)
    x = layers.Flatten()(image)
    x = layers.Dense(WIDTH)(x)
    for _ in range(blocks):
        residual = layers.Dense(WIDTH, activation="tanh")(x)
        x = layers.Add()([x, residual])
    x = layers.LayerNormalization()(x)
    logits = layers.Dense(classes)(x)
    return Model(image, logits)


class ResidualBlock(layers.Layer):  # type: ignore[misc] # keras is untyped
    """The block with its skip connection in one layer, so that it fits into a Sequential."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(WIDTH, activation="tanh")
        self.add = layers.Add()

    def call(self, x: Any) -> Any:
        """Return a tensor of the input's shape, (batch, WIDTH)."""
        return self.add([x, self.dense(x)])


@twin
def sequential_composite(input_shape: tuple[int, ...], classes: int, blocks: int = BLOCKS) -> Model:
    """The Sequential API, each residual block one composite layer."""
    return Sequential(
        [
            Input(input_shape),
            layers.Flatten(),
            layers.Dense(WIDTH),
            *[ResidualBlock() for _ in range(blocks)],
            layers.LayerNormalization(),
            layers.Dense(classes),
        ]
    )


@lookalike(differs="function")
def sequential_no_skip(input_shape: tuple[int, ...], classes: int, blocks: int = BLOCKS) -> Model:
    """A Sequential of the same layers without the skips: the same parameters, wired in one line."""
    return Sequential(
        [
            Input(input_shape),
            layers.Flatten(),
            layers.Dense(WIDTH),
            *[layers.Dense(WIDTH, activation="tanh") for _ in range(blocks)],
            layers.LayerNormalization(),
            layers.Dense(classes),
        ]
    )
