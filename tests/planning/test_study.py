"""`twinbench study` makes a configuration that holds what was asked for, and refuses what cannot be compared."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tests.architectures.test_places import forget

from twinbench.architectures import catalogue
from twinbench.cli import main
from twinbench.config import read_configuration
from twinbench.errors import ConfigurationError
from twinbench.planning.plan import make_plan
from twinbench.planning.study import write_study


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("old", "new"):
        (tmp_path / f"{name}.py").write_text("def build():\n    pass\n")
    images = np.zeros((40, 6, 6), np.uint8)
    labels = np.arange(40) % 2
    np.savez(tmp_path / "mine.npz", x_train=images, y_train=labels, x_test=images[:8], y_test=labels[:8])
    yield tmp_path
    catalogue._brought.clear()
    forget()


def study(*models: str, settings: tuple[str, ...] = ("training={epochs: 2}",)) -> Path:
    return write_study(models, data="mine.npz", seeds=3, output="out", task="classify", jobs=4, settings=settings)


def test_a_study_is_a_configuration_to_run_again(folder: Path) -> None:
    file = study("old.py:build", "new.py:build")
    configuration = read_configuration(file)
    runs = make_plan(configuration).runs
    assert [(run.dataset, run.variant, run.seed) for run in runs] == [
        ("mine", variant, seed) for variant in ("old_build", "new_build") for seed in (1, 2, 3)
    ]
    assert configuration.training.epochs == 2
    assert [len(job.runs) for job in make_plan(configuration).jobs] == [2, 2, 2]  # side by side on four cores
    assert configuration.output == "out"
    assert file.read_text().startswith("# Made by `twinbench study`. Run it again in ")
    assert study("old.py:build", "new.py:build").read_text() == file.read_text()


@pytest.mark.parametrize(
    ("models", "settings", "words"),
    [
        (("old.py:build", "older.py:build"), (), "there is no file older.py"),
        (("old.py:build", "new.py:make"), (), "has no 'make'"),
        (("old.py:build", "new.keras"), (), "file.py:function"),
        (("old.py:build", "new.py:build"), ("epochs=2",), "did you mean 'training.epochs'?"),
        (
            ("old.py:build", "new.py:build"),
            ("training={batch_size: 90}",),
            "set it to at most that",
        ),
    ],
)
def test_what_cannot_be_studied_is_refused_and_nothing_is_written(
    folder: Path, models: tuple[str, ...], settings: tuple[str, ...], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"\w") as refused:
        study(*models, settings=settings)
    assert words in str(refused.value)
    assert not (folder / "out").exists()


def test_numbers_cannot_be_predicted_from_a_dataset_of_classes(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="digits is no file of them: give --data an"):
        write_study(("old.py:build", "new.py:build"), data="digits", seeds=2, output="out", task="regress")


def test_one_model_is_no_study(folder: Path) -> None:
    result = CliRunner().invoke(main, ["study", "old.py:build"])
    assert result.exit_code == 2
    assert "A study compares models: name two or more" in result.output
