"""The benchmarks of the engine and of the machine say what was measured, and which contestant is absent."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.contestants import ONE_THREAD
from benchmarks.machine import CHANGES, drift
from benchmarks.scale import OPTIONS, make_results
from benchmarks.speed import Contestant, rows_of

from twinbench.config import parse_configuration
from twinbench.store.predictions import pack
from twinbench.store.record import Cost, Outcome, Record
from twinbench.table import columns_of

ROOT = Path(__file__).resolve().parents[1]


def contestant(name: str, seconds: list[float]) -> Contestant:
    return Contestant(name, "mlp", None, seconds, [value / 2 for value in seconds])  # type: ignore[arg-type]


def test_ratios_are_taken_round_by_round_and_held_against_the_goal() -> None:
    ours, fit = rows_of([contestant("engine", [1.0, 2.0, 4.0]), contestant("fit", [3.0, 6.0, 8.0])])
    assert ours["ratio_wall"] == ours["lowest_wall"] == ours["highest_wall"] == 1
    assert (fit["ratio_wall"], fit["lowest_wall"], fit["highest_wall"]) == (3, 2, 3)
    assert fit["ratio_processor"] == 3
    assert fit["reached"] == "yes"
    _, slow = rows_of([contestant("engine", [1.0]), contestant("fit", [2.0])])
    assert slow["reached"] == "no"


def test_the_drift_of_the_same_seeds_is_told_beside_that_of_other_seeds() -> None:
    def records(scores: list[float], weights: str, right: int) -> list[Record]:
        predictions = pack(np.arange(4) >= right, np.zeros(4, np.int64), 2)
        blank = {column.name: {"text": "", "whole": 0, "number": 0.0}[column.kind] for column in columns_of(Outcome)}
        outcome = Outcome(**blank | {"dataset": "mnist", "architecture": "mlp", "test_examples": 4})
        return [
            Record(
                "key",
                {},
                replace(outcome, seed=seed, test_score=score, final_weights_sha256=f"{weights}{seed}"),
                (),
                Cost("cpu", 1.0, 1.0, 1.0, 1.0),
                {"cpu": "", "instruction_sets": "", "tensorflow": "", "git_commit": "", "git_dirty": False},
                predictions,
            )
            for seed, score in enumerate(scores)
        ]

    usual = records([98.0, 98.2, 98.4], "a", 4)
    same = drift(CHANGES[0], usual, records([98.0, 98.2, 98.4], "a", 4))
    assert (same["identical"], same["drift"], same["images"]) == (3, 0, 0)
    other = drift(CHANGES[1], usual, records([98.1, 98.1, 98.2], "b", 3))
    assert other["identical"] == 0
    assert other["shift"] == pytest.approx(-0.2 / 3)
    assert other["drift"] == pytest.approx(0.4 / 3)
    assert other["largest"] == pytest.approx(0.2)
    assert other["images"] == 25
    assert other["seed_gap"] == pytest.approx(0.8 / 3)


def test_the_workflow_makes_tables_of_the_runs_that_the_scale_benchmark_invents_and_trains_none(tmp_path: Path) -> None:
    settings = {"architectures": ["mlp"], "suspects": [], "seeds": 3, "training": {"job_size": 4}}
    (tmp_path / "scale.yaml").write_text(json.dumps(settings))
    make_results(parse_configuration(settings), tmp_path)
    command = [sys.executable, "-m", "snakemake", *OPTIONS, "tables"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert re.findall(r"^(\w+) +\d+$", ended.stdout + ended.stderr, re.MULTILINE) == ["tables", "total"]
    assert len((tmp_path / "results/tables/runs.csv").read_text().splitlines()) == 1 + 3 * 5


def contest(name: str, network: str, images: Path) -> subprocess.CompletedProcess[str]:
    """Start a contestant as the benchmark does, and tell it to train twice."""
    arguments = [sys.executable, "-m", "benchmarks.contestants", name, network, str(images), "2"]
    environment = os.environ | ONE_THREAD
    return subprocess.run(
        arguments, cwd=ROOT, env=environment, input="go\ngo\n", capture_output=True, text=True, check=False
    )


def test_a_contestant_whose_framework_is_absent_says_so_and_ends_with_3(tiny_images: Path) -> None:
    ended = contest("jax", "cnn", tiny_images)
    assert ended.returncode == 3
    assert ended.stdout.startswith("absent ")


@pytest.mark.parametrize(("name", "network"), [("engine", "mlp"), ("fit", "architectures/plain_cnn")])
def test_a_contestant_gets_ready_and_tells_its_seconds_each_time_it_trains(
    name: str, network: str, tiny_images: Path
) -> None:
    ended = contest(name, network, tiny_images)
    ready, *rounds = ended.stdout.splitlines()
    assert ready == "ready", ended.stderr
    assert [len(seconds.split()) for seconds in rounds] == [2, 2]


@pytest.fixture
def tiny_images(tmp_path: Path) -> Path:
    np.savez(tmp_path / "tiny.npz", x_train=np.zeros((2, 28, 28, 1), np.uint8), y_train=np.zeros(2, np.int64))
    return tmp_path / "tiny.npz"
