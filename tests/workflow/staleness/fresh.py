"""Make the tables of a configuration in a fresh folder with an empty store, straight from a copy of the package.

A server: it imports TensorFlow once and forks a process for each request, which imports the package from the copy as it
is at that moment, and reads every setting from the whole configuration, as no rule does.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def make(folder: str, path: list[str]) -> None:
    """Prepare, train, climb, measure and write the tables, each stage in a process of its own."""
    sys.path[:0] = path
    os.chdir(folder)
    from twinbench.config import read_configuration
    from twinbench.planning.plan import make_plan

    configuration = read_configuration(Path("config.yaml"))
    jobs = make_plan(configuration).jobs
    for dataset in configuration.datasets:
        in_a_process(prepare, configuration, dataset.name)
        for job in jobs:
            if job.dataset == dataset.name:
                in_a_process(train, configuration, job)
        in_a_process(climb, configuration, dataset.name)
        in_a_process(measure, configuration, dataset.name)
    in_a_process(tabulate, configuration, jobs)


def prepare(configuration: Any, name: str) -> None:
    from twinbench.data import prepare

    prepare(configuration.dataset(name), Path(f"{name}.npz"), Path(f"{name}.json"))


def train(configuration: Any, job: Any) -> None:
    from twinbench.store.runs import RunStore
    from twinbench.training.job import train_runs
    from twinbench.training.output import write_records

    records = train_runs(job.runs, configuration, Path(f"{job.dataset}.npz"), RunStore(Path("store")))
    write_records(Path(f"{job.dataset}-{job.name}.parquet"), records)


def climb(configuration: Any, name: str) -> None:
    import pandas as pd

    from twinbench.training.runtime import start_tensorflow

    start_tensorflow(configuration.training)
    from twinbench.data import load
    from twinbench.measurement.ladder import climb_all, climb_published
    from twinbench.planning.plan import selected_variants

    data, steps = load(Path(f"{name}.npz")), configuration.measurements.ladder_steps
    rungs = [*climb_all(selected_variants(configuration), data, steps=steps), *climb_published(name, steps=steps)]
    pd.DataFrame(rungs).to_csv(f"{name}-ladder.csv", index=False)


def measure(configuration: Any, name: str) -> None:
    from twinbench.measurement.costs import measure_costs
    from twinbench.measurement.determinism import measure_determinism
    from twinbench.measurement.gradients import measure_gradients

    measured = {"gradient": measure_gradients, "cost": measure_costs, "determinism": measure_determinism}
    for kind, table in measured.items():
        table(configuration, Path(f"{name}.npz")).to_csv(f"{name}-{kind}.csv", index=False)


def tabulate(configuration: Any, jobs: Any) -> None:
    from twinbench.analysis.files import write_tables
    from twinbench.analysis.tables import make_tables

    files = {"record_files": [Path(f"{job.dataset}-{job.name}.parquet") for job in jobs]}
    files["manifest_files"] = [Path(f"{dataset.name}.json") for dataset in configuration.datasets]
    for kind in ("ladder", "gradient", "cost", "determinism"):
        files[f"{kind}_files"] = [Path(f"{dataset.name}-{kind}.csv") for dataset in configuration.datasets]
    write_tables(make_tables(configuration, **files), Path("tables"))


def in_a_process(stage: Callable[..., None], *arguments: Any) -> None:
    """Call a stage in a fork of this process, which has not used TensorFlow yet; what it raises is in the log."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            stage(*arguments)
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    if os.waitpid(process, 0)[1]:
        raise RuntimeError(f"{stage.__name__} failed")


def logged(folder: str, path: list[str]) -> None:
    log = os.open(Path(folder) / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    make(folder, path)


def serve() -> None:
    """Answer each line of the input, an object of arguments, with `done` or `failed`."""
    import keras  # noqa: F401 # before the fork, since it takes seconds
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401
    import tensorflow  # noqa: F401

    for line in sys.stdin:
        try:
            in_a_process(logged, *json.loads(line).values())
            print("done", flush=True)
        except RuntimeError:
            print("failed", flush=True)


if __name__ == "__main__":
    serve()
