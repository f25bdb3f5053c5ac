"""Read the runs' records and make the tables that hold them as they are: runs, history, costs, provenance, parameters.

Everything volatile (times, memory, machine, commit) is in `costs` and `provenance`, so that the other tables are the
same, byte for byte, whenever and in whatever portions the runs were trained.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from twinbench.errors import RecordError
from twinbench.plan import Plan
from twinbench.training.output import SCHEMA

IDENTITY: Final = ["dataset", "architecture", "variant", "kind", "seed"]

RUNS_COLUMNS: Final[dict[str, str]] = {
    "run": "the run's name in the store: the first digits of its key",
    "dataset": "name of the dataset",
    "architecture": "name of the architecture",
    "variant": "name of the variant, or of the suspect",
    "kind": "reference, twin, lookalike or suspect",
    "seed": "seed of the run",
    "status": "ok or failed",
    "reason": "why the run failed",
    "task": "classify or reconstruct",
    "score_name": "accuracy or explained variance",
    "optimizer": "optimiser",
    "learning_rate": "its step size",
    "batch_size": "images per step",
    "epochs": "passes over the training images",
    "loss": "the loss that was minimised",
    "precision": "float32 or bfloat16 (mixed)",
    "determinism": "strict, seeded or off",
    "threads": "CPU threads of the run",
    "init": "own or matched initial weights",
    "vary": "streams of randomness that the seed changes",
    "train_examples": "images trained on",
    "validation_examples": "images held out",
    "test_examples": "images tested on, once, at the end",
    "parameters": "parameters, each once, counted after a call",
    "trainable_parameters": "of these, the ones that training changes",
    "non_trainable_parameters": "the others: moving statistics, frozen weights",
    "train_loss": "mean loss over the last epoch, while training",
    "validation_loss": "mean loss on the validation images at the end",
    "validation_score": "score on the validation images at the end, in points",
    "test_loss": "mean loss on the test images",
    "test_score": "score on the test images, in points: accuracy in percent, or explained variance in percent",
    "seen_score": "what the person's own metric reads on the test images, in points",
    "dataset_sha256": "SHA-256 of the dataset's arrays",
    "initial_weights_sha256": "SHA-256 of the weights before training, whatever their order",
    "final_weights_sha256": "SHA-256 of the weights after training, whatever their order",
}
HISTORY_COLUMNS: Final[dict[str, str]] = {
    "run": RUNS_COLUMNS["run"],
    **{name: RUNS_COLUMNS[name] for name in IDENTITY},
    "epoch": "epoch, from 1",
    "train_loss": "mean loss over the epoch, while training",
    "validation_loss": "mean loss on the validation images after the epoch",
    "validation_score": "score on the validation images after the epoch, in points",
}
COSTS_COLUMNS: Final[dict[str, str]] = {
    "run": RUNS_COLUMNS["run"],
    **{name: RUNS_COLUMNS[name] for name in IDENTITY},
    "device": "cpu or gpu",
    "seconds": "wall time of the run, building and testing included",
    "train_seconds": "wall time of its epochs; the first run of a variant in a job also compiles",
    "images_per_second": "training images per second of these epochs",
    "peak_memory_mb": "peak resident memory of the process during the run, in MiB",
    "manifest": "row of the table provenance",
}
PROVENANCE_COLUMNS: Final[dict[str, str]] = {
    "manifest": "name of this combination",
    "runs": "how many runs were made on it",
    "tensorflow": "version",
    "keras": "version",
    "numpy": "version",
    "python": "version",
    "twinbench": "version",
    "os": "operating system",
    "cpu": "processor",
    "instruction_sets": "of the processor, as far as they matter",
    "gpu": "graphics cards used",
    "threads": "CPU threads of a run",
    "git_commit": "commit of the code",
    "git_dirty": "whether the tree had uncommitted changes",
    "configuration_digest": "first digits of the SHA-256 of the resolved configuration",
}
PARAMETERS_COLUMNS: Final[dict[str, str]] = {
    **{name: RUNS_COLUMNS[name] for name in ("dataset", "architecture", "variant", "kind")},
    "parameters": "parameters, each once, counted after a call",
    "trainable_parameters": "of these, the ones that training changes",
    "non_trainable_parameters": "the others",
    "parameters_per_call": "a layer's parameters once for every call of it, as someone counts who adds up a drawing",
    "keras_count": "what `count_params()` says of the model as its builder returns it; empty where it refuses, "
    "because the model has not been called yet",
    "difference_to_reference": "parameters minus the reference's",
}

# `twinbench.audit.variants` writes it, and importing that imports Keras.
LADDER_COLUMNS: Final[dict[str, str]] = {
    "dataset": "name of the dataset, whose images are the batches",
    "architecture": "name of the architecture; published_autoencoder for the article's examples as published",
    "variant": "name of the variant that is held against its reference",
    "kind": "twin, lookalike, suspect or published",
    "rung": "number of the rung, from 1",
    "name": "what the rung tests",
    "outcome": "pass, fail or not applicable",
    "value": "the number behind it, where there is one",
    "sentence": "the finding in words",
}


def read_records(paths: Sequence[Path], plan: Plan) -> pd.DataFrame:
    """Return one row for every planned run, in the order of the plan, with its history and manifest.

    Raises:
        RecordError: a file is missing or damaged, a planned run is in none of them, or runs of one dataset were
            trained on different data.
    """
    tables = []
    for path in paths:
        try:
            tables.append(pq.read_table(path))
        except (OSError, pa.ArrowException) as error:
            raise RecordError(f"{path} cannot be read ({error}): delete it and run snakemake again.") from error
        if tables[-1].schema != SCHEMA:
            raise RecordError(
                f"{path} was written by another version of twinbench: delete the folder of runs and run snakemake "
                "again; finished runs come from the store."
            )
    records = pa.concat_tables(tables).to_pandas()
    names = ["dataset", "architecture", "variant", "seed"]
    planned = pd.DataFrame([(run.dataset, run.architecture, run.variant, run.seed) for run in plan.runs], columns=names)
    twice = records[records.duplicated(names)]
    if len(twice):
        row = twice.iloc[0]
        raise RecordError(
            f"{row['dataset']} {row['architecture']}/{row['variant']} seed {row['seed']} is recorded twice: delete the "
            "folder of runs and run snakemake again; finished runs come from the store."
        )
    chosen = planned.merge(records, on=names, how="left", validate="one_to_one", indicator=True)
    missing = chosen[chosen["_merge"] != "both"]
    if len(missing):
        first = missing.iloc[0]
        raise RecordError(
            f"{len(missing)} of {len(planned)} planned runs have no record, the first of them "
            f"{first['dataset']} {first['architecture']}/{first['variant']} seed {first['seed']}: run snakemake again."
        )
    _refuse_mixed_data(chosen)
    return chosen.drop(columns="_merge")


def _refuse_mixed_data(records: pd.DataFrame) -> None:
    editions = records.groupby("dataset")["dataset_sha256"].nunique()
    mixed = editions[editions > 1]
    if len(mixed):
        raise RecordError(
            f"The runs on {mixed.index[0]} were trained on {mixed.iloc[0]} different editions of it, and cannot be "
            "compared: run snakemake again to train the older ones on the present data."
        )


def runs_table(records: pd.DataFrame) -> pd.DataFrame:
    """What each run was and gave."""
    # A failed run has no counts, which must not turn the others' whole numbers into fractions.
    counts = [name for name in RUNS_COLUMNS if name.endswith("parameters")]
    return records[list(RUNS_COLUMNS)].astype(dict.fromkeys(counts, "Int64"))


def history_table(records: pd.DataFrame) -> pd.DataFrame:
    """Each run's epochs."""
    lengths = [len(history) for history in records["history"]]
    repeated = records.loc[records.index.repeat(lengths), ["run", *IDENTITY]].reset_index(drop=True)
    epochs = pd.DataFrame(
        [epoch for history in records["history"] for epoch in history],
        columns=["epoch", "train_loss", "validation_loss", "validation_score"],
    )
    return pd.concat([repeated, epochs], axis=1)


