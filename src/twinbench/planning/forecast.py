"""What a configuration would do before it does it: runs, jobs, what is recorded already, time, memory and disk."""

import contextlib
import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from twinbench.config import Configuration
from twinbench.data.manifest import Manifest
from twinbench.data.preparing import describe_dataset
from twinbench.errors import TwinbenchError
from twinbench.planning.devices import device_type
from twinbench.planning.estimate import Estimator
from twinbench.planning.feasible import prepared_manifests
from twinbench.planning.plan import Plan, Run, make_plan
from twinbench.planning.stages import dataset_key
from twinbench.store.record import Record
from twinbench.store.runs import RunStore

Frozen = Callable[[Configuration, Plan, Collection[Run]], set[Run]]


@dataclass(frozen=True)
class Row:
    """One dataset and group of variants (an architecture, or `suspects`).

    Attributes:
        dataset: the dataset's name.
        group: the architecture's name, or `suspects`.
        runs: how many runs are planned.
        recorded: how many of them the store has.
        jobs: how many jobs train the others.
        hours: core hours (on a GPU: hours of the card) that these take.
    """

    dataset: str
    group: str
    runs: int
    recorded: int
    jobs: int
    hours: float


@dataclass(frozen=True)
class Forecast:
    """All rows, and what they come to.

    Attributes:
        rows: in the order of the plan.
        device: `cpu` or `gpu`.
        threads: cores that each job takes.
        cores: cores that `wall_hours` is for.
        wall_hours: hours until the last job ends.
        memory_mb: the most that the jobs that run at a time take.
        disk_mb: of the records and the prepared datasets.
        measured: runs of the store that the estimate rests on.
        guessed: datasets whose size is not known before they are downloaded.
        unprepared: datasets that are not downloaded yet, or will be prepared anew, of which it cannot be said what the
            store has.
        first_look: runs of the first look and the hours until they are trained, where seeds are added by looks; all
            else is then the most that it may come to.
    """

    rows: tuple[Row, ...]
    device: str
    threads: int
    cores: int
    wall_hours: float
    memory_mb: float
    disk_mb: float
    measured: int
    guessed: tuple[str, ...]
    unprepared: tuple[str, ...]
    first_look: tuple[int, float] | None = None


def make_forecast(configuration: Configuration, cores: int, frozen: Frozen | None = None) -> Forecast:
    """Forecast what a configuration does.

    Args:
        configuration: the resolved configuration.
        cores: how many cores Snakemake would be given.
        frozen: tells which missing runs no look wants any more, where seeds are added by looks; they do not count.

    Raises:
        ConfigurationError: a pattern names no architecture, variant or suspect.
    """
    plan, estimator = make_plan(configuration), Estimator(configuration)
    device = device_type()
    missing, unprepared = missing_runs(configuration, plan)
    idle = frozen(configuration, plan, missing) if frozen and configuration.looks else set()
    missing -= idle
    threads = configuration.training.threads
    seconds: list[float] = []
    first: list[float] = []
    memory: list[float] = []
    counts: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0, 0, 0.0])
    for job in plan.jobs:
        wanted = [run for run in job.runs if run in missing]
        entry = counts[job.dataset, job.name.split(".")[0]]
        counted = sum(run not in idle for run in job.runs)
        entry[0] += counted
        entry[1] += counted - len(wanted)
        if wanted:
            estimate = estimator.job(job, wanted)
            seconds.append(estimate.seconds)
            first += [estimate.seconds] if job.look == 1 else []
            memory.append(estimate.memory_mb)
            entry[2] += 1
            entry[3] += estimate.seconds * threads / 3600
    places = max(1, cores // threads)
    rows = (
        Row(*name, int(runs), int(recorded), int(jobs), hours) for name, (runs, recorded, jobs, hours) in counts.items()
    )
    return Forecast(
        rows=tuple(rows),
        device=device,
        threads=threads,
        cores=cores,
        wall_hours=_makespan(seconds, places) / 3600,
        memory_mb=sum(sorted(memory, reverse=True)[:places]),
        disk_mb=estimator.disk_bytes(plan.runs) / 1e6,
        measured=estimator.measured,
        guessed=tuple(dataset.name for dataset in configuration.datasets if not estimator.size(dataset.name).known),
        unprepared=unprepared,
        first_look=(
            (sum(len(job.runs) for job in plan.jobs if job.look == 1), _makespan(first, places) / 3600)
            if configuration.looks
            else None
        ),
    )


def missing_runs(configuration: Configuration, plan: Plan) -> tuple[set[Run], tuple[str, ...]]:
    """Return the runs that the store does not have, and the datasets without which that cannot be told.

    Args:
        configuration: the resolved configuration.
        plan: its plan.
    """
    manifests = known_manifests(configuration)
    missing = set(plan.runs) - {run for run, _ in recorded_runs(configuration, plan, manifests)}
    return missing, tuple(dataset.name for dataset in configuration.datasets if dataset.name not in manifests)


def recorded_runs(
    configuration: Configuration, plan: Plan, manifests: Mapping[str, Manifest]
) -> Iterator[tuple[Run, Record]]:
    """Yield the runs that the store has, each with its record.

    Args:
        configuration: the resolved configuration.
        plan: its plan.
        manifests: of the datasets, as `known_manifests` returns them.
    """
    store, device = RunStore(Path(configuration.store_folder)), device_type()
    for run in plan.runs:
        if run.dataset in manifests:
            record = store.find(plan.identity(run, manifests[run.dataset], device).key)
            if record is not None:
                yield run, record


def known_manifests(configuration: Configuration) -> dict[str, Manifest]:
    """Return the manifest of each dataset as it will be trained on, where that can be told without a download."""
    prepared = prepared_manifests(configuration)
    manifests = {}
    for dataset in configuration.datasets:
        with contextlib.suppress(TwinbenchError):
            key = dataset_key(dataset)
            manifest_now = prepared.get(key) or (None if dataset.made else describe_dataset(dataset))
            if manifest_now is not None:
                manifests[dataset.name] = manifest_now
    return manifests


def _makespan(seconds: list[float], places: int) -> float:
    """When the last of these jobs ends, each begun in order as soon as a place is free."""
    free = [0.0] * places
    for duration in seconds:
        heapq.heapreplace(free, free[0] + duration)
    return max(free)
