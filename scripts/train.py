"""Train the runs of one job that are not in the store yet, and write the records of all of them."""

from pathlib import Path

import adapter

from twinbench.config import parse_configuration
from twinbench.planning.plan import make_plan
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs
from twinbench.training.output import write_records


def main(snakemake):
    """Train a job."""
    configuration = parse_configuration(snakemake.config)
    job = make_plan(configuration).job(snakemake.wildcards.dataset, snakemake.wildcards.job)
    records = train_runs(job.runs, configuration, Path(snakemake.input.npz), RunStore(Path(snakemake.params.store)))
    write_records(Path(snakemake.output.records), records)


adapter.run(main, snakemake)
