"""Measure what surrounds the training: the engine's own overhead, memory by number of runs, and whole jobs.

The jobs of the default benchmark are compared with one Python process per run that trains with plain `model.fit`: all
runs of each architecture through the engine, and one run of its reference alone, times the number of runs. Processor
seconds, the import of TensorFlow included. Prints rows of CSV and writes them.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.data import prepared

ROOT = Path(__file__).resolve().parents[1]


def train(arguments: dict[str, Any]) -> dict[str, Any]:
    """Train runs through the engine in this process; tell the processor seconds spent on other than training."""
    import tempfile

    from twinbench.config import parse_configuration
    from twinbench.planning.plan import make_plan
    from twinbench.store import runs as store
    from twinbench.training import job, locks
    from twinbench.training.runtime import start_tensorflow

    configuration = parse_configuration(arguments["configuration"])
    start_tensorflow(configuration.training)
    from twinbench.training import variant

    spent = [0.0]
    for owner, name in (
        (variant, "save_checkpoint"), (variant, "load_checkpoint"),
        (variant, "weights_sha256"), (variant, "read_state"),
        (store.RunStore, "add"), (store.RunStore, "find"), (locks.Locks, "take"), (job, "describe_process"),
    ):  # fmt: skip
        setattr(owner, name, _timed(getattr(owner, name), spent))
    plan = make_plan(configuration)
    runs = next(j.runs for j in plan.jobs if j.name == arguments["job"]) if "job" in arguments else plan.runs
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        records = job.train_runs(runs, configuration, Path(arguments["data"]), store.RunStore(Path(folder)))
    training = time.process_time() - began
    return {
        "runs": len(runs),
        "overhead": spent[0] / (training - spent[0]),
        "peak_memory_mb": max(record.cost.peak_memory_mb for record in records),
        "failed": sum(record.outcome.status != "ok" for record in records),
    }


def fit_alone(arguments: dict[str, Any]) -> dict[str, Any]:
    """Train one run as a script of its own would: import, load, compile, fit, evaluate."""
    import keras
    import numpy as np
    import tensorflow as tf

    from twinbench.architectures import architectures
    from twinbench.architectures.recipe import recipe_of

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(1)
    with np.load(arguments["data"]) as arrays:
        x_train, x_test = (arrays[name].astype("float32") / 255 for name in ("x_train", "x_test"))
        y_train, y_test = arrays["y_train"], arrays["y_test"]
    recipe = recipe_of(architectures()[arguments["architecture"]].reference)
    loss: Any = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    metrics = ["accuracy"]
    if recipe.task == "reconstruct":
        y_train, y_test, loss, metrics = x_train, x_test, keras.losses.MeanSquaredError(), []
    kept = round(len(x_train) * 0.9)
    model = recipe.build(x_train.shape[1:], 10)
    model.compile(optimizer=keras.optimizers.Adam(0.002), loss=loss, metrics=metrics)
    held_out = (x_train[kept:], y_train[kept:])
    model.fit(
        x_train[:kept], y_train[:kept], batch_size=32, epochs=arguments["epochs"], validation_data=held_out, verbose=0
    )
    return {"loss": float(model.evaluate(x_test, y_test, verbose=0, return_dict=True)["loss"])}


def _timed(function: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **keywords: Any) -> Any:
        began = time.process_time()
        try:
            return function(*arguments, **keywords)
        finally:
            spent[0] += time.process_time() - began

    return timed


def apart(task: str, **arguments: Any) -> tuple[dict[str, Any], float]:
    """Do a task in a process of its own; return what it gives and its processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {
        **os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    finished = subprocess.run(  # noqa: S603 # fixed programs, no shell
        [sys.executable, "-m", "benchmarks.whole", "--task", task, json.dumps(arguments)],
        env=environment, stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(finished.stdout.splitlines()[-1]), seconds


def measurements(mnist: Path, digits: Path) -> list[dict[str, Any]]:
    """Measure everything, one process after the other."""
    rows: list[dict[str, Any]] = []

    def tell(what: str, value: float, unit: str) -> None:
        rows.append({"what": what, "value": round(value, 3), "unit": unit})
        print(f"{what}: {value:.3f} {unit}", flush=True)

    def configuration(*architectures: str, seeds: int, **training: Any) -> dict[str, Any]:
        return {"architectures": list(architectures), "suspects": [], "seeds": seeds, "training": training}

    for count in (2, 50):
        some = configuration("mlp/functional", seeds=count, epochs=1, batch_size=128)
        made, _ = apart("train", configuration=some, data=str(mnist))
        tell(f"peak memory of a job of {count} runs on MNIST", made["peak_memory_mb"], "MiB")
    five = configuration("mlp/functional", seeds=1, epochs=5, batch_size=128)
    tell("overhead, mlp on MNIST", 100 * apart("train", configuration=five, data=str(mnist))[0]["overhead"], "%")
    from twinbench.architectures import architectures
    from twinbench.config import parse_configuration
    from twinbench.planning.plan import make_plan

    default = parse_configuration({})
    ours = alone = 0.0
    seconds_alone: dict[str, float] = {}
    for job in make_plan(default).jobs:
        made, seconds = apart("train", configuration={}, job=job.name, data=str(digits))
        tell(f"overhead, {job.name} on digits", 100 * made["overhead"], "%")
        tell(f"{job.name} on digits, {made['runs']} runs through the engine", seconds, "CPU s")
        architecture = job.runs[0].architecture
        if architecture not in seconds_alone:  # the suspects are runs of an architecture that was measured before
            epochs = architectures()[architecture].training(default.training).epochs
            _, one = apart("fit_alone", architecture=architecture, epochs=epochs, data=str(digits))
            tell(f"{architecture} on digits, one run alone with fit", one, "CPU s")
            seconds_alone[architecture] = one
        ours, alone = ours + seconds, alone + seconds_alone[architecture] * made["runs"]
    tell("the default benchmark through the engine", ours, "CPU s")
    tell("the same, a process per run with fit", alone, "CPU s")
    tell("engine against a process per run with fit", ours / alone, "of the CPU seconds")
    return rows


def main() -> None:
    """Measure and tell, or do one task."""
    if sys.argv[1:2] == ["--task"]:
        print(json.dumps({"train": train, "fit_alone": fit_alone}[sys.argv[2]](json.loads(sys.argv[3]))))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", type=Path, help="the prepared MNIST, an .npz (default: prepared here)")
    parser.add_argument("--digits", type=Path, help="the prepared digits, an .npz (default: prepared here)")
    parser.add_argument("--output", type=Path, default=Path("results/bench/whole.csv"))
    options = parser.parse_args()
    rows = measurements(options.mnist or prepared("mnist"), options.digits or prepared("digits"))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["what", "value", "unit"])
        writer.writeheader()
        writer.writerows(rows)
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
