"""Call a person's own function for the arrays of a dataset, and say in a sentence what is wrong with them."""

import contextlib
import importlib.util
import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twinbench.config import Dataset
from twinbench.data.arrays import PARTS, Array, hash_arrays
from twinbench.data.conversion import source_of
from twinbench.data.source import Source
from twinbench.errors import ANYTHING_RAISED, DataError, first_cause, raise_if_memory_ran_out

_FORM = (
    'return the arrays of an .npz by their keys, {"x_train": ..., "y_train": ..., "x_test": ..., "y_test": ...}, or '
    "((x_train, y_train), (x_test, y_test)), as keras.datasets do"
)


def read_loader(dataset: Dataset) -> Source:
    """Call the function that a dataset names, `file.py:load`, among the modules of its file's folder.

    It takes nothing, and runs under seed 0 of NumPy, Python and TensorFlow. It returns a mapping of an `.npz`'s keys to
    arrays, or two or three parts (training, validation if any, test), each `(x, y)` or a `tf.data.Dataset` of such.

    Raises:
        DataError: it cannot be called, or what it returns cannot be used.
    """
    file, _, function = dataset.source.rpartition(":")
    where = dataset.source
    returned = _call(Path(file).expanduser().resolve(), function, where)
    with _told(f"What {where} returns cannot be read"):
        arrays = {key: _array(value, f"'{key}' in {where}") for key, value in _by_key(returned, where).items()}
    return source_of(
        arrays, where, dataset, origin=f"function {Path(file).name}:{function}", version=hash_arrays(arrays)
    )


def _call(path: Path, function: str, where: str) -> Any:
    if not path.is_file():
        raise DataError(f"{where} names no file: {path} does not exist; check `source` in the configuration.")
    sys.path.insert(0, str(path.parent))
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 # the generator that a person's own NumPy code would draw from
    try:
        with _told(f"{where} cannot be called"):
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None  # noqa: S101 # it ends in .py
            assert spec.loader is not None  # noqa: S101
            module = importlib.util.module_from_spec(spec)
            sys.modules.setdefault(path.stem, module)
            if re.search(r"\b(tensorflow|keras)\b", path.read_text(encoding="utf-8", errors="replace")):
                import tensorflow as tf

                tf.random.set_seed(0)  # by which a tf.data.Dataset is shuffled
            spec.loader.exec_module(module)
            return getattr(module, function)()
    finally:
        sys.path.remove(str(path.parent))


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Say in a sentence what a person's code raises: the function's, or that of what it returned."""
    try:
        yield
    except DataError:
        raise
    except ANYTHING_RAISED as error:
        raise_if_memory_ran_out(error)
        raise DataError(f"{what}: {first_cause(error)}") from error


def _by_key(returned: Any, where: str) -> dict[str, Any]:
    """What was returned, by the keys of a dataset."""
    if isinstance(returned, Mapping):
        return {str(key): value for key, value in returned.items()}
    count = len(returned) if isinstance(returned, Sequence) and not isinstance(returned, str) else 0
    if count not in {2, 3}:
        shown = "nothing" if returned is None else f"an object of type {type(returned).__name__}"
        raise DataError(f"{where} returns {shown}: {_FORM}.")
    values: dict[str, Any] = {}
    for part, pair in zip(PARTS if count == 3 else ("train", "test"), returned, strict=True):
        x, y, *weights = _examples(pair, where)
        inputs = (
            {f"x_{part}_{name}": value for name, value in x.items()} if isinstance(x, Mapping) else {f"x_{part}": x}
        )
        values |= {**inputs, f"y_{part}": y}
        values |= {f"w_{part}": weight for weight in weights if weight is not None}
    return values


def _examples(pair: Any, where: str) -> Sequence[Any]:
    """Inputs, labels and perhaps weights of a part; a `tf.data.Dataset` is read to its end."""
    if hasattr(pair, "element_spec"):
        pair = _read_out(pair, where)
    if not isinstance(pair, Sequence) or len(pair) not in {2, 3}:
        raise DataError(f"{where} returns a part that is not (x, y): {_FORM}.")
    return pair


def _read_out(examples: Any, where: str) -> tuple[Any, ...]:
    import tensorflow as tf

    if int(examples.cardinality()) == tf.data.INFINITE_CARDINALITY:
        raise DataError(f"{where} returns a tf.data.Dataset without an end: leave out its repeat().")
    spec = examples.element_spec
    if not isinstance(spec, tuple) or len(spec) not in {2, 3}:
        raise DataError(f"{where} returns a tf.data.Dataset whose elements are not (x, y).")
    # Batches share the length of their first axis, of which the last batch may have fewer: it is None then.
    shapes = [tensor.shape for tensor in tf.nest.flatten(spec)]
    batched = all(shape.rank for shape in shapes) and len({shape[0] for shape in shapes}) == 1
    if batched and shapes[0][0] is not None:
        raise DataError(
            f"{where} returns a tf.data.Dataset of elements of {shapes[0][0]} rows each, which may be batches or "
            "single examples: batch the examples without drop_remainder."
        )
    rows = list(examples.as_numpy_iterator())
    if not rows:
        raise DataError(f"{where} returns a tf.data.Dataset without examples.")
    joined: tuple[Any, ...] = tf.nest.map_structure(
        lambda *values: np.concatenate(values) if batched else np.stack(values), *rows
    )
    return joined


def _array(value: Any, where: str) -> Array:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DataError(f"{where} is no array: {first_cause(error)}") from error
    if np.ma.is_masked(value):
        raise DataError(f"{where} has masked values, which nothing would know of: fill them, or leave them out.")
    for kind in (str, bytes):  # strings, as pandas and TensorFlow keep them
        if array.dtype == object and all(isinstance(entry, kind) for entry in array.flat):
            array = array.astype(np.dtype(kind))
    if array.dtype == object:
        raise DataError(f"{where} is an array of Python objects: make it one of numbers, every example of one shape.")
    return array
