"""Provenance: on what and from what a run was made. Every run's record has it as its `manifest`; it is in no key."""

import functools
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import twinbench
from twinbench.config import Configuration

COMMIT_VARIABLE = "TWINBENCH_COMMIT"
_DIRTY = "-dirty"
_REPOSITORY = Path(__file__).resolve().parents[3]
_PACKAGES = ("tensorflow", "keras", "numpy")
_INSTRUCTION_SETS = (
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512_bf16",
    "avx512_vnni",
    "amx_bf16",
    "asimd",
    "sve",
)


def describe_process(configuration: Configuration, device: str) -> dict[str, Any]:
    """Describe this process: packages, machine, threads, commit and the resolved configuration.

    Args:
        configuration: the resolved configuration.
        device: `cpu` or `gpu`.
    """
    return {
        **{package: version(package) for package in _PACKAGES},
        "python": platform.python_version(),
        "twinbench": twinbench.__version__,
        "os": platform.platform(),
        **dict(zip(("cpu", "instruction_sets"), _processor(), strict=True)),
        "gpu": _cards() if device == "gpu" else "",
        "threads": configuration.training.threads,
        **dict(zip(("git_commit", "git_dirty"), commit(), strict=True)),
        "configuration": configuration.model_dump(mode="json"),
    }


@functools.cache
def _processor() -> tuple[str, str]:
    """The processor's model and the instruction sets that matter here, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), ""
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    return facts.get("model name", platform.machine()), " ".join(name for name in _INSTRUCTION_SETS if name in flags)


@functools.cache
def _cards() -> str:
    """The models of the NVIDIA cards that the driver shows."""
    return _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").replace("\n", ", ")


@functools.cache
def commit() -> tuple[str, bool]:
    """The commit of the code, and whether the tree had changes; ("", False) where nothing tells it."""
    here = _output("git", "-C", str(_REPOSITORY), "rev-parse", "HEAD")
    if here:
        return here, bool(_output("git", "-C", str(_REPOSITORY), "status", "--porcelain"))
    told, dirty, _ = os.environ.get(COMMIT_VARIABLE, "").partition(_DIRTY)
    return told, bool(dirty)


def announce_commit() -> None:
    """Tell the processes that run copies of this code without its history what commit it is."""
    here, dirty = commit()
    os.environ[COMMIT_VARIABLE] = here + _DIRTY * dirty


def _output(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        finished = subprocess.run(  # noqa: S603 # fixed programs, no shell
            [path, *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return finished.stdout.strip() if finished.returncode == 0 else ""
