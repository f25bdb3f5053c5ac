"""Read a user's own `.npz` file, and say in a sentence what is wrong with it."""

import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.data.arrays import Images, Labels, Source
from twinbench.data.files import hash_file
from twinbench.errors import DataError

_KEYS = ("x_train", "y_train", "x_test", "y_test")
# What other programs would train or test with, and what would be left out here.
_OTHER_ROLES = re.compile(
    r"[xyw]_\w+|(val|valid|validation|dev)(_\w+)?|\w*weights?\w*|(train|test)_(images|labels|x|y)"
)


def read_npz(path: Path) -> Source:
    """Read x_train, y_train, x_test and y_test, in the order in which the file has them.

    Images are `(n, height, width)` or `(n, height, width, channels)`: integers from 0 to 255, truth values
    (which become 0 and 255), or floats from 0 to 1 (which become round(255 * value), halves to even).
    Labels are `(n,)` or `(n, 1)` whole numbers from 0 or from 1 without gaps (floats and truth values among them) or
    strings, or one-hot rows `(n, classes)`. Nothing is ever unpickled.

    Raises:
        DataError: the file is missing or damaged, or an array cannot be used; the sentence names file and key.
    """
    arrays = _read_arrays(path)
    x_train, x_test = (_images(arrays[key], f"'{key}' in {path}") for key in ("x_train", "x_test"))
    y_train, y_test = (_labels(arrays[key], f"'{key}' in {path}") for key in ("y_train", "y_test"))
    for split, images, labels in (("train", x_train, y_train), ("test", x_test, y_test)):
        if len(images) != len(labels):
            raise DataError(
                f"'x_{split}' and 'y_{split}' in {path} disagree: {len(images)} images and {len(labels)} labels."
            )
        if len(images) == 0:
            raise DataError(f"'x_{split}' in {path} is empty: it must hold at least one image.")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"'x_train' and 'x_test' in {path} disagree: images of {_size(x_train)} and of {_size(x_test)}."
        )
    y_train, y_test, class_names = _numbered(y_train, y_test, path)
    return Source(
        origin=f"file {path.name}",
        version=f"sha256:{hash_file(path)}",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=class_names,
    )


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise DataError(
            f"The dataset file {path} does not exist: check `source` in the configuration, which is looked for from "
            f"{Path.cwd()}."
        )
    arrays = {}
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(f"{path} is not an .npz file: write one with numpy.savez.")
            absent = [key for key in _KEYS if key not in archive.files]
            if absent:
                raise DataError(
                    f"{path} has no '{absent[0]}': it must hold {', '.join(_KEYS)}, and holds "
                    f"{', '.join(archive.files) or 'nothing'}."
                )
            ignored = [key for key in archive.files if key not in _KEYS and _OTHER_ROLES.fullmatch(key)]
            if ignored:
                raise DataError(
                    f"{path} has '{ignored[0]}', which would not be used: validation images are held out of 'x_train' "
                    "(`validation_fraction`), and no image has a weight. Join the images to 'x_train' or 'x_test', or "
                    "leave the array out."
                )
            for key in _KEYS:
                arrays[key] = _read_array(archive, key, path)
    except PermissionError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{path} is not an .npz file, or a damaged one: write it anew with numpy.savez.") from error
    return arrays


def _read_array(archive: np.lib.npyio.NpzFile, key: str, path: Path) -> NDArray[Any]:
    damaged = f"'{key}' in {path} is damaged and cannot be read: write the file anew with numpy.savez."
    try:
        array = archive[key]
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, MemoryError) as error:
        if "allow_pickle" in str(error):
            raise DataError(
                f"'{key}' in {path} is an array of Python objects, which twinbench never unpickles: "
                "save it as an array of numbers."
            ) from error
        raise DataError(damaged) from error
    if not isinstance(array, np.ndarray):  # a member that is no .npy file comes as bytes
        raise DataError(damaged)
    return array


