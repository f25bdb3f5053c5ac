"""The left and the right half of the image go through one shared encoder and are merged (claims C2, C4, C8)."""

from typing import Any

from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import lookalike, reference, twin

TASK = "classify"


@reference
def functional(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Functional API: one encoder model, called on each half."""
    half = input_shape[1] // 2
    rest = input_shape[1] - half
    view = Input((input_shape[0], half, input_shape[2]))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(view)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="relu")(x)
    encoder = Model(view, x)

    image = Input(input_shape)
    left = encoder(layers.Cropping2D(((0, 0), (0, rest)))(image))
    right = encoder(layers.Cropping2D(((0, 0), (rest, 0)))(image))
    logits = layers.Dense(classes)(layers.Concatenate()([left, right]))
    return Model(image, logits)


class TwoViews(layers.Layer):  # type: ignore[misc] # keras is untyped
    """Both views and their one encoder in one layer: one tensor in, one tensor out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        rest = width - half
        self.encoder = Sequential(
            [
                layers.Conv2D(16, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(32, activation="relu"),
            ]
        )
        self.left = layers.Cropping2D(((0, 0), (0, rest)))
        self.right = layers.Cropping2D(((0, 0), (rest, 0)))
        self.join = layers.Concatenate()

    def call(self, image: Any) -> Any:
        """Return the merged features (batch, 64)."""
        return self.join([self.encoder(self.left(image)), self.encoder(self.right(image))])


@twin
def sequential_composite(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API, the two views inside one composite layer."""
    return Sequential([Input(input_shape), TwoViews(input_shape[1]), layers.Dense(classes)])


class SharedViews(Model):  # type: ignore[misc] # keras is untyped
    """The same layers, constructed in `__init__` and called in `call`."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.views = TwoViews(width)
        self.head = layers.Dense(classes)

    def call(self, image: Any) -> Any:
        """Return logits (batch, classes)."""
        return self.head(self.views(image))


@twin
def subclass(input_shape: tuple[int, ...], classes: int) -> Model:
    """A subclass of keras.Model: the graph exists only while `call` runs."""
    return SharedViews(input_shape[1], classes)


@lookalike(differs="function")
def functional_unshared(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Functional API with an encoder for each half: twice the encoder's parameters."""
    half = input_shape[1] // 2
    rest = input_shape[1] - half
    image = Input(input_shape)
    views = []
    for crop in (((0, 0), (0, rest)), ((0, 0), (rest, 0))):
        x = layers.Cropping2D(crop)(image)
        x = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
        x = layers.Flatten()(x)
        views.append(layers.Dense(32, activation="relu")(x))
    logits = layers.Dense(classes)(layers.Concatenate()(views))
    return Model(image, logits)
