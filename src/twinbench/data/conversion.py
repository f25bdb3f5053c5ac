"""Make the arrays of a dataset from those that a person gives, and say in a sentence what is wrong with them."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from twinbench.config import Dataset
from twinbench.data.arrays import PARTS, Array, is_key
from twinbench.data.labels import converted_labels
from twinbench.data.source import Source
from twinbench.errors import DataError

NEEDED: Final = ("x_train", "y_train", "x_test", "y_test")
_MEANT = (
    (r"[xy]_?(val|valid|valid_?set|dev)(_\w+)?", "the validation part is called x_validation and y_validation"),
    (r"w_\w+|\w*weights?\w*", "the training examples' weights are called w_train, and no others are weighed"),
    (r"(train|test)_?(images|labels|data|x|y)|[XY]_\w+", "the keys are x_train, y_train, x_test and y_test"),
)
_NUMBERS = "`inputs: numbers` in the dataset's section of the configuration"


def source_of(given: Mapping[str, Array], where: str, dataset: Dataset, *, origin: str, version: str) -> Source:
    """Convert the arrays of a dataset and hold them against each other.

    Args:
        given: arrays by their keys (`arrays.Arrays`).
        where: the file or function that they are from, for the sentences.
        dataset: says what inputs and labels are taken for.
        origin: as in the manifest.
        version: as in the manifest.

    Raises:
        DataError: an array cannot be used; the sentence names file and key.
    """
    check_keys(given, where)
    _check_lengths(given, where)
    parts = [part for part in PARTS if f"y_{part}" in given]
    arrays: dict[str, Array] = {}
    for suffix in sorted(key.removeprefix("x_train") for key in given if key.startswith("x_train")):
        keys = [f"x_{part}{suffix}" for part in parts]
        arrays |= _inputs({key: given[key] for key in keys}, where, dataset.inputs)
        for key in keys[1:]:
            if arrays[key].shape[1:] != arrays[keys[0]].shape[1:]:
                sizes = " and of ".join("x".join(map(str, arrays[name].shape[1:])) for name in (keys[0], key))
                raise DataError(f"'{keys[0]}' and '{key}' in {where} disagree: examples of {sizes}.")
    labels, class_names = converted_labels({f"y_{part}": given[f"y_{part}"] for part in parts}, where, dataset.labels)
    arrays |= labels
    if "w_train" in given:
        arrays["w_train"] = _weights(given["w_train"], f"'w_train' in {where}")
    return Source(arrays, origin=origin, version=version, class_names=class_names)


def check_keys(keys: Iterable[str], where: str) -> None:
    """Refuse keys that have no place in a dataset, and a dataset that lacks one."""
    keys = list(keys)
    inputs = {key.removeprefix("x_train") for key in keys if is_key(key) and key.startswith("x_train")} or {""}
    needed = [f"x_train{name}" for name in inputs] + ["y_train"] + [f"x_test{name}" for name in inputs] + ["y_test"]
    if any(is_key(key) and key[2:].startswith("validation") for key in keys):
        needed += [*(f"x_validation{name}" for name in inputs), "y_validation"]
    absent = [key for key in needed if key not in keys]
    if absent:
        raise DataError(
            f"{where} has no '{absent[0]}': it must hold {', '.join(NEEDED)}, and holds {', '.join(keys) or 'nothing'}."
        )
    unused = [key for key in keys if key not in needed and key != "w_train"]
    if unused:
        if is_key(unused[0]):
            raise DataError(f"{where} has '{unused[0]}' and no training input of that name: give every part the same.")
        meant = (said for pattern, said in _MEANT if re.fullmatch(pattern, unused[0]))
        raise DataError(
            f"{where} has '{unused[0]}', which would not be used: {next(meant, 'no array of a dataset is called so')}. "
            "Rename it, or leave it out."
        )
    if "" in inputs and len(inputs) > 1:
        raise DataError(f"{where} has 'x_train' and other inputs: where there are several, give each a name.")


def _check_lengths(given: Mapping[str, Array], where: str) -> None:
    for key, array in given.items():
        if array.ndim == 0:
            raise DataError(f"'{key}' in {where} is a single value; it must hold one entry for each example.")
    for key, array in given.items():
        if len(array) == 0:
            raise DataError(f"'{key}' in {where} is empty: it must hold at least one example.")
        labels = f"y_{key.split('_')[1]}"
        if len(array) != len(given[labels]):
            what = "weights" if key == "w_train" else "examples"
            raise DataError(
                f"'{key}' and '{labels}' in {where} disagree: {len(array)} {what} and {len(given[labels])} labels."
            )


def _inputs(arrays: Mapping[str, Array], where: str, taken_for: str) -> dict[str, Array]:
    """Convert one input of all parts, to images or to numbers."""
    for key, array in arrays.items():
        _check_numeric(array, f"'{key}' in {where}")
    (first, array), *_ = arrays.items()
    if taken_for == "auto" and array.ndim >= 4 and array.shape[1] in {1, 3, 4} and min(array.shape[2:]) > 4:
        raise DataError(
            f"'{first}' in {where} has the shape {array.shape}, which looks like channels first; images are (n, "
            "height, width, channels): write them anew with array.transpose(0, 2, 3, 1). If it is right as it is, set "
            f"`inputs: images` or {_NUMBERS}."
        )
    images = taken_for == "images" or (taken_for == "auto" and array.ndim in {3, 4} and _are_pixels(arrays, where))
    if images:
        return {key: _images(array, f"'{key}' in {where}") for key, array in arrays.items()}
    whole = all(array.dtype.kind in "iu" for array in arrays.values())
    return {key: _numbers(array, f"'{key}' in {where}", whole=whole) for key, array in arrays.items()}


def _check_numeric(array: Array, where: str) -> None:
    if 0 in array.shape[1:]:
        raise DataError(f"{where} has the shape {array.shape}; it must be (n, ...), with at least one number each.")
    if array.dtype.kind in "US":
        raise DataError(
            f"{where} holds texts of type {array.dtype}: turn words into whole numbers first, as with "
            "keras.layers.TextVectorization, and categories with numpy.unique(column, return_inverse=True)[1]."
        )
    if array.dtype.kind not in "iufb":
        raise DataError(f"{where} holds values of type {array.dtype}; inputs are whole numbers or floats.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"{where} holds NaN or infinite values; every value must be a number.")


def _are_pixels(arrays: Mapping[str, Array], where: str) -> bool:
    """Whether arrays of three or four axes are images: whole numbers are, and floats of which none lies outside 0..1.

    Raises:
        DataError: they might be pixels on another scale.
    """
    if all(array.dtype.kind in "iu" for array in arrays.values()) and {array.max() for array in arrays.values()} == {1}:
        raise DataError(
            f"'{next(iter(arrays))}' in {where} holds whole numbers up to 1, and the brightest pixel is 255: if 1 is "
            f"bright, save truth values, array.astype(bool); if they are no pixels, set {_NUMBERS}. If it is right as "
            "it is, set `inputs: images`."
        )
    if all(array.dtype.kind == "f" for array in arrays.values()):
        if all(array.size == 0 or (array.min() >= 0 and array.max() <= 1) for array in arrays.values()):
            return True
        for key, array in arrays.items():
            if array.size and array.min() >= 0 and array.max() <= 255 and np.equal(array, np.rint(array)).all():
                raise DataError(
                    f"'{key}' in {where} holds floats from {array.min():g} to {array.max():g}; if they are pixels, "
                    f"save them as uint8 from 0 to 255, and else set {_NUMBERS}, to have them as they are."
                )
        return False
    return True


def _images(array: Array, where: str) -> Array:
    if array.ndim not in {3, 4}:
        raise DataError(
            f"{where} has the shape {array.shape}; images are (n, height, width) or (n, height, width, channels)."
        )
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.dtype == np.uint8 or array.size == 0:
        return np.ascontiguousarray(array, dtype=np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    low, high = array.min(), array.max()
    if array.dtype.kind == "f":
        if low < 0 or high > 1:
            raise DataError(
                f"{where} holds floats from {low:g} to {high:g}; save images as uint8 from 0 to 255, or as floats from "
                f"0 to 1, or set {_NUMBERS}, to have them as they are."
            )
        scaled: Array = np.rint(array * 255).astype(np.uint8)
        return scaled
    if low < 0 or high > 255:
        raise DataError(
            f"{where} holds values from {low} to {high}; pixels must be from 0 to 255. If they are no pixels, set "
            f"{_NUMBERS}, to have them as they are."
        )
    return array.astype(np.uint8)


def _numbers(array: Array, where: str, *, whole: bool) -> Array:
    """Numbers as they are: int32 where all parts hold whole numbers, else float32."""
    if array.ndim == 1:
        array = array[:, np.newaxis]
    limits = np.iinfo(np.int32) if whole else np.finfo(np.float32)
    if array.size and array.dtype != np.bool_ and (array.min() < limits.min or array.max() > limits.max):
        raise DataError(f"{where} holds numbers from {array.min()} to {array.max()}, too large for {limits.dtype}.")
    return np.ascontiguousarray(array, dtype=limits.dtype)


def _weights(array: Array, where: str) -> Array:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "iufb":
        raise DataError(
            f"{where} has the shape {array.shape} and the type {array.dtype}; weights are one number for each training "
            "example, (n,)."
        )
    weights = array.astype(np.float32)
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise DataError(f"{where} must hold finite weights of at least 0, not all of them 0.")
    return weights