def _images(array: NDArray[Any], where: str) -> Images:
    if array.ndim not in {3, 4} or 0 in array.shape[1:]:
        raise DataError(
            f"{where} has the shape {array.shape}; it must be (n, height, width) or (n, height, width, channels)."
        )
    if array.ndim == 4 and array.shape[1] in {1, 3, 4} and min(array.shape[2:]) > 4:
        raise DataError(
            f"{where} has the shape {array.shape}, which looks like channels first; it must be (n, height, width, "
            "channels): write the file anew with array.transpose(0, 2, 3, 1). If an image is so low, give its width "
            "first."
        )
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.dtype == np.uint8 or array.size == 0:
        return np.ascontiguousarray(array, dtype=np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "iuf":
        raise DataError(f"{where} holds values of type {array.dtype}; images are uint8, or floats from 0 to 1.")
    if not np.isfinite(array).all():
        raise DataError(f"{where} holds NaN or infinite values; every pixel must be a number.")
    low, high = array.min(), array.max()
    if array.dtype.kind == "f":
        if low < 0 or high > 1:
            raise DataError(
                f"{where} holds floats from {low:g} to {high:g}; save images as uint8 from 0 to 255, "
                "or as floats from 0 to 1."
            )
        scaled: Images = np.rint(array * 255).astype(np.uint8)
        return scaled
    if low < 0 or high > 255:
        raise DataError(f"{where} holds values from {low} to {high}; pixels must be from 0 to 255.")
    return array.astype(np.uint8)


def _labels(array: NDArray[Any], where: str) -> NDArray[Any]:
    """Labels as they are: whole numbers (int64) or strings, `(n,)`."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise DataError(f"{where} holds NaN; every label must be a whole number from 0.")
    if _is_one_hot(array):
        array = array.argmax(axis=1)
    if array.ndim != 1:
        hint = "; turn rows of probabilities into labels with argmax(axis=1)" if array.ndim == 2 else ""
        raise DataError(
            f"{where} has the shape {array.shape}; labels must be (n,), or one-hot rows (n, classes){hint}."
        )
    if array.dtype.kind in "US":
        names: NDArray[Any] = array.astype(np.str_)
        return names
    if array.dtype.kind == "f" and not np.equal(array, np.rint(array)).all():
        raise DataError(
            f"{where} holds values of type {array.dtype} such as {array[array != np.rint(array)][0]:g}; labels name "
            "classes, by whole numbers from 0 or by strings."
        )
    if array.dtype.kind not in "iufb":
        raise DataError(f"{where} holds values of type {array.dtype}; labels must be whole numbers (int64) from 0.")
    array = array.astype(np.int64)
    if array.size and array.min() < 0:
        raise DataError(
            f"{where} has the negative label {array.min()}; labels must be whole numbers from 0: "
            "numpy.unique(labels, return_inverse=True)[1] numbers them so."
        )
    if array.size and array.max() > 1_000_000:
        raise DataError(f"{where} has the label {array.max()}; number the classes from 0, without gaps.")
    return array


def _is_one_hot(array: NDArray[Any]) -> bool:
    """Whether every row has one 1 and zeros."""
    if array.ndim != 2 or array.dtype.kind not in "iufb" or array.shape[1] < 2:
        return False
    return bool(np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all())


def _numbered(y_train: NDArray[Any], y_test: NDArray[Any], path: Path) -> tuple[Labels, Labels, tuple[str, ...]]:
    """Number the classes from 0 in the order of their labels; of whole numbers, those from 0 or 1 without gaps."""
    if (y_train.dtype.kind == "U") != (y_test.dtype.kind == "U"):
        raise DataError(f"'y_train' and 'y_test' in {path} disagree: one holds strings and the other numbers.")
    present = np.unique(y_train)
    if y_train.dtype.kind != "U":
        first = 1 if present[0] == 1 and 0 not in y_test else 0
        missing = sorted(set(range(first, int(present[-1]) + 1)) - set(present.tolist()))
        if missing:
            raise DataError(
                f"'y_train' in {path} has labels up to {present[-1]} but none is {missing[0]}: number the classes from "
                "0, without gaps."
            )
    unseen = np.setdiff1d(y_test, present)
    if len(unseen):
        has = f"{present[0]} to {present[-1]}" if y_train.dtype.kind != "U" else ", ".join(present[:9].tolist())
        raise DataError(f"'y_test' in {path} has label {unseen[-1]}, which is out of range: 'y_train' has {has}.")
    numbers = (np.searchsorted(present, labels).astype(np.int64) for labels in (y_train, y_test))
    return *numbers, tuple(str(label) for label in present.tolist())  # type: ignore[return-value] # two of them


def _size(images: Images) -> str:
    return "x".join(str(length) for length in images.shape[1:])
