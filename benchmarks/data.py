"""The datasets that the benchmarks train on, prepared once."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinbench.config import Dataset
from twinbench.data import prepare

FOLDER = Path("results/bench/data")


def prepared(name: str) -> Path:
    """Return the prepared dataset; MNIST from the original files in TWINBENCH_MNIST, or downloaded."""
    npz = FOLDER / f"{name}.npz"
    if not npz.with_suffix(".json").exists():
        files = os.environ.get("TWINBENCH_MNIST") if name == "mnist" else None
        dataset = Dataset(source=name, name=name, manual_dir=files)
        prepare(dataset, npz, npz.with_suffix(".json"), cache=FOLDER / "cache")
    return npz


def images_of(npz: Path | None, examples: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the first training images and labels of a prepared dataset (MNIST where none is named)."""
    with np.load(npz or prepared("mnist")) as arrays:
        return arrays["x_train"][:examples], arrays["y_train"][:examples]
