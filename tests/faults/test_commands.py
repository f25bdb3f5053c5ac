"""Every command on files that are not what it wants: one sentence and exit status 2, never a traceback."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.faults.made import made_record
from tests.report.synthetic import write_tables

from twinbench.cli import main
from twinbench.store.runs import RunStore
from twinbench.store.sealed import write_sealed

RUN = "ab" * 8


def _edited(source: Path, target: Path, **changes: str) -> None:
    """A table with other values in its first row."""
    with source.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0].update(changes)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `good` results and with what people name by mistake."""
    folder = tmp_path_factory.mktemp("wrong")
    tables = folder / "good" / "tables"
    write_tables(tables, seeds=(1, 2))
    (folder / "empty").write_text("")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff\x00")
    (folder / "broken.yaml").write_text("architectures: [mlp")
    (folder / "folder").mkdir()
    (folder / "cut.csv").write_bytes((tables / "runs.csv").read_bytes()[:900])
    _edited(tables / "runs.csv", folder / "score.csv", test_score="high")
    _edited(tables / "runs.csv", folder / "name.csv", run="*/..")
    for name, content in {
        "half": (tables / "runs.csv").read_bytes().splitlines(keepends=True)[0],
        "nothing": b"",
        "other": b"a,b\n1,2\n",
        "pictures": b"\x89PNG\r\n\x1a\n\x00\xff\x00",
    }.items():
        (folder / name / "tables").mkdir(parents=True)
        (folder / name / "tables" / "runs.csv").write_bytes(content)
    _edited(tables / "runs.csv", folder / "edited" / "tables" / "runs.csv", seed="one")
    shutil.copytree(tables, folder / "remarks" / "tables")
    _edited(tables / "summary.csv", folder / "remarks" / "tables" / "summary.csv", mean="about 97")

    store = RunStore(folder / "good" / "store")
    store.add(made_record("cd" * 32))
    row = {**dataclasses.asdict(made_record().outcome), "run": RUN, "test_score": "97.5"}
    with (folder / "runs.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow(row)
    _edited(folder / "runs.csv", folder / "transformer.csv", architecture="transformer")
    forged = json.loads(made_record().to_json())
    forged["manifest"] = {"configuration": {"training": {"epochs": "many"}}}
    for name, content in {
        "no configuration": {**forged, "manifest": {}},
        "another configuration": forged,
        "no dataset": {**forged, "manifest": {"configuration": {}}},
        "wrong types": {**forged, "cost": {**forged["cost"], "seconds": "long"}},
    }.items():
        write_sealed(RunStore(folder / name).record_path(forged["key"]), json.dumps(content).encode())
    return folder


COMMANDS = {
    "plan --configfile nowhere": "The configuration nowhere cannot be read: No such file",
    "plan --configfile folder": "The configuration folder cannot be read: Is a directory",
    "plan --configfile picture.png": "The configuration picture.png is not text in UTF-8",
    "plan --configfile broken.yaml": "broken.yaml is not valid YAML at line 1, column 20",
    "plan --configfile cut.csv": "cut.csv must be a mapping of keys to values",
    "reproduce nowhere --row 1": "nowhere cannot be read (No such file or directory): name a results folder's",
    "reproduce good --row 1": "good cannot be read (Is a directory): name a results folder's tables/runs.csv",
    "reproduce empty --row 1": "empty is not a table of runs: name a results folder's tables/runs.csv",
    "reproduce picture.png --row 1": "picture.png is not a table of runs, nor any text",
    "reproduce good/tables/summary.csv --row 1": "good/tables/summary.csv is not a table of runs",
    "reproduce half/tables/runs.csv --row 1": "half/tables/runs.csv has no rows",
    "reproduce cut.csv --row 1": "of cut.csv is damaged: run snakemake again to make the tables anew",
    "reproduce score.csv --row 1": "Row 1 of score.csv is damaged",
    "reproduce name.csv --row 1": "Row 1 of name.csv is damaged",
    "reproduce runs.csv": "Name the runs to train again: --row K",
    "reproduce runs.csv --row 2": "--row 2 is not in the table, which has rows 1 to 1",
    "reproduce runs.csv --row 1 --store empty": f"empty has no usable record of the run {RUN}: name its store",
    "reproduce runs.csv --row 1 --store 'wrong types'": "wrong types has no usable record of the run",
    "reproduce runs.csv --row 1 --store 'no configuration'": f"the record of run {RUN} in no configuration must be",
    "reproduce runs.csv --row 1 --store 'another configuration'": "'training.epochs' is \"many\" in the record of run",
    "reproduce transformer.csv --row 1 --store 'no dataset'": "has no variant 'transformer/functional'",
    "reproduce runs.csv --row 1 --store 'no dataset' --data folder": "folder has no prepared dataset 'digits'",
    "store ls --store nowhere": "There is no store in nowhere: name the folder of the finished runs.",
    "store verify --store empty": "There is no store in empty",
    "store prune --store folder": "There is no store in folder",
    "store ls good": "There is no store in good: name the folder of the finished runs; did you mean good/store?",
    "store prune --store good/store --not-in picture.png": "The configuration picture.png is not text in UTF-8",
    "report-diff good nowhere": "nowhere holds no results: neither tables/runs.csv nor runs.csv is in it",
    "report-diff empty good": "empty holds no results",
    "report-diff good half": "half/tables/runs.csv has no rows",
    "report-diff good nothing": "nothing/tables/runs.csv has no column 'dataset'",
    "report-diff good other": "other/tables/runs.csv has no column 'dataset'",
    "report-diff good pictures": "pictures/tables/runs.csv is not a table of twinbench, nor any text",
    "report-diff good edited": "The column 'seed' of edited/tables/runs.csv holds other things than numbers",
    "report-diff good remarks": "The column 'mean' of remarks/tables/summary.csv holds other things than numbers",
    "report-diff good good --html empty/page.html": "its folder is a file); choose a folder that you may write to",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_file_is_told_in_one_sentence(command: str, wrong: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(wrong)
    answer = CliRunner().invoke(main, command)
    assert isinstance(answer.exception, SystemExit), answer.exc_info
    assert answer.exit_code == 2
    (said,) = answer.stderr.splitlines()
    assert said.startswith("twinbench: ")
    assert COMMANDS[command] in said
    assert "Errno" not in said
