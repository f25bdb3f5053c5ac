"""What a source gives: the arrays of a dataset, where they come from, and whether anything can be trained on them."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from twinbench.data.arrays import Arrays, Labels, is_input
from twinbench.errors import DataError


@dataclasses.dataclass(frozen=True)
class Source(Arrays):
    """What a source gives: the arrays, in a fixed order, and where they come from.

    Attributes:
        origin: what they are, for people: `tensorflow-datasets mnist`.
        version: what tells two editions of the origin apart.
        class_names: one name for each class; none where the labels are numbers.
    """

    origin: str
    version: str
    class_names: tuple[str, ...]

    def subset(self, chosen: NDArray[np.int64]) -> "Source":
        """Keep the training examples at these positions."""
        training = {key for key in self.arrays if key in ("y_train", "w_train") or is_input(key, "train")}
        arrays = {key: array[chosen] if key in training else array for key, array in self.arrays.items()}
        return dataclasses.replace(self, arrays=arrays)


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
    """Refuse arrays that nothing can be trained on, or that no score could be given on.

    Raises:
        DataError: a part without examples, fewer than two classes, a class without training examples, or numbers that
            are all the same.
    """
    for part in source.parts:
        if len(source.labels(part)) == 0:
            said = {"train": "training"}.get(part, part)
            raise DataError(f"Dataset '{name}' has no {said} images: choose a split that has some.")
        if source.of_numbers and not np.ptp(source.labels(part), axis=0).any():
            raise DataError(f"Dataset '{name}' has the same number in all of 'y_{part}': there is nothing to explain.")
    if source.of_numbers:
        return
    if len(source.class_names) < 2:
        raise DataError(f"Dataset '{name}' has images of one class only; a classifier needs at least two classes.")
    unseen = sorted(set(range(len(source.class_names))) - set(np.unique(source.y_train).tolist()))
    if unseen:
        names = ", ".join(repr(source.class_names[label]) for label in unseen[:5])
        raise DataError(f"Dataset '{name}' has test images but no training images of class {names}.")
