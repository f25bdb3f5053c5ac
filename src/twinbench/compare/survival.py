"""Whether a model is the same after it was saved and loaded."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from twinbench.compare.api import compare
from twinbench.compare.render import as_text
from twinbench.errors import UsageError, first_cause


def assert_survives_saving(model: keras.Model | Callable[[], keras.Model], **options: Any) -> None:
    """Raise AssertionError unless a model, saved (`.keras`) and loaded, is the one that it was, weights included.

    It is loaded in safe mode, in which no code of the file runs; classes of your own must be registered.

    Args:
        model: A built model, or a function that returns one.
        options: The keyword arguments of `twinbench.compare`.
    """
    built = model if isinstance(model, keras.Model) else model()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved.keras"
        try:
            built.save(path)
        except Exception as error:
            raise AssertionError(f"The model cannot be saved: {first_cause(error, 600)}") from error
        try:
            report = compare(built, str(path), names=("the model", "the same, saved and loaded"), **options)
        except UsageError as error:
            raise AssertionError(f"The model was saved, and cannot be compared: {error}") from error
    if report.verdict not in ("identical", "equivalent"):
        raise AssertionError(as_text(report))
