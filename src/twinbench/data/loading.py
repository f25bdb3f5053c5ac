"""Load a prepared dataset, after holding its file against the manifest's checksum."""

import dataclasses
import zipfile
from pathlib import Path

import numpy as np

from twinbench.data.arrays import Images, Labels
from twinbench.data.files import hash_file
from twinbench.data.manifest import read_manifest
from twinbench.errors import DataError


@dataclasses.dataclass(frozen=True)
class LoadedDataset:
    """A prepared dataset in memory.

    Attributes:
        name: its name in the configuration.
        x_train: `(n, height, width, channels)`, uint8, values 0 to 255.
        y_train: `(n,)`, int64, labels from 0 to `classes - 1`.
        x_test: as `x_train`.
        y_test: as `y_train`.
        classes: how many classes there are.
        sha256: identifies the arrays (`arrays.hash_arrays`).
    """

    name: str
    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels
    classes: int
    sha256: str

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        height, width, channels = self.x_train.shape[1:]
        return height, width, channels


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
                name=promised.name,
                x_train=arrays["x_train"],
                y_train=arrays["y_train"],
                x_test=arrays["x_test"],
                y_test=arrays["y_test"],
                classes=promised.classes,
                sha256=promised.sha256,
            )
    except OSError as error:
        raise DataError(f"{npz} cannot be read ({error.strerror}): prepare the dataset again.") from error
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{npz} is damaged: delete it and {manifest}, and prepare the dataset again.") from error
