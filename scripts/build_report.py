"""Build the page and the answer, from tables and figures alone."""

from pathlib import Path

import adapter

from twinbench.config import Figures
from twinbench.data.files import write_text
from twinbench.report.ending import answer_for_snakemake
from twinbench.report.page import build_page


def main(snakemake):
    """Write the page."""
    tables = Path(snakemake.input.tables[0]).parent
    figures = Path(snakemake.input.figures[0]).parent
    write_text(Path(snakemake.output.answer), answer_for_snakemake(tables))
    build_page(tables, Path(snakemake.output.page), Figures.model_validate(snakemake.params.style), figures)


adapter.run(main, snakemake)
