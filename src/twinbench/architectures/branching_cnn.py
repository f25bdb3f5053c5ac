"""One stem, two branches of different depth, joined again (claim C6)."""

from typing import Any

from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import lookalike, reference, twin

TASK = "classify"


@reference
def functional(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Functional API: two calls on one tensor, joined by Concatenate."""
    image = Input(input_shape)
    stem = layers.Conv2D(32, 3, padding="same", activation="relu")(image)
    wide = layers.Conv2D(64, 3, padding="same", activation="relu")(stem)
    wide = layers.GlobalAveragePooling2D()(wide)
    narrow = layers.Conv2D(16, 3, padding="same", activation="relu")(stem)
    narrow = layers.MaxPooling2D()(narrow)
    narrow = layers.Flatten()(narrow)
    joined = layers.Concatenate()([wide, narrow])
    logits = layers.Dense(classes)(joined)
    return Model(image, logits)


class Branches(layers.Layer):  # type: ignore[misc] # keras is untyped
    """Both branches in one layer: one tensor in, one tensor out, so that it fits into a Sequential."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = layers.Conv2D(64, 3, padding="same", activation="relu")
        self.average = layers.GlobalAveragePooling2D()
        self.narrow = layers.Conv2D(16, 3, padding="same", activation="relu")
        self.pool = layers.MaxPooling2D()
        self.flatten = layers.Flatten()
        self.join = layers.Concatenate()

    def call(self, stem: Any) -> Any:
        """Return the joined features (batch, 64 + 16 * (height // 2) * (width // 2))."""
        return self.join([self.average(self.wide(stem)), self.flatten(self.pool(self.narrow(stem)))])


@twin
def sequential_composite(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Sequential API, the two branches inside one composite layer."""
    return Sequential(
        [Input(input_shape), layers.Conv2D(32, 3, padding="same", activation="relu"), Branches(), layers.Dense(classes)]
    )


class BranchingCNN(Model):  # type: ignore[misc] # keras is untyped
    """The same layers, constructed in `__init__` and called in `call`."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = layers.Conv2D(32, 3, padding="same", activation="relu")
        self.branches = Branches()
        self.head = layers.Dense(classes)

    def call(self, image: Any) -> Any:
        """Return logits (batch, classes)."""
        return self.head(self.branches(self.stem(image)))


@twin
def subclass(input_shape: tuple[int, ...], classes: int) -> Model:
    """A subclass of keras.Model: the graph exists only while `call` runs."""
    return BranchingCNN(classes)


@lookalike(differs="function")
def sequential_linear(input_shape: tuple[int, ...], classes: int) -> Model:
    """A Sequential of one path whose parameter count matches within 2 %: as large, and another network."""
    # Solved for the width at which 288w + w (this layer) and 144w + 16 (the next) together weigh what the
    # two branches weigh, 18,496 + 4,624, with the wide branch's 64 inputs of the head.
    width = round((18_496 + 4_624 + 64 * classes - 16) / 433)
    return Sequential(
        [
            Input(input_shape),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(width, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(classes),
        ]
    )


@lookalike(differs="function")
def sequential_one_branch(input_shape: tuple[int, ...], classes: int) -> Model:
    """A Sequential that keeps one branch and drops the other: what a linear stack leaves of the drawing."""
    return Sequential(
        [
            Input(input_shape),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(classes),
        ]
    )
