"""How the cost of everything but training grows with the number of runs.

    python benchmarks/scale.py --runs 100 1000 10000

The runs are synthetic: records with plausible scores are written as training would write them, and nothing is trained.
Snakemake notes them as made under the present code (`--touch`), or it would make them again, job by job.
Each step is a process of its own, whose wall time, CPU time and peak memory (its children's included) are printed:
`plan` is `twinbench plan`; `dag` a dry run of Snakemake in which everything is to do; `tables`, and `page` with all
figures, the rules of these names in Snakemake; `nothing` a run of Snakemake in which everything is done.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from twinbench.architectures.catalogue import architectures
from twinbench.config import Configuration, parse_configuration
from twinbench.data import prepare
from twinbench.data.files import write_text
from twinbench.data.manifest import Manifest
from twinbench.measurement.columns import COST_REPETITIONS, DETERMINISM_REPETITIONS, GRADIENTS, LADDER
from twinbench.planning.keys import identify
from twinbench.planning.plan import Run, make_plan, selected_variants
from twinbench.planning.stages import dataset_key
from twinbench.store.predictions import pack
from twinbench.store.record import Cost, Epoch, Outcome, Record
from twinbench.store.runs import RunStore
from twinbench.store.sealed import write_sealed
from twinbench.training.output import write_records
from twinbench.training.provenance import describe_process

ROOT = Path(__file__).resolve().parents[1]
JOB_SIZE = 25
EPOCHS = 15
OPTIONS = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "scale.yaml", "--cores", "2"]
# The pause after each file would take minutes.
TOUCH = (
    "from snakemake.executors.touch import Executor; Executor.SLEEPING_TIME = 0; from snakemake.cli import main; main()"
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 1000, 10000], help="about this many")
    parser.add_argument("--keep", type=Path, help="make the folders here and keep them")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for count in arguments.runs:
            rows = measure(count, (arguments.keep or Path(temporary)) / str(count))
            print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".1f"), flush=True)


def measure(count: int, folder: Path) -> list[dict[str, object]]:
    """Time every step on about `count` runs."""
    folder.mkdir(parents=True)
    per_seed = len(selected_variants(parse_configuration({})))
    settings = {"seeds": max(2, round(count / per_seed)), "training": {"job_size": JOB_SIZE, "epochs": EPOCHS}}
    (folder / "scale.yaml").write_text(yaml.safe_dump(settings))
    configuration = parse_configuration(settings)
    plan = make_plan(configuration)
    snakemake = [sys.executable, "-m", "snakemake", *OPTIONS]
    planning = [sys.executable, "-c", "from twinbench.cli import main; main()", "plan", "--configfile", "scale.yaml"]
    rows = [_time("dag", [*snakemake, "--dry-run", "--quiet"], folder)]
    make_results(configuration, folder)
    rows += [
        _time("plan", planning, folder),
        _time("tables", [*snakemake, "tables"], folder),
        _time("page", [*snakemake, "results/report.html"], folder),
        _time("nothing", snakemake, folder),
    ]
    size = (folder / "results/report.html").stat().st_size / 1e6
    rows.append({"step": "the page's file", "MB": size})
    return [{"runs": len(plan.runs), "jobs": len(plan.jobs), **row} for row in rows]


def make_results(configuration: Configuration, folder: Path) -> None:
    """Make what is there before the tables, as if the workflow had made it; `scale.yaml` lies in the folder."""
    measured = _record(configuration, folder)
    _time("touch", [sys.executable, "-c", TOUCH, *OPTIONS, "--touch", "--forceall", "runs", *measured], folder)


def _record(configuration: Configuration, folder: Path) -> list[str]:
    """Write what data, training, ladder and measurements would leave behind, and return the files of the last two."""
    output = folder / configuration.output
    measured = []
    for dataset in configuration.datasets:
        npz = output / "data" / f"{dataset.name}.npz"
        manifest = prepare(dataset, npz, npz.with_suffix(".json"), key=dataset_key(dataset))
        for name, table in {
            f"ladder/{dataset.name}.csv": LADDER,
            f"measurements/{dataset.name}/gradients.csv": GRADIENTS,
            f"measurements/{dataset.name}/api_costs.csv": COST_REPETITIONS,
            f"measurements/{dataset.name}/determinism_costs.csv": DETERMINISM_REPETITIONS,
        }.items():
            write_text(output / name, ",".join(table.names) + "\n")
            measured.append(f"{configuration.output}/{name}")
    generator = np.random.default_rng(0)
    process = describe_process(configuration, "cpu")
    store = RunStore(folder / configuration.store_folder)
    for job in make_plan(configuration).jobs:
        records = [_record_of(run, configuration, manifest, generator, process) for run in job.runs]
        for entry in records:  # a power cut costs nothing here
            write_sealed(store.record_path(entry.key), entry.to_json().encode(), durable=False)
        write_records(output / "runs" / job.dataset / f"{job.name}.parquet", records)
    return measured


def _record_of(
    run: Run,
    configuration: Configuration,
    manifest: Manifest,
    generator: np.random.Generator,
    process: dict[str, object],
) -> Record:
    """A record as training writes it, with scores that vary around 97 points."""
    training = architectures()[run.architecture].training(configuration.training)
    identity = identify(run.definition, run.seed, training, manifest, "cpu")
    score = float(97 + generator.normal(0, 0.5))
    reconstruct = architectures()[run.architecture].task == "reconstruct"
    outcome = Outcome(
        dataset=run.dataset,
        architecture=run.architecture,
        variant=run.variant,
        kind=run.definition.kind,
        seed=run.seed,
        status="ok",
        reason="",
        task="reconstruct" if reconstruct else "classify",
        score_name="explained variance" if reconstruct else "accuracy",
        optimizer=training.optimizer,
        learning_rate=training.learning_rate,
        batch_size=training.batch_size,
        epochs=training.epochs,
        loss="sparse_categorical_crossentropy",
        precision=training.precision,
        determinism=training.determinism,
        threads=training.threads,
        init=training.init,
        vary=" ".join(training.vary),
        train_examples=1293,
        validation_examples=144,
        test_examples=10_000,
        dataset_sha256=manifest.sha256,
        parameters=10_000,
        trainable_parameters=10_000,
        non_trainable_parameters=0,
        parameters_per_call=10_000,
        keras_count=10_000,
        train_loss=0.1,
        validation_loss=0.1,
        validation_score=score,
        test_loss=0.1,
        test_score=score,
        seen_score=score,
        initial_weights_sha256=identity.key,
        final_weights_sha256=identity.key,
    )
    history = tuple(Epoch(epoch, 1 / epoch, 1 / epoch, score - 10 / epoch) for epoch in range(1, training.epochs + 1))
    cost = Cost("cpu", 3.0, 2.0, 9000.0, 800.0)
    right = generator.random(10_000) < score / 100  # as many test images as MNIST has
    predictions = None if reconstruct else pack(1 - right, np.zeros(10_000, np.int64), 10)
    return Record(identity.key, identity.content, outcome, history, cost, process, predictions)


def _time(step: str, command: list[str], folder: Path) -> dict[str, object]:
    """Run a step, which must end well, and return its wall and CPU seconds and its peak memory."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TERM": "dumb"}
    log = folder / f"{step}.log"
    began = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 # our own commands, no shell
            command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{step} failed:\n{log.read_text()}")
    return {
        "step": step,
        "seconds": time.perf_counter() - began,
        "CPU seconds": usage.ru_utime + usage.ru_stime,
        "MB": usage.ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
