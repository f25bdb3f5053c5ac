"""Starts the fresh process that loads a saved model (`twinbench.compare.loading`), and reads its answer."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def _kept_arrays(arrays: list[np.ndarray] | None) -> Iterator[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(None if arrays is None else [[str(a.dtype), a.tolist()] for a in arrays], file)
        file.flush()
        yield file.name


def load_apart(path: Path, arrays: list[np.ndarray] | None, imported: str) -> dict[str, Any]:
    """What a fresh process says of a file.

    Args:
        path: The file.
        arrays: One array per input to run the model on; None where there are none.
        imported: The place of a function whose file is imported first, or empty.

    Returns:
        Its outputs under `outputs` (None where there is nothing to run it on), or under `error` what it raised.
    """
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "MPLBACKEND": "Agg"}
    with _kept_arrays(arrays) as given:
        command = [sys.executable, "-m", "twinbench.compare.loading", str(path), given, imported]
        finished = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, capture_output=True, text=True, env=environment, check=False, timeout=600
        )
    last = next((line for line in reversed(finished.stdout.splitlines()) if line.startswith("{")), "")
    if not last:
        return {"error": f"the process ended with exit status {finished.returncode}"}
    answer: dict[str, Any] = json.loads(last)
    return answer
