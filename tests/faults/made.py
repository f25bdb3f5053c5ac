"""A record of a run that nobody trained, and disks that cannot be written."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from twinbench.training.record import Cost, Epoch, Outcome, Record


def made_record(key: str = "ab" * 32, *, seed: int = 1, reason: str = "") -> Record:
    outcome = Outcome(
        dataset="digits",
        architecture="mlp",
        variant="functional",
        kind="reference",
        seed=seed,
        status="failed" if reason else "ok",
        reason=reason,
        task="classify",
        score_name="accuracy",
        optimizer="adam",
        learning_rate=0.002,
        batch_size=32,
        epochs=2,
        loss="sparse_categorical_crossentropy",
        precision="float32",
        determinism="strict",
        threads=1,
        init="own",
        vary="init order dropout",
        train_examples=270,
        validation_examples=30,
        test_examples=360,
        dataset_sha256="0" * 64,
    )
    history = (Epoch(1, 2.0, 1.9, 40.0), Epoch(2, 1.5, 1.4, 60.0))
    return Record(key, {"seed": seed}, outcome, history, Cost("cpu", 1.0, 0.5, 540.0, 700.0), {"threads": 1})


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A folder on a file system of its own."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, folder], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def full_disk(folder: Path) -> Iterator[Path]:
    """A disk with no room left."""
    with mounted(folder, "-t", "tmpfs", "-o", "size=16k", "tmpfs"):
        filler = folder / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        yield folder


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """A disk that may only be read; permission bits do not stop root."""
    with mounted(folder, "-t", "tmpfs", "-o", "ro,size=16k", "tmpfs"):
        yield folder
