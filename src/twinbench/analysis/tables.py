"""All tables of a results folder, from the runs' records and the measurements."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from twinbench.analysis import (
    agreement,
    claims,
    costs,
    ladder,
    noise_floor,
    seeds_needed,
    settling,
    summary,
    suspects,
)
from twinbench.analysis import records as recorded
from twinbench.analysis.files import read_csv
from twinbench.config import Configuration
from twinbench.data.manifest import read_manifest
from twinbench.measurement.columns import COST_REPETITIONS, DETERMINISM_REPETITIONS, GRADIENTS, LADDER
from twinbench.planning.plan import make_plan
from twinbench.table import Table


def make_tables(
    configuration: Configuration,
    *,
    record_files: Sequence[Path],
    manifest_files: Sequence[Path],
    ladder_files: Sequence[Path],
    gradient_files: Sequence[Path],
    cost_files: Sequence[Path],
    determinism_files: Sequence[Path],
    complete: bool = True,
) -> dict[str, pd.DataFrame]:
    """Return every table by name; where it need not be complete, of the runs and measurements that there are.

    Raises:
        DataError: a manifest is missing or damaged.
        RecordError: a record is missing or damaged, or the runs cannot be compared.
    """
    records, runs, compared = compare_records(configuration, record_files, manifest_files, complete=complete)
    statistics = configuration.statistics
    tables = {
        "runs": runs,
        "history": recorded.history_table(records),
        "costs": recorded.costs_table(records),
        "provenance": recorded.provenance_table(records),
        "parameters": recorded.parameters_table(records),
        "summary": summary.summarise(runs, confidence=statistics.confidence),
        "comparisons": compared,
        "noise_floor": noise_floor.noise_floor(runs, confidence=statistics.confidence),
        "agreement": agreement.agreement(records, confidence=statistics.confidence),
        "seeds_needed": seeds_needed.seeds_needed(compared, confidence=statistics.confidence),
        "ladder": ladder.with_scores(_read_all(ladder_files, LADDER), compared),
        "suspects": suspects.suspects_table(runs, compared),
        "gradients": _read_all(gradient_files, GRADIENTS),
        "api_costs": costs.api_costs(_read_all(cost_files, COST_REPETITIONS), confidence=statistics.confidence),
        "determinism_costs": costs.determinism_costs(
            _read_all(determinism_files, DETERMINISM_REPETITIONS), confidence=statistics.confidence
        ),
    }
    return tables | {"claims": claims.decide_claims(tables)}


def compare_records(
    configuration: Configuration, record_files: Sequence[Path], manifest_files: Sequence[Path], *, complete: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the records, the table `runs` and the table `comparisons`, as at the last look for which runs are there.

    Raises:
        DataError: a manifest is missing or damaged.
        RecordError: a record is missing or damaged, or the runs cannot be compared.
    """
    plan = make_plan(configuration)
    if configuration.looks and complete:
        # Which jobs are wanted was decided look by look, from the same records.
        plan = plan.with_jobs({(path.parent.name, path.stem) for path in record_files})
    records = recorded.read_records(record_files, plan, complete=complete)
    runs = recorded.runs_table(records)
    compared = settling.compare_at_looks(
        runs,
        configuration.looks,
        margin=configuration.statistics.equivalence_margin,
        confidence=configuration.statistics.confidence,
        chance=dict(map(_constant_guess, manifest_files)),
    )
    return records, runs, compared


def _constant_guess(manifest_file: Path) -> tuple[str, float]:
    """Return a dataset's name and the accuracy, in points, of always naming the most frequent class of the test set."""
    manifest = read_manifest(manifest_file)
    if not manifest.class_names:
        return manifest.name, float("nan")
    return manifest.name, 100 * max(manifest.test_counts) / sum(manifest.test_counts)


def _read_all(paths: Sequence[Path], table: Table) -> pd.DataFrame:
    """The rows of all files, one below the other."""
    if not paths:
        return table.frame([])
    remedy = "delete it and run snakemake again"
    return pd.concat([read_csv(path, table, complete=True, remedy=remedy) for path in paths], ignore_index=True)
