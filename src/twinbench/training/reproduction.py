"""Recorded runs trained again, and held against their records."""

import csv
import math
import random
import re
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from twinbench.architectures.places import bring
from twinbench.config import parse_configuration
from twinbench.errors import DataError, RecordError, UsageError
from twinbench.planning.plan import Run
from twinbench.store.predictions import unpack
from twinbench.store.record import Epoch, Outcome, Record
from twinbench.store.runs import RunStore
from twinbench.training.job import named, train_runs
from twinbench.training.tabled import as_tabled, prepare_again, record_of_row

Agreement = Literal["bit-identical", "within seed noise", "different"]
# Two runs under different seeds differ by less than this many of the seeds' standard deviations, 95 times in 100.
NOISE = 1.96 * math.sqrt(2)
# A run's name: the first digits of its key.
_RUN = re.compile(r"[0-9a-f]{3,64}")
_COLUMNS = {"run", "dataset", "architecture", "variant", "seed", "test_score"}


@dataclass(frozen=True)
class Reproduction:
    """A run trained again.

    Attributes:
        name: how a person calls the run.
        agreement: how near the new run is to the recorded one.
        sentence: the same with the numbers.
        differences: where the two were made, and of what, where these differ: name, recorded, now.
    """

    name: str
    agreement: Agreement
    sentence: str
    differences: tuple[tuple[str, str, str], ...]


