"""Prepare one dataset of the configuration."""

from pathlib import Path

import adapter

from twinbench.config import Dataset
from twinbench.data import prepare


def main(snakemake):
    """Write the dataset's arrays and its manifest."""
    prepare(
        Dataset.model_validate(dict(snakemake.params.dataset)),
        Path(snakemake.output.npz),
        Path(snakemake.output.manifest),
        key=snakemake.params.key,
    )


adapter.run(main, snakemake)
