"""Small datasets, and training on them in a line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twinbench.config import Configuration, Dataset, parse_configuration
from twinbench.data import load, prepare
from twinbench.planning.plan import make_plan
from twinbench.store.record import Record
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs

Train = Callable[..., list[Record]]


@pytest.fixture(scope="session")
def tiny_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 digits to train on: with batches of 32, five whole ones and a last one of 20 in an epoch."""
    npz = tmp_path_factory.mktemp("tiny") / "digits.npz"
    prepare(Dataset(source="digits", name="digits", train_examples=200), npz, npz.with_suffix(".json"))
    return npz


@pytest.fixture(scope="session")
def mnist_sample_npz(mnist_npz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first images of the real MNIST."""
    folder = tmp_path_factory.mktemp("mnist-sample")
    data = load(mnist_npz)
    np.savez(
        folder / "few.npz",
        x_train=data.x_train[:1500],
        y_train=data.y_train[:1500],
        x_test=data.x_test[:500],
        y_test=data.y_test[:500],
    )
    npz = folder / "prepared" / "mnist.npz"
    prepare(Dataset(source=str(folder / "few.npz"), name="mnist"), npz, npz.with_suffix(".json"))
    return npz


def configure(
    *architectures: str, seeds: int | list[int] = 1, suspects: tuple[str, ...] = (), **training: Any
) -> Configuration:
    """A configuration of three epochs (unless `training` says otherwise) with a checkpoint after each."""
    return parse_configuration(
        {
            "architectures": list(architectures) or ["mlp/functional"],
            "suspects": list(suspects),
            "seeds": seeds,
            "training": {"epochs": 3, "checkpoint_seconds": 0, **training},
        }
    )


@pytest.fixture
def train(tiny_npz: Path, tmp_path: Path) -> Train:
    """Trains what `configure` takes, on the tiny digits in a store of this test unless told otherwise."""

    def trained(*architectures: str, npz: Path = tiny_npz, store: str = "store", **options: Any) -> list[Record]:
        configuration = configure(*architectures, **options)
        return train_runs(make_plan(configuration).runs, configuration, npz, RunStore(tmp_path / store))

    return trained
