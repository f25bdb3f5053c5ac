"""The page from what is finished, on the runs of the smallest benchmark."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from tests.workflow.conftest import ROOT

from twinbench.cli import main

ASKED = ("report", "--so-far", "--configfile", str(ROOT / "config" / "smoke.yaml"))


@pytest.fixture
def half(smoke: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The results folder of the smallest benchmark, when nothing but `mlp` is trained and nothing measured."""
    results = tmp_path / "results" / "smoke"
    shutil.copytree(smoke / "results" / "smoke" / "store", results / "store")
    shutil.copytree(smoke / "results" / "smoke" / "data", results / "data")
    for record in (results / "store" / "records").glob("??/*.json"):
        if '"architecture": "plain_cnn"' in record.read_text(encoding="utf-8"):
            record.unlink()
    monkeypatch.chdir(tmp_path)
    return results


def test_the_page_so_far_is_made_of_the_finished_runs_and_says_on_top_what_is_missing(half: Path) -> None:
    result = CliRunner().invoke(main, ASKED, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "10 of " in result.output
    assert "plain_cnn on digits" in result.output
    assert "Not measured everywhere yet: ladder" in result.output
    runs = pd.read_csv(half / "so-far" / "tables" / "runs.csv")
    assert set(runs["architecture"]) == {"mlp"}
    page = (half / "so-far" / "report.html").read_text(encoding="utf-8")
    top = page[page.index("<header>") : page.index('id="answer"')]
    assert re.search(r"Not finished.*10 of \d+ runs are finished", top)
    assert (half / "so-far" / "figures" / "accuracy-digits.svg").is_file()
    assert not (half / "tables").exists()


def test_where_nothing_is_finished_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ASKED)
    assert result.exit_code == 2
    assert "No run of this configuration is finished" in result.output


def test_of_a_dataset_that_is_to_be_prepared_it_says_that_its_runs_are_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "load.py").write_text("def load():\n    return None\n")
    asked = ("report", "--so-far", "--config", "datasets=load.py:load", "--config", "architectures=mlp")
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 2
    assert "load is not prepared, or to be prepared anew: none of its runs counts as finished." in result.output
