"""What determines the result of a run, and the two keys made of that: of the plan and of the store.

The key in the plan is a hash of code, settings, seed and versions: all but the dataset's content and the device. The
rule `train` lists it in its `params`, and the key in the store is made from it, with these two: what Snakemake trains
again and what the store takes for the same run cannot differ.

Two runs with one key in the store give the same result bit for bit (under `determinism: strict` on machines of one
type). Whatever cannot change a result stays out: names, the size of jobs, the interval of checkpoints, comments in the
code, time, machine, commit. So the same images under another name, and a variant under another mark, are the same run.
"""

import functools
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinbench.architectures.catalogue import Variant, architectures
from twinbench.config import Training, TrainingSection
from twinbench.data.manifest import Manifest
from twinbench.planning.engine import OWN_MODELS, engine_identity

# Settings that cannot change a result.
IRRELEVANT = frozenset({"job_size", "checkpoint_every", "checkpoint_seconds", "jobs_per_gpu", "gpu_memory_mb"})
# Settings that runs were recorded without: unset, they leave the key as it was.
_LATER = frozenset({"callbacks", "class_weight", "minutes"})
# Packages that compute a result, and variables by which a person makes them compute another.
PACKAGES = ("tensorflow", "keras", "numpy")
_VARIABLES = ("NVIDIA_TF32_OVERRIDE", "TF_ENABLE_ONEDNN_OPTS", "TF_USE_LEGACY_KERAS", "TF_XLA_FLAGS", "XLA_FLAGS")


@dataclass(frozen=True)
class Identity:
    """A run's key in the store, and all that determines its result as a flat mapping of plain values."""

    key: str
    content: dict[str, Any]


@functools.cache
def version(package: str) -> str:
    """The version of a package, or that there is none; finding it takes a millisecond."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def software() -> dict[str, str]:
    """The versions of what computes a result, and the variables that are set of those that it reads."""
    versions = {package: version(package) for package in PACKAGES}
    return versions | {name: os.environ[name] for name in _VARIABLES if name in os.environ}


def result_settings(training: Training) -> dict[str, Any]:
    """The settings of the training that can change a result; of those that came later, the ones that are set."""
    settings = {name: getattr(training, name) for name in type(training).model_fields if name not in IRRELEVANT}
    return {name: value for name, value in settings.items() if value or name not in _LATER}


def plan_content(variant: Variant, seed: int, section: TrainingSection) -> dict[str, Any]:
    """What determines a run's result, but for the dataset and the device, as a mapping of plain values."""
    architecture = architectures()[variant.architecture]
    training = architecture.training(section)
    content: dict[str, Any] = {
        "engine": engine_identity(),
        **software(),
        "task": architecture.task,
        "compiler": architecture.compiler,
        "source": variant.digest,
        "seed": seed,
        "training": result_settings(training),
    }
    if not variant.packaged:
        content["own_models"] = OWN_MODELS
    if architecture.score is not None:
        content["score"] = architecture.score
    if training.init == "matched" or variant.kind == "suspect":
        content["reference_source"] = architecture.reference.digest
    return content


def plan_key(variant: Variant, seed: int, section: TrainingSection) -> str:
    """SHA-256 (hex) of what determines a run's result, but for the dataset and the device."""
    return key_of(plan_content(variant, seed, section))


def key_of(content: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what `plan_content` returned."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def identify(variant: Variant, seed: int, section: TrainingSection, dataset: Manifest, device: str) -> Identity:
    """Return the identity of a run.

    Args:
        variant: what is trained.
        seed: the run's seed.
        section: how runs are trained, as the configuration says it.
        dataset: the manifest of the prepared dataset.
        device: `cpu` or `gpu`.
    """
    return identity_of(plan_content(variant, seed, section), dataset, device)


def identity_of(content: Mapping[str, Any], dataset: Manifest, device: str) -> Identity:
    """Return the identity of a run from what `plan_content` returned; the rest as for `identify`."""
    planned = key_of(content)
    content = {**content, "plan_key": planned, "dataset_sha256": dataset.sha256, "device": device}
    parts = [planned, dataset.sha256, device]
    if "class_weight" in content["training"]:  # which are given by the classes' names
        content["class_names"] = list(dataset.class_names)
        parts.append(repr(dataset.class_names))
    return Identity(hashlib.sha256(" ".join(parts).encode()).hexdigest(), content)
