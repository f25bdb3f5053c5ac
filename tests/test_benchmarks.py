"""The benchmark of the engine runs, and says which contestant is absent."""

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.speed import Contestant, rows_of

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


def test_a_contestant_whose_framework_is_absent_says_so_and_ends_with_3(tiny_images: Path) -> None:
    arguments = [sys.executable, "-m", "benchmarks.contestants", "jax", "cnn", str(tiny_images), "2"]
    ended = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 3
    assert ended.stdout.startswith("absent ")


@pytest.fixture
def tiny_images(tmp_path: Path) -> Path:
    import numpy as np

    np.savez(tmp_path / "tiny.npz", x_train=np.zeros((2, 28, 28, 1), np.uint8), y_train=np.zeros(2, np.int64))
    return tmp_path / "tiny.npz"
