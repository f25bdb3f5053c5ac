"""Leaves a person's own model as it was: weights, optimiser, compilation, modes, caches, and states of generators.

A comparison gives a live model other weights, calls it in training mode, compiles it and takes steps with it. Keras has
no copy of a model that is right for every class, so the model itself is put back: everything that can be reached from
it, attribute by attribute and value by value.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from twinbench.sameness.trace import is_builtin

_AS_THEY_ARE = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, str, bytes, int, float, complex)
_FOREIGN = (
    "tensorflow.",
    "numpy.",
    "threading",
    "weakref",
    "keras.src.ops.node",
    "keras.src.backend.common.keras_tensor",
)


@contextmanager
def as_it_was(*models: keras.Model) -> Iterator[None]:
    """Put everything that can be reached from the models back to what it is now, whatever happens in between."""
    with everything_as_it_was(*models):
        yield


@contextmanager
def everything_as_it_was(*things: Any) -> Iterator[None]:
    """The same for any objects: models, optimizers, metrics."""
    restorations = list(_restorations(list(things)))
    try:
        yield
    finally:
        for restore in reversed(restorations):
            restore()


@contextmanager
def state_as_it_was(model: keras.Model, tracked: Sequence[Any]) -> Iterator[None]:
    """Put back what calls change beside tracked variables: what own and stateful layers hold, in whatever form."""
    layers = model._flatten_layers(include_self=True, recursive=True)
    holders = [layer for layer in layers if not is_builtin(type(layer)) or getattr(layer, "stateful", False)]
    seen = {id(thing): thing for v in tracked for thing in (v, getattr(v, "_value", None))}
    restorations = list(_restorations(holders, seen, into_keras=False))
    try:
        yield
    finally:
        for restore in reversed(restorations):
            restore()


def _restorations(
    waiting: list[Any], seen: dict[int, Any] | None = None, *, into_keras: bool = True
) -> Iterator[Callable[[], None]]:
    """What puts back each object that can be reached; values come first, so that they are put back last."""
    seen = {} if seen is None else seen
    roots = {id(thing) for thing in waiting}
    while waiting:
        thing = waiting.pop()
        thing = getattr(thing, "__wrapped__", thing) if type(thing).__name__ == "_DictWrapper" else thing
        if thing is None or isinstance(thing, _AS_THEY_ARE) or id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if isinstance(thing, tuple | frozenset):
            waiting.extend(thing)
        elif isinstance(thing, list | deque):
            waiting.extend(thing)
            yield _sequence(thing)
        elif isinstance(thing, dict):
            waiting.extend(dict.values(thing))
            yield _mapping(thing)
        elif isinstance(thing, set):
            waiting.extend(thing)
            yield _set(thing)
        else:
            yield from _value(thing)
            stay = not into_keras and is_builtin(type(thing)) and id(thing) not in roots
            if isinstance(thing, keras.Variable) and isinstance(thing._value, tf.Variable):
                waiting.append(thing._value)
            if isinstance(getattr(thing, "__dict__", None), dict) and not (stay or _foreign(thing)):
                waiting.extend(vars(thing).values())
                yield _mapping(vars(thing))


def _foreign(thing: Any) -> bool:
    return f"{type(thing).__module__}.".startswith(_FOREIGN)


def _sequence(thing: Any) -> Callable[[], None]:
    saved, cls = list(thing), deque if isinstance(thing, deque) else list

    def restore() -> None:
        if len(saved) != len(thing) or any(x is not y for x, y in zip(saved, thing, strict=True)):
            cls.clear(thing)
            cls.extend(thing, saved)

    return restore


def _mapping(thing: dict[Any, Any]) -> Callable[[], None]:
    saved = dict(thing)

    def restore() -> None:
        if list(saved) != list(thing) or any(saved[key] is not thing[key] for key in saved):
            dict.clear(thing)
            dict.update(thing, saved)

    return restore


def _set(thing: set[Any]) -> Callable[[], None]:
    saved = set(thing)

    def restore() -> None:
        if saved != thing:
            set.clear(thing)
            set.update(thing, saved)

    return restore


def _value(thing: Any) -> Iterator[Callable[[], None]]:
    """What puts back a value that is changed in place: a variable, an array, the state of a generator."""
    if isinstance(thing, tf.Variable):
        held = thing.numpy()
        yield lambda: thing.assign(held)
    elif isinstance(thing, keras.Variable):
        if thing._value is not None and not isinstance(thing._value, tf.Variable):
            value = thing._value
            yield lambda: setattr(thing, "_value", value)
    elif isinstance(thing, np.ndarray) and thing.flags.writeable:
        array = thing.copy()
        yield lambda: np.copyto(thing, array)
    elif isinstance(thing, np.random.Generator):
        state = thing.bit_generator.state
        yield lambda: setattr(thing.bit_generator, "state", state)
    elif isinstance(thing, np.random.RandomState):
        drawn = thing.get_state()
        yield lambda: thing.set_state(drawn)
    elif isinstance(thing, random.Random):
        python = thing.getstate()
        yield lambda: thing.setstate(python)
    elif isinstance(thing, tf.random.Generator):
        numbers = thing.state.numpy()
        yield lambda: thing.state.assign(numbers)
