"""The made tables, written once."""

from pathlib import Path

import pytest
from tests.report.synthetic import HOSTILE, write_tables

from twinbench.config import Figures
from twinbench.report.page import build_page


@pytest.fixture(scope="session")
def tables_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of one dataset and five seeds, with a failed run."""
    return write_tables(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="session")
def crowded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables with many variants, long and hostile names, and three seeds."""
    extra = [
        ("mlp", HOSTILE, "twin"),
        ("mlp", "costs_$1_and_$2", "twin"),
        ("mlp", "a_variant_with_a_really_long_name_that_somebody_wrote_one_day", "lookalike"),
        *(("plain_cnn", f"sequential_number_{number}", "lookalike") for number in range(12)),
    ]
    return write_tables(tmp_path_factory.mktemp("crowded"), seeds=(1, 2, 3), extra=extra)


@pytest.fixture(scope="session")
def crowded_page(crowded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the crowded tables."""
    return build_page(crowded_folder, tmp_path_factory.mktemp("page") / "report.html", Figures())
