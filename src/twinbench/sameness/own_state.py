"""Follows state of own layers that calls change: counters after which a layer may act otherwise.

A counter is set to what it would hold after many calls, on both sides alike. What did not matter up to there may matter
later, which the words say.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from twinbench.sameness.own_code import attributes_of_keras, own_layers, told_apart
from twinbench.sameness.probes import Comparison, compare_outputs, kept, outputs_of
from twinbench.sameness.subjects import Pair, Subject
from twinbench.sameness.trace import is_builtin

COUNTS = (1, 2, 4, 9, 10, 31, 49, 50, 99, 100, 999, 1000, 99_999, 100_000)
"""What counters are set to: on either side of the numbers that people choose."""


@dataclass(frozen=True)
class _Counter:
    """A number that one more call changes by one, in words, with its setter; `variable` is None for plain Python."""

    words: str
    put: Callable[[float], Any]
    variable: Any = None


@dataclass(frozen=True)
class Following:
    """What came of following the counters of two models.

    Attributes:
        places: The counters that may act on the outputs, in words.
        unfollowed: Other state that calls change and that may act on the outputs, in words.
        apart: The comparison that differed, and after how many calls; None where none did.
    """

    places: list[str]
    unfollowed: list[str]
    apart: tuple[Comparison, bool, int] | None = None


def follow(pair: Pair, arrays: Sequence[np.ndarray], modes: Sequence[bool]) -> Following:
    """Compare outputs after many calls, B holding A's weights, where own layers that differ count calls.

    `modes` are those in which outputs can be compared: inference (False), training (True).
    """
    if not told_apart(own_layers(pair.a.model), own_layers(pair.b.model)):
        return Following([], [])
    few = list(arrays)
    changed = [_changed(one, few) for one in (pair.a, pair.b)]
    counters = [_acting(one, mine) for one, (mine, _) in zip((pair.a, pair.b), changed, strict=True)]
    unfollowed = [f"{words} in {letter}" for letter, (_, rest) in zip("AB", changed, strict=True) for words in rest]
    places = [f"{counter.words} in {letter}" for letter, mine in zip("AB", counters, strict=True) for counter in mine]
    if not places:
        return Following([], unfollowed)
    for count in COUNTS:
        for training in modes:
            with kept(pair.a, pair.b):
                for counter in (*counters[0], *counters[1]):
                    counter.put(count)
                result = compare_outputs(pair, few, training=training)
            if not result.equal:
                return Following(places, unfollowed, (result, training, count))
    return Following(places, unfollowed)


def _held(one: Subject) -> Iterator[tuple[str, Any, Callable[[float], Any], Any]]:
    """The single numbers that own layers hold, each in words, with how to read and set it, and its variable."""
    for layer in one.model._flatten_layers(include_self=True, recursive=True):
        if is_builtin(type(layer)):
            continue
        title = f"{type(layer).__name__} '{layer.name}'"
        for name, value in list(vars(layer).items()):
            words = f"'{name.strip('_')}' of {title}"
            if isinstance(value, keras.Variable | tf.Variable):
                if not value.trainable and int(np.prod(tuple(value.shape))) == 1:
                    yield words, value, _assigner(value), value
            elif isinstance(value, int | float) and not isinstance(value, bool):
                yield words, _Attribute(layer, name), _setter(layer, name), None
            elif isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "if":
                yield words, value, _filler(value), None


@dataclass(frozen=True)
class _Attribute:
    layer: Any
    name: str


def _assigner(variable: Any) -> Callable[[float], Any]:
    return lambda count: variable.assign(np.full(tuple(variable.shape), count))


def _setter(layer: Any, name: str) -> Callable[[float], Any]:
    return lambda count: vars(layer).__setitem__(name, type(vars(layer)[name])(count))


def _filler(array: np.ndarray) -> Callable[[float], Any]:
    return array.fill


def _read(thing: Any) -> float:
    if isinstance(thing, _Attribute):
        return float(vars(thing.layer)[thing.name])
    return float(np.ravel(np.asarray(keras.ops.convert_to_numpy(thing)))[0])


def _changed(one: Subject, arrays: Sequence[np.ndarray]) -> tuple[list[_Counter], list[str]]:
    """The numbers that a call changes by one, up or down, in either mode; and what else of own layers it changes."""
    held = list(_held(one))
    counted: set[int] = set()
    changed: set[str] = set()
    for training in (False, True):
        with kept(one):
            before, seen = [_read(thing) for _, thing, _, _ in held], _everything(one)
            outputs_of(one, arrays, training)
            after, now = [_read(thing) for _, thing, _, _ in held], _everything(one)
        counted |= {k for k, (x, y) in enumerate(zip(before, after, strict=True)) if abs(abs(y - x) - 1.0) < 1e-6}
        changed |= {words for words, value in now.items() if seen.get(words) != value}
    counters = [_Counter(held[k][0], held[k][2], held[k][3]) for k in sorted(counted)]
    return counters, sorted(changed - {counter.words for counter in counters})


def _everything(one: Subject) -> dict[str, str]:
    """What own layers hold beside layers and the model's own variables, by its words."""
    tracked = {id(variable) for variable in one.model.variables}
    state = {}
    for layer in one.model._flatten_layers(include_self=True, recursive=True):
        if is_builtin(type(layer)):
            continue
        for name, value in vars(layer).items():
            if name in attributes_of_keras() or id(value) in tracked:
                continue
            parts = [part for part in keras.tree.flatten(value) if not isinstance(part, keras.Variable)]
            if all(isinstance(part, int | float | str | np.ndarray | np.generic | tf.Variable) for part in parts):
                read = [part.numpy() if isinstance(part, tf.Variable) else part for part in parts]
                state[f"'{name.strip('_')}' of {type(layer).__name__} '{layer.name}'"] = repr(read)
    return state


def _acting(one: Subject, counters: list[_Counter]) -> list[_Counter]:
    """The counters that may act on the outputs: not the variables that the graph shows no output to read."""
    if one.graph is None or not all(counter.variable is not None for counter in counters):
        return counters
    read = {id(variable) for variable in one.graph.variables()}
    read |= {id(getattr(variable, "_value", None)) for variable in one.graph.variables()}
    return [counter for counter in counters if id(counter.variable) in read]
