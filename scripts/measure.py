"""Measure gradients by depth, what each API costs, and what determinism costs, on one dataset."""

from pathlib import Path

import adapter

from twinbench.config import parse_configuration


def main(snakemake):
    """Write the tables."""
    configuration = parse_configuration(snakemake.config)
    from twinbench.measurement.costs import measure_costs
    from twinbench.measurement.determinism import measure_determinism
    from twinbench.measurement.gradients import measure_gradients

    npz = Path(snakemake.input.npz)
    measure_gradients(configuration, npz).to_csv(snakemake.output.gradients, index=False)
    measure_costs(configuration, npz).to_csv(snakemake.output.costs, index=False)
    measure_determinism(configuration, npz).to_csv(snakemake.output.determinism, index=False)


adapter.run(main, snakemake)
