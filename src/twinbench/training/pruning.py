"""What a store holds, and what of it may go: damaged files, other versions, runs that nobody asks for any more."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from twinbench.config import Configuration
from twinbench.errors import RecordError
from twinbench.plan import make_plan
from twinbench.training.identity import ENGINE, IRRELEVANT
from twinbench.training.record import Record
from twinbench.training.sealed import read_sealed
from twinbench.training.store import Damage, RunStore


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
        this_version: drop runs of another engine, TensorFlow or Keras than this one.
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
    asked = [_asked_for(configuration) for configuration in wanted.asked_for]
    for entry in store.verify():
        if not isinstance(entry, Record):
            continue
        reason = _foreign(entry) if wanted.this_version else ""
        if not reason and asked and not any(_signature(entry) in signatures for signatures in asked):
            reason = "no configuration asks for it"
        if reason:
            path = store.record_path(entry.key)
            yield Unwanted(path, _size(path), f"{_name(entry)}: {reason}.")
    if not wanted.checkpoints:
        for path in sorted(store.folder.glob("checkpoints/*.npz")):
            yield Unwanted(path, _size(path), f"{path} is the checkpoint of an unfinished run.")


def _foreign(record: Record) -> str:
    """In what a record's versions differ from those of this process, in words; empty when they do not."""
    here = {"engine": ENGINE, "tensorflow": version("tensorflow"), "keras": version("keras")}
    theirs = {name: record.identity.get(name) for name in here}
    return ", ".join(f"{name} {theirs[name]} and not {here[name]}" for name in here if theirs[name] != here[name])


Signature = tuple[str, str, str, int, str]


def _signature(record: Record) -> Signature:
    outcome = record.outcome
    return (
        outcome.dataset,
        outcome.architecture,
        outcome.variant,
        outcome.seed,
        _settings(record.identity.get("training", {})),
    )


def _asked_for(configuration: Configuration) -> set[Signature]:
    settings = _settings(configuration.training.model_dump(mode="json"))
    return {(run.dataset, run.architecture, run.variant, run.seed, settings) for run in make_plan(configuration).runs}


def _settings(training: object) -> str:
    if not isinstance(training, dict):  # a record of someone else's making
        return ""
    return repr(sorted((name, value) for name, value in training.items() if name not in IRRELEVANT))


def _name(record: Record) -> str:
    outcome = record.outcome
    return f"{outcome.dataset} {outcome.architecture}/{outcome.variant} seed {outcome.seed} ({record.key[:16]})"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
