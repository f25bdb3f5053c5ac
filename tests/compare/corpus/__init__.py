"""Pairs of models that people take for the same, and what is true of each.

Each file holds functions that return two builders (and, where the data is the mistake, two feeds), marked with what a
comparison has to say: `@different(code, *words of the place)` or `@equal`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Pair:
    """Two builders, the verdict and code that are right, and words that the place must contain."""

    name: str
    make: Callable[[], tuple[Any, ...]]
    code: str
    words: tuple[str, ...]
    explains: bool = True

    @property
    def equal(self) -> bool:
        return self.code.startswith("none")


def different(code: str, *words: str, explains: bool = True) -> Callable[[Callable[[], tuple[Any, ...]]], Pair]:
    def mark(make: Callable[[], tuple[Any, ...]]) -> Pair:
        return Pair(make.__name__, make, code, words, explains)

    return mark


def equal(make: Callable[[], tuple[Any, ...]]) -> Pair:
    return Pair(make.__name__, make, "none.equivalent", ())


def chain(shape: Any, *steps: Any, **options: Any) -> Any:
    """A functional model: each step is applied to the result of the one before; a list of steps joins branches."""
    import keras

    start = keras.Input(shape, **options)
    x = start
    for step in steps:
        x = step(x)
    return keras.Model(start, x)
