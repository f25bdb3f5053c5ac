"""Records as kept tables tell them: what a run trained again is held against where there is no store."""

import contextlib
import csv
import gzip
import json
import multiprocessing
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from twinbench.config import Configuration, Dataset
from twinbench.data import prepare
from twinbench.errors import RecordError
from twinbench.store.record import Cost, Epoch, Outcome, Record
from twinbench.table import Column, columns_of

# Beside the tables: the configuration that they were made with.
CONFIGURATION: Final = "configuration.json"
_READ: Final = {"text": str, "whole": int, "number": float, "flag": bool}
_NOT_TIMED: Final = Cost(device="", seconds=0, train_seconds=0, images_per_second=0, peak_memory_mb=0)


def is_kept(folder: Path) -> bool:
    """Whether a folder of tables has the configuration beside them, so that its runs can be trained without a store."""
    return (folder / CONFIGURATION).is_file()


def record_of_row(row: Mapping[str, str], folder: Path) -> Record:
    """Return the record of a row of `runs.csv`, as far as the tables beside it tell it.

    Raises:
        RecordError: the row or the tables are damaged.
    """
    try:
        outcome = _filled(Outcome, row)
        history = tuple(_filled(Epoch, epoch) for epoch in _rows(folder, "history") if epoch["run"] == row["run"])
        manifests = {cost["run"]: cost["manifest"] for cost in _rows(folder, "costs")}
        made_on = next(
            (dict(line) for line in _rows(folder, "provenance") if line["manifest"] == manifests[row["run"]]), {}
        )
        content = json.loads((folder / CONFIGURATION).read_text(encoding="utf-8"))
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise RecordError(f"The tables in {folder} are damaged ({type(error).__name__}: {error}).") from error
    for name in ("manifest", "runs", "configuration_digest"):
        made_on.pop(name, None)
    manifest = {**made_on, "configuration": content}
    return Record(row["run"], _identity(row["run"], outcome), outcome, history, _NOT_TIMED, manifest, predictions=None)


def as_tabled(record: Record, like: Record) -> Record:
    """Return what tables would tell of a record, to hold it against `like`, which was read of tables."""
    manifest = {name: "" if (value := record.manifest.get(name)) is None else str(value) for name in like.manifest}
    return replace(
        record,
        identity=_identity(record.key[: len(like.key)], record.outcome),
        outcome=replace(record.outcome, parameters_per_call=None, keras_count=None),
        history=record.history if like.history else (),
        manifest=manifest,
        predictions=None,
    )


def prepare_again(configuration: Configuration, name: str, data: Path, manual_dir: Path | None) -> None:
    """Prepare a dataset of a configuration where it is not prepared yet.

    Args:
        configuration: with the dataset.
        name: of the dataset.
        data: the folder to write it to.
        manual_dir: folder with its original files; None to download them.

    Raises:
        DataError: it cannot be had.
    """
    if (data / f"{name}.json").is_file():
        return
    dataset = next(dataset for dataset in configuration.datasets if dataset.name == name)
    if manual_dir is not None:
        dataset = dataset.model_copy(update={"manual_dir": str(manual_dir.resolve())})
    data.mkdir(parents=True, exist_ok=True)
    # In a process of its own: tensorflow-datasets starts TensorFlow with all threads.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        process.submit(_prepare_quietly, dataset, data / f"{name}.npz", data / f"{name}.json").result()


def _prepare_quietly(dataset: Dataset, npz: Path, manifest: Path) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        prepare(dataset, npz, manifest)


def _identity(key: str, outcome: Outcome) -> dict[str, Any]:
    return {"key (code, settings, versions)": key, "dataset_sha256": outcome.dataset_sha256}


def _rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """The rows of a table, compressed or not; none where it is not there."""
    plain, packed = folder / f"{name}.csv", folder / f"{name}.csv.gz"
    if not (plain.is_file() or packed.is_file()):
        return
    with (
        gzip.open(packed, "rt", encoding="utf-8", newline="")
        if packed.is_file()
        else plain.open(encoding="utf-8", newline="") as file
    ):
        yield from csv.DictReader(file)


def _filled(kind: Any, row: Mapping[str, str]) -> Any:
    """Return a dataclass of the fields that a row has; an empty field is None where that may be."""
    optional = {name for name, field in kind.__dataclass_fields__.items() if field.default is None}
    columns: tuple[Column, ...] = columns_of(kind)
    return kind(
        **{
            column.name: None
            if not row[column.name] and column.name in optional
            else _READ[column.kind](row[column.name])
            for column in columns
            if column.name in row
        }
    )
