"""What a model takes in: the shape, type and range of every input, and arrays that fit them.

A model that was never built does not know its own inputs; then they come from the other model, from an
example batch or from the person. All shapes are without the batch axis; `None` is an axis that may have any
length.
"""

import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal
from weakref import WeakKeyDictionary

import keras
import numpy as np

Structure = Literal["single", "list", "dict", "nested"]

_FREE_AXIS = 12
_FREE_IMAGE_AXIS = 32


@dataclass(frozen=True)
class InputSignature:
    """One input of a model: its name, its shape without the batch axis, and its dtype."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"

    def concrete(self) -> tuple[int, ...]:
        """The shape with every free axis given a length (32 for images, 12 for sequences)."""
        free = _FREE_IMAGE_AXIS if len(self.shape) >= 3 else _FREE_AXIS
        return tuple(free if axis is None else axis for axis in self.shape)

    @property
    def integer(self) -> bool:
        """Whether the input is declared as whole numbers."""
        return "int" in self.dtype


@dataclass(frozen=True)
class Signature:
    """Every input of a model, how `model(...)` wants them, and a fixed batch size.

    That is one tensor, a list, a dict, or any nesting of these, of which `template` is an example. `places` are the
    positions of the inputs in that list or nesting, where they are not counted in its order.
    """

    inputs: tuple[InputSignature, ...]
    structure: Structure = "single"
    batch: int | None = None
    places: tuple[int, ...] | None = None
    template: Any = None

    def pack(self, arrays: Sequence[Any]) -> Any:
        """Arrange one value per input as the model's `call` expects it."""
        if self.structure == "single":
            return arrays[0]
        if self.structure == "dict":
            return {spec.name: array for spec, array in zip(self.inputs, arrays, strict=True)}
        flat = list(arrays)
        if self.places is not None:
            flat = [arrays[self.places.index(place)] for place in range(len(arrays))]
        return keras.tree.pack_sequence_as(self.template, flat) if self.structure == "nested" else flat

    def in_the_order_of(self, other: "Signature") -> "Signature":
        """The same inputs in the order of another model's: by name where there are names, else by what fits."""
        order = self._order(other)
        if order is None or order == tuple(range(len(order))):
            return self
        places = tuple((self.places or range(len(order)))[k] for k in order)
        return replace(self, inputs=tuple(self.inputs[k] for k in order), places=places)

    def _order(self, other: "Signature") -> tuple[int, ...] | None:
        named = {"dict", "nested"} & {self.structure, other.structure}
        fits = len(self.inputs) == len(other.inputs) and all(map(_alike, self.inputs, other.inputs))
        by_name = order_by_name([spec.name for spec in other.inputs], [spec.name for spec in self.inputs])
        if fits and not (named and by_name):
            return None
        if by_name:
            return by_name
        shapes = [[f"{spec.shape} {spec.integer}" for spec in one.inputs] for one in (other, self)]
        return order_by_name(*shapes)

    def shapes(self) -> tuple[tuple[int | None, ...], ...]:
        """The shapes of all inputs, in order."""
        return tuple(spec.shape for spec in self.inputs)

    def as_called_by(self, model: keras.Model) -> "Signature":
        """The same inputs, packed as a model that knows its own inputs wants them."""
        own = signature_of(model)
        if own is None or len(own.inputs) != len(self.inputs):
            return self
        if own.structure == "dict":
            named = tuple(replace(spec, name=mine.name) for spec, mine in zip(self.inputs, own.inputs, strict=True))
            return Signature(named, "dict")
        if own.structure == "nested":
            return replace(own, inputs=tuple(map(_shaped_as, own.inputs, self.inputs)))
        return replace(self, structure=own.structure)

    def with_texts_of(self, other: "Signature | None") -> "Signature":
        """The same inputs, as texts where they are texts in another signature with as many."""
        if other is None or len(other.inputs) != len(self.inputs):
            return self
        specs = [
            replace(mine, dtype="string") if theirs.dtype == "string" else mine
            for mine, theirs in zip(self.inputs, other.inputs, strict=True)
        ]
        return replace(self, inputs=tuple(specs))

    def merged_with(self, other: "Signature") -> "Signature":
        """Fill axes that are free here with the other model's, where both have the same rank."""
        if len(self.inputs) != len(other.inputs):
            return self
        filled = []
        for mine, theirs in zip(self.inputs, other.inputs, strict=True):
            if len(mine.shape) == len(theirs.shape):
                shape = tuple(b if a is None else a for a, b in zip(mine.shape, theirs.shape, strict=True))
                filled.append(replace(mine, shape=shape))
            else:
                filled.append(mine)
        return replace(self, inputs=tuple(filled))


def order_by_name(names: Sequence[str], other: Sequence[str]) -> tuple[int, ...] | None:
    """Where in `other` each of some names is; None where the two do not hold the same distinct names."""
    if len(set(names)) < len(names) or sorted(names) != sorted(other):
        return None
    return tuple(list(other).index(name) for name in names)


def _alike(x: InputSignature, y: InputSignature) -> bool:
    return (
        x.integer == y.integer
        and len(x.shape) == len(y.shape)
        and all(p == q or None in (p, q) for p, q in zip(x.shape, y.shape, strict=True))
    )


def knows_its_dtypes(model: keras.Model) -> bool:
    """Whether a model says what kind of numbers or texts it takes in: one that a class builds late does not."""
    return hasattr(model, "_inputs_struct") or isinstance(model, keras.Sequential)


