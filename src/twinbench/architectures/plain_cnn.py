"""A plain stack of two convolutional stages, with batch normalisation and dropout (claim C1)."""

from typing import Any

from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import lookalike, reference, twin

TASK = "classify"


@reference
def functional(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Functional API: tensors are passed from layer to layer by hand."""
    image = Input(input_shape)
    x = layers.Conv2D(32, 3, padding="same")(image)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.25)(x)
    logits = layers.Dense(classes)(x)
    return Model(image, logits)


@twin
def sequential(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API with an Input: built at once."""
    return Sequential(
        [
            Input(input_shape),
            layers.Conv2D(32, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(classes),
        ]
    )


@twin
def sequential_deferred(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API without an Input: it has no weights before its first call."""
    return Sequential(
        [
            layers.Conv2D(32, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(classes),
        ]
    )


class PlainCNN(Model):  # type: ignore[misc] # keras is untyped
    """The same layers, constructed in `__init__` and called in `call`."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first = layers.Conv2D(32, 3, padding="same")
        self.normalise = layers.BatchNormalization()
        self.rectify = layers.ReLU()
        self.first_pool = layers.MaxPooling2D()
        self.second = layers.Conv2D(64, 3, padding="same", activation="relu")
        self.second_pool = layers.MaxPooling2D()
        self.flatten = layers.Flatten()
        self.dropout = layers.Dropout(0.25)
        self.head = layers.Dense(classes)

    def call(self, image: Any, training: bool | None = None) -> Any:
        """Return logits (batch, classes). Without `training` here, `fit` would run every layer in inference mode."""
        x = self.first_pool(self.rectify(self.normalise(self.first(image))))
        x = self.flatten(self.second_pool(self.second(x)))
        return self.head(self.dropout(x))


@twin
def subclass(input_shape: tuple[int, ...], classes: int) -> Model:
    """A subclass of keras.Model: the graph exists only while `call` runs."""
    return PlainCNN(classes)


@lookalike(differs="initial weights")
def functional_reordered(input_shape: tuple[int, ...], classes: int) -> Model:
    """The same graph, its layers constructed last to first: each draws another seed for its initial weights."""
    head = layers.Dense(classes)
    second = layers.Conv2D(64, 3, padding="same", activation="relu")
    first = layers.Conv2D(32, 3, padding="same")
    image = Input(input_shape)
    x = layers.ReLU()(layers.BatchNormalization()(first(image)))
    x = second(layers.MaxPooling2D()(x))
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    return Model(image, head(layers.Dropout(0.25)(x)))
