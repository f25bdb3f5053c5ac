"""The manifest beside a prepared dataset: where it comes from, what is in it, and the checksums to hold it against.

It holds nothing that changes when the same dataset is prepared again elsewhere.
"""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from twinbench.data.arrays import hash_arrays
from twinbench.data.source import Source
from twinbench.errors import DataError

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What is known of a prepared dataset.

    Attributes:
        name: the dataset's name in the configuration.
        origin: what the images are: `scikit-learn digits`, `tensorflow-datasets emnist/balanced`, `file my.npz`.
        version: what tells two editions of the origin apart.
        sha256: hash over the arrays (`arrays.hash_arrays`); it identifies the dataset in every run's key.
        npz_sha256: hash of the `.npz` file.
        shapes: shape of each array.
        dtypes: dtype of each array.
        class_names: one for each class; the label is the position. None where the labels are numbers.
        train_counts: training images of each class.
        test_counts: test images of each class.
        available_train_examples: how many training images the origin has; fewer are used with `train_examples`.
        train_split: the origin's split that is trained on.
        test_split: the origin's split that is tested on.
        key: digest of all that the dataset was prepared from (`twinbench.planning.stages.dataset_key`).
        format: version of this layout.
    """

    name: str
    origin: str
    version: str
    sha256: str
    npz_sha256: str
    shapes: dict[str, tuple[int, ...]]
    dtypes: dict[str, str]
    class_names: tuple[str, ...]
    train_counts: tuple[int, ...]
    test_counts: tuple[int, ...]
    available_train_examples: int
    train_split: str
    test_split: str
    key: str = ""
    format: int = FORMAT

    @property
    def classes(self) -> int:
        """How many classes there are; of labels that are numbers, how many each example has."""
        return len(self.class_names) or self.shapes["y_train"][1]

    @property
    def images(self) -> int:
        """How many examples there are to train on, and to hold validation images out of where there is no such part."""
        return self.shapes["y_train"][0]

    @property
    def values(self) -> int:
        """How many numbers the inputs of one example are."""
        inputs = [shape for key, shape in self.shapes.items() if key.startswith("x_train")]
        return sum(math.prod(shape[1:]) for shape in inputs)

    @property
    def plain(self) -> bool:
        """Whether it holds images with their classes alone, which the engine trains on."""
        return bool(self.class_names) and self.dtypes.get("x_train") == "uint8" and "w_train" not in self.shapes

    def to_json(self) -> str:
        """The manifest as JSON text, keys in a fixed order."""
        content = {**dataclasses.asdict(self), "classes": self.classes}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def describe(
    source: Source, *, name: str, npz_sha256: str, available_train_examples: int, splits: tuple[str, str], key: str
) -> Manifest:
    """Make the manifest of `source`, whose arrays are in an `.npz` file with that hash."""
    classes = len(source.class_names)
    return Manifest(
        name=name,
        origin=source.origin,
        version=source.version,
        sha256=hash_arrays(source.arrays),
        npz_sha256=npz_sha256,
        shapes={key: array.shape for key, array in source.arrays.items()},
        dtypes={key: str(array.dtype) for key, array in source.arrays.items()},
        class_names=source.class_names,
        train_counts=tuple(np.bincount(source.y_train, minlength=classes).tolist()) if classes else (),
        test_counts=tuple(np.bincount(source.y_test, minlength=classes).tolist()) if classes else (),
        available_train_examples=available_train_examples,
        train_split=splits[0],
        test_split=splits[1],
        key=key,
    )


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        DataError: the file is missing, damaged, or of another layout.
    """
    again = "delete it and prepare the dataset again"
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
    except OSError as error:
        raise DataError(f"The manifest {path} cannot be read ({error.strerror}): prepare the dataset again.") from error
    except ValueError as error:
        raise DataError(f"The manifest {path} is damaged (it is not JSON): {again}.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"The manifest {path} was not written by this version of twinbench: {again}.")
    try:
        return TypeAdapter(Manifest).validate_json(text, strict=True)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise DataError(f"The manifest {path} is damaged ('{place}' is missing or wrong): {again}.") from error
