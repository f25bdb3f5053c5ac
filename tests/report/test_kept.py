"""Results that are kept in the repository: what they hold, and that their runs can be trained again from them alone."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from twinbench.cli import main
from twinbench.errors import UsageError
from twinbench.report import kept

_CONFIGURATION = Path(__file__).resolve().parents[2] / "config" / "smoke.yaml"


@pytest.fixture(scope="module")
def place(smoke: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "reference"
    kept.keep(smoke / "results" / "smoke", folder, _CONFIGURATION)
    return folder


def reproduce(place: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["reproduce", str(place / "runs.csv"), *arguments])


def test_kept_results_name_no_folder_of_this_machine(smoke: Path, place: Path) -> None:
    for path in place.iterdir():
        assert str(smoke) not in path.read_text(encoding="utf-8"), path.name
    configuration = json.loads((place / "configuration.json").read_text())
    assert not {"output", "store"} & configuration.keys()


def test_a_large_table_is_kept_compressed_and_comes_back_byte_for_byte(
    smoke: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_LARGE", 1000)
    results = smoke / "results" / "smoke"
    kept.keep(results, tmp_path / "place", _CONFIGURATION)
    assert (tmp_path / "place" / "history.csv.gz").is_file()
    assert (tmp_path / "place" / "runs.csv").is_file()
    for path in kept.unpack(tmp_path / "place", tmp_path / "plain").iterdir():
        assert path.read_bytes() == (results / "tables" / path.name).read_bytes()


def test_a_run_of_kept_tables_is_trained_again_without_the_store_and_is_bit_identical(place: Path) -> None:
    answer = reproduce(place, "--row", "2")
    assert answer.exit_code == 0, answer.output
    assert "bit-identical" in answer.output
    assert "key" not in answer.output


def test_another_weight_or_another_epoch_in_kept_tables_is_noticed(place: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    changed.mkdir()
    for path in (path for path in place.iterdir() if path.is_file()):
        (changed / path.name).write_bytes(path.read_bytes())
    assert "bit-identical" in reproduce(place, "--row", "1").output
    data = ["--data", str(place / "data")]
    history = pd.read_csv(changed / "history.csv", dtype=str, keep_default_na=False)
    history.loc[0, "train_loss"] = "9.0"
    with gzip.open(changed / "history.csv.gz", "wt") as file:
        history.to_csv(file, index=False)
    (changed / "history.csv").unlink()
    runs = pd.read_csv(changed / "runs.csv", dtype=str, keep_default_na=False)
    runs.loc[1, "final_weights_sha256"] = "0" * 64
    runs.to_csv(changed / "runs.csv", index=False)
    assert "bit-identical" not in reproduce(changed, "--row", "1", *data).output
    assert "bit-identical" not in reproduce(changed, "--row", "2", *data).output


def test_tables_of_another_configuration_are_refused(smoke: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(_CONFIGURATION.read_text().replace("seeds: 2", "seeds: 3"))
    with pytest.raises(UsageError, match="name the configuration that the tables were made with"):
        kept.keep(smoke / "results" / "smoke", tmp_path / "place", other)
    assert not (tmp_path / "place").exists()
