"""Labels as a person gives them become classes, numbered from 0, or numbers."""

from collections.abc import Mapping

import numpy as np

from twinbench.data.arrays import Array
from twinbench.errors import DataError

_NUMBERS = "`labels: numbers` in the dataset's section of the configuration"


def converted_labels(
    arrays: Mapping[str, Array], where: str, taken_for: str
) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Convert the labels of all parts.

    Args:
        arrays: by their keys, the training part's first.
        where: the file or function that they are from, for the sentences.
        taken_for: `classes`, `numbers`, or `auto`: floats of which one has a fraction are numbers.

    Returns:
        Classes `(n,)` int64 from 0 and their names; or numbers `(n, k)` float32, and no names.

    Raises:
        DataError: they cannot be used.
    """
    for key, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DataError(f"'{key}' in {where} holds NaN or infinite values; every example needs a label.")
    if taken_for == "numbers" or (taken_for == "auto" and any(_has_fractions(array) for array in arrays.values())):
        return _numbers(arrays, where), ()
    labels = {key: _labels(array, f"'{key}' in {where}") for key, array in arrays.items()}
    return _numbered(labels, where)


def _has_fractions(array: Array) -> bool:
    """Whether floats are amounts, and neither classes nor the probabilities of classes."""
    if array.dtype.kind != "f" or np.equal(array, np.rint(array)).all():
        return False
    rows = array.ndim == 2 and array.shape[1] > 1
    return not (rows and (array >= 0).all() and np.allclose(array.sum(axis=1), 1, atol=1e-3))


def _numbers(arrays: Mapping[str, Array], where: str) -> dict[str, Array]:
    converted: dict[str, Array] = {}
    for key, array in arrays.items():
        if array.ndim not in {1, 2} or 0 in array.shape[1:] or array.dtype.kind not in "iufb":
            raise DataError(
                f"'{key}' in {where} has the shape {array.shape} and the type {array.dtype}; labels that are numbers "
                "are (n,) or (n, k)."
            )
        with np.errstate(over="ignore"):
            converted[key] = np.ascontiguousarray(array.reshape(len(array), -1), dtype=np.float32)
        if not np.isfinite(converted[key]).all():
            raise DataError(f"'{key}' in {where} holds numbers that are too large for float32.")
    columns = {key: array.shape[1] for key, array in converted.items()}
    for key, count in columns.items():
        if count != columns["y_train"]:
            raise DataError(
                f"'y_train' and '{key}' in {where} disagree: {columns['y_train']} and {count} numbers for an example."
            )
    return converted


def _labels(array: Array, where: str) -> Array:
    """Labels as they are: whole numbers (int64) or strings, `(n,)`."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if _is_one_hot(array):
        array = array.argmax(axis=1)
    if array.ndim != 1:
        hint = ""
        if array.ndim == 2:
            hint = (
                "; turn rows of probabilities into labels with argmax(axis=1). Several classes of one example are not "
                f"supported; numbers to be predicted are, with {_NUMBERS}"
            )
        raise DataError(
            f"{where} has the shape {array.shape}; labels must be (n,), or one-hot rows (n, classes){hint}."
        )
    if array.dtype.kind in "US":
        return _texts(array, where)
    if array.dtype.kind == "f" and not np.equal(array, np.rint(array)).all():
        raise DataError(
            f"{where} holds values of type {array.dtype} such as {array[array != np.rint(array)][0]:g}; labels name "
            f"classes, by whole numbers from 0 or by strings. If they are amounts, set {_NUMBERS}."
        )
    if array.dtype.kind not in "iufb":
        raise DataError(f"{where} holds values of type {array.dtype}; labels must be whole numbers (int64) from 0.")
    if array.size and array.min() < 0:
        raise DataError(
            f"{where} has the negative label {int(array.min())}; labels must be whole numbers from 0: "
            f"numpy.unique(labels, return_inverse=True)[1] numbers them so. If they are amounts, set {_NUMBERS}."
        )
    if array.size and array.max() > 1_000_000:
        raise DataError(
            f"{where} has the label {int(array.max())}; number the classes from 0, without gaps. If they are amounts, "
            f"set {_NUMBERS}."
        )
    return array.astype(np.int64)


def _texts(array: Array, where: str) -> Array:
    """Strings; bytes, as TensorFlow keeps them, are read as UTF-8."""
    try:
        return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
    except UnicodeDecodeError as error:
        raise DataError(f"{where} holds bytes that are no text in UTF-8: save the labels as strings.") from error


def _is_one_hot(array: Array) -> bool:
    """Whether every row has one 1 and zeros."""
    if array.ndim != 2 or array.dtype.kind not in "iufb" or array.shape[1] < 2:
        return False
    return bool(np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all())


def _numbered(labels: Mapping[str, Array], where: str) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Number the classes from 0 in the order of their labels; of whole numbers, those from 0 or 1 without gaps."""
    y_train, others = labels["y_train"], {key: array for key, array in labels.items() if key != "y_train"}
    texts = y_train.dtype.kind == "U"
    for key, array in others.items():
        if (array.dtype.kind == "U") != texts:
            raise DataError(f"'y_train' and '{key}' in {where} disagree: one holds strings and the other numbers.")
    present = np.unique(y_train)
    if not texts:
        first = 1 if present[0] == 1 and not any(0 in array for array in others.values()) else 0
        missing = sorted(set(range(first, int(present[-1]) + 1)) - set(present.tolist()))
        if missing:
            raise DataError(
                f"'y_train' in {where} has labels up to {present[-1]} but none is {missing[0]}: number the classes "
                "from 0, without gaps, as numpy.searchsorted(numpy.unique(y_train), y) does for each part. If they "
                f"are amounts, set {_NUMBERS}."
            )
    for key, array in others.items():
        unseen = np.setdiff1d(array, present)
        if len(unseen):
            has = f"{present[0]} to {present[-1]}" if not texts else ", ".join(present[:9].tolist())
            raise DataError(f"'{key}' in {where} has label {unseen[-1]}, which is out of range: 'y_train' has {has}.")
    numbers: dict[str, Array] = {key: np.searchsorted(present, array).astype(np.int64) for key, array in labels.items()}
    return numbers, tuple(str(label) for label in present.tolist())
