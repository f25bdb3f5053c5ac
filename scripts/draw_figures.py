"""Draw the figures of one dataset, or one of them, from the tables alone."""

from pathlib import Path

import adapter

from twinbench.config import Figures
from twinbench.report.figures import draw_all


def main(snakemake):
    """Write the figures in every configured format."""
    style = Figures.model_validate(snakemake.params.style)
    tables, output = Path(snakemake.input.tables[0]).parent, Path(snakemake.output.figures[0]).parent
    name = snakemake.wildcards.get("figure")
    draw_all(tables, output, style, [name] if name else None, [snakemake.wildcards.dataset])


adapter.run(main, snakemake)
