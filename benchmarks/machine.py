"""How far the machine moves a score: the same seeds with two threads, without oneDNN, and in bfloat16.

    python -m benchmarks.machine --configfile config/mnist.yaml     (`make machine`)

Each seed of a network is trained on MNIST as usual (one thread, float32, oneDNN as TensorFlow sets it) and again with
one thing changed, each in a process of its own, since TensorFlow takes threads and oneDNN at its start. All three
changes are in a run's key; finished runs are kept in `results/bench/machine`. Writes one row a change, beside the
seeds' own noise, from which `docs/findings.md` is made.
"""

import argparse
import itertools
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.data import prepared
from twinbench.config import parse_configuration, read_configuration
from twinbench.planning.plan import make_plan
from twinbench.store.predictions import unpack
from twinbench.store.record import Record
from twinbench.store.runs import RunStore

STORE: Final = Path("results/bench/machine")


@dataclass(frozen=True)
class Change:
    """What is changed: settings of the training, and variables of the environment."""

    name: str
    training: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


USUAL: Final = Change("nothing", {"threads": 1, "precision": "float32"})
CHANGES: Final = (
    Change("2 threads instead of 1", {"threads": 2}),
    Change("without oneDNN", environment={"TF_ENABLE_ONEDNN_OPTS": "0"}),
    Change("bfloat16 instead of float32", {"precision": "bfloat16"}),
)


def train(change: Change, architecture: str, seeds: int, training: dict[str, Any], npz: Path) -> list[Record]:
    """Return the record of each seed; call in a process that has not started TensorFlow."""
    from twinbench.training.job import train_runs

    os.environ.pop("TF_ENABLE_ONEDNN_OPTS", None)
    os.environ.update(change.environment)
    configuration = parse_configuration(
        {
            "datasets": [npz.stem],
            "architectures": [f"{architecture}/functional"],
            "suspects": [],
            "seeds": seeds,
            "training": training | USUAL.training | change.training,
        }
    )
    return train_runs(make_plan(configuration).runs, configuration, npz, RunStore(STORE))


def drift(change: Change, usual: list[Record], changed: list[Record]) -> dict[str, Any]:
    """Return how far the same seeds end apart, beside how far the seeds themselves do.

    Args:
        change: what was changed.
        usual: the records of the seeds as usual.
        changed: those of the same seeds with the change.
    """
    before, after = (np.array([record.outcome.test_score for record in records]) for records in (usual, changed))
    weights = [[record.outcome.final_weights_sha256 for record in records] for records in (usual, changed)]
    other = [
        100 * float(np.mean(unpack(one.predictions or "", images) != unpack(two.predictions or "", images)))
        for one, two in zip(usual, changed, strict=True)
        if (images := one.outcome.test_examples)
    ]
    outcome = usual[0].outcome
    return {
        "dataset": outcome.dataset,
        "architecture": outcome.architecture,
        "change": change.name,
        "seeds": len(usual),
        "epochs": outcome.epochs,
        "batch_size": outcome.batch_size,
        "identical": sum(one == two for one, two in zip(*weights, strict=True)),
        "shift": float(np.mean(after - before)),
        "drift": float(np.mean(abs(after - before))),
        "largest": float(np.max(abs(after - before))),
        "images": float(np.mean(other)),
        "seed_std": float(np.std(before, ddof=1)),
        "seed_gap": float(np.mean([abs(one - two) for one, two in itertools.combinations(before, 2)])),
        "cpu": usual[0].manifest["cpu"],
        "instruction_sets": usual[0].manifest["instruction_sets"],
        "tensorflow": usual[0].manifest["tensorflow"],
        "git_commit": usual[0].manifest["git_commit"],
        "git_dirty": any(record.manifest["git_dirty"] for record in (*usual, *changed)),
    }


def main() -> None:
    """Train, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", type=Path, default=Path("config/mnist.yaml"), help="whose `training` is used")
    parser.add_argument("--architecture", action="append", help="may be repeated [default: mlp]")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--output", type=Path, default=Path("results/reference/machine.csv"))
    options = parser.parse_args()
    training = read_configuration(options.configfile).training.model_dump(exclude_unset=True)
    with _process() as process:
        npz = process.submit(prepared, "mnist").result()
    rows = []
    for architecture in options.architecture or ["mlp"]:
        records: dict[str, list[Record]] = {}
        for change in (USUAL, *CHANGES):
            with _process() as process:
                job = process.submit(train, change, architecture, options.seeds, training, npz)
                records[change.name] = job.result()
        rows += [drift(change, records[USUAL.name], records[change.name]) for change in CHANGES]
    table = pd.DataFrame(rows)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.output, index=False)
    print(table.iloc[:, 1:13].to_string(index=False))


def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


if __name__ == "__main__":
    main()
