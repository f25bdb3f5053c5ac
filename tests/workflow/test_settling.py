"""A study of a person's own models with as many seeds as it takes: on one core, on two and interrupted, and edited."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.architectures.test_places import forget
from tests.workflow.conftest import ROOT

from twinbench.analysis.frozen import frozen_so_far
from twinbench.analysis.tables import compare_records
from twinbench.architectures import catalogue
from twinbench.config import read_configuration
from twinbench.planning.forecast import make_forecast
from twinbench.planning.study import write_study
from twinbench.report.seeds_advice import looks_in_brief

pytestmark = pytest.mark.timeout(1800)

MODEL = """
import keras


def build():
    inputs = keras.Input((4, 4, 1))
    x = keras.layers.Dense({width}, activation="relu")(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(2)(x){scaled})
"""
MODELS = {"a": (8, ""), "same": (8, ""), "broken": (8, " * 0.0"), "wide": (9, "")}
SETTINGS = (
    "training={epochs: 6, batch_size: 16, learning_rate: 0.01}",
    "seeds={first: 2, most: 4}",
    "statistics={equivalence_margin: 0.001}",  # nothing but the same is as good as the same
)


def made_study(folder: Path) -> None:
    """A folder with models, data and the configuration of a study."""
    folder.mkdir(exist_ok=True)
    for name, (width, scaled) in MODELS.items():
        (folder / f"{name}.py").write_text(MODEL.format(width=width, scaled=scaled))
    rng = np.random.default_rng(1)
    labels = np.arange(400) % 2
    images = np.clip(rng.normal(110 + 30 * labels[:, None, None], 60, (400, 4, 4)), 0, 255).astype(np.uint8)
    np.savez(folder / "data.npz", x_train=images[:300], y_train=labels[:300], x_test=images[300:], y_test=labels[300:])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        models = [f"{name}.py:build" for name in MODELS]
        write_study(models, data="data.npz", seeds="settle", output="study", task="classify", settings=SETTINGS)
        catalogue._brought.clear()
        forget()


def train(folder: Path, cores: int) -> "subprocess.Popen[bytes]":
    """Train all that is wanted, and measure nothing."""
    command = [sys.executable, "-m", "snakemake", "runs", "--snakefile", str(ROOT / "Snakefile"), "--cores", str(cores)]
    return subprocess.Popen(
        [*command, "--workflow-profile", "none", "--rerun-incomplete", "--configfile", "study/study.yaml"],
        cwd=folder,
        env={**os.environ, "TERM": "dumb"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def finished(process: "subprocess.Popen[bytes]") -> str:
    output = process.communicate(timeout=900)[0].decode()
    assert process.returncode == 0, output
    return output


def tables_of(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `runs` and `comparisons` of the records that lie in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        configuration = read_configuration(Path("study/study.yaml"))
        files = sorted(Path("study/runs").rglob("*.parquet"))
        _, runs, compared = compare_records(configuration, files, [Path("study/data/data.json")])
        catalogue._brought.clear()
        forget()
    return runs, compared


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """The folder of a study on one core, that of one on two cores that was interrupted, and what the first printed."""
    one, two = (tmp_path_factory.mktemp("studies") / name for name in ("one", "two"))
    for folder in (one, two):
        made_study(folder)
    interrupted = train(two, 2)
    first_look, limit = two / "study" / "looks" / "data" / "1.json", time.monotonic() + 600
    while not first_look.is_file() and interrupted.poll() is None and time.monotonic() < limit:
        time.sleep(0.2)
    os.killpg(interrupted.pid, signal.SIGINT)
    interrupted.communicate(timeout=300)
    assert interrupted.returncode != 0
    printed = finished(train(one, 1))
    finished(train(two, 2))
    return one, two, printed


def test_the_same_study_on_one_and_on_two_cores_and_interrupted_gives_the_same_runs_byte_for_byte(studies) -> None:
    one, two, _ = studies
    for first, second in zip(tables_of(one), tables_of(two), strict=True):
        assert first.to_csv() == second.to_csv()


def test_only_undecided_comparisons_and_their_reference_train_on(studies) -> None:
    one, _, printed = studies
    runs, compared = tables_of(one)
    trained = runs.groupby("variant")["seed"].max().to_dict()
    assert trained == {"a_build": 4, "same_build": 2, "broken_build": 4, "wide_build": 4}
    verdicts = compared.set_index("variant")[["look", "verdict"]]
    assert tuple(verdicts.loc["same_build"]) == (1, "identical")
    assert tuple(verdicts.loc["broken_build"]) == (2, "different")
    going = json.loads((one / "study" / "looks" / "data" / "1.json").read_text())
    assert going == [["study", "a_build"], ["study", "broken_build"], ["study", "wide_build"]]
    assert "It took 14 runs; as many seeds for every variant would have taken 16." in looks_in_brief(compared, runs)
    assert "looks at 2, 4 seeds, 8 runs at the first; at most 16 of 16 runs to train" in printed
    assert "Nothing to be done" in finished(train(one, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(one)
        (row,) = make_forecast(read_configuration(Path("study/study.yaml")), 1, frozen_so_far).rows
        assert (row.runs, row.recorded, row.jobs) == (14, 14, 0)
        catalogue._brought.clear()
        forget()


def test_after_a_number_is_edited_exactly_the_runs_of_that_model_train_again(studies) -> None:
    one, _, _ = studies
    before, _ = tables_of(one)
    model = one / "broken.py"
    model.write_text(model.read_text().replace("* 0.0", "* 0.5"))
    printed = finished(train(one, 2))
    jobs = {line.split("/")[-1] for line in printed.splitlines() if line.strip().startswith("output: study/runs/")}
    assert {name.split("_look")[0] for name in jobs} == {"study.broken_build"}
    after, _ = tables_of(one)
    kept = [runs[runs["variant"] != "broken_build"].to_csv(index=False) for runs in (before, after)]
    assert kept[0] == kept[1]
    edited = [runs.loc[runs["variant"] == "broken_build", "final_weights_sha256"] for runs in (before, after)]
    assert not set(edited[0]) & set(edited[1])
