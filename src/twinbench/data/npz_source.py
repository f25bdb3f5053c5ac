"""Read a user's own `.npz` file, and say in a sentence what is wrong with it."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from twinbench.config import Dataset
from twinbench.data.arrays import Array
from twinbench.data.conversion import check_keys, source_of
from twinbench.data.files import hash_file
from twinbench.data.source import Source
from twinbench.errors import DataError


def read_npz(dataset: Dataset) -> Source:
    """Read the arrays of a file, in its own order of the examples. Nothing is ever unpickled.

    Args:
        dataset: its `source` is the file's path; what the arrays may be, `conversion.source_of` says.

    Raises:
        DataError: the file is missing or damaged, or an array cannot be used; the sentence names file and key.
    """
    path = Path(dataset.source).expanduser()
    arrays = _read_arrays(path)
    return source_of(arrays, str(path), dataset, origin=f"file {path.name}", version=f"sha256:{hash_file(path)}")


def _read_arrays(path: Path) -> dict[str, Array]:
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
            check_keys(archive.files, str(path))
            for key in archive.files:
                arrays[key] = _read_array(archive, key, path)
    except PermissionError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{path} is not an .npz file, or a damaged one: write it anew with numpy.savez.") from error
    return arrays


def _read_array(archive: np.lib.npyio.NpzFile, key: str, path: Path) -> Array:
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
