"""`twinbench archive`: the archive holds what it lists, byte for byte, and says how it was made."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from rocrate.rocrate import ROCrate

from twinbench.cli import main
from twinbench.config import parse_configuration, read_configuration

_ROOT = Path(__file__).resolve().parents[2]
_METADATA = "ro-crate-metadata.json"


@pytest.fixture(scope="module")
def results(smoke):
    return smoke / "results" / "smoke"


@pytest.fixture(scope="module")
def archive(results, tmp_path_factory):
    target = tmp_path_factory.mktemp("archive") / "deposit.zip"
    command = ["archive", str(results), "--output", str(target), "--title", "A deposit", "--author", "A Person"]
    finished = CliRunner().invoke(main, command)
    assert finished.exit_code == 0, finished.output
    assert list(target.parent.iterdir()) == [target]
    return target


@pytest.fixture(scope="module")
def graph(archive):
    with zipfile.ZipFile(archive) as packed:
        entities = json.loads(packed.read(_METADATA))["@graph"]
    by_name = {entity["@id"]: entity for entity in entities}
    assert len(by_name) == len(entities)
    return by_name


def _listed(entity, key):
    values = entity.get(key, [])
    return [value["@id"] for value in (values if isinstance(values, list) else [values])]


def _actions(graph):
    return [entity for entity in graph.values() if entity["@type"] == "CreateAction"]


def test_every_file_of_the_archive_is_described_with_its_size_and_hash_and_nothing_else_is(archive, graph):
    described = {name: entity for name, entity in graph.items() if entity["@type"] == "File"}
    with zipfile.ZipFile(archive) as packed:
        assert set(packed.namelist()) == {*described, _METADATA}
        for name, entity in described.items():
            content = packed.read(name)
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
            assert entity["contentSize"] == str(len(content))
            assert entity["description"].endswith(".")
    assert set(_listed(graph["./"], "hasPart")) == set(described)


def test_the_packed_files_are_those_of_the_folder_but_for_the_data_and_the_store(archive, results):
    with zipfile.ZipFile(archive) as packed:
        files = {name for name in packed.namelist() if name != _METADATA and not name.startswith("provenance/")}
        assert all((results / name).read_bytes() == packed.read(name) for name in files)
    everything = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    left = {name for name in everything if name.startswith(("store/", "logs/", ".")) or name.endswith(".npz")}
    assert files == everything - left


def test_it_is_an_ro_crate_whose_references_all_resolve(archive, graph):
    root = graph["./"]
    assert graph[_METADATA]["conformsTo"]["@id"] == "https://w3id.org/ro/crate/1.1"
    assert all(root[key] for key in ("name", "description", "datePublished", "license"))
    assert (root["name"], _listed(root, "author")) == ("A deposit", ["#A Person"])
    wanted = {value for entity in graph.values() for key in entity for value in _references(entity[key])}
    assert {name for name in wanted if name not in graph} == {"https://w3id.org/ro/crate/1.1"}
    assert len(ROCrate(archive).get_entities()) == len(graph)


def _references(value):
    values = value if isinstance(value, list) else [value]
    return [entry["@id"] for entry in values if isinstance(entry, dict) and "@id" in entry]


def test_it_says_from_what_commit_versions_configuration_and_data_the_records_came(archive, graph, results):
    provenance = pd.read_csv(results / "tables" / "provenance.csv")
    (action,) = _actions(graph)
    (software,) = (graph[name] for name in _listed(action, "instrument"))
    assert provenance["git_commit"][0] in software["identifier"]
    versions = {
        graph[name]["name"]: graph[name]["softwareVersion"] for name in _listed(software, "softwareRequirements")
    }
    assert versions == {name: provenance[name][0] for name in ("tensorflow", "keras", "numpy", "python")}
    assert sorted(_listed(action, "result")) == sorted(name for name in graph if name.endswith(".parquet"))
    with zipfile.ZipFile(archive) as packed:
        inputs = {name: json.loads(packed.read(name)) for name in _listed(action, "object")}
    (manifest,) = (content for name, content in inputs.items() if name.startswith("provenance/"))
    assert parse_configuration(manifest["configuration"]) == read_configuration(_ROOT / "config" / "smoke.yaml")
    assert {content["sha256"] for name, content in inputs.items() if name.startswith("data/")} == set(
        pd.read_csv(results / "tables" / "runs.csv")["dataset_sha256"]
    )


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("tables/runs.csv", "is not of the runs in"),
        ("data/digits.json", "does not describe all data that the runs used"),
        ("runs", "holds no finished results"),
    ],
)
def test_results_of_which_a_part_is_older_or_missing_are_refused(results, tmp_path, place, said):
    copy = tmp_path / "results"
    shutil.copytree(results, copy, ignore=shutil.ignore_patterns("store", "figures"))
    if place == "runs":
        shutil.rmtree(copy / place)
    elif place.endswith(".csv"):
        lines = (copy / place).read_text(encoding="utf-8").splitlines(keepends=True)
        (copy / place).write_text("".join(lines[:-1]), encoding="utf-8")
    else:
        manifest = json.loads((copy / place).read_text(encoding="utf-8"))
        (copy / place).write_text(json.dumps({**manifest, "sha256": "0" * 64}), encoding="utf-8")
    finished = CliRunner().invoke(main, ["archive", str(copy), "--output", str(tmp_path / "deposit.zip")])
    assert (finished.exit_code, said in finished.output) == (2, True), finished.output
    assert not (tmp_path / "deposit.zip").exists()
