"""The examples of a dataset, as the runs of one recipe see them: splits, order, and the tensors to gather from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from twinbench.architectures.recipe import Recipe
from twinbench.config import Training
from twinbench.data import LoadedDataset, split_validation
from twinbench.data.splits import SAME_SPLIT
from twinbench.training.seeds import epoch_order

Positions = NDArray[np.int32]


@dataclass(frozen=True)
class Images:
    """A part of a dataset, for the engine as tensors: `(n, height, width, channels)` uint8 and `(n,)` int32."""

    part: str
    pixels: Any = None
    labels: Any = None

    @classmethod
    def of(cls, data: LoadedDataset, part: str) -> "Images":
        """Put images and classes where TensorFlow can gather from them; others the engine does not train on."""
        if not data.plain:
            return cls(part)
        return cls(part, tf.constant(data.inputs(part)[""]), tf.constant(data.labels(part).astype(np.int32)))


class DatasetTensors:
    """A dataset in TensorFlow's memory, once for all runs of a process."""

    def __init__(self, data: LoadedDataset) -> None:
        self.data = data
        self.train = Images.of(data, "train")
        self.test = Images.of(data, "test")
        self.validation = Images.of(data, "validation") if "validation" in data.parts else None


class Feed:
    """Which images a recipe's runs train on, validate on and are tested on, and in which order."""

    def __init__(self, tensors: DatasetTensors, recipe: Recipe, training: Training, *, split: int = SAME_SPLIT) -> None:
        """Split the training images.

        Raises:
            DataError: the validation fraction leaves too few of them.
        """
        self.tensors = tensors
        self._recipe = recipe
        self._batch_size = training.batch_size * recipe.batch_factor
        data = tensors.data
        if tensors.validation is not None and recipe.validation == "stratified":
            self.validation = tensors.validation
            train, validation = np.arange(len(data.y_train)), np.arange(len(data.labels("validation")))
        else:
            self.validation = tensors.train
            train, validation = _split(data.strata, training.validation_fraction, recipe, split)
        self.train_positions: Positions = train.astype(np.int32)
        self.validation_positions: Positions = validation.astype(np.int32)
        self.test_positions: Positions = np.arange(len(tensors.data.y_test), dtype=np.int32)

    def order(self, order_seed: int, epoch: int) -> Positions:
        """Return the positions of the training images in the order of one epoch."""
        shuffled: Positions = self.train_positions[epoch_order(order_seed, epoch, len(self.train_positions))]
        if self._recipe.feed == "first batch repeated":
            first = self.train_positions[epoch_order(order_seed, 0, len(self.train_positions))][: self._batch_size]
            return np.resize(first, len(shuffled))
        return shuffled

    def validation_squares(self) -> float:
        """What a perfect prediction of the validation examples explains (`total_squares`)."""
        return self._squares(self.validation.part, self.validation_positions)

    def test_squares(self) -> float:
        """What a perfect prediction of the test examples explains (`total_squares`)."""
        return self._squares("test", self.test_positions)

    def _squares(self, part: str, positions: Positions) -> float:
        data = self.tensors.data
        values = data.labels(part) if self._recipe.task == "regress" else data.inputs(part)[""]
        return total_squares(values[positions], self._recipe.scale if values.dtype == np.uint8 else 1.0)


def total_squares(values: NDArray[Any], scale: float) -> float:
    """Sum of squared deviations of scaled values `(n, ...)`, pixels or labels, from their mean over the examples."""
    flat = values.reshape(len(values), -1)
    # Image by image, since float64 copies of all images would not fit beside the rest.
    mean = flat.mean(axis=0, dtype=np.float64)
    return float(sum(np.square(image - mean).sum() for image in flat)) * scale * scale


def _split(labels: NDArray[np.int64], fraction: float, recipe: Recipe, split: int) -> tuple[NDArray[Any], NDArray[Any]]:
    if recipe.validation == "stratified":
        return split_validation(labels, fraction, split=split)
    by_class = np.argsort(labels, kind="stable")
    kept = len(labels) - round(len(labels) * fraction)
    return by_class[:kept], by_class[kept:]
