"""Pairs of models that people take for the same, and what is true of each.

Each file holds functions that return two builders (and, where the data is the mistake, two feeds), marked with what a
comparison has to say: `@different(code, *words of the place)`, `@equal`, or `@equal_as_far_as_seen`. The files of
realistic models mark theirs with `@guilty` and `@innocent`, which carry what `truth.py` needs to verify the claim
without the package's code.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Pair:
    """Two sides, the verdict and code that are right, and words that the place must contain.

    Attributes:
        code: What comes first among the causes: a code, several of which each is right, or a family ("arch.").
        words: What the places of the causes with that code must name.
        verdicts: The verdicts that are right.
        alone: Whether nothing else may be blamed.
        mechanism: What of the comparison it tries; 0 in the files of small models.
        differs: Where `truth.py` must see a guilty pair differ.
        truth: How `truth.py` puts the weights of A into B, and what it feeds them.
        options: Further arguments of the comparison.
    """

    name: str
    make: Callable[..., tuple[Any, ...]]
    code: str | tuple[str, ...]
    words: tuple[str, ...] = ()
    explains: bool = True
    verdicts: tuple[str, ...] = ("different",)
    alone: bool = False
    mechanism: int = 0
    differs: tuple[str, ...] = ()
    truth: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        return self.code == "none.equivalent"

    @property
    def codes(self) -> tuple[str, ...]:
        return (self.code,) if isinstance(self.code, str) else self.code

    def sides(self, folder: Path) -> tuple[Any, ...]:
        """The two sides, and the feeds where there are some; what they write goes into a folder."""
        return self.make(folder) if inspect.signature(self.make).parameters else self.make()


Mark = Callable[[Callable[..., tuple[Any, ...]]], Pair]
SAME = ("identical", "equivalent")


def different(code: str, *words: str, explains: bool = True) -> Mark:
    def mark(make: Callable[..., tuple[Any, ...]]) -> Pair:
        verdicts = ("different",) if explains else ("equivalent",)
        return Pair(make.__name__, make, code, words, explains, verdicts)

    return mark


def equal(make: Callable[..., tuple[Any, ...]]) -> Pair:
    return Pair(make.__name__, make, "none.equivalent", verdicts=SAME)


def innocent(
    mechanism: int, *, also: tuple[str, ...] = (), options: Mapping[str, Any] | None = None, **truth: Any
) -> Mark:
    """Marks a pair that looks different and is equal; `also` names a verdict that is as right, where something given
    cannot be tested."""

    def mark(make: Callable[..., tuple[Any, ...]]) -> Pair:
        return Pair(
            make.__name__,
            make,
            "none.equivalent",
            verdicts=(*SAME, *also),
            mechanism=mechanism,
            truth=truth,
            options=options or {},
        )

    return mark


def guilty(
    mechanism: int,
    code: str | tuple[str, ...],
    *words: str,
    differs: str | tuple[str, ...] = (),
    verdict: str | tuple[str, ...] = "different",
    alone: bool = False,
    options: Mapping[str, Any] | None = None,
    **truth: Any,
) -> Mark:
    """Marks a pair that looks the same and is not; `differs` says where that shows with equal weights."""

    def mark(make: Callable[..., tuple[Any, ...]]) -> Pair:
        return Pair(
            make.__name__,
            make,
            code,
            words,
            verdicts=(verdict,) if isinstance(verdict, str) else verdict,
            alone=alone,
            mechanism=mechanism,
            differs=(differs,) if isinstance(differs, str) else differs,
            truth=truth,
            options=options or {},
        )

    return mark


def equal_as_far_as_seen(make: Callable[..., tuple[Any, ...]]) -> Pair:
    """Marks a pair that is equal, of which the comparison cannot test all there is."""
    return Pair(make.__name__, make, "none.equivalent", (), verdicts=("not_fully_tested",))


def chain(shape: Any, *steps: Any, **options: Any) -> Any:
    """A functional model: each step is applied to the result of the one before; a list of steps joins branches."""
    import keras

    start = keras.Input(shape, **options)
    x = start
    for step in steps:
        x = step(x)
    return keras.Model(start, x)
