"""What a job will take: time, memory and disk, before it runs.

Two sources. A base rate, one for dense networks and one for convolutions, is scaled by the number of images, their
pixels and the epochs; networks of one kind differ by a factor of three and more, so it is a first guess. Where the
store holds finished runs, the ratio of what they took to what the base rate says corrects it: for the same variant,
else for the same architecture, else for the whole machine.
Imports no TensorFlow; the store is sampled, not read in full.
"""

import functools
import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from twinbench.architectures.catalogue import architectures
from twinbench.architectures.declaration import Compiler
from twinbench.config import Configuration, Dataset, Training
from twinbench.data.manifest import read_manifest
from twinbench.errors import TwinbenchError
from twinbench.planning.devices import device_type
from twinbench.planning.plan import Job, Run
from twinbench.store.runs import RunStore


@dataclass(frozen=True)
class _Rate:
    """What training a network costs one CPU core.

    Attributes:
        image_us: microseconds to train on one image of 28x28; in proportion to the pixels.
        step_ms: milliseconds of a step, whatever its images.
        build: seconds to build a model, once a run.
        compile: seconds to compile it, once a variant and job.
    """

    image_us: float
    step_ms: float
    build: float
    compile: float


# By how an architecture asks to be compiled, which is `xla` for dense networks and `graph` for convolutions: about the
# middle of the networks of this package on one core of a server.
_RATES: Mapping[Compiler, _Rate] = {"xla": _Rate(15, 1.5, 1.0, 4.0), "graph": _Rate(600, 1.0, 0.3, 3.0)}
_PIXELS = 784
# An image that is only looked at, on validation and test, costs this part of one that is trained on.
_EVALUATION = 0.33
# The import of TensorFlow, once a job.
_SECONDS_PER_JOB = 6.0
# TensorFlow with a compiled model, MB; the dataset's bytes come on top, several times over while it is read.
_BASE_MB = 900.0
_DATASET_COPIES = 4
# A record in the store with its row in the job's file, in bytes, and what each epoch adds to them.
_BYTES_PER_RUN = 9_000
_BYTES_PER_EPOCH = 200
_SAMPLE = 300

_KNOWN_SIZES: Mapping[str, tuple[int, int, int]] = {
    "digits": (1297, 500, 64),
    "mnist": (60_000, 10_000, 784),
    "fashion_mnist": (60_000, 10_000, 784),
    "kmnist": (60_000, 10_000, 784),
    "emnist/balanced": (112_800, 18_800, 784),
    "emnist/letters": (88_800, 14_800, 784),
    "emnist/digits": (240_000, 40_000, 784),
    "cifar10": (50_000, 10_000, 3072),
    "cifar100": (50_000, 10_000, 3072),
    "svhn_cropped": (73_257, 26_032, 3072),
}


@dataclass(frozen=True)
class Size:
    """How large a dataset is: images, and numbers in each; `known` unless it is a guess before the download."""

    train: int
    test: int
    pixels: int
    known: bool

    @property
    def megabytes(self) -> float:
        """Of its arrays, one byte a number."""
        return (self.train + self.test) * self.pixels / 1e6


@dataclass(frozen=True)
class JobEstimate:
    """What a job will take on one machine: wall seconds and peak memory in MB."""

    seconds: float
    memory_mb: float


