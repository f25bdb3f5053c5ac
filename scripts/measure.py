"""Measure gradients by depth, what each API costs, and what determinism costs, on one dataset."""

from pathlib import Path

import adapter

from twinbench.data.files import write_text
from twinbench.planning.plan import selected_variants
from twinbench.planning.stages import check_unchanged, configuration_of, variant_digests


def main(snakemake):
    """Write the tables."""
    configuration = configuration_of(snakemake.params.settings)
    check_unchanged(list(snakemake.params.variants), variant_digests(selected_variants(configuration)))
    from twinbench.measurement.costs import measure_costs
    from twinbench.measurement.determinism import measure_determinism
    from twinbench.measurement.gradients import measure_gradients

    npz = Path(snakemake.input.npz)
    write_text(Path(snakemake.output.gradients), measure_gradients(configuration, npz).to_csv(index=False))
    write_text(Path(snakemake.output.costs), measure_costs(configuration, npz).to_csv(index=False))
    write_text(Path(snakemake.output.determinism), measure_determinism(configuration, npz).to_csv(index=False))


adapter.run(main, snakemake)
