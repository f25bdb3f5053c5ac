"""A study of a person's own models with as many seeds as it takes, as a person runs it, and an edit afterwards."""

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
from tests.workflow.conftest import ROOT

MODEL = """
import keras


def build():
    inputs = keras.Input((4, 4, 1))
    x = keras.layers.Dense({width}, activation="relu")(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(2)(x){scaled})
"""
CHEAP = {
    "training": "{epochs: 6, batch_size: 16, learning_rate: 0.01}",
    "seeds": "{first: 2, most: 8}",
    "statistics": "{equivalence_margin: 0.001}",  # nothing but the same is as good as the same
    "measurements": "{ladder_steps: 1, gradient_depths: [1], cost_repeats: 3}",
    "figures": "{formats: [svg]}",
}


def _study(folder: Path, cores: int) -> subprocess.Popen[bytes]:
    settings = [text for key, value in CHEAP.items() for text in ("--config", f"{key}={value}")]
    models = [f"{name}.py:build" for name in ("a", "same", "broken", "wide")]
    command = [
        sys.executable,
        "-c",
        "from twinbench.cli import main; main()",
        "study",
        *models,
        "--data",
        "data.npz",
        "--seeds",
        "settle",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TERM": "dumb"}
    return subprocess.Popen(
        [*command, "--cores", str(cores), *settings],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _finished(study: "subprocess.Popen[bytes]") -> str:
    output = study.communicate(timeout=900)[0].decode()
    assert study.returncode == 0, output
    return output


def _models(folder: Path) -> None:
    folder.mkdir()
    for name, width, scaled in (("a", 8, ""), ("same", 8, ""), ("wide", 9, ""), ("broken", 8, " * 0.0")):
        (folder / f"{name}.py").write_text(MODEL.format(width=width, scaled=scaled))
    rng = np.random.default_rng(1)
    labels = np.arange(400) % 2
    images = np.clip(rng.normal(110 + 30 * labels[:, None, None], 60, (400, 4, 4)), 0, 255).astype(np.uint8)
    np.savez(folder / "data.npz", x_train=images[:300], y_train=labels[:300], x_test=images[300:], y_test=labels[300:])


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """The folder of a study on one core, that of one on two cores that was interrupted, and what the first printed."""
    one, two = (tmp_path_factory.mktemp("studies") / name for name in ("one", "two"))
    for folder in (one, two):
        _models(folder)
    interrupted = _study(two, 2)
    first_look, limit = two / "study" / "looks" / "data" / "1.json", time.monotonic() + 600
    while not first_look.is_file() and interrupted.poll() is None and time.monotonic() < limit:
        time.sleep(0.2)
    os.killpg(interrupted.pid, signal.SIGINT)
    interrupted.communicate(timeout=300)
    assert interrupted.returncode != 0
    printed = _finished(_study(one, 1))
    _finished(_study(two, 2))
    return one, two, printed


def test_the_same_study_on_one_and_on_two_cores_and_interrupted_gives_the_same_tables_byte_for_byte(studies) -> None:
    one, two, _ = studies
    for name in ("runs", "comparisons", "history", "summary"):
        tables = [(folder / "study" / "tables" / f"{name}.csv").read_bytes() for folder in (one, two)]
        assert tables[0] == tables[1], name


def test_only_undecided_comparisons_and_their_reference_train_on(studies) -> None:
    one, _, printed = studies
    runs = pd.read_csv(one / "study" / "tables" / "runs.csv").groupby("variant")["seed"].max().to_dict()
    compared = pd.read_csv(one / "study" / "tables" / "comparisons.csv").set_index("variant")
    assert runs["same_build"] == 2
    assert compared.loc["same_build", "verdict"] == "identical"
    assert compared.loc["broken_build", "verdict"] == "different"
    assert runs["broken_build"] == {1: 2, 2: 4, 3: 8}[compared.loc["broken_build", "look"]] < 8
    assert runs["wide_build"] == runs["a_build"] == 8
    assert compared.loc["wide_build", "sentence"].endswith("at look 3 of 3.")
    assert len(json.loads((one / "study" / "looks" / "data" / "2.json").read_text())) == 2
    page = (one / "study" / "report.html").read_text()
    assert "look 1 (2 seeds) settled 1 of" in page
    assert f"It took {sum(runs.values())} runs; as many seeds for every variant would have taken 32." in page
    assert "looks at 2, 4, 8 seeds, 8 runs at the first; at most 32 of 32 runs to train" in printed


def test_after_a_number_is_edited_exactly_the_runs_of_that_model_train_again(studies) -> None:
    one, _, _ = studies
    before = {path.name: path.stat().st_mtime_ns for path in (one / "study" / "store").rglob("*") if path.is_file()}
    trained = pd.read_csv(one / "study" / "tables" / "runs.csv")
    model = one / "broken.py"
    model.write_text(model.read_text().replace("* 0.0", "* 0.5"))
    _finished(_study(one, 2))
    runs = pd.read_csv(one / "study" / "tables" / "runs.csv")
    kept = {path.name: path.stat().st_mtime_ns for path in (one / "study" / "store").rglob("*") if path.is_file()}
    assert {name: time for name, time in kept.items() if name in before} == before
    others = runs[runs["variant"] != "broken_build"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, trained[trained["variant"] != "broken_build"].reset_index(drop=True))
    assert not set(runs.loc[runs["variant"] == "broken_build", "run"]) & set(trained["run"])
