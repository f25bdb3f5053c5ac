"""Random numbers that models draw while they run: silenced, or the same for both."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

_NOISE_ATTRIBUTES = ("rate", "stddev", "dropout", "recurrent_dropout")
_NEXT = keras.random.SeedGenerator.next
_seeds: list[int | None] = [0]


@contextmanager
def without_noise(*models: keras.Model, silenced: bool = True, seed: int = 0, repeated: bool = True) -> Iterator[None]:
    """Silence dropout and noise layers, and let random generators repeat themselves.

    So training mode can be compared number by number: noise that a model draws itself is the same wherever it has the
    same shape, in whatever order it is drawn.

    Args:
        models: Whose layers are silenced.
        silenced: Whether they are; if not, they draw as a layer of the person's own does.
        seed: Where the generators start.
        repeated: Whether TensorFlow's own random operations start again in each call, too.
    """
    draw, before = _NEXT(keras.random.SeedGenerator(seed)), keras.random.SeedGenerator.next
    changed = [setting for model in models if silenced for setting in noise_of(model)]
    for holder, name, _ in changed:
        setattr(holder, name, 0.0)
    keras.random.SeedGenerator.next = lambda self, ordered=True: draw
    _seeds.append(seed if repeated else None)
    try:
        yield
    finally:
        _seeds.pop()
        keras.random.SeedGenerator.next = before
        for holder, name, value in changed:
            setattr(holder, name, value)


def noise_of(model: keras.Model) -> list[tuple[Any, str, float]]:
    """The settings of a model's layers and cells that make Keras's own noise: whose, their names, and values."""
    holders = [
        holder
        for layer in model._flatten_layers(include_self=True, recursive=True)
        for holder in (layer, getattr(layer, "cell", None))
        if holder is not None and _is_noise(holder)
    ]
    settings = [(holder, name, getattr(holder, name, None)) for holder in holders for name in _NOISE_ATTRIBUTES]
    return [(holder, name, value) for holder, name, value in settings if isinstance(value, float) and value > 0]


def start_drawing_again() -> None:
    """Let TensorFlow's own random operations, too, start where they started in the call before."""
    if _seeds[-1] is not None:
        tf.random.set_seed(_seeds[-1])


def _is_noise(holder: Any) -> bool:
    cls = next((c for c in type(holder).__mro__ if c.__module__.split(".")[0] == "keras"), object)
    return "Dropout" in cls.__name__ or cls.__name__ == "GaussianNoise" or "Cell" in cls.__name__
