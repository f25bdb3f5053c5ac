"""A multilayer perceptron: one hidden layer, no branches, nothing shared (claim C1)."""

from typing import Any

from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import lookalike, reference, twin

TASK = "classify"
COMPILER = "xla"


@reference
def functional(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Functional API: tensors are passed from layer to layer by hand."""
    image = Input(input_shape)
    x = layers.Flatten()(image)
    x = layers.Dense(128, activation="relu")(x)
    logits = layers.Dense(classes)(x)
    return Model(image, logits)


@twin
def sequential(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API with an Input: built at once."""
    return Sequential(
        [Input(input_shape), layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(classes)]
    )


@twin
def sequential_deferred(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API without an Input: it has no weights before its first call."""
    return Sequential([layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(classes)])


class Perceptron(Model):  # type: ignore[misc] # keras is untyped
    """The same layers, constructed in `__init__` and called in `call`."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.flatten = layers.Flatten()
        self.hidden = layers.Dense(128, activation="relu")
        self.head = layers.Dense(classes)

    def call(self, image: Any) -> Any:
        """Return logits (batch, classes)."""
        return self.head(self.hidden(self.flatten(image)))


@twin
def subclass(input_shape: tuple[int, ...], classes: int) -> Model:
    """A subclass of keras.Model: the graph exists only while `call` runs."""
    return Perceptron(classes)


@lookalike(differs="initial weights")
def functional_reordered(input_shape: tuple[int, ...], classes: int) -> Model:
    """The same graph, its layers constructed last to first: each draws another seed for its initial weights."""
    head = layers.Dense(classes)
    hidden = layers.Dense(128, activation="relu")
    image = Input(input_shape)
    return Model(image, head(hidden(layers.Flatten()(image))))
