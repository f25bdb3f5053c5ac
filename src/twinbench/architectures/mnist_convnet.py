"""The "Simple MNIST convnet" of keras.io, 34,826 parameters on 28x28 images (claim C1).

Published: https://keras.io/examples/vision/mnist_convnet/, 99.22 % test accuracy after 15 epochs, Adam at its
default rate of 0.001; a tenth of the training images is held out there too. Here the network ends in logits, on which
the loss gives what it gives on the published softmax.
"""

from typing import Any

from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import reference, twin

TASK = "classify"
DEFAULT = False
RECIPE = {"optimizer": "adam", "learning_rate": 0.001, "epochs": 15, "batch_size": 128}
PUBLISHED = 99.22


def pooling(input_shape: tuple[int, ...]) -> layers.Layer:
    """The published pooling; on images of fewer than 10 pixels, of which it leaves nothing, with padding."""
    return layers.MaxPooling2D(padding="valid" if min(input_shape[:2]) >= 10 else "same")


@reference
def functional(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Functional API: tensors are passed from layer to layer by hand."""
    image = Input(input_shape)
    x = layers.Conv2D(32, 3, activation="relu")(image)
    x = pooling(input_shape)(x)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    x = pooling(input_shape)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.5)(x)
    return Model(image, layers.Dense(classes)(x))


@twin
def sequential(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API with an Input: built at once."""
    return Sequential(
        [
            Input(input_shape),
            layers.Conv2D(32, 3, activation="relu"),
            pooling(input_shape),
            layers.Conv2D(64, 3, activation="relu"),
            pooling(input_shape),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(classes),
        ]
    )


@twin
def sequential_deferred(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API without an Input: it has no weights before its first call."""
    return Sequential(
        [
            layers.Conv2D(32, 3, activation="relu"),
            pooling(input_shape),
            layers.Conv2D(64, 3, activation="relu"),
            pooling(input_shape),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(classes),
        ]
    )


class MnistConvnet(Model):  # type: ignore[misc] # keras is untyped
    """The same layers, constructed in `__init__` and called in `call`."""

    def __init__(self, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.first = layers.Conv2D(32, 3, activation="relu")
        self.first_pool = pooling(input_shape)
        self.second = layers.Conv2D(64, 3, activation="relu")
        self.second_pool = pooling(input_shape)
        self.flatten = layers.Flatten()
        self.dropout = layers.Dropout(0.5)
        self.head = layers.Dense(classes)

    def call(self, image: Any, training: bool | None = None) -> Any:
        """Return logits (batch, classes). Without `training` here, `fit` would run every layer in inference mode."""
        x = self.second_pool(self.second(self.first_pool(self.first(image))))
        return self.head(self.dropout(self.flatten(x)))


@twin
def subclass(input_shape: tuple[int, ...], classes: int) -> Model:
    """A subclass of keras.Model: the graph exists only while `call` runs."""
    return MnistConvnet(input_shape, classes)
