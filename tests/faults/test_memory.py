"""Memory that runs out: never a failed run on record, a sentence, and the next start goes on."""

import re
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tests.faults.made import RunningSnakemake

from twinbench.config import Dataset, parse_configuration
from twinbench.data import prepare
from twinbench.errors import ResourceError
from twinbench.planning.plan import make_plan
from twinbench.store.record import Record
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs

RECORDS = "results/runs/digits/mlp.parquet"
GIBIBYTE = 2**30
CONFIGURATION = {
    "datasets": [{"source": "digits", "train_examples": 200}],
    "architectures": ["mlp/functional"],
    "suspects": [],
    "seeds": 2,
    "training": {"epochs": 150, "checkpoint_seconds": 0},
}


def _prepared(folder: Path) -> Path:
    npz = folder / "results" / "data" / "digits.npz"
    prepare(Dataset(source="digits", name="digits", train_examples=200), npz, npz.with_suffix(".json"))
    return npz


def _asks_numpy(input_shape: tuple[int, ...], classes: int) -> Any:
    return np.ones((2**20, 2**20, 2**10))


def _is_refused_by_tensorflow(input_shape: tuple[int, ...], classes: int) -> Any:
    import tensorflow as tf

    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[64,1099511627776]")


def _asks_while_training(input_shape: tuple[int, ...], classes: int) -> Any:
    import keras

    class Greedy(keras.layers.Layer):
        def call(self, x: Any, training: bool | None = None) -> Any:
            if training:
                x = keras.ops.repeat(x, 2**30, axis=1)  # TensorFlow tries for ten seconds, asleep
            return x[:, :classes]

    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(classes), Greedy()])


@pytest.mark.parametrize("builder", [_asks_numpy, _is_refused_by_tensorflow, _asks_while_training])
def test_a_run_that_wants_more_memory_than_there_is_is_not_recorded_as_failed(
    builder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinbench.architectures import mlp

    npz = _prepared(tmp_path)
    content = {"architectures": ["mlp/sequential"], "suspects": [], "seeds": 1, "training": {"epochs": 1}}
    configuration = parse_configuration(content)
    store = RunStore(tmp_path / "store")
    with monkeypatch.context() as patched:
        patched.setattr(mlp, "sequential", builder)
        with pytest.raises(ResourceError, match="The memory ran out while digits mlp/sequential seed 1 was trained: "):
            train_runs(make_plan(configuration).runs, configuration, npz, store)
    (finished,) = store.verify()
    assert isinstance(finished, Record)
    assert finished.outcome.variant == "functional"
    assert list((store.folder / "locks").iterdir()) == []
    records = train_runs(make_plan(configuration).runs, configuration, npz, store)
    assert [record.outcome.status for record in records] == ["ok", "ok"]
    assert records[0] == finished


def test_killed_for_memory_a_job_comes_again_with_more_and_goes_on_and_the_last_kill_is_told(tmp_path: Path) -> None:
    _prepared(tmp_path)
    (tmp_path / "long.yaml").write_text(yaml.safe_dump(CONFIGURATION))
    command = (RECORDS, "--cores", "1", "--retries", "1", "--configfile", "long.yaml")

    # Under a limit as `ulimit -v` sets it, TensorFlow cannot even be loaded.
    limited = RunningSnakemake(tmp_path, *command, limit=(resource.RLIMIT_AS, GIBIBYTE))
    assert limited.wait() == 1
    assert "twinbench: The memory ran out in train: end other programs, or let fewer jobs run" in limited.output
    assert "Finished runs are kept; start snakemake again to go on." in limited.output
    assert "Traceback" not in limited.output

    # The kernel kills the process that trains, twice.
    killed = RunningSnakemake(tmp_path, *command)
    killed.kill_job("train/digits/mlp")
    killed.kill_job("train/digits/mlp")
    assert killed.wait() == 1
    first, second = (int(size) for size in re.findall(r"resources: .*mem_mb=(\d+)", killed.log))
    assert second == pytest.approx(2 * first, abs=1)
    assert "A job was killed by the system, most often because the memory ran out: end other programs" in killed.output
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("results/store/records/*/*.json")}
    assert finished or list(tmp_path.glob("results/store/checkpoints/*.npz"))

    again = RunningSnakemake(tmp_path, *command)
    assert again.wait() == 0, again.output
    assert "Resumed after epoch" in (tmp_path / "results/logs/train/digits/mlp.log").read_text()
    found = list(RunStore(tmp_path / "results/store").verify())
    assert [entry.outcome.status for entry in found if isinstance(entry, Record)] == ["ok", "ok"]
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
