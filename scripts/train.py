"""Train the runs of one job that are not in the store yet, and write the records of all of them."""

from pathlib import Path

import adapter

from twinbench.architectures.places import bring
from twinbench.config import Configuration
from twinbench.planning.keys import plan_key
from twinbench.planning.plan import Run
from twinbench.planning.stages import check_unchanged
from twinbench.store.remote import open_store
from twinbench.training.job import train_runs
from twinbench.training.output import write_records


def main(snakemake):
    """Train a job."""
    runs = [Run(snakemake.wildcards.dataset, *names, seed) for *names, seed, _key in snakemake.params.runs]
    configuration = Configuration.model_validate_json(Path(snakemake.params.configuration).read_bytes())
    bring(configuration)
    for run, (*_, key) in zip(runs, snakemake.params.runs, strict=True):
        check_unchanged(key, plan_key(run.definition, run.seed, configuration.training))
    records = train_runs(runs, configuration, Path(snakemake.input.npz), open_store(snakemake.params.store))
    write_records(Path(snakemake.output.records), records)


adapter.run(main, snakemake)
