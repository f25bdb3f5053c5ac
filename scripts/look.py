"""Decide at a look which comparisons are settled, and which variants train on."""

import json
from pathlib import Path

import adapter

from twinbench.analysis.settling import going_on
from twinbench.analysis.tables import compare_records
from twinbench.data.files import write_text
from twinbench.planning.stages import configuration_of


def main(snakemake):
    """Write the variants that train on."""
    configuration = configuration_of(snakemake.params.settings)
    files = [Path(path) for path in snakemake.input.records]
    _records, _runs, compared = compare_records(configuration, files, [Path(snakemake.input.manifest)])
    write_text(Path(snakemake.output.decision), json.dumps(going_on(compared, int(snakemake.wildcards.look)), indent=1))


adapter.run(main, snakemake)
