"""The key under which a run is stored: that of the plan, with the dataset's content and the device.

Two runs with one key give the same result bit for bit (under `determinism: strict` on machines of one type), so a run
whose key is in the store is never trained again. Whatever cannot change a result stays out: names, the size of jobs,
the interval of checkpoints, comments in the code, time, machine name, commit.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from twinbench.architectures.catalogue import find_variant
from twinbench.config import Training
from twinbench.data.manifest import Manifest
from twinbench.planning.identity import plan_content, plan_key
from twinbench.planning.plan import Run


@dataclass(frozen=True)
class Identity:
    """A run's key in the store, and all that determines its result as a flat mapping of plain values."""

    key: str
    content: dict[str, Any]


def identify(run: Run, training: Training, dataset: Manifest, device: str) -> Identity:
    """Return the identity of a run.

    Args:
        run: the run.
        training: how it is trained.
        dataset: the manifest of the prepared dataset.
        device: `cpu` or `gpu`.
    """
    variant = find_variant(run.architecture, run.variant)
    planned = plan_key(variant, run.seed, training)
    content = plan_content(variant, run.seed, training) | {
        "plan_key": planned,
        "dataset_sha256": dataset.sha256,
        "device": device,
    }
    return Identity(store_key(planned, dataset.sha256, device), content)


def store_key(planned: str, dataset_sha256: str, device: str) -> str:
    """SHA-256 (hex) of a run's key in the plan, the dataset's content and the device."""
    return hashlib.sha256(f"{planned} {dataset_sha256} {device}".encode()).hexdigest()
