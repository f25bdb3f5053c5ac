"""The article's two shared-layer autoencoders exactly as they were published, which is why neither runs.

Both use two convolutions, A (32 filters) and B (64 filters), in the encoder and again in the decoder. Their
repaired forms, in which the channel counts fit, are the architecture `shared_autoencoder`; these here are
built, not trained.
"""

import keras
from keras import layers


def _shared_layers() -> tuple[keras.layers.Layer, keras.layers.Layer]:
    return (
        layers.Conv2D(32, 3, activation="relu", padding="same", name="A"),
        layers.Conv2D(64, 3, activation="relu", padding="same", name="B"),
    )


def _upward() -> list[keras.layers.Layer]:
    return [
        layers.Conv2DTranspose(64, 3, activation="relu", padding="same"),
        layers.Conv2DTranspose(32, 3, activation="relu", padding="same"),
        layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same"),
    ]


def sequential_autoencoder() -> keras.Model:
    """Claim C3a: two Sequentials that share A and B; it builds and counts, and fails on the first batch.

    The decoder was built for one channel, and the encoder hands it 64.
    """
    first, second = _shared_layers()
    encoder = keras.Sequential([keras.Input((28, 28, 1)), first, second])
    decoder = keras.Sequential([keras.Input((28, 28, 1)), first, second, *_upward()])
    return keras.Model(encoder.inputs, decoder(encoder.outputs))


def functional_autoencoder() -> keras.Model:
    """Claim C3b: the decoder applies B to 64 channels, though B was built for 32; building it raises ValueError."""
    first, second = _shared_layers()
    image = keras.Input((28, 28, 1))
    encoder = keras.Model(image, second(first(image)))
    code = keras.Input((28, 28, 64))
    x = first(second(code))
    for layer in _upward():
        x = layer(x)
    decoder = keras.Model(code, x)
    return keras.Model(image, decoder(encoder(image)))


def intended_autoencoder() -> keras.Model:
    """What both describe, with layers of its own in the decoder: the reference that they are held against."""
    image = keras.Input((28, 28, 1))
    first, second = _shared_layers()
    x = second(first(image))
    x = layers.Conv2D(64, 3, activation="relu", padding="same", name="B_again")(x)
    x = layers.Conv2D(32, 3, activation="relu", padding="same", name="A_again")(x)
    for layer in _upward():
        x = layer(x)
    return keras.Model(image, x)
