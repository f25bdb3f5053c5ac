"""What determines the result of a run, and the key under which the run is stored.

Two runs with one key give the same result bit for bit (under `determinism: strict` on machines of one type), so a run
whose key is in the store is never trained again. Whatever cannot change a result stays out: the size of jobs, the
interval of checkpoints, comments in the code, time, machine name, commit.
"""

import functools
import hashlib
import importlib.metadata
import json
from dataclasses import dataclass
from typing import Any

from twinbench.architectures.catalogue import architectures, find_variant
from twinbench.config import Training
from twinbench.data.manifest import Manifest
from twinbench.plan import Run
from twinbench.training.compilation import choose_compilation

# Finding a version takes a millisecond, and there may be thousands of runs.
version = functools.cache(importlib.metadata.version)
# Raise by one when a change to the engine changes what a run computes.
ENGINE = 3
# Settings that cannot change a result.
IRRELEVANT = {"job_size", "checkpoint_every", "checkpoint_seconds", "jobs_per_gpu", "gpu_memory_mb"}


@dataclass(frozen=True)
class Identity:
    """All that determines a run's result, as a flat mapping of plain values."""

    content: dict[str, Any]

    @property
    def key(self) -> str:
        """SHA-256 (hex) of the content."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


def identify(run: Run, training: Training, dataset: Manifest, device: str) -> Identity:
    """Return the identity of a run.

    Args:
        run: the run.
        training: how it is trained.
        dataset: the manifest of the prepared dataset.
        device: `cpu` or `gpu`.
    """
    architecture = architectures()[run.architecture]
    content: dict[str, Any] = {
        "engine": ENGINE,
        "dataset_sha256": dataset.sha256,
        "architecture": run.architecture,
        "variant": run.variant,
        "source": find_variant(run.architecture, run.variant).digest,
        "seed": run.seed,
        "device": device,
        "compilation": choose_compilation(architecture, sum(dataset.train_counts), training.epochs),
        "tensorflow": version("tensorflow"),
        "keras": version("keras"),
        "training": {name: value for name, value in training.model_dump(mode="json").items() if name not in IRRELEVANT},
    }
    if training.init == "matched":
        content["reference_source"] = architecture.reference.digest
    return Identity(content)
