"""The arrays that a source gives, the hash that identifies them, and what training needs of them."""

import dataclasses
import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twinbench.errors import DataError

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Source:
    """What a source gives: the arrays, in a fixed order, and where they come from.

    Attributes:
        origin: what the images are, for people: `tensorflow-datasets mnist`.
        version: what tells two editions of the origin apart.
        x_train: `(n, height, width, channels)`, uint8.
        y_train: `(n,)`, int64, from 0 to `classes - 1`.
        x_test: as `x_train`.
        y_test: as `y_train`.
        class_names: one name for each class.
    """

    origin: str
    version: str
    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels
    class_names: tuple[str, ...]

    @property
    def arrays(self) -> dict[str, NDArray[np.uint8] | NDArray[np.int64]]:
        """The four arrays under the keys that they have in the `.npz` file."""
        return {"x_train": self.x_train, "y_train": self.y_train, "x_test": self.x_test, "y_test": self.y_test}


def hash_arrays(arrays: Mapping[str, NDArray[np.uint8] | NDArray[np.int64]]) -> str:
    """SHA-256 over name, dtype, shape and bytes of each array, in the order of their names.

    The bytes are little-endian and in C order, so that the hash does not depend on the machine.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{name} {plain.dtype.str} {plain.shape}\n".encode())
        digest.update(plain.data.cast("B"))
    return digest.hexdigest()


def relabel(y_train: NDArray[np.int64], y_test: NDArray[np.int64]) -> tuple[Labels, Labels, list[int]]:
    """Number the classes that occur from 0, in the order of their labels.

    A dataset may declare classes that it has no image of: EMNIST's `letters` declares 37 for 26.

    Returns:
        The labels for training and testing, `(n,)` int64, and the former label of each class.
    """
    present = np.union1d(y_train, y_test)
    return (
        np.searchsorted(present, y_train).astype(np.int64),
        np.searchsorted(present, y_test).astype(np.int64),
        [int(label) for label in present],
    )


def check_trainable(source: Source, name: str) -> None:
    """Refuse arrays that no classifier can be trained on.

    Raises:
        DataError: a split without images, fewer than two classes, or a class without training images.
    """
    for split, labels in (("training", source.y_train), ("test", source.y_test)):
        if len(labels) == 0:
            raise DataError(f"Dataset '{name}' has no {split} images: choose a split that has some.")
    if len(source.class_names) < 2:
        raise DataError(f"Dataset '{name}' has images of one class only; a classifier needs at least two classes.")
    unseen = sorted(set(range(len(source.class_names))) - set(np.unique(source.y_train).tolist()))
    if unseen:
        names = ", ".join(repr(source.class_names[label]) for label in unseen[:5])
        raise DataError(f"Dataset '{name}' has test images but no training images of class {names}.")
