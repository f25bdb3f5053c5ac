"""A record of a run that nobody trained, disks that cannot be written, and a Snakemake to be disturbed."""

import contextlib
import os
import re
import resource
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from twinbench.architectures import find_variant
from twinbench.config import Training
from twinbench.planning.keys import plan_key
from twinbench.store.record import Cost, Epoch, Outcome, Record

ROOT = Path(__file__).resolve().parents[2]


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
    identity = {"seed": seed, "plan_key": plan_key(find_variant("mlp", "functional"), seed, Training())}
    return Record(key, identity, outcome, history, Cost("cpu", 1.0, 0.5, 540.0, 700.0), {"threads": 1}, None)


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
def read_only_clone(folder: Path) -> Iterator[Path]:
    """This repository, where nobody can write to it."""
    with mounted(folder, "--bind", str(ROOT)):
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield folder


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of this size."""
    with mounted(folder, "-t", "tmpfs", "-o", f"size={size}", "tmpfs"):
        yield folder


@contextmanager
def full_disk(folder: Path) -> Iterator[Path]:
    """A disk with no room left."""
    with small_disk(folder, "16k"):
        fill(folder)
        yield folder


def fill(folder: Path, *, leave: int = 0) -> None:
    """Fill a disk with a file `filler`, but for some bytes."""
    with (folder / "filler").open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        file.truncate(file.tell() - leave)


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """A disk that may only be read; permission bits do not stop root."""
    with mounted(folder, "-t", "tmpfs", "-o", "ro,size=16k", "tmpfs"):
        yield folder


class RunningSnakemake:
    """Snakemake with the workflow's default profile, as a user starts it, in a process group of its own.

    Args:
        folder: where it is started.
        arguments: of the command line.
        limit: a resource limit of the process and its children, and its value.
        environment: added to this process's.
        root: the folder of the workflow.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        limit: tuple[int, int] | None = None,
        environment: Mapping[str, str] | None = None,
        root: Path = ROOT,
    ) -> None:
        self._folder = folder
        self._killed: set[str] = set()
        self._said = folder / f"said-{secrets.token_hex(4)}"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", "--snakefile", root / "Snakefile", *arguments],
                cwd=folder,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TERM": "dumb", "TF_CPP_MIN_LOG_LEVEL": "2", **(environment or {})},
                start_new_session=True,
            )
        if limit is not None:  # it takes a second before it starts anything that could need more
            resource.prlimit(self.process.pid, limit[0], (limit[1], limit[1]))

    def wait(self, seconds: float = 300) -> int:
        """Wait for its end, and return its exit status."""
        return self.process.wait(seconds)

    def kill_job(self, name: str) -> None:
        """Kill the process of a training job as the kernel does for want of memory, once it has trained an epoch."""
        log = self._folder / "results" / "logs" / f"{name}.log"
        deadline = time.monotonic() + 200
        while True:
            text = log.read_text() if log.is_file() else ""
            begun = re.findall(r"begins on .*, process (\d+)", text)
            if begun and " epoch " in text.rpartition("begins on")[2] and begun[-1] not in self._killed:
                break
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline
            time.sleep(0.1)
        self._killed.add(begun[-1])
        os.kill(int(begun[-1]), signal.SIGKILL)

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._said.read_text(errors="replace")

    @property
    def log(self) -> str:
        """Snakemake's own log of the latest start."""
        return max((self._folder / ".snakemake" / "log").iterdir()).read_text(errors="replace")
