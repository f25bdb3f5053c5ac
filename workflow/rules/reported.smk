"""The files of tables and figures, in Snakemake's report with their captions."""

import os
import sys

from twinbench.analysis.outputs import TABLES
from twinbench.report.catalogue import FIGURES, figure_file, numbered


def reported_table(entry, ending):
    """A table's file; the ones that people read are in Snakemake's report."""
    path = f"{OUTPUT}/tables/{entry.name}.{ending}"
    if ending not in ("csv", "html"):
        return path
    return report(
        path,
        caption=f"../report/table_{entry.name}.rst",
        category=numbered(entry.category),
        subcategory="Tables",
        labels={"table": entry.name, "format": ending},
    )


def reported_page():
    """The page, which is the first thing in Snakemake's report."""
    return report(
        f"{OUTPUT}/report.html",
        caption="../report/page.rst",
        category=numbered("The page"),
        labels={"page": "report.html"},
    )


def figure_path(entry, dataset, ending):
    """A figure's file."""
    return f"{OUTPUT}/figures/{figure_file(entry.name, dataset, ending)}"


def reported_figure(entry, dataset, ending):
    """A figure's file, in Snakemake's report with its caption."""
    return report(
        figure_path(entry, dataset, ending),
        caption=f"../report/figure_{entry.name}.rst",
        category=numbered(entry.category),
        subcategory="Figures",
        labels={"figure": entry.title, "dataset": dataset, "format": ending},
    )


TABLE_FILES = {f"{entry.name}_{ending}": reported_table(entry, ending) for entry in TABLES for ending in entry.formats}
FIGURE_FILES = [
    figure_path(entry, dataset, ending)
    for dataset in DATASETS
    for entry in FIGURES
    for ending in CONFIGURATION.figures.formats
]


def tables_of(ending):
    """The files of all tables in one format."""
    return [f"{OUTPUT}/tables/{entry.name}.{ending}" for entry in TABLES]


def asked_for(files):
    """Whether one of these files is named on the command line."""
    # Snakemake itself knows what it was asked for only after it has read the rules.
    return not {os.path.normpath(argument) for argument in sys.argv[1:]}.isdisjoint(files)
