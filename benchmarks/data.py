"""The datasets that the benchmarks train on, prepared once."""

import os
from pathlib import Path

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
