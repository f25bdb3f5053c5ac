"""Turn records and measurements into tables."""

from pathlib import Path

import adapter

from twinbench.analysis.files import write_tables
from twinbench.analysis.tables import make_tables
from twinbench.planning.stages import configuration_of


def main(snakemake):
    """Write all tables."""
    tables = make_tables(
        configuration_of(snakemake.params.settings),
        record_files=[Path(path) for path in snakemake.input.records],
        manifest_files=[Path(path) for path in snakemake.input.manifests],
        ladder_files=[Path(path) for path in snakemake.input.ladders],
        gradient_files=[Path(path) for path in snakemake.input.gradients],
        cost_files=[Path(path) for path in snakemake.input.costs],
        determinism_files=[Path(path) for path in snakemake.input.determinism],
    )
    write_tables(tables, Path(snakemake.output.runs_csv).parent)


adapter.run(main, snakemake)
