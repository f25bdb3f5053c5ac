"""The convolutional network of Keras's MNIST example, 1,199,882 parameters on 28x28 images (claim C1).

Published: keras-team/keras, examples/mnist_cnn.py of Keras 2, "99.25 % test accuracy after 12 epochs", Adadelta at
its default rate of then, 1.0; today's default of 0.001 learns too slowly to get there.
Here the network ends in logits, on which the loss gives what it gives on the published softmax, and a tenth of the
training images is held out, on which the published one trained too.
"""

from typing import Any

from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import reference, twin

TASK = "classify"
DEFAULT = False
RECIPE = {"optimizer": "adadelta", "learning_rate": 1.0, "epochs": 12, "batch_size": 128}
PUBLISHED = 99.25


@reference
def functional(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Functional API: tensors are passed from layer to layer by hand."""
    image = Input(input_shape)
    x = layers.Conv2D(32, 3, activation="relu")(image)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.25)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    return Model(image, layers.Dense(classes)(x))


@twin
def sequential(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API with an Input: built at once."""
    return Sequential(
        [
            Input(input_shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
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
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(classes),
        ]
    )


class MnistCNN(Model):  # type: ignore[misc] # keras is untyped
    """The same layers, constructed in `__init__` and called in `call`."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first = layers.Conv2D(32, 3, activation="relu")
        self.second = layers.Conv2D(64, 3, activation="relu")
        self.pool = layers.MaxPooling2D()
        self.pool_dropout = layers.Dropout(0.25)
        self.flatten = layers.Flatten()
        self.hidden = layers.Dense(128, activation="relu")
        self.hidden_dropout = layers.Dropout(0.5)
        self.head = layers.Dense(classes)

    def call(self, image: Any, training: bool | None = None) -> Any:
        """Return logits (batch, classes). Without `training` here, `fit` would run every layer in inference mode."""
        x = self.pool_dropout(self.pool(self.second(self.first(image))))
        return self.head(self.hidden_dropout(self.hidden(self.flatten(x))))


@twin
def subclass(input_shape: tuple[int, ...], classes: int) -> Model:
    """A subclass of keras.Model: the graph exists only while `call` runs."""
    return MnistCNN(classes)
