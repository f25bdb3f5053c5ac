"""What a stage depends on: its settings and no others, its code, the content of its files."""

import ast
import os
import sys
from pathlib import Path

import pytest

from twinbench.architectures import architectures
from twinbench.architectures.statements import imports_of
from twinbench.config import Configuration, Dataset, parse_configuration
from twinbench.planning.closure import SOURCE, code_digests
from twinbench.planning.keys import PACKAGES
from twinbench.planning.plan import selected_variants
from twinbench.planning.stages import (
    _SCRIPTS,
    Stage,
    code_of,
    configuration_of,
    dataset_key,
    settings_of,
    versions_of,
)


def settings(stage: Stage, **content: object) -> dict[str, object]:
    configuration = parse_configuration(content)
    return settings_of(stage, configuration, selected_variants(configuration))


def test_a_stage_reads_the_settings_that_it_names_and_no_others() -> None:
    ladder = configuration_of(settings("ladder", measurements={"ladder_steps": 7}, training={"threads": 3}))
    assert (ladder.measurements.ladder_steps, ladder.training.threads) == (7, 3)
    for section, name in ((ladder.training, "epochs"), (ladder.measurements, "cost_repeats"), (ladder, "seeds")):
        with pytest.raises(AttributeError, match=name):
            getattr(section, name)
    assert hasattr(Configuration().training, "epochs")  # only that one forgot it


def test_what_a_stage_does_not_read_is_not_read_from_a_recipe_either() -> None:
    measure = configuration_of(settings("measure", architectures=["mnist_cnn"], training={"batch_size": 16}))
    training = architectures()["mnist_cnn"].training(measure.training)
    assert (training.batch_size, training.optimizer, training.learning_rate) == (16, "adadelta", 1.0)
    with pytest.raises(AttributeError, match="epochs"):
        _ = training.epochs


def test_another_way_to_write_the_same_settings_changes_nothing() -> None:
    everything = settings("tables", architectures=["*"], seeds=3)
    assert settings("tables", architectures=["*_*", "mlp/*"], seeds=[1, 2, 3]) == everything
    assert settings("measure", suspects=[]) == settings("measure", suspects=["nothing"])


@pytest.mark.parametrize("stage", ["data", "train", "look", "ladder", "measure", "tables", "figures", "report"])
def test_every_stage_has_code_of_its_own(stage: Stage) -> None:
    assert len(code_of(stage)) == 64
    if stage != "data":
        assert "not installed" not in versions_of(stage).values()


@pytest.mark.parametrize("stage", ["train", "ladder", "measure", "tables", "figures", "report"])
def test_the_version_of_every_library_that_a_stage_imports_counts(stage: Stage) -> None:
    script = SOURCE.parent / "scripts" / f"{_SCRIPTS[stage]}.py"
    paths = [SOURCE / f"{name.replace('.', '/')}.py" for name in code_digests(script)]
    imported = {
        name.module.partition(".")[0]
        for path in [script, *(path for path in paths if path.is_file())]
        for name in imports_of(ast.parse(path.read_bytes()))
        if not name.level
    }
    apart = {"adapter", "twinbench", "pydantic", "yaml", "snakemake_interface_storage_plugins"}  # these write no number
    if stage == "train":  # what is in the keys of its runs, and what only types need
        apart |= {*PACKAGES, "pandas"}
    assert imported - apart - set(sys.stdlib_module_names) <= versions_of(stage).keys()


def test_the_content_of_a_file_counts_and_its_time_and_place_do_not(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    file.write_bytes(b"1")
    first = dataset_key(Dataset.model_validate(str(file)))
    os.utime(file, (0, 0))
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.npz").write_bytes(b"1")
    named = Dataset.model_validate({"source": str(tmp_path / "there" / "a.npz"), "name": "other"})
    assert dataset_key(Dataset.model_validate(str(file))) == dataset_key(named) == first
    file.write_bytes(b"2")
    assert dataset_key(Dataset.model_validate(str(file))) != first


def test_original_files_count_by_content_and_splits_and_versions_by_value(tmp_path: Path) -> None:
    content = {"source": "mnist", "manual_dir": str(tmp_path)}
    (tmp_path / "images.gz").write_bytes(b"1")
    first = dataset_key(Dataset.model_validate(content))
    os.utime(tmp_path / "images.gz", (0, 0))
    assert dataset_key(Dataset.model_validate(content)) == first
    others = [
        dataset_key(Dataset.model_validate({**content, key: "test[:50%]"})) for key in ("train_split", "test_split")
    ]
    (tmp_path / "images.gz").write_bytes(b"2")
    os.utime(tmp_path / "images.gz", (0, 0))
    others.append(dataset_key(Dataset.model_validate(content)))
    assert len({first, *others}) == 4