def read_rows(table: Path) -> list[dict[str, str]]:
    """Read `runs.csv`.

    Raises:
        RecordError: it is missing, or not a table of runs.
    """
    instead = "name a results folder's tables/runs.csv"
    try:
        with table.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns, rows = set(reader.fieldnames or ()), list(reader)
    except OSError as error:
        raise RecordError(f"{table} cannot be read ({error.strerror}): {instead}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordError(f"{table} is not a table of runs, nor any text: {instead}.") from error
    if not columns >= _COLUMNS:
        raise RecordError(f"{table} is not a table of runs: {instead}.")
    if not rows:
        raise RecordError(f"{table} has no rows: there is no run to train again.")
    for number, row in enumerate(rows, 1):
        if not _is_whole(row):
            raise RecordError(f"Row {number} of {table} is damaged: run snakemake again to make the tables anew.")
    return rows


def _is_whole(row: Mapping[str | None, Any]) -> bool:
    """Whether a row has a field for every column and no more, a name for its run, and a score or none."""
    if None in row or None in row.values() or not _RUN.fullmatch(row["run"]):
        return False
    try:
        float(row["test_score"] or 0)
    except ValueError:
        return False
    return True


def choose_rows(rows: Sequence[dict[str, str]], numbers: Sequence[int], sample: int) -> list[dict[str, str]]:
    """Return the rows of these numbers (from 1, as they stand below the header), and `sample` others at random.

    Raises:
        UsageError: a number that the table does not have, or nothing chosen.
    """
    for number in numbers:
        if not 1 <= number <= len(rows):
            raise UsageError(f"--row {number} is not in the table, which has rows 1 to {len(rows)}.")
    if not numbers and not sample:
        raise UsageError("Name the runs to train again: --row K (may be repeated) or --sample N.")
    rest = [position for position in range(len(rows)) if position + 1 not in numbers]
    drawn = random.SystemRandom().sample(rest, min(sample, len(rest)))
    return [rows[position] for position in [*(number - 1 for number in numbers), *sorted(drawn)]]


@dataclass(frozen=True)
class Source:
    """Where a table's runs are recorded, and where their datasets are.

    Attributes:
        store: the store, in which nothing is written; None where the tables alone tell of the runs.
        tables: folder of the tables.
        data: folder of the prepared datasets; what it lacks is prepared there where there is no store.
        manual_dir: folder with the original files of a dataset that is prepared; None to download them.
    """

    store: RunStore | None
    tables: Path
    data: Path
    manual_dir: Path | None = None

    @property
    def folder(self) -> Path:
        """Where the records are read."""
        return self.store.folder if self.store else self.tables


def reproduce(row: Mapping[str, str], rows: Sequence[Mapping[str, str]], source: Source) -> Reproduction:
    """Train the run of a table's row again, as it is recorded to have been trained, and compare.

    Args:
        row: the run's row.
        rows: the whole table, from which the noise of the seeds is read.
        source: where its record and its dataset are.

    Raises:
        RecordError: there is no record of the run.
        TwinbenchError: the dataset is missing, or the run cannot be trained in this process.
    """
    recorded = find_by_run(source.store, row["run"]) if source.store else record_of_row(row, source.tables)
    outcome = recorded.outcome
    name = f"the record of run {row['run']}"
    configuration = parse_configuration(recorded.manifest.get("configuration"), origin=f"{name} in {source.folder}")
    bring(configuration)
    # As the run was trained: the defaults and the recipe of its architecture may be others by now.
    training = configuration.training.model_copy(update=recorded.identity.get("training", {}))
    configuration = configuration.model_copy(update={"training": training})
    # The table's names: another configuration may have trained the run under others.
    run = Run(row["dataset"], row["architecture"], row["variant"], outcome.seed)
    try:
        recorded = named(recorded, run)
    except KeyError:
        raise RecordError(
            f"This version of twinbench has no variant '{run.architecture}/{run.variant}', of which {name} is."
        ) from None
    if source.store is None:
        prepare_again(configuration, run.dataset, source.data, source.manual_dir)
    if not (source.data / f"{run.dataset}.json").is_file():
        raise DataError(f"{source.data} has no prepared dataset '{run.dataset}': name its folder with --data.")
    with tempfile.TemporaryDirectory(prefix="twinbench-reproduce-") as folder:
        (again,) = train_runs([run], configuration, source.data / f"{run.dataset}.npz", RunStore(Path(folder)))
    if source.store is None:
        again = as_tabled(again, like=recorded)
    agreement, sentence = compare_outcomes(recorded, again, _scores_over_seeds(row, rows))
    return Reproduction(run.name, agreement, sentence, tuple(_differences(recorded, again)))


def find_by_run(store: RunStore, run: str) -> Record:
    """Return the record whose key begins with `run`.

    Raises:
        RecordError: there is none, or it is damaged.
    """
    paths = sorted((store.folder / "records" / run[:2]).glob(f"{run}*.json")) if len(run) > 2 else []
    record = store.find(paths[0].stem) if paths else None
    if record is None:
        raise RecordError(f"{store.folder} has no usable record of the run {run}: name its store with --store.")
    return record


def compare_outcomes(recorded: Record, again: Record, scores: Sequence[float]) -> tuple[Agreement, str]:
    """Say how near a run trained again is to its record.

    Args:
        recorded: the record.
        again: the record of the run trained again.
        scores: test scores of the same variant over the seeds, in points.
    """
    if _result(recorded) == _result(again):
        weights = (recorded.outcome.final_weights_sha256 or "")[:12]
        return "bit-identical", f"weights {weights}, and {_all_of(recorded)}" if weights else "the same failure"
    before, now = recorded.outcome.test_score, again.outcome.test_score
    if before is None or now is None:
        return "different", f"was {_ending(recorded)}, is {_ending(again)}"
    far = abs(now - before)
    told = f"{now:.3f} instead of {before:.3f}, {far:.3f} points away"
    if recorded.predictions and again.predictions:
        images = recorded.outcome.test_examples
        other = unpack(recorded.predictions, images) != unpack(again.predictions, images)
        told += f", another class for {int(other.sum()):,} of {images:,} test images"
    noise = statistics.stdev(scores) if len(scores) > 1 else math.nan
    if math.isnan(noise):
        return "different", f"{told}; with one seed there is no noise to hold it against"
    told += f"; the {len(scores)} seeds have a standard deviation of {noise:.3f}"
    if noise > 0:
        told += f", so {far / noise:.1f} of them"
    return ("within seed noise" if far <= NOISE * noise else "different"), told


def _result(record: Record) -> tuple[Outcome, tuple[Epoch, ...], str | None]:
    """What is the same to the bit in a run trained again."""
    return record.outcome, record.history, record.predictions


def _all_of(record: Record) -> str:
    return "every number" + (" and prediction" if record.predictions else "")


def _scores_over_seeds(row: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> list[float]:
    same = ("dataset", "architecture", "variant")
    return [
        float(other["test_score"])
        for other in rows
        if other["test_score"] and all(other[name] == row[name] for name in same)
    ]


def _differences(recorded: Record, again: Record) -> list[tuple[str, str, str]]:
    """Where what the two were made on, and what determines their results, differ."""
    pairs: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
        (recorded.manifest, again.manifest),
        (recorded.identity, again.identity),
    ]
    differences: dict[str, tuple[str, str, str]] = {}
    for before, now in pairs:
        for name in [*before, *(name for name in now if name not in before)]:
            old, new = before.get(name), now.get(name)
            if old != new and name != "configuration":
                differences.setdefault(name, (name.replace("_", " "), _text(old), _text(new)))
    return list(differences.values())


def _text(value: Any) -> str:
    text = "nothing" if value is None or value == "" else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _ending(record: Record) -> str:
    outcome = asdict(record.outcome)
    return "ok" if outcome["status"] == "ok" else f"failed ({outcome['reason']})"
