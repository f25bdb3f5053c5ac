"""A full disk and a read-only one, in each stage that writes: a sentence, and nothing half-written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.faults.made import full_disk, made_record, read_only

from twinbench.analysis.tables import write_tables
from twinbench.errors import DataError
from twinbench.training.checkpoint import Checkpoint, save_checkpoint
from twinbench.training.claims import Claims
from twinbench.training.output import write_records
from twinbench.training.store import RunStore


def _save_checkpoint(folder: Path) -> None:
    state = [np.zeros(8, "float32")]
    save_checkpoint(folder / "checkpoint.npz", Checkpoint((), state, "0" * 64, 1.0, 1.0))


STAGES: dict[str, Callable[[Path], object]] = {
    "a record": lambda folder: RunStore(folder).add(made_record()),
    "a checkpoint": _save_checkpoint,
    "a claim": lambda folder: Claims(folder / "claims").take("ab" * 32),
    "a job's records": lambda folder: write_records(folder / "job.parquet", [made_record()]),
    "the tables": lambda folder: write_tables({"runs": pd.DataFrame({"run": ["a"]})}, folder),
}


@pytest.mark.parametrize("stage", list(STAGES))
def test_a_full_disk_is_named_with_what_to_do(stage: str, tmp_path: Path) -> None:
    with full_disk(tmp_path / "disk") as folder:
        with pytest.raises(DataError, match=rf"The disk is full: {folder}/.* cannot be written; free some space"):
            STAGES[stage](folder)
        left = [path for path in folder.rglob("*") if path.is_file() and path.name != "filler"]
        assert all(path.stat().st_size == 0 for path in left), left


@pytest.mark.parametrize("stage", list(STAGES))
def test_a_read_only_disk_is_named_with_what_to_do(stage: str, tmp_path: Path) -> None:
    sentence = r"cannot be written \(Read-only file system\); choose a folder that you may write to"
    with read_only(tmp_path / "disk") as folder, pytest.raises(DataError, match=sentence):
        STAGES[stage](folder)


def test_what_is_recorded_survives_a_disk_that_fills_up(tmp_path: Path) -> None:
    with full_disk(tmp_path / "disk") as folder:
        (folder / "filler").unlink()
        store = RunStore(folder)
        store.add(made_record())
        for number in range(20):
            try:
                store.add(made_record(f"{number:064x}"))
            except DataError:
                break
        else:
            pytest.fail("the disk did not fill up")
        assert store.find("ab" * 32) == made_record()
        assert all(not hasattr(entry, "path") for entry in store.verify())
