"""Read the runs' records and make the tables that hold them as they are: runs, history, costs, provenance, parameters.

Everything volatile (times, memory, machine, commit) is in `costs` and `provenance`, so that the other tables are the
same, byte for byte, whenever and in whatever portions the runs were trained.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twinbench.analysis.record_tables import COSTS, HISTORY, IDENTITY, PARAMETERS, PROVENANCE, RUNS
from twinbench.errors import RecordError
from twinbench.planning.plan import Plan, Run
from twinbench.training.output import SCHEMA


def read_records(paths: Sequence[Path], plan: Plan, *, complete: bool = True) -> pd.DataFrame:
    """Return one row for every planned run, in the order of the plan, with its history and manifest.

    A run is found by its key among the records of its dataset; its names are those of the plan. Runs without a record
    are refused, or where the records need not be complete, left out.

    Raises:
        RecordError: a file is missing or damaged, a planned run is in none of them, or runs of one dataset were
            trained on different data.
    """
    tables = []
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:  # `read_table` looks for folders and partitions, file by file
                tables.append(file.read(use_threads=False))
        except (OSError, pa.ArrowException) as error:
            raise RecordError(f"{path} cannot be read ({error}): delete it and run snakemake again.") from error
        if tables[-1].schema != SCHEMA:
            raise RecordError(
                f"{path} was written by another version of twinbench: delete the folder of runs and run snakemake "
                "again; finished runs come from the store."
            )
    # As pandas' own objects the epochs of 100,000 runs would take gigabytes.
    epochs = SCHEMA.field("history").type
    records = pa.concat_tables(tables).to_pandas(types_mapper={epochs: pd.ArrowDtype(epochs)}.get)
    planned = pd.DataFrame([_planned(run, plan) for run in plan.runs], columns=[*IDENTITY.split(), "plan_key"])
    place = ["dataset", "plan_key"]
    # Runs of one key are one run, however often it is planned and in however many files it stands.
    known = records.drop(columns=[name for name in IDENTITY.split() if name not in place]).drop_duplicates(place)
    chosen = planned.merge(known, on=place, how="left", validate="many_to_one", indicator=True)
    missing = chosen[chosen["_merge"] != "both"]
    if len(missing) and complete:
        first = missing.iloc[0]
        raise RecordError(
            f"{len(missing)} of {len(planned)} planned runs have no record, the first of them "
            f"{first['dataset']} {first['architecture']}/{first['variant']} seed {first['seed']}: run snakemake again. "
            "If it says so again, the machine that trains has other versions of TensorFlow, Keras, NumPy or twinbench "
            "than this one."
        )
    chosen = chosen[chosen["_merge"] == "both"].drop(columns="_merge").reset_index(drop=True)
    _refuse_mixed_data(chosen)
    return chosen


def _planned(run: Run, plan: Plan) -> tuple[str, str, str, str, int, str]:
    return run.dataset, run.architecture, run.variant, run.definition.kind, run.seed, plan.key(run)


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
    return RUNS.frame(records)


def history_table(records: pd.DataFrame) -> pd.DataFrame:
    """Each run's epochs."""
    histories = pa.chunked_array(pa.array(records["history"])).combine_chunks()
    lengths = pc.list_value_length(histories).to_numpy(zero_copy_only=False)
    repeated = records.loc[records.index.repeat(lengths), ["run", *IDENTITY.split()]].reset_index(drop=True)
    epochs = pa.Table.from_struct_array(histories.flatten()).to_pandas()
    return HISTORY.frame(pd.concat([repeated, epochs], axis=1))


def costs_table(records: pd.DataFrame) -> pd.DataFrame:
    """What each run took, and on what it ran."""
    return COSTS.frame(records.assign(manifest=records["manifest"].map(_digest)))


def provenance_table(records: pd.DataFrame) -> pd.DataFrame:
    """Each combination of machine, software, commit and configuration that runs were made on."""
    counts = records["manifest"].value_counts(sort=False)
    return PROVENANCE.frame([_provenance(text, int(counts[text])) for text in dict.fromkeys(records["manifest"])])


def parameters_table(records: pd.DataFrame) -> pd.DataFrame:
    """How many parameters each variant has, counted in three ways."""
    names = ["dataset", "architecture", "variant"]
    ended = records[records["parameters"].notna()]
    first = ended.drop_duplicates(names)
    references = first[first["kind"] == "reference"].set_index(["dataset", "architecture"])["parameters"]
    keys = pd.MultiIndex.from_frame(first[["dataset", "architecture"]])
    table = first.assign(difference_to_reference=first["parameters"].to_numpy() - references.reindex(keys).to_numpy())
    return PARAMETERS.frame(table.reset_index(drop=True))


def configuration_digest(configuration: Mapping[str, Any]) -> str:
    """First digits of the SHA-256 of a resolved configuration."""
    return hashlib.sha256(json.dumps(configuration, sort_keys=True).encode()).hexdigest()[:12]


def _provenance(text: str, runs: int) -> dict[str, Any]:
    manifest = json.loads(text)
    digest = configuration_digest(manifest.pop("configuration"))
    return {"manifest": _digest(text), "runs": runs, **manifest, "configuration_digest": digest}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
