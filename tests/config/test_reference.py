"""The schema, the reference table and the default configuration are what the model gives."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from twinbench.architectures import architectures
from twinbench.config import Configuration, TrainingSection, parse_configuration, read_configuration
from twinbench.config.reference import made_files, main, schema
from twinbench.planning.plan import make_plan

_ROOT = Path(__file__).resolve().parents[2]
_CONFIGURATIONS = sorted((_ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("path", sorted(made_files(_ROOT)), ids=lambda path: path.name)
def test_a_file_that_is_made_from_the_model_is_up_to_date(path):
    assert path.read_text(encoding="utf-8") == made_files(_ROOT)[path], "run `make docs`"


def test_the_default_configuration_names_every_key_with_its_default():
    path = _ROOT / "config" / "config.yaml"
    assert read_configuration(path) == Configuration()
    content = yaml.safe_load(path.read_text())
    assert list(content) == list(Configuration.model_fields)
    for section in ("training", "statistics", "measurements", "figures"):
        assert list(content[section]) == list(type(getattr(Configuration(), section)).model_fields)


def test_every_key_is_described():
    for part in (schema(), *schema()["$defs"].values()):
        assert all(key["description"] for key in part["properties"].values())


@pytest.mark.parametrize("path", _CONFIGURATIONS, ids=lambda path: path.name)
def test_every_configuration_of_the_repository_is_good_by_model_and_schema(path):
    read_configuration(path)
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema())


@pytest.mark.parametrize(
    "content",
    [
        {"datasets": "digits"},
        {"datasets": ["digits", {"source": "mnist", "manual_dir": "x"}]},
        {"datasets": {"source": "mnist"}, "architectures": "mlp", "suspects": []},
        {"seeds": [1, 2], "training": {"job_size": 3, "determinism": False}, "store": None},
        {"seeds": "settle"},
        {"seeds": {"first": 4}},
    ],
)
def test_the_schema_takes_what_the_model_takes(content):
    parse_configuration(content)
    jsonschema.validate(content, schema())


@pytest.mark.parametrize(
    "content",
    [{"epochs": 3}, {"datasets": []}, {"training": {"epochs": 0}}, {"training": {"optimizer": "adm"}}, {"seeds": "x"}],
)
def test_the_schema_refuses_what_the_model_refuses(content):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema())


def test_stale_files_are_named_and_written_anew(tmp_path, monkeypatch, capsys):
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "configuration.md"
    page.write_text((_ROOT / "docs" / "configuration.md").read_text().replace("passes over", "walks over"))
    monkeypatch.chdir(tmp_path)
    assert main([]) == 1
    assert "configuration.md is not what the model gives: run `make docs`" in capsys.readouterr().out
    assert main(["--write"]) == 0
    assert main([]) == 0
    assert page.read_text() == (_ROOT / "docs" / "configuration.md").read_text()


def test_the_smallest_configuration_is_small():
    smoke = read_configuration(_ROOT / "config" / "smoke.yaml")
    assert smoke.output == "results/smoke"
    assert [dataset.train_examples for dataset in smoke.datasets] == [300]
    assert smoke.training.epochs <= 2
    assert len(smoke.seed_list) == 2


def test_the_published_configuration_trains_the_published_networks_by_their_recipes():
    published = read_configuration(_ROOT / "config" / "published.yaml")
    plan = make_plan(published)
    assert {(run.architecture, run.variant) for run in plan.runs} == {
        (name, variant)
        for name, architecture in architectures().items()
        if architecture.published is not None
        for variant in ("functional", "sequential")
    }
    assert len(published.seed_list) == 3
    for name in {run.architecture for run in plan.runs}:
        architecture = architectures()[name]
        assert architecture.training(published.training) == architecture.training(TrainingSection()).model_copy(
            update={"job_size": "variant"}
        )


def test_the_mnist_configuration_names_the_three_in_full():
    mnist = read_configuration(_ROOT / "config" / "mnist.yaml")
    assert [dataset.name for dataset in mnist.datasets] == ["mnist", "fashion_mnist", "kmnist"]
    assert all(dataset.train_examples is None for dataset in mnist.datasets)
    assert mnist.suspects == ["*"]
    assert mnist.store_folder == "results/store"


@pytest.mark.parametrize(("name", "place"), [("reference", "."), ("published", "published")])
def test_committed_results_are_those_of_a_committed_configuration(name, place):
    written = read_configuration(_ROOT / "config" / f"{name}.yaml").model_dump(mode="json", exclude={"output", "store"})
    kept = json.loads((_ROOT / "results" / "reference" / place / "configuration.json").read_text())
    assert kept == written


def test_the_reference_configuration_trains_everything_on_mnist_under_three_seeds():
    plan = make_plan(read_configuration(_ROOT / "config" / "reference.yaml"))
    usual = make_plan(read_configuration(_ROOT / "config" / "config.yaml"))
    assert {run.dataset for run in plan.runs} == {"mnist"}
    assert {(run.architecture, run.variant, run.seed) for run in plan.runs} == {
        (run.architecture, run.variant, run.seed) for run in usual.runs
    }
