"""`twinbench store` and `twinbench reproduce`, on runs that were really trained."""

import csv
import dataclasses
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from twinbench.cli import main
from twinbench.planning.plan import make_plan
from twinbench.store.record import Record
from twinbench.store.runs import RunStore
from twinbench.store.sealed import write_sealed
from twinbench.training.job import train_runs
from twinbench.training.reproduction import compare_outcomes

from .conftest import configure


@pytest.fixture(scope="module")
def trained(tiny_npz: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Record]]:
    """A results folder with two runs of each of two variants, as the workflow leaves it."""
    results = tmp_path_factory.mktemp("results")
    configuration = configure("mlp/sequential", seeds=2)
    records = train_runs(make_plan(configuration).runs, configuration, tiny_npz, RunStore(results / "store"))
    (results / "data").mkdir()
    for suffix in (".npz", ".json"):
        (results / "data" / f"digits{suffix}").write_bytes(tiny_npz.with_suffix(suffix).read_bytes())
    (results / "tables").mkdir()
    rows = [{"run": record.key[:16], **dataclasses.asdict(record.outcome)} for record in records]
    with (results / "tables" / "runs.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return results, records


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_run_trained_again_is_bit_identical(trained: tuple[Path, list[Record]]) -> None:
    results, _ = trained
    answer = call("reproduce", results / "tables" / "runs.csv", "--row", 3, "--sample", 1)
    assert answer.exit_code == 0, answer.output
    assert answer.output.count("bit-identical") == 2
    assert "digits mlp/sequential seed 1: bit-identical" in answer.output


def test_what_differs_is_named_with_both_values(trained: tuple[Path, list[Record]], tmp_path: Path) -> None:
    results, records = trained
    record = records[0]
    other = replace(
        record,
        outcome=replace(record.outcome, test_score=(record.outcome.test_score or 0) - 40, final_weights_sha256="ab"),
        manifest={**record.manifest, "cpu": "An old one"},
        identity={**record.identity, "keras": "3.0"},
    )
    store = RunStore(tmp_path / "store")
    store.add(other)
    answer = call("reproduce", results / "tables" / "runs.csv", "--row", 1, "--store", store.folder)
    assert answer.exit_code == 1
    assert "different" in answer.output
    assert "40.000 points away" in answer.output
    assert "cpu: An old one then" in answer.output
    assert "keras: 3.0 then" in answer.output


def test_the_noise_of_the_seeds_decides_what_is_near(trained: tuple[Path, list[Record]]) -> None:
    record = trained[1][0]

    def moved(points: float) -> Record:
        return replace(record, outcome=replace(record.outcome, test_score=record.outcome.test_score + points))

    scores = [97.0, 98.0, 99.0]  # a standard deviation of 1
    assert compare_outcomes(record, record, scores)[0] == "bit-identical"
    assert compare_outcomes(record, moved(2.7), scores)[0] == "within seed noise"
    assert compare_outcomes(record, moved(2.9), scores)[0] == "different"
    assert "2.9 of them" in compare_outcomes(record, moved(2.9), scores)[1]
    assert compare_outcomes(record, moved(0.1), [97.0])[0] == "different"
    failed = replace(record, outcome=replace(record.outcome, status="failed", reason="NaN", test_score=None))
    assert compare_outcomes(record, failed, scores) == ("different", "was ok, is failed (NaN)")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--row", "9"], "rows 1 to 4"),
        ([], "--row K"),
        (["--row", "1", "--store", "nowhere"], "no usable record of the run"),
    ],
)
def test_a_wrong_call_is_told_in_a_sentence(
    arguments: list[str], words: str, trained: tuple[Path, list[Record]]
) -> None:
    answer = call("reproduce", trained[0] / "tables" / "runs.csv", *arguments)
    assert answer.exit_code == 2
    assert words in answer.output


def test_another_file_is_no_table_of_runs(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    answer = call("reproduce", tmp_path / "a.csv", "--row", 1)
    assert answer.exit_code == 2
    assert "is not a table of runs" in answer.output


def test_the_store_is_listed_verified_and_pruned(trained: tuple[Path, list[Record]], tmp_path: Path) -> None:
    _, records = trained
    store = RunStore(tmp_path / "store")
    for record in records:
        store.add(record)
    old = replace(records[0], key="f" * 64, identity={**records[0].identity, "keras": "3.0"})
    store.add(old)
    folder = ["--store", store.folder]
    listed = call("store", "ls", *folder)
    assert listed.exit_code == 0
    assert "sequential" in listed.output
    assert call("store", "verify", *folder).output == "All 5 records match their checksums.\n"

    broken = store.record_path(records[1].key)
    broken.write_bytes(broken.read_bytes()[:-1])
    (store.folder / "records" / ".x.json.1.partial").write_bytes(b"half")
    write_sealed(store.checkpoint_path("e" * 64), b"unfinished")
    checked = call("store", "verify", *folder)
    assert checked.exit_code == 1
    assert str(broken) in checked.output

    dry = call("store", "prune", "--other-versions", "--dry-run", *folder)
    assert "3 files would be removed" in dry.output
    assert len(list(store.keys())) == 5
    pruned = call("store", "prune", "--other-versions", *folder)
    assert "keras 3.0 and not" in pruned.output
    assert "3 files removed" in pruned.output
    assert set(store.keys()) == {record.key for record in records} - {records[1].key}
    assert store.checkpoint_path("e" * 64).exists()
    assert "1 file removed" in call("store", "prune", "--checkpoints", *folder).output
    assert call("store", "verify", *folder).exit_code == 0


def test_runs_that_a_configuration_does_not_ask_for_are_pruned(
    trained: tuple[Path, list[Record]], tmp_path: Path
) -> None:
    _, records = trained
    store = RunStore(tmp_path / "store")
    for record in records:
        store.add(record)
    asked = tmp_path / "asked.yaml"
    content = configure("mlp/functional", seeds=1).model_dump(mode="json")
    asked.write_text(json.dumps(content))
    answer = call("store", "prune", "--not-in", asked, "--store", store.folder)
    assert "3 files removed" in answer.output, answer.output
    assert [r.outcome.variant for r in store.verify() if isinstance(r, Record)] == ["functional"]
    content["training"]["epochs"] = 99
    asked.write_text(json.dumps(content))
    assert "1 file removed" in call("store", "prune", "--not-in", asked, "--store", store.folder).output


def test_a_store_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    answer = call("store", "ls", "--store", tmp_path / "nowhere")
    assert answer.exit_code == 2
    assert "There is no store" in answer.output
