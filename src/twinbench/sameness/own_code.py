"""Tells whether two pieces of a person's own Python are the same code: text, closure, and what they refer to.

What a probe shows of own code holds for the inputs that were tried; that two sides run the very same code, for all.
"""

import sys
from functools import cache, partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from twinbench.own_files import is_librarys
from twinbench.sameness.trace import builtin_class, is_builtin

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
_LIBRARIES = ("keras", "tensorflow", "numpy", "scipy", "jax", "torch", "builtins")
_NOT_CODE = ("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__firstlineno__")
_MOST_BYTES = 10_000_000


def is_own(thing: Any) -> bool:
    """Whether a function or class was written by the person, not by a library."""
    thing = getattr(thing, "func", thing) if isinstance(thing, partial) else thing
    thing = getattr(thing, "__func__", thing)
    module = getattr(thing, "__module__", None) or ""
    if not isinstance(thing, FunctionType | type) or module.split(".")[0] in _LIBRARIES:
        return False
    # By its file: a module of the person's own may have the name of one of Python's (`code`, `types`).
    return not is_librarys(getattr(sys.modules.get(module), "__file__", None) or "")


def identity(thing: Any, _seen: dict[int, Any] | None = None) -> Any:  # noqa: PLR0911 - one return per kind of thing
    """What makes a function, class or object the same as another one; equal only where all that it runs is equal."""
    if isinstance(thing, _PLAIN):
        return type(thing).__name__, repr(thing)
    seen = {} if _seen is None else _seen
    if id(thing) in seen:
        return "again", list(seen).index(id(thing))
    seen[id(thing)] = thing
    if isinstance(thing, list | tuple | set | frozenset):
        items = [identity(item, seen) for item in thing]
        return type(thing).__name__, tuple(sorted(items, key=repr) if isinstance(thing, set | frozenset) else items)
    if isinstance(thing, dict):
        return "dict", tuple((identity(key, seen), identity(value, seen)) for key, value in dict.items(thing))
    if isinstance(thing, np.ndarray | np.generic):
        return "array", str(thing.dtype), thing.shape, thing.tobytes() if thing.nbytes < _MOST_BYTES else id(thing)
    if isinstance(thing, partial):
        return "partial", *(identity(part, seen) for part in (thing.func, thing.args, thing.keywords))
    if isinstance(thing, MethodType):
        return "method", identity(thing.__func__, seen), identity(thing.__self__, seen)
    if isinstance(thing, FunctionType) and is_own(thing):
        return _of_function(thing, seen)
    if isinstance(thing, type) and is_own(thing):
        return _of_class(thing, seen)
    if isinstance(thing, ModuleType | FunctionType | type) or not is_own(type(thing)):
        return _of_library(thing)
    return "object", _of_class(type(thing), seen), _of_attributes(thing, seen)


def _of_function(function: FunctionType, seen: dict[int, Any]) -> Any:
    cells = function.__closure__ or ()
    closure = []
    for cell in cells:
        try:
            closure.append(identity(cell.cell_contents, seen))
        except ValueError:  # not filled yet
            closure.append("empty")
    known = function.__globals__
    read = tuple((name, identity(known[name], seen)) for name in _names(function.__code__) if name in known)
    defaults = identity(function.__defaults__, seen), identity(function.__kwdefaults__, seen)
    return "function", _of_code(function.__code__, function.__doc__), tuple(closure), defaults, read


def _of_code(code: CodeType, doc: str | None = None) -> Any:
    """The instructions of a function, without its name, its documentation and its place in a file."""
    read = [None if k == 0 and doc is not None and c == doc else c for k, c in enumerate(code.co_consts)]
    constants = tuple(_of_code(c) if isinstance(c, CodeType) else (type(c).__name__, repr(c)) for c in read)
    return code.co_code, constants, code.co_names, code.co_argcount, code.co_kwonlyargcount, code.co_flags


def _names(code: CodeType) -> tuple[str, ...]:
    """The names that a function and those within it look up."""
    inner = [name for constant in code.co_consts if isinstance(constant, CodeType) for name in _names(constant)]
    return tuple(dict.fromkeys((*code.co_names, *inner)))


def _of_class(cls: type, seen: dict[int, Any]) -> Any:
    """The methods and values of a class and of the own classes above it, and the first class of a library."""
    parts: list[Any] = []
    for base in cls.__mro__:
        if not is_own(base):
            parts.append(f"{base.__module__}.{base.__qualname__}")
            continue
        seen[id(base)] = base
        for name, value in sorted(vars(base).items()):
            if name.startswith(("_keras_", "_api_export", "_abc_")) or name in _NOT_CODE:
                continue
            plain = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
            parts.append((name, identity(getattr(plain, "__wrapped__", plain), seen)))
    return "class", tuple(parts)


