"""Build the page, from tables and figures alone."""

from pathlib import Path

import adapter

from twinbench.config import Figures
from twinbench.report.page import build_page


def main(snakemake):
    """Write the page."""
    tables = Path(snakemake.input.tables[0]).parent
    figures = Path(snakemake.input.figures[0]).parent
    build_page(tables, Path(snakemake.output.page), Figures.model_validate(snakemake.params.style), figures)


adapter.run(main, snakemake)
