"""What a user asks for on the command line, and what a mistake is answered with."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests import bad_variants
from tests.workflow.conftest import ROOT, run_snakemake


def test_a_part_is_run_from_the_command_line_without_a_file(tmp_path: Path) -> None:
    planned = run_snakemake(
        tmp_path, "-n", "--cores", "1", "--config", "datasets=[digits]", "architectures=[mlp/sequential]", "suspects=[]"
    )
    assert planned.returncode == 0, planned.stdout
    assert "results/runs/digits/mlp.parquet" in planned.stdout
    assert "plain_cnn" not in planned.stdout


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("datasets=[mnsit]", "did you mean 'mnist'"),
        ("architectures=[mpl]", "did you mean 'mlp'"),
        ("seeds=0", "'seeds' is 0"),
        ("datasets=[$(touch x)]", "datasets[0]"),
        ("output=file", "file cannot be a folder, since file is a file; choose another folder with `output`"),
        ('training={"batch_size":2000}', "'training.batch_size' is 2000, and dataset 'digits' has 1167 images"),
    ],
)
def test_a_mistake_is_refused_in_a_sentence_before_anything_runs(tmp_path: Path, setting: str, sentence: str) -> None:
    (tmp_path / "file").touch()
    refused = run_snakemake(tmp_path, "-n", "--cores", "1", "--config", setting)
    assert refused.returncode == 1
    assert sentence in refused.stdout
    assert "Traceback" not in refused.stdout
    assert "WorkflowError" not in refused.stdout
    assert not (tmp_path / "results").exists()
    assert not (tmp_path / "x").exists()


def test_a_mistake_in_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("seeds: 2\ntraining: {epochs: 3}\nseeds: [01]\n")
    refused = run_snakemake(tmp_path, "tables", "-n", "--cores", "1", "--configfile", str(tmp_path / "mine.yaml"))
    assert refused.returncode == 1
    assert "mine.yaml is not valid YAML at line 3, column 1: the key 'seeds' is already set in line 1" in refused.stdout
    assert "WorkflowError" not in refused.stdout


def test_a_configuration_and_a_dataset_of_ones_own_lie_anywhere(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    np.savez(
        tmp_path / "mine.npz",
        x_train=generator.integers(0, 256, (60, 10, 8, 3), dtype=np.uint8),
        y_train=np.arange(60) % 3,
        x_test=generator.integers(0, 256, (12, 10, 8, 3), dtype=np.uint8),
        y_test=np.arange(12) % 3,
    )
    mine = tmp_path / "mine.yaml"
    mine.write_text("datasets: [mine.npz]\narchitectures: [mlp/sequential]\nsuspects: []\nseeds: [7]\noutput: out\n")
    finished = run_snakemake(
        tmp_path, "tables", "--cores", "1", "--configfile", str(mine), "--config", 'training={"epochs":1}'
    )
    assert finished.returncode == 0, finished.stdout
    runs = pd.read_csv(tmp_path / "out/tables/runs.csv")
    assert list(runs["variant"]) == ["functional", "sequential"]
    assert list(runs["seed"]) == [7, 7]


def test_a_new_architecture_is_one_new_file_and_its_bad_variants_stop_no_other(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("Snakefile", "config", "scripts", "workflow", "src"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    bad_variants.write(copy / "src/twinbench/architectures")
    settings = (
        "architectures=[bad]",
        "suspects=[]",
        "seeds=2",
        'training={"epochs":2,"checkpoint_seconds":0}',
        'measurements={"gradient_depths":[1],"cost_repeats":3,"ladder_steps":2}',
    )
    finished = run_snakemake(tmp_path, "--cores", "1", "--config", *settings, root=copy)
    assert finished.returncode == 0, finished.stdout
    tables = {name: pd.read_csv(tmp_path / f"results/tables/{name}.csv") for name in ("runs", "ladder", "api_costs")}
    runs = tables["runs"]
    assert set(runs["architecture"]) == {"bad"}
    assert (runs[runs["variant"].isin(bad_variants.GOOD)]["status"] == "ok").all()
    for variant in bad_variants.REASONS:
        last = runs[runs["variant"] == variant].iloc[-1]
        assert last["status"] == "failed"
        assert bad_variants.REASONS[variant] in last["reason"]
    for table in (tables["ladder"], tables["api_costs"]):
        assert set(table["variant"]) >= {"sequential", *bad_variants.REASONS}
    assert (tmp_path / "results/report.html").is_file()