@cache
def attributes_of_keras() -> frozenset[str]:
    """The attributes that Keras gives layers and compiled models."""
    model = keras.Sequential([keras.Input((1,))])
    model.compile("sgd", "mse", metrics=["mse"])
    return frozenset({*vars(keras.layers.Layer()), *vars(model), "train_function", "test_function", "history"})


def _of_attributes(thing: Any, seen: dict[int, Any]) -> Any:
    """What an object of an own class was set to: plain values and own code, no layers, weights or names."""
    known = attributes_of_keras() if isinstance(thing, keras.layers.Layer) else frozenset({"name"})
    kept = []
    for name, value in sorted(getattr(thing, "__dict__", {}).items()):
        if name in known:
            continue
        plain = isinstance(value, list | tuple | dict | set)
        if isinstance(value, (*_PLAIN, np.ndarray, np.generic, FunctionType, partial)) or (
            plain and all(isinstance(v, _PLAIN) for v in keras.tree.flatten(value))
        ):
            kept.append((name, identity(value, seen)))
    return tuple(kept)


def _of_library(thing: Any) -> Any:
    """A part of a library by its name and, where it is an object, by its settings; else by itself alone."""
    if isinstance(thing, ModuleType):
        return "module", thing.__name__
    if (name := getattr(thing, "__qualname__", None)) is not None:
        return "library", getattr(thing, "__module__", ""), name
    if isinstance(thing, keras.layers.Layer | keras.Variable | tf.Variable):
        return "library", type(thing).__qualname__, str(getattr(thing, "shape", ""))
    if isinstance(thing, tf.Tensor):
        value = tf.get_static_value(thing)
        return "tensor", str(thing.dtype), id(thing) if value is None else np.asarray(value).tobytes()
    if hasattr(thing, "get_config"):
        return "library", type(thing).__qualname__, repr(thing.get_config())
    return "library", type(thing).__qualname__, id(thing)


Part = tuple[str, Any]
"""A piece of own code in words, and what makes it the same as another."""


def updates_state(model: keras.Model) -> bool:
    """Whether own layers hold variables that are not trained, which their code may change in a call."""
    own = [layer for layer in model._flatten_layers(include_self=True, recursive=True) if not is_builtin(type(layer))]
    return any("seed_generator" not in v.path for layer in own for v in layer._non_trainable_variables)


def _of_person(value: Any) -> bool:
    return is_own(value if isinstance(value, FunctionType | partial | MethodType) else type(value))


def own_layers(model: keras.Model) -> list[Part]:
    """The layers of own classes, and the model itself where its class is own."""
    layers = model._flatten_layers(include_self=True, recursive=True)
    return [(f"{type(one).__name__} '{one.name}'", identity(one)) for one in layers if not is_builtin(type(one))]


def own_callables(model: keras.Model) -> list[Part]:
    """Own functions among the settings of Keras's layers, and of how a model is compiled: what no graph shows."""
    given = [getattr(model, name, None) for name in ("loss", "_compile_metrics")]
    metrics = [getattr(given[1], name, None) for name in ("_user_metrics", "_user_weighted_metrics")]
    compiled = [(what, f) for what, part in (("loss", given[0]), ("metric", metrics)) for f in keras.tree.flatten(part)]
    own = [(what, getattr(f, "fn", None) or getattr(f, "_fn", None) or f) for what, f in compiled if callable(f)]
    found: list[Part] = [
        (f"{what} {getattr(f, '__name__', type(f).__name__)}", identity(f)) for what, f in own if _of_person(f)
    ]
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if builtin_class(layer) is None or not is_builtin(type(layer)):
            continue
        for holder in (layer, getattr(layer, "cell", None)):
            for name, value in getattr(holder, "__dict__", {}).items():
                if callable(value) and _of_person(value) and not isinstance(value, keras.layers.Layer):
                    found.append((f"{name.strip('_')} of {type(layer).__name__} '{layer.name}'", identity(value)))
    return found


_NO_PART_OF_A_LOOP = ("__init__", "build", "call", "get_config", "from_config", "compute_output_shape")


def own_loop(model: keras.Model) -> list[Part]:
    """What own classes of a model do beside computing outputs: how it is trained and scored, and what it was set to."""
    cls = type(model)
    if is_builtin(cls):
        functions = {name: value for name, value in vars(model).items() if isinstance(value, FunctionType | MethodType)}
        return [(name, identity(value)) for name, value in functions.items() if is_own(value)]
    _, parts = _of_class(cls, {})
    methods = tuple(part for part in parts if isinstance(part, str) or part[0] not in _NO_PART_OF_A_LOOP)
    return [(cls.__name__, (methods, _of_attributes(model, {})))]


def told_apart(left: list[Part], right: list[Part]) -> list[str]:
    """The pieces of code that only one of two models has, in words."""
    only: list[str] = []
    for mine, others in ((left, right), (right, left)):
        rest = [code for _, code in others]
        for words, code in mine:
            if code in rest:
                rest.remove(code)
            else:
                only.append(words)
    return list(dict.fromkeys(only))
