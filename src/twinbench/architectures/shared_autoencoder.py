"""An autoencoder whose encoder and decoder use one and the same convolutional block (claims C2, C3, C4, C8).

The repaired form of the published example: here the channel counts fit, so that the block can be used twice, and the
last layer has no sigmoid, with which every image comes out black on data as dark as MNIST, whatever the seed.
"""

from typing import Any

from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import lookalike, reference, twin

TASK = "reconstruct"


@reference
def functional(input_shape: tuple[int, ...], classes: int) -> Model:
    """The Functional API: the two layers of the block are called in the encoder and called again in the decoder."""
    image = Input(input_shape)
    first = layers.Conv2D(32, 3, padding="same", activation="relu")
    second = layers.Conv2D(32, 3, padding="same", activation="relu")
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(image)
    x = second(first(x))
    x = layers.MaxPooling2D()(x)
    code = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(code)
    x = second(first(x))
    x = layers.UpSampling2D()(x)
    restored = layers.Conv2D(input_shape[-1], 3, padding="same")(x)
    return Model(image, restored)


@twin
def sequential(input_shape: tuple[int, ...], classes: int) -> Model:
    """Two Sequentials, encoder and decoder, that hold the same layer objects: one set of weights."""
    first = layers.Conv2D(32, 3, padding="same", activation="relu")
    second = layers.Conv2D(32, 3, padding="same", activation="relu")
    encoder = Sequential(
        [
            Input(input_shape),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            first,
            second,
            layers.MaxPooling2D(),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
        ]
    )
    decoder = Sequential(
        [
            Input(encoder.output_shape[1:]),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            first,
            second,
            layers.UpSampling2D(),
            layers.Conv2D(input_shape[-1], 3, padding="same"),
        ]
    )
    return Sequential([Input(input_shape), encoder, decoder])


class SharedAutoencoder(Model):  # type: ignore[misc] # keras is untyped
    """The same layers, constructed in `__init__` and called in `call`, the shared ones twice."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = layers.Conv2D(32, 3, padding="same", activation="relu")
        self.second = layers.Conv2D(32, 3, padding="same", activation="relu")
        self.stem = layers.Conv2D(32, 3, padding="same", activation="relu")
        self.pool = layers.MaxPooling2D()
        self.squeeze = layers.Conv2D(4, 3, padding="same", activation="relu")
        self.expand = layers.Conv2D(32, 3, padding="same", activation="relu")
        self.enlarge = layers.UpSampling2D()
        self.restore = layers.Conv2D(channels, 3, padding="same")

    def call(self, image: Any) -> Any:
        """Return restored images of the input's shape."""
        code = self.squeeze(self.pool(self.second(self.first(self.stem(image)))))
        return self.restore(self.enlarge(self.second(self.first(self.expand(code)))))


@twin
def subclass(input_shape: tuple[int, ...], classes: int) -> Model:
    """A subclass of keras.Model that calls the shared layers twice."""
    return SharedAutoencoder(input_shape[-1])


@lookalike(differs="function")
def sequential_unshared(input_shape: tuple[int, ...], classes: int) -> Model:
    """A Sequential with a block of its own in the decoder: the drawing is the same, the parameters are not."""
    return Sequential(
        [
            Input(input_shape),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.UpSampling2D(),
            layers.Conv2D(input_shape[-1], 3, padding="same"),
        ]
    )
