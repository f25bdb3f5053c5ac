"""Load a prepared dataset, after holding its file against the manifest's checksum."""

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from twinbench.data.arrays import Array, Arrays
from twinbench.data.files import hash_file
from twinbench.data.manifest import read_manifest
from twinbench.errors import DataError


@dataclasses.dataclass(frozen=True)
class LoadedDataset(Arrays):
    """A prepared dataset in memory.

    Attributes:
        name: its name in the configuration.
        classes: how many classes there are; of labels that are numbers, how many each example has.
        sha256: identifies the arrays (`arrays.hash_arrays`).
        class_names: one for each class.
    """

    name: str
    classes: int
    sha256: str
    class_names: tuple[str, ...] = ()

    @property
    def input_shape(self) -> Any:
        """The shape of an example, `(height, width, channels)` of an image; of several inputs, that of each by name."""
        return packed({name: array.shape[1:] for name, array in self.inputs("train").items()})

    def given(self, part: str, positions: Any = slice(None), *, scale: float = 1 / 255) -> Any:
        """Return inputs as a model gets them: an array, or several by their names.

        Args:
            part: of the dataset.
            positions: which examples.
            scale: factor on pixels, which become float32; other numbers stay as they are.
        """
        return packed({name: _given(array[positions], scale) for name, array in self.inputs(part).items()})


def packed(inputs: dict[str, Any]) -> Any:
    """Return what is kept by the names of inputs as it is given: by these, or by itself where there is one input."""
    return inputs[""] if [*inputs] == [""] else inputs


def _given(array: Array, scale: float) -> Array:
    return array.astype(np.float32) * np.float32(scale) if array.dtype == np.uint8 else array


def load(npz: Path, manifest: Path | None = None) -> LoadedDataset:
    """Load the dataset that `prepare` wrote to `npz`.

    Args:
        npz: the dataset's file.
        manifest: its manifest (default: the file of the same name that ends in `.json`).

    Raises:
        DataError: a file is missing or damaged, or is not what the manifest promises.
    """
    manifest = npz.with_suffix(".json") if manifest is None else manifest
    promised = read_manifest(manifest)
    try:
        sha256 = hash_file(npz)
        if sha256 != promised.npz_sha256:
            raise DataError(
                f"{npz} is not the file that {manifest} describes: its SHA-256 is {sha256} instead of "
                f"{promised.npz_sha256}; delete both and prepare the dataset again."
            )
        with np.load(npz, allow_pickle=False) as arrays:
            return LoadedDataset(
                {key: arrays[key] for key in promised.shapes},
                name=promised.name,
                classes=promised.classes,
                sha256=promised.sha256,
                class_names=promised.class_names,
            )
    except OSError as error:
        raise DataError(f"{npz} cannot be read ({error.strerror}): prepare the dataset again.") from error
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{npz} is damaged: delete it and {manifest}, and prepare the dataset again.") from error
