"""The made tables and their page, written once, by whichever of the test processes comes first."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from tests.report.synthetic import HOSTILE, write_tables

from twinbench.config import Figures
from twinbench.report.page import build_page


def _once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """Return what `make` makes of a path that the processes of one test session share."""
    base = tmp_path_factory.getbasetemp()
    path = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "report" / name
    path.parent.mkdir(exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        return path if path.exists() else make(path)


@pytest.fixture(scope="session")
def tables_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of one dataset and five seeds, with a failed run."""
    return _once(tmp_path_factory, "tables", write_tables)


@pytest.fixture(scope="session")
def crowded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables with many variants, long and hostile names, and three seeds."""
    extra = [
        ("mlp", HOSTILE, "twin"),
        ("mlp", "costs_$1_and_$2", "twin"),
        ("mlp", "a_variant_with_a_really_long_name_that_somebody_wrote_one_day", "lookalike"),
        *(("plain_cnn", f"sequential_number_{number}", "lookalike") for number in range(12)),
    ]
    return _once(tmp_path_factory, "crowded", lambda path: write_tables(path, seeds=(1, 2, 3), extra=extra))


@pytest.fixture(scope="session")
def crowded_page(crowded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the crowded tables."""
    return _once(tmp_path_factory, "report.html", lambda path: build_page(crowded_folder, path, Figures()))