def signature_of(model: keras.Model) -> Signature | None:
    """Read the inputs of a model from the model itself; None where it has not been built and cannot say."""
    try:
        struct = getattr(model, "_inputs_struct", None)
        if struct is None and isinstance(model, keras.Sequential) and model.built:
            struct = model._functional._inputs_struct if model._functional else None
    except AttributeError:
        struct = None
    if struct is not None:
        return _from_struct(struct)
    return _from_build_shapes(model)


def _shaped_as(spec: InputSignature, other: InputSignature) -> InputSignature:
    return replace(other, name=spec.name)


def _nested(struct: Any) -> bool:
    """Whether a structure has structures in it."""
    parts = struct.values() if isinstance(struct, dict) else struct if isinstance(struct, list | tuple) else ()
    return any(isinstance(part, dict | list | tuple) for part in parts)


def _with_names(struct: Any) -> list[tuple[str, Any]]:
    """The leaves of a nesting, each named by its way in."""
    return [("/".join(map(str, path)), leaf) for path, leaf in keras.tree.flatten_with_path(struct)]


def _from_struct(struct: Any) -> Signature:
    if _nested(struct):
        leaves = _with_names(struct)
        specs = tuple(_spec(tensor, name) for name, tensor in leaves)
        template = keras.tree.map_structure(lambda tensor: 0, struct)
        return Signature(specs, "nested", _batch(leaves[0][1]), template=template)
    if isinstance(struct, dict):
        names = sorted(struct)
        batch = _batch(struct[names[0]])
        return Signature(tuple(_spec(struct[name], str(name)) for name in names), "dict", batch)
    tensors = keras.tree.flatten(struct)
    structure: Structure = "list" if isinstance(struct, list | tuple) else "single"
    return Signature(tuple(_spec(tensor, tensor.name) for tensor in tensors), structure, _batch(tensors[0]))


def _batch(tensor: Any) -> int | None:
    return None if tensor.shape[0] is None else int(tensor.shape[0])


def _spec(tensor: Any, name: str) -> InputSignature:
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    return InputSignature(name, tuple(tensor.shape[1:]), dtype)


def _from_build_shapes(model: keras.Model) -> Signature | None:
    shapes = getattr(model, "_build_shapes_dict", None)
    if not shapes:
        return None
    found = []
    for name, shape in shapes.items():
        if isinstance(shape, list | tuple) and all(axis is None or isinstance(axis, int) for axis in shape):
            found.append(InputSignature(str(name), tuple(shape[1:])))
        elif isinstance(shape, dict):
            return Signature(tuple(InputSignature(k, tuple(shape[k][1:])) for k in sorted(shape)), "dict")
        elif isinstance(shape, list | tuple):
            found += [InputSignature(f"{name}_{k}", tuple(one[1:])) for k, one in enumerate(shape)]
    return Signature(tuple(found), "single" if len(found) == 1 else "list")


def signature_from_shapes(shapes: Sequence[tuple[int | None, ...]]) -> Signature:
    """The signature that a person gave: one shape without batch axis per input, float32."""
    specs = tuple(InputSignature(f"input_{k}", tuple(shape)) for k, shape in enumerate(shapes))
    return Signature(specs, "single" if len(specs) == 1 else "list")


def signature_from_example(example: Any) -> Signature:
    """The signature of a batch of data: an array, a list of arrays or a dict of arrays, batch axis first."""

    def spec(array: Any, name: str) -> InputSignature:
        array = np.asarray(array)
        kind = "float32" if array.dtype.kind in "fc" else "string" if array.dtype.kind in "OSU" else str(array.dtype)
        return InputSignature(name, tuple(array.shape[1:]), kind)

    if _nested(example):
        specs = tuple(spec(array, name) for name, array in _with_names(example))
        return Signature(specs, "nested", template=keras.tree.map_structure(lambda array: 0, example))
    if isinstance(example, dict):
        return Signature(tuple(spec(example[name], name) for name in sorted(example)), "dict")
    if isinstance(example, list | tuple):
        specs = tuple(spec(array, f"input_{k}") for k, array in enumerate(example))
        return Signature(specs, "single" if len(specs) == 1 else "list")
    return Signature((spec(example, "input"),))


_INSIDE: WeakKeyDictionary[keras.Model, Callable[[], AbstractContextManager[None]]] = WeakKeyDictionary()


def runs_inside(model: keras.Model, surroundings: Callable[[], AbstractContextManager[None]]) -> None:
    """Let every later call of a model run inside a context of its own."""
    _INSIDE[model] = surroundings


def inside(model: keras.Model) -> AbstractContextManager[None]:
    """What a model runs inside of, for code that runs it otherwise than by calling it."""
    return _INSIDE.get(model, nullcontext)()


def call_model(model: keras.Model, packed: Any, training: bool | None) -> Any:
    """Call a model on packed inputs, spreading a list over the positional arguments of `call` where it has several."""
    with inside(model):
        return _called(model, packed, training)


def _called(model: keras.Model, packed: Any, training: bool | None) -> Any:
    if isinstance(packed, list) and _positional_inputs(model) == len(packed) > 1:
        return model(*packed, training=training) if _takes_training(model) else model(*packed)
    return model(packed, training=training) if _takes_training(model) else model(packed)


def _takes_training(model: keras.Model) -> bool:
    return bool(getattr(model, "_call_has_training_arg", True))


def _positional_inputs(model: keras.Model) -> int:
    count = 0
    for parameter in inspect.signature(model.call).parameters.values():
        if parameter.name in ("training", "mask") or parameter.kind not in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        ):
            continue
        if parameter.default is inspect.Parameter.empty:
            count += 1
    return count
