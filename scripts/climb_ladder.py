"""Hold every variant against its reference, rung by rung."""

from pathlib import Path

import adapter

from twinbench.data import load
from twinbench.data.files import write_text
from twinbench.measurement.columns import LADDER
from twinbench.planning.plan import selected_variants
from twinbench.planning.stages import check_unchanged, configuration_of, variant_digests
from twinbench.training.runtime import start_tensorflow


def main(snakemake):
    """Write the rungs of all variants on one dataset."""
    configuration = configuration_of(snakemake.params.settings)
    start_tensorflow(configuration.training)
    from twinbench.measurement.ladder import climb_all, climb_published

    variants = selected_variants(configuration)
    check_unchanged(list(snakemake.params.variants), variant_digests(variants))
    data = load(Path(snakemake.input.npz))
    steps = configuration.measurements.ladder_steps
    rows = [*climb_all(variants, data, steps=steps), *climb_published(data.name, steps=steps)]
    write_text(Path(snakemake.output.rungs), LADDER.frame(rows).to_csv(index=False))


adapter.run(main, snakemake)
