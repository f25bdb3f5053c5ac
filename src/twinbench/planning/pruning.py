"""What a store holds, and what of it may go: damaged files, other versions, runs that nobody asks for any more."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinbench.config import Configuration
from twinbench.data.manifest import read_manifest
from twinbench.errors import RecordError, TwinbenchError
from twinbench.planning.engine import engine_identity
from twinbench.planning.keys import PACKAGES, plan_content, version
from twinbench.planning.plan import make_plan
from twinbench.store.record import Record
from twinbench.store.runs import Damage, RunStore
from twinbench.store.sealed import read_sealed


@dataclass(frozen=True)
class Holding:
    """The records of one variant on one dataset: how many, of these failed, and their size on the disk in bytes."""

    dataset: str
    architecture: str
    variant: str
    runs: int
    failed: int
    size: int


@dataclass(frozen=True)
class Unwanted:
    """A file of the store that may go, its size in bytes, and why."""

    path: Path
    size: int
    reason: str


@dataclass(frozen=True)
class Wanted:
    """What to keep.

    Attributes:
        whole: drop damaged records and checkpoints, and files that a killed process left half written.
        this_version: drop runs of another engine, TensorFlow, Keras or NumPy than these.
        asked_for: drop what none of these configurations asks for; empty: keep whatever was asked for.
        checkpoints: keep the checkpoints of unfinished runs.
    """

    whole: bool = True
    this_version: bool = False
    asked_for: Sequence[Configuration] = ()
    checkpoints: bool = True


def holdings(store: RunStore) -> list[Holding]:
    """Return what a store holds, by dataset, architecture and variant; damaged records are left out."""
    runs: Counter[tuple[str, str, str]] = Counter()
    failed: Counter[tuple[str, str, str]] = Counter()
    size: Counter[tuple[str, str, str]] = Counter()
    for entry in store.verify():
        if isinstance(entry, Record):
            place = (entry.outcome.dataset, entry.outcome.architecture, entry.outcome.variant)
            runs[place] += 1
            failed[place] += entry.outcome.status == "failed"
            size[place] += _size(store.record_path(entry.key))
    return [Holding(*place, runs[place], failed[place], size[place]) for place in sorted(runs)]


def damaged(store: RunStore) -> Iterator[Unwanted]:
    """Yield the records and checkpoints that do not match their checksums, and what killed processes left behind."""
    for entry in store.verify():
        if isinstance(entry, Damage):
            yield Unwanted(entry.path, _size(entry.path), entry.reason)
    for path in sorted(store.folder.glob("checkpoints/*.npz")):
        try:
            read_sealed(path)
        except FileNotFoundError:
            continue
        except RecordError as error:
            yield Unwanted(path, _size(path), str(error))
    for path in sorted(store.folder.rglob(".*.partial")):
        yield Unwanted(path, _size(path), f"{path} was never finished.")


def unwanted(store: RunStore, wanted: Wanted) -> Iterator[Unwanted]:
    """Yield the files that a store can lose, given what is wanted."""
    if wanted.whole:
        yield from damaged(store)
    asked = [_Asked.by(configuration) for configuration in wanted.asked_for]
    for entry in store.verify():
        if not isinstance(entry, Record):
            continue
        reason = _foreign(entry) if wanted.this_version else ""
        if not reason and asked and not any(configuration.holds(entry) for configuration in asked):
            reason = "no configuration asks for it"
        if reason:
            path = store.record_path(entry.key)
            yield Unwanted(path, _size(path), f"{_name(entry)}: {reason}.")
    if not wanted.checkpoints:
        for path in sorted(store.folder.glob("checkpoints/*.npz")):
            yield Unwanted(path, _size(path), f"{path} is the checkpoint of an unfinished run.")


def _foreign(record: Record) -> str:
    """In what a record's versions differ from those of this process, in words; empty when they do not."""
    here = {"engine": engine_identity(), **{package: version(package) for package in PACKAGES}}
    recorded = {name: record.identity.get(name) for name in here}
    return ", ".join(f"{name} {recorded[name]} and not {here[name]}" for name in here if recorded[name] != here[name])


@dataclass(frozen=True)
class _Asked:
    """The runs that a configuration asks for, whatever the versions, and the datasets by name and by content."""

    runs: frozenset[str]
    datasets: frozenset[str]

    @classmethod
    def by(cls, configuration: Configuration) -> "_Asked":
        datasets = {dataset.name for dataset in configuration.datasets}
        for name in tuple(datasets):
            with contextlib.suppress(TwinbenchError):
                datasets.add(read_manifest(Path(configuration.output) / "data" / f"{name}.json").sha256)
        contents = (
            plan_content(run.definition, run.seed, configuration.training) for run in make_plan(configuration).runs
        )
        return cls(frozenset(map(_signature, contents)), frozenset(datasets))

    def holds(self, record: Record) -> bool:
        outcome = record.outcome
        return not self.datasets.isdisjoint((outcome.dataset, outcome.dataset_sha256)) and (
            _signature(record.identity) in self.runs
        )


def _signature(identity: Mapping[str, Any]) -> str:
    names = ("task", "compiler", "source", "reference_source", "seed", "training")
    return json.dumps([identity.get(name) for name in names], sort_keys=True)


def _name(record: Record) -> str:
    outcome = record.outcome
    return f"{outcome.dataset} {outcome.architecture}/{outcome.variant} seed {outcome.seed} ({record.key[:16]})"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