class Estimator:
    """Estimates for the jobs of one configuration.

    Args:
        configuration: the resolved configuration.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._sizes = {dataset.name: _size(configuration, dataset.name) for dataset in configuration.datasets}
        self._trainings: dict[str, Training] = {}

    def size(self, dataset: str) -> Size:
        """How large a dataset of the configuration is."""
        return self._sizes[dataset]

    def run_seconds(self, run: Run) -> float:
        """Wall seconds of one run, without what it shares with others of its job."""
        training, size = self._training(run.architecture), self._sizes[run.dataset]
        held_out = size.train * training.validation_fraction
        work = _Work(size.train - held_out, held_out, size.test, size.pixels, training.epochs, training.batch_size)
        return self._ratio(run) * _modelled_seconds(run.architecture, work)

    def job(self, job: Job, runs: Iterable[Run] | None = None) -> JobEstimate:
        """What a job takes.

        Args:
            job: the job.
            runs: those of its runs that are to be trained (default: all).
        """
        runs = list(job.runs if runs is None else runs)
        if not runs:
            return JobEstimate(2.0, 300.0)
        variants = {(run.architecture, run.variant) for run in runs}
        compiling = sum(_rate(architecture).compile for architecture, _ in variants)
        once = self._history.machine * (_SECONDS_PER_JOB + compiling)
        peak = max(self._history.memory.get(architecture, 0.0) for architecture, _ in variants)
        usual = _BASE_MB + _DATASET_COPIES * self._sizes[job.dataset].megabytes
        return JobEstimate(once + sum(self.run_seconds(run) for run in runs), max(peak, usual))

    def disk_bytes(self, runs: Iterable[Run]) -> float:
        """Disk that records and prepared datasets take; checkpoints come and go."""
        data = sum(1e6 * size.megabytes for size in self._sizes.values())
        return data + sum(_BYTES_PER_RUN + _BYTES_PER_EPOCH * self._training(run.architecture).epochs for run in runs)

    def _training(self, architecture: str) -> Training:
        if architecture not in self._trainings:  # asked for run by run
            self._trainings[architecture] = architectures()[architecture].training(self._configuration.training)
        return self._trainings[architecture]

    @property
    def measured(self) -> int:
        """How many finished runs of the store the estimates rest on."""
        return self._history.runs

    def _ratio(self, run: Run) -> float:
        history = self._history
        return history.variants.get(
            (run.architecture, run.variant), history.architectures.get(run.architecture, history.machine)
        )

    @functools.cached_property
    def _history(self) -> "_History":
        return _read_history(self._configuration)


@dataclass(frozen=True)
class _History:
    """Seconds taken over seconds modelled, by variant, architecture and overall; peak memory (MB) by architecture."""

    variants: Mapping[tuple[str, str], float]
    architectures: Mapping[str, float]
    machine: float
    memory: Mapping[str, float]
    runs: int


def _read_history(configuration: Configuration) -> _History:
    """Compare a sample of the store's runs, which the hash of their keys draws, with the rates."""
    pixels = _pixels_by_sha256(configuration)
    conditions = (configuration.training.threads, configuration.training.precision, device_type())
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    memory: dict[str, float] = defaultdict(float)
    store = RunStore(Path(configuration.store_folder))
    for key in itertools.islice(store.keys(), _SAMPLE):
        record = store.find(key)
        if record is None or record.outcome.status != "ok" or record.outcome.dataset_sha256 not in pixels:
            continue
        outcome, cost = record.outcome, record.cost
        if (outcome.threads, outcome.precision, cost.device) != conditions:
            continue
        memory[outcome.architecture] = max(memory[outcome.architecture], cost.peak_memory_mb)
        work = _Work(
            outcome.train_examples,
            outcome.validation_examples,
            outcome.test_examples,
            pixels[outcome.dataset_sha256],
            outcome.epochs,
            outcome.batch_size,
        )
        ratios[outcome.architecture, outcome.variant].append(
            cost.seconds / _modelled_seconds(outcome.architecture, work)
        )
    # The first run of a variant in a job also compiled: the median of few seeds leans on the others.
    variants = {variant: statistics.median_low(values) for variant, values in ratios.items()}
    by_architecture: dict[str, list[float]] = defaultdict(list)
    for (architecture, _), ratio in variants.items():
        by_architecture[architecture].append(ratio)
    whole = {architecture: statistics.median(values) for architecture, values in by_architecture.items()}
    machine = statistics.median(whole.values()) if whole else 1.0
    return _History(variants, whole, machine, memory, sum(len(values) for values in ratios.values()))


@dataclass(frozen=True)
class _Work:
    """What a run does: images trained on and looked at in each epoch, tested on at the end, and their pixels."""

    train: float
    validation: float
    test: float
    pixels: int
    epochs: int
    batch_size: int


def _rate(architecture: str) -> _Rate:
    """The base rate; a record in the store may be of an architecture that is there no more."""
    known = architectures().get(architecture)
    return _RATES[known.compiler if known else "graph"]


def _modelled_seconds(architecture: str, work: _Work) -> float:
    rate = _rate(architecture)
    images = work.epochs * (work.train + _EVALUATION * work.validation) + _EVALUATION * work.test
    steps = work.epochs * work.train / work.batch_size
    return images * rate.image_us * 1e-6 * work.pixels / _PIXELS + steps * rate.step_ms * 1e-3 + rate.build


def known_size(dataset: Dataset) -> int | None:
    """How many training images a dataset has that is known before its download; None for any other."""
    size = _KNOWN_SIZES.get(dataset.source.split(":")[0])
    return size[0] if size else None


def _size(configuration: Configuration, name: str) -> Size:
    """From the prepared dataset, else from what is known of the public ones, else as if it were MNIST."""
    dataset = configuration.dataset(name)
    path = Path(configuration.output) / "data" / f"{name}.json"
    try:
        manifest = read_manifest(path)
    except TwinbenchError:
        train, test, pixels = _KNOWN_SIZES.get(dataset.source.split(":")[0], _KNOWN_SIZES["mnist"])
        known = known_size(dataset) is not None
        return Size(min(train, dataset.train_examples or train), test, pixels, known)
    return Size(manifest.images, manifest.shapes["y_test"][0], manifest.values, known=True)


def _pixels_by_sha256(configuration: Configuration) -> dict[str, int]:
    """The numbers in an image of every dataset that was prepared in this output folder."""
    pixels = {}
    for path in sorted((Path(configuration.output) / "data").glob("*.json")):
        try:
            manifest = read_manifest(path)
        except TwinbenchError:
            continue
        pixels[manifest.sha256] = manifest.values
    return pixels
