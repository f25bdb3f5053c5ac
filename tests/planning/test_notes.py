"""Results are taken for up to date only under the notes that they were made under."""

from pathlib import Path

import pytest

from twinbench.data.manifest import read_manifest
from twinbench.planning.notes import adopt, doubt, forget_stale


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of results that were made under the notes of the folder."""
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "results/tables/runs.csv"
    table.parent.mkdir(parents=True)
    table.touch()
    adopt("results", Path("notes"))
    return table


def test_results_under_their_own_notes_are_left_alone(made: Path) -> None:
    before = made.stat().st_mtime
    adopt("results", Path("notes"))
    assert not doubt("results", Path("notes"))
    assert made.stat().st_mtime == before


def test_results_whose_notes_are_lost_become_older_than_anything(made: Path) -> None:
    Path("notes/twinbench").unlink()
    assert doubt("results", Path("notes"))
    assert made.stat().st_mtime == 0
    assert doubt("results", Path("notes"))  # a look ahead settles nothing
    adopt("results", Path("notes"))
    assert not doubt("results", Path("notes"))


def test_a_renamed_folder_of_results_is_doubted(made: Path) -> None:
    made.parents[1].rename("renamed")
    assert doubt("renamed", Path("notes"))


def test_nothing_is_doubted_where_nothing_was_made(tmp_path: Path) -> None:
    assert not doubt(str(tmp_path / "results"), tmp_path / "notes")


def test_only_the_manifest_of_another_dataset_is_forgotten(digits_npz: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "digits.json"
    manifest.write_bytes(digits_npz.with_suffix(".json").read_bytes())
    forget_stale(manifest, read_manifest(manifest).key)
    assert manifest.exists()
    forget_stale(manifest, "another key")
    assert not manifest.exists()
