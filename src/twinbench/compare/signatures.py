"""What both models take in, where they do not say so themselves, and differences between their inputs."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.feeds import Feed
from twinbench.compare.report import Cause
from twinbench.errors import UsageError
from twinbench.sameness.inputs import input_ranges
from twinbench.sameness.signature import (
    Signature,
    knows_its_dtypes,
    signature_from_example,
    signature_from_shapes,
    signature_of,
)
from twinbench.sameness.subjects import Pair


def both_signatures(
    a: keras.Model, b: keras.Model, input_shape: Sequence[Any] | None, feeds: Sequence[Feed | None]
) -> tuple[Signature, Signature]:
    """The inputs of both models: their own, else the person's, the feed's, or the other model's.

    Raises:
        UsageError: Neither model was built, and nothing else says what they take in.
    """
    given = None if input_shape is None else signature_from_shapes(_shapes(input_shape))
    models = (a, b)
    own = [signature_of(model) for model in models]
    found: list[Signature | None] = []
    for mine, feed in zip(own, feeds, strict=True):
        fed = None if feed is None else signature_from_example(feed.epoch.first)
        found.append(mine or given or fed)
        if mine is not None and fed is not None and not knows_its_dtypes(models[len(found) - 1]):
            found[-1] = mine.with_texts_of(fed)
    first, second = found[0] or found[1], found[1] or found[0]
    if first is None or second is None:
        raise UsageError(
            "Neither model has been built, so neither says what it takes in; give --input-shape, as in "
            "--input-shape 28,28,1 (without the batch axis)."
        )
    first, second = (x.merged_with(given) if given else x for x in (first, second))
    first = first if knows_its_dtypes(a) else first.with_texts_of(second)
    second = second if knows_its_dtypes(b) else second.with_texts_of(first)
    second = second.in_the_order_of(first)
    return first.merged_with(second), second.merged_with(first)


def takes_texts(signature: Signature) -> bool:
    """Whether an input is text."""
    return any(spec.dtype == "string" for spec in signature.inputs)


def fed_texts(signature: Signature, feeds: Sequence[Feed | None]) -> list[np.ndarray]:
    """Rows of the first feed that fits, for models of text; none where none is given, or the inputs are numbers."""
    for feed in feeds if takes_texts(signature) else ():
        if feed is not None and len(feed.epoch.inputs) == len(signature.inputs):
            parts = [np.asarray(part[:8]) for part in feed.epoch.inputs]
            return [
                part if part.ndim > len(spec.shape) else part.reshape((len(part), *spec.concrete()))
                for part, spec in zip(parts, signature.inputs, strict=True)
            ]
    return []


def _shapes(input_shape: Sequence[Any]) -> list[tuple[int | None, ...]]:
    if all(axis is None or isinstance(axis, int | np.integer) for axis in input_shape):
        return [tuple(None if axis is None else int(axis) for axis in input_shape)]
    return [tuple(None if axis is None else int(axis) for axis in shape) for shape in input_shape]


def input_causes(pair: Pair) -> tuple[list[Cause], bool]:
    """Differences between the inputs of two models, and whether both can be run on the same numbers."""
    a, b = pair.a.signature, pair.b.signature
    if len(a.inputs) != len(b.inputs):
        words = [f"{len(one.inputs)} inputs: {', '.join(str(shape) for shape in one.shapes())}" for one in (a, b)]
        return [make_cause("arch.input_shape", "number of inputs", *words, detail="another number of inputs")], False
    found: list[Cause] = []
    comparable = True
    lookups = [r.lookup for r in input_ranges(pair.a.graph, pair.a.model, a)]
    for k, (x, y) in enumerate(zip(a.inputs, b.inputs, strict=True)):
        place = "input shape" if len(a.inputs) == 1 else f"input {k} ({x.name} / {y.name}): shape"
        if not _compatible(x.shape, y.shape):
            words = [str(x.shape), str(y.shape)]
            same_size = _size(x.shape) is not None and _size(x.shape) == _size(y.shape)
            comparable &= bool(same_size)
            detail = "reshaped: the same number of values" if same_size else "the models take inputs of another shape"
            found.append(make_cause("arch.input_shape", place, *words, detail=detail))
        if x.integer != y.integer and lookups[k] is None:
            words = [f"dtype {x.dtype}", f"dtype {y.dtype}"]
            detail = "an integer input cuts off the fraction of every value"
            found.append(make_cause("arch.input_shape", place.replace("shape", "dtype"), *words, detail=detail))
    return found, comparable


def _size(shape: tuple[int | None, ...]) -> int | None:
    known = [axis for axis in shape if axis is not None]
    return int(np.prod(known)) if len(known) == len(shape) else None


def _compatible(x: tuple[int | None, ...], y: tuple[int | None, ...]) -> bool:
    return len(x) == len(y) and all(p == q or p is None or q is None for p, q in zip(x, y, strict=True))
