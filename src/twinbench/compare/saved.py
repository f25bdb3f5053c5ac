"""Reads saved models and saved weights, always in safe mode: no code in a file ever runs."""

import re
import zipfile
from pathlib import Path

import h5py
import keras

from twinbench.errors import UsageError

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
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    first = re.sub(r"\S*<class '([\w.]*\.)?(\w+)'>", r"\2", lines[0])
    cause = next((line for line in lines[1:] if re.match(r"(Exception|Error) encountered: ", line)), "")
    cause = cause.partition(": ")[2] or next((line for line in lines if line.startswith("TypeError")), "")
    return f"{first[:200]}{f' ({cause[:200]})' if cause else ''}"


def _is_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
