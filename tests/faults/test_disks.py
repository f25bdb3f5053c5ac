"""A full disk and a read-only one, in each stage that writes: a sentence, and nothing half-written."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.faults.made import ROOT, RunningSnakemake, fill, full_disk, made_record, read_only, small_disk

from twinbench.analysis.files import write_tables
from twinbench.analysis.record_tables import RUNS
from twinbench.config import Dataset, Figures
from twinbench.data import prepare
from twinbench.data.files import check_writable, write_text
from twinbench.errors import DataError
from twinbench.report.figures import draw_all
from twinbench.report.page import build_page
from twinbench.store.runs import RunStore
from twinbench.training.checkpoint import Checkpoint, save_checkpoint
from twinbench.training.locks import Locks
from twinbench.training.output import write_records

SMALLEST = {
    "datasets": [{"source": "digits", "train_examples": 60}],
    "architectures": ["mlp/sequential"],
    "suspects": [],
    "seeds": 1,
    "training": {"epochs": 1},
    "measurements": {"ladder_steps": 1, "gradient_depths": [1], "cost_repeats": 3},
}


def _save_checkpoint(folder: Path) -> None:
    state = [np.zeros(8, "float32")]
    save_checkpoint(folder / "checkpoint.npz", Checkpoint((), state, "0" * 64, 1.0, 1.0))


def _runs_alone(beside: Path) -> Path:
    """A folder of tables with the runs and nothing else, on the disk that can be written."""
    tables = beside.parent / "tables"
    if not tables.exists():
        tables.mkdir()
        row = {**dataclasses.asdict(made_record().outcome), "run": "ab" * 8}
        pd.DataFrame([row]).to_csv(tables / "runs.csv", index=False)
    return tables


def _draw(folder: Path) -> None:
    draw_all(_runs_alone(folder), folder / "figures", Figures(formats=["svg"]))


def _build_page(folder: Path) -> None:
    build_page(_runs_alone(folder), folder / "report.html", Figures())


def _prepare(folder: Path) -> None:
    prepare(Dataset.model_validate("digits"), folder / "digits.npz", folder / "digits.json")


STAGES: dict[str, Callable[[Path], object]] = {
    "a dataset": _prepare,
    "a record": lambda folder: RunStore(folder).add(made_record()),
    "a checkpoint": _save_checkpoint,
    "a lock": lambda folder: Locks(folder / "locks").take("ab" * 32),
    "a job's records": lambda folder: write_records(folder / "job.parquet", [made_record()]),
    "the ladder, the measurements": lambda folder: write_text(folder / "digits.csv", "dataset,variant\n"),
    "the tables": lambda folder: write_tables({"runs": RUNS.frame([{"run": "a"}])}, folder),
    "the figures": _draw,
    "the page": _build_page,
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


def test_a_folder_is_tried_before_anything_runs_and_nothing_is_left_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "not" / "there yet")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="its folder is a file"):
        check_writable(tmp_path / "file" / "results")
    with full_disk(tmp_path / "full") as folder, pytest.raises(DataError, match=f"The disk is full: {folder}/results"):
        check_writable(folder / "results")
    with read_only(tmp_path / "fixed") as folder, pytest.raises(DataError, match="Read-only file system"):
        check_writable(folder / "results")


def test_snakemake_on_a_disk_that_is_full_or_fills_up_says_so_and_keeps_what_there_is(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        content = {**SMALLEST, "output": str(disk / "results")}
        (tmp_path / "small.yaml").write_text(yaml.safe_dump(content))
        npz = disk / "results" / "data" / "digits.npz"
        prepare(Dataset.model_validate(content["datasets"][0]), npz, npz.with_suffix(".json"))
        made = [f"{disk}/results/{name}" for name in ("runs/digits/mlp.parquet", "ladder/digits.csv")]
        made.append(f"{disk}/results/measurements/digits/gradients.csv")
        command = (*made, "--cores", "2", "--configfile", "small.yaml")

        fill(disk)
        refused = RunningSnakemake(tmp_path, *command)
        assert refused.wait() == 1
        assert f"The disk is full: {disk}/results cannot be written; free some space there" in refused.output
        assert "Traceback" not in refused.output

        # Room for the configuration and the first line of a log, and for nothing more.
        fill(disk, leave=8192)
        stopped = RunningSnakemake(tmp_path, *command)
        assert stopped.wait() == 1
        for place in ("results/store/", "results/ladder/digits.csv", "results/measurements/digits/gradients.csv"):
            assert f"twinbench: The disk is full: {disk}/{place}" in stopped.output, stopped.output
        assert "Finished runs are kept; start snakemake again to go on." in stopped.output
        assert "Traceback" not in stopped.output
        left = {path.name for path in disk.rglob("*") if path.is_file() and path.stat().st_size}
        assert {name for name in left if not name.endswith((".log", ".traceback"))} <= {
            "filler",
            "digits.npz",
            "digits.json",
            ".made-with",
            "configuration.json",
        }


def test_a_working_folder_that_cannot_be_written_is_named_before_snakemake_stumbles_over_it(tmp_path: Path) -> None:
    with read_only(tmp_path / "disk") as folder:
        refused = subprocess.run(
            [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1"],
            cwd=folder,
            env={**os.environ, "TERM": "dumb"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    assert refused.returncode == 1
    assert f"{folder} cannot be written (Read-only file system); choose a folder that" in refused.stdout
    assert "with --directory." in refused.stdout
    assert "Traceback" not in refused.stdout


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
