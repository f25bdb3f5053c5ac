"""The dense network of Keras's MNIST example, 669,706 parameters on 28x28 images (claim C1).

Published: keras-team/keras, examples/mnist_mlp.py of Keras 2, "98.40 % test accuracy after 20 epochs", RMSprop at
its default rate of 0.001.
Here the network ends in logits, on which the loss gives what it gives on the published softmax, and a tenth of the
training images is held out, on which the published one trained too.
"""

from typing import Any

from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import reference, twin

TASK = "classify"
COMPILER = "xla"
DEFAULT = False
RECIPE = {"optimizer": "rmsprop", "learning_rate": 0.001, "epochs": 20, "batch_size": 128}
PUBLISHED = 98.40


@reference
def functional(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Functional API: tensors are passed from layer to layer by hand."""
    image = Input(input_shape)
    x = layers.Flatten()(image)
    x = layers.Dense(512, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(512, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    return Model(image, layers.Dense(classes)(x))


@twin
def sequential(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API with an Input: built at once."""
    return Sequential(
        [
            Input(input_shape),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(classes),
        ]
    )


@twin
def sequential_deferred(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API without an Input: it has no weights before its first call."""
    return Sequential(
        [
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(classes),
        ]
    )


class MnistPerceptron(Model):  # type: ignore[misc] # keras is untyped
    """The same layers, constructed in `__init__` and called in `call`."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.flatten = layers.Flatten()
        self.first = layers.Dense(512, activation="relu")
        self.first_dropout = layers.Dropout(0.2)
        self.second = layers.Dense(512, activation="relu")
        self.second_dropout = layers.Dropout(0.2)
        self.head = layers.Dense(classes)

    def call(self, image: Any, training: bool | None = None) -> Any:
        """Return logits (batch, classes). Without `training` here, `fit` would run every layer in inference mode."""
        x = self.first_dropout(self.first(self.flatten(image)))
        return self.head(self.second_dropout(self.second(x)))


@twin
def subclass(input_shape: tuple[int, ...], classes: int) -> Model:
    """A subclass of keras.Model: the graph exists only while `call` runs."""
    return MnistPerceptron(classes)