def costs_table(records: pd.DataFrame) -> pd.DataFrame:
    """What each run took, and on what it ran."""
    return records.assign(manifest=records["manifest"].map(_digest))[list(COSTS_COLUMNS)]


def provenance_table(records: pd.DataFrame) -> pd.DataFrame:
    """Each combination of machine, software, commit and configuration that runs were made on."""
    counts = records["manifest"].value_counts(sort=False)
    rows = [_provenance(text, int(counts[text])) for text in dict.fromkeys(records["manifest"])]
    return pd.DataFrame(rows, columns=list(PROVENANCE_COLUMNS))


def parameters_table(records: pd.DataFrame) -> pd.DataFrame:
    """How many parameters each variant has, counted in three ways."""
    names = ["dataset", "architecture", "variant"]
    ended = records[records["parameters"].notna()]
    first = ended.drop_duplicates(names)
    references = first[first["kind"] == "reference"].set_index(["dataset", "architecture"])["parameters"]
    keys = pd.MultiIndex.from_frame(first[["dataset", "architecture"]])
    table = first.assign(difference_to_reference=first["parameters"].to_numpy() - references.reindex(keys).to_numpy())
    counts = [name for name in PARAMETERS_COLUMNS if name not in (*names, "kind")]
    return table[list(PARAMETERS_COLUMNS)].astype(dict.fromkeys(counts, "Int64")).reset_index(drop=True)


def configuration_digest(configuration: Mapping[str, Any]) -> str:
    """First digits of the SHA-256 of a resolved configuration."""
    return hashlib.sha256(json.dumps(configuration, sort_keys=True).encode()).hexdigest()[:12]


def _provenance(text: str, runs: int) -> dict[str, Any]:
    manifest = json.loads(text)
    digest = configuration_digest(manifest.pop("configuration"))
    return {"manifest": _digest(text), "runs": runs, **manifest, "configuration_digest": digest}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
