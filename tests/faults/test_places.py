"""Where it runs: a clone that nobody can write to, a locale that is not UTF-8, folders of any name."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.faults.made import ROOT, RunningSnakemake, read_only_clone

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SMOKE = ("--cores", "2", "--configfile", str(ROOT / "config" / "smoke.yaml"))
# "Büro ß" as a system in ISO 8859-1 writes it, which is no UTF-8.
OFFICE = os.fsdecode(b"B\xfcro \xdf")


@pytest.fixture(scope="session")
def latin1(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a German desktop of the nineties: one byte a letter."""
    folder = tmp_path_factory.mktemp("locales")
    made = subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", folder / "de_DE.ISO-8859-1"],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        message = f"a locale cannot be made here (Debian's package `locales`): {made.stderr.strip()}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return {"LOCPATH": str(folder), "LC_ALL": "de_DE.ISO-8859-1"}


def test_a_read_only_clone_trains_and_reports_elsewhere_under_an_8_bit_locale_in_a_folder_with_umlauts(
    smoke: Path, tmp_path: Path, latin1: Mapping[str, str]
) -> None:
    office = tmp_path / OFFICE
    results = office / "results" / "smoke"
    shutil.copytree(smoke / "results", office / "results")
    for stale in ("tables", "figures"):
        shutil.rmtree(results / stale)
    (results / "report.html").unlink()
    (results / "runs" / "digits" / "mlp.parquet").unlink()
    kept = sorted((results / "store" / "records").glob("*/*.json"))
    lost = next(record for record in kept if '"architecture": "mlp"' in record.read_text(errors="replace"))
    lost.unlink()

    # Snakemake wants a place for its cache, and nobody else does.
    homeless = {"HOME": "/proc/no-home", "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": ""}
    with read_only_clone(tmp_path / "clone") as clone:
        running = RunningSnakemake(
            tmp_path, *SMOKE, "--directory", os.fspath(office), environment={**latin1, **homeless}, root=clone
        )
        assert running.wait() == 0, running.output
        assert "Traceback" not in running.output
        # In ASCII, the folder's name cannot even be printed.
        again = RunningSnakemake(tmp_path, *SMOKE, "--touch", "--directory", os.fspath(office), environment=ASCII)
        assert again.wait() == 0, again.output
        assert "Logging error" not in again.output
    assert lost.is_file()
    assert sorted((results / "store" / "records").glob("*/*.json")) == kept
    for name in ("report.html", "figures/accuracy-digits.svg", "runs/digits/mlp.parquet"):
        assert (results / name).stat().st_size > 0
    ours, theirs = (folder / "results/smoke/tables/runs.csv" for folder in (office, smoke))
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("locale", ["latin1", "ascii"])
def test_a_path_that_the_locale_cannot_write_is_refused_with_what_to_set(
    locale: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    environment = ASCII if locale == "ascii" else request.getfixturevalue("latin1")
    (tmp_path / "euro.yaml").write_text("output: 100 \u20ac\n", encoding="utf-8")
    refused = subprocess.run(
        [sys.executable, "-c", "from twinbench.cli import main; main()", "plan", "--configfile", "euro.yaml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        check=False,
    )
    said = refused.stderr.decode("latin-1")
    assert refused.returncode == 2
    assert "which no file name can have in this locale" in said
    assert "set PYTHONUTF8=1, or a locale such as LC_ALL=C.UTF-8" in said
    assert "Traceback" not in said
