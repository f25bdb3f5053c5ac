"""Reads saved models and saved weights, always in safe mode: no code in a file ever runs."""

import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from twinbench.errors import UsageError
from twinbench.sameness.subjects import count_parameters

MODELS = (".keras", ".h5", ".hdf5")
"""How the names of files end that may hold a model; those that end in `.weights.h5` hold weights alone."""


def holds_weights_alone(path: Path) -> bool:
    """Whether a file holds weights without a model.

    Raises:
        UsageError: There is no such file, or it cannot be read.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    if path.suffix == ".keras":
        return False
    try:
        with h5py.File(path, "r") as file:
            return "model_config" not in file.attrs
    except OSError as error:
        raise UsageError(f"{path} is no HDF5 file, as its name says, or it is damaged.") from error


def load_saved(path: Path) -> tuple[keras.Model, str]:
    """Load a saved model.

    Returns:
        The model, and why its loss, optimiser and metrics could not be loaded with it (empty where they could be).

    Raises:
        UsageError: It is no saved model, or it cannot be loaded in safe mode.
    """
    if path.suffix == ".keras" and not _is_archive(path):
        raise UsageError(
            f"{path} is no saved model: a .keras file is an archive as model.save writes it, and this is not one."
        )
    note = ""
    try:
        model = keras.saving.load_model(path, safe_mode=True)
    except Exception as error:
        note = _reason(error)
        try:
            model = keras.saving.load_model(path, safe_mode=True, compile=False)
        except Exception as again:
            raise UsageError(
                f"{path} cannot be loaded in safe mode, in which no code of the file runs: {_reason(again)} "
                "Give the function that builds the model instead."
            ) from again
    if not isinstance(model, keras.Model):
        raise UsageError(f"{path} holds {type(model).__name__}, not a keras.Model.")
    return model, note


def _reason(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]


def load_weights_into(model: keras.Model, path: Path, owner: str) -> None:
    """Load a file of weights into a built model.

    Args:
        model: A fresh model of the other side, whose own weights are lost.
        path: The file.
        owner: What to call that side.

    Raises:
        UsageError: The weights do not fit the model.
    """
    try:
        if path.name.endswith(".weights.h5"):
            model.load_weights(path)
        else:
            keras.saving.load_weights(model, path)
    except Exception as error:
        raise UsageError(f"The weights of {path} do not fit the model of {owner}: {_reason(error)}") from error
    stored = _stored_numbers(path)
    wanted, with_metrics = (count_parameters(variables) for variables in (model.weights, model.variables))
    if stored not in (wanted, with_metrics):
        raise UsageError(
            f"The weights of {path} do not fit the model of {owner}: the file holds {stored:,} numbers and the model "
            f"{wanted:,}."
        )


def _stored_numbers(path: Path) -> int:
    sizes: list[int] = []

    def note(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer") and "seed_generator" not in name:
            sizes.append(int(np.prod(item.shape)))

    with h5py.File(path, "r") as file:
        file.visititems(note)
    return sum(sizes)


def _is_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
