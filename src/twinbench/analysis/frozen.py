"""Runs that are planned and no look wants any more, where seeds are added by looks: nothing waits for them."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from twinbench.analysis.settling import is_open
from twinbench.analysis.tables import compare_records
from twinbench.config import Configuration
from twinbench.errors import TwinbenchError
from twinbench.planning.forecast import known_manifests
from twinbench.planning.plan import Plan, Run


def frozen_so_far(configuration: Configuration, plan: Plan, missing: Collection[Run]) -> set[Run]:
    """Return the missing runs that no look wants any more, by the records in the output folder.

    Args:
        configuration: the resolved configuration.
        plan: its plan.
        missing: runs of it that the store does not have.
    """
    output, manifests = Path(configuration.output), known_manifests(configuration)
    files = sorted((output / "runs").glob("*/*.parquet"))
    if not configuration.looks or not files:
        return set()
    try:
        paths = [output / "data" / f"{name}.json" for name in manifests]
        records, _, compared = compare_records(configuration, files, paths, complete=False)
    except TwinbenchError:  # which the command that needs them tells
        return set()
    editions = records.groupby("dataset")["dataset_sha256"].first().to_dict()
    current = [name for name, manifest in manifests.items() if editions.get(name) == manifest.sha256]
    return frozen_runs(plan, missing, compared[compared["dataset"].isin(current)])


def frozen_runs(plan: Plan, missing: Collection[Run], comparisons: pd.DataFrame) -> set[Run]:
    """Return the missing runs that no look wants any more: of variants that are settled, and their references'.

    Where a run is missing of a look at which anything was settled, that look is open again, and none is returned.

    Args:
        plan: the plan.
        missing: runs of it that are not recorded.
        comparisons: what `compare_at_looks` returned of the others.
    """
    rows = comparisons[~is_open(comparisons)].to_dict("records")
    settled = {(row["dataset"], row["architecture"], row["variant"]): int(row["look"]) for row in rows}
    kinds = {(run.dataset, run.architecture, run.variant): run.definition.kind for run in plan.runs}
    going = {key[:2] for key, kind in kinds.items() if kind != "reference" and key not in settled}
    frozen: set[Run] = set()
    for dataset in {key[0] for key in kinds}:
        looks = {run: job.look for job in plan.jobs if job.dataset == dataset for run in job.runs if run in missing}
        idle = {
            run
            for run in looks
            if (dataset, run.architecture) not in going or (dataset, run.architecture, run.variant) in settled
        }
        last = max((look for key, look in settled.items() if key[0] == dataset), default=0)
        if all(look > last for run, look in looks.items() if run not in idle):
            frozen |= idle
    return frozen
