"""What a dataset holds: inputs, labels and weights, by part; the hash that identifies them.

This is the one declaration: preparation, hashing, checks, training and measurements follow it. An array's key says
its role, its part and, of several inputs, its name: `x_train`, `y_test`, `w_train`, `x_validation_left`.
"""

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Labels = NDArray[np.int64]
# What is trained on, what is looked at after every epoch (held out of the first where it is missing), and the test.
PARTS: Final = ("train", "validation", "test")
_KEY = re.compile(rf"x_({'|'.join(PARTS)})(?:_([A-Za-z]\w*))?|y_({'|'.join(PARTS)})|w_train", re.ASCII)


def is_key(key: str) -> bool:
    """Whether an array of this name has a place in a dataset."""
    return _KEY.fullmatch(key) is not None


@dataclasses.dataclass(frozen=True)
class Arrays:
    """The arrays of a dataset.

    Attributes:
        arrays: by their keys. Of each part the inputs, `(n, ...)`: images are uint8 `(n, height, width, channels)`;
            other numbers are float32 or int32, and reach a model as they are. The labels: classes `(n,)` int64 from 0,
            or numbers `(n, k)` float32. The weights of the training examples, `(n,)` float32, if there are any.
    """

    arrays: Mapping[str, Array]

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that there are."""
        return tuple(part for part in PARTS if f"y_{part}" in self.arrays)

    def inputs(self, part: str) -> dict[str, Array]:
        """The inputs of a part by their names; the only one is called ''."""
        named = {key.removeprefix(f"x_{part}").removeprefix("_"): key for key in self.arrays if is_input(key, part)}
        return {name: self.arrays[named[name]] for name in sorted(named)}

    def labels(self, part: str) -> Array:
        """The labels of a part."""
        return self.arrays[f"y_{part}"]

    @property
    def weights(self) -> Array | None:
        """The weights of the training examples."""
        return self.arrays.get("w_train")

    @property
    def of_numbers(self) -> bool:
        """Whether the labels are numbers and no classes."""
        return self.arrays["y_train"].dtype.kind == "f"

    @property
    def strata(self) -> Labels:
        """What the validation part and subsets are shared out by: the training classes, of numbers one for all."""
        return np.zeros(len(self.y_train), np.int64) if self.of_numbers else self.y_train

    @property
    def plain(self) -> bool:
        """Whether it holds images with their classes alone, which the engine trains on."""
        return (
            not self.of_numbers and self.weights is None and [*self.inputs("train")] == [""] and _is_image(self.x_train)
        )

    @property
    def x_train(self) -> Array:
        """The only input of the training part."""
        return self.arrays["x_train"]

    @property
    def y_train(self) -> Array:
        """The labels of the training part."""
        return self.arrays["y_train"]

    @property
    def x_test(self) -> Array:
        """The only input of the test part."""
        return self.arrays["x_test"]

    @property
    def y_test(self) -> Array:
        """The labels of the test part."""
        return self.arrays["y_test"]


def is_input(key: str, part: str) -> bool:
    """Whether an array of this name is an input of a part."""
    return key == f"x_{part}" or key.startswith(f"x_{part}_")


def _is_image(array: Array) -> bool:
    return array.dtype == np.uint8


def hash_arrays(arrays: Mapping[str, Array]) -> str:
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
