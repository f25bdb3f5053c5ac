"""Draw every figure, from the tables alone."""

from pathlib import Path

import adapter

from twinbench.config import Figures
from twinbench.report.figures import draw_all


def main(snakemake):
    """Write all figures in every configured format."""
    style = Figures.model_validate(snakemake.params.style)
    draw_all(Path(snakemake.input.tables[0]).parent, Path(snakemake.output.figures[0]).parent, style)


adapter.run(main, snakemake)
