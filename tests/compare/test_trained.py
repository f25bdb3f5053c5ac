"""`compare --data` trains both sides as a study does: the same runs, in the same store, with the same statistics."""

from pathlib import Path

import numpy as np
import pytest
from tests.architectures.test_places import forget

import twinbench
from twinbench.architectures import catalogue
from twinbench.architectures.places import bring
from twinbench.planning.forecast import missing_runs
from twinbench.planning.plan import make_plan
from twinbench.planning.study import study_configuration

MODELS = """
import keras
from keras import layers


def build(activation="relu"):
    inputs = keras.Input((4, 4, 1))
    x = layers.Dense(8, activation=activation)(layers.Flatten()(inputs))
    return keras.Model(inputs, layers.Dense(2)(x))


def same():
    return build()


def blind():
    inputs = keras.Input((4, 4, 1))
    return keras.Model(inputs, layers.Dense(2)(0.0 * layers.Flatten()(inputs)))
"""
SETTINGS = ("training={epochs: 4, batch_size: 16, learning_rate: 0.03}",)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(MODELS)
    rng = np.random.default_rng(1)
    labels = np.arange(200) % 2
    images = np.clip(rng.normal(90 + 70 * labels[:, None, None], 40, (200, 4, 4)), 0, 255).astype(np.uint8)
    np.savez("mine.npz", x_train=images[:150], y_train=labels[:150], x_test=images[150:], y_test=labels[150:])
    yield tmp_path
    catalogue._brought.clear()
    forget()


def compared(b: str):
    return twinbench.compare("nets.py:build", f"nets.py:{b}", data="mine.npz", seeds=2, settings=SETTINGS)


def missing(b: str) -> list[str]:
    """The runs that the study of the same pair would still train."""
    places = ["nets.py:build", f"nets.py:{b}"]
    _, configuration = study_configuration(places, data="mine.npz", seeds=2, output="study", settings=SETTINGS)
    bring(configuration)
    return sorted(f"{run.variant} {run.seed}" for run in missing_runs(configuration, make_plan(configuration))[0])


def kept() -> dict[Path, int]:
    """When each file of the store was written, but for those of locks."""
    files = (path for path in Path("study/store").rglob("*") if path.is_file() and "locks" not in path.parts)
    return {path: path.stat().st_mtime_ns for path in files}


def test_a_study_finds_the_runs_of_a_comparison_and_a_comparison_those_of_another(folder: Path) -> None:
    assert missing("same") == ["build 1", "build 2", "same 1", "same 2"]
    report = compared("same")
    assert report.verdict == "identical", report.warnings
    assert report.rungs[7].outcome == "pass"
    assert report.seeds["verdict"] == "identical"
    assert report.seeds["accuracy"]["a"] == report.seeds["accuracy"]["b"]
    assert report.seeds["difference"]["p_value"] == 1.0
    assert missing("same") == []
    assert missing("blind") == ["blind 1", "blind 2"]
    before = kept()
    assert before
    other = compared("blind")
    assert other.seeds["accuracy"]["a"] == report.seeds["accuracy"]["a"]
    assert other.seeds["difference"]["mean"] < -5
    assert before.items() <= kept().items()
    assert missing("blind") == []


def test_what_another_process_cannot_find_is_not_trained_and_said(folder: Path) -> None:
    import keras

    def build():
        return keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])

    report = twinbench.compare(build, build, data="mine.npz", seeds=2)
    assert report.verdict == "not_fully_tested"
    assert "name it as file.py:function" in " ".join(report.warnings)
