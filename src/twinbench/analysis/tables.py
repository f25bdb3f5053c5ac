"""All tables of a results folder, from the runs' records and the measurements."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from twinbench.analysis import claims, comparisons, ladder, noise_floor, seeds_needed, summary, suspects
from twinbench.analysis import records as recorded
from twinbench.analysis.outputs import TABLES
from twinbench.config import Configuration
from twinbench.data.files import write_text
from twinbench.errors import RecordError
from twinbench.measurement.columns import API_COSTS_COLUMNS, DETERMINISM_COSTS_COLUMNS, GRADIENTS_COLUMNS
from twinbench.plan import make_plan

# The columns of each table and what they mean, in the order in which people read the tables.
COLUMNS: Final[dict[str, dict[str, str]]] = {
    "runs": recorded.RUNS_COLUMNS,
    "history": recorded.HISTORY_COLUMNS,
    "costs": recorded.COSTS_COLUMNS,
    "provenance": recorded.PROVENANCE_COLUMNS,
    "parameters": recorded.PARAMETERS_COLUMNS,
    "summary": summary.COLUMNS,
    "comparisons": comparisons.COLUMNS,
    "noise_floor": noise_floor.COLUMNS,
    "seeds_needed": seeds_needed.COLUMNS,
    "ladder": ladder.COLUMNS,
    "suspects": suspects.COLUMNS,
    "gradients": GRADIENTS_COLUMNS,
    "api_costs": API_COSTS_COLUMNS,
    "determinism_costs": DETERMINISM_COSTS_COLUMNS,
    "claims": claims.COLUMNS,
}
# Columns that fit on a printed page; the CSV has all.
_LATEX_COLUMNS: Final[dict[str, list[str]]] = {
    "summary": ["dataset", "architecture", "variant", "n", "failed", "mean", "std", "ci_low", "ci_high"],
    "comparisons": ["dataset", "architecture", "variant", "n", "mean_difference", "ci_low", "ci_high", "verdict"],
}
# Rows of a table that is made for reading; more take minutes to lay out, and nobody reads them.
_LONGEST = 2000


def make_tables(
    configuration: Configuration,
    *,
    record_files: Sequence[Path],
    ladder_files: Sequence[Path],
    gradient_files: Sequence[Path],
    cost_files: Sequence[Path],
    determinism_files: Sequence[Path],
) -> dict[str, pd.DataFrame]:
    """Return every table by name.

    Args:
        configuration: the resolved configuration.
        record_files: parquet files with the records of the planned runs.
        ladder_files: CSV files with the rungs of each dataset.
        gradient_files: CSV files with the gradients measured on each dataset.
        cost_files: CSV files with the costs of each API on each dataset.
        determinism_files: CSV files with the cost of determinism on each dataset.

    Raises:
        RecordError: a record is missing or damaged, or the runs cannot be compared.
    """
    records = recorded.read_records(record_files, make_plan(configuration))
    runs = recorded.runs_table(records)
    statistics = configuration.statistics
    compared = comparisons.compare_variants(
        runs, margin=statistics.equivalence_margin, confidence=statistics.confidence
    )
    tables = {
        "runs": runs,
        "history": recorded.history_table(records),
        "costs": recorded.costs_table(records),
        "provenance": recorded.provenance_table(records),
        "parameters": recorded.parameters_table(records),
        "summary": summary.summarise(runs, confidence=statistics.confidence),
        "comparisons": compared,
        "noise_floor": noise_floor.noise_floor(runs),
        "seeds_needed": seeds_needed.seeds_needed(compared, confidence=statistics.confidence),
        "ladder": ladder.with_scores(_read_all(ladder_files, recorded.LADDER_COLUMNS), compared),
        "suspects": suspects.suspects_table(runs, compared),
        "gradients": _read_all(gradient_files, GRADIENTS_COLUMNS),
        "api_costs": _read_all(cost_files, API_COSTS_COLUMNS),
        "determinism_costs": _read_all(determinism_files, DETERMINISM_COSTS_COLUMNS),
    }
    return tables | {"claims": claims.decide_claims(tables)}


def _read_all(paths: Sequence[Path], columns: Mapping[str, str]) -> pd.DataFrame:
    """The rows of all files, one below the other; only an empty field is missing."""
    frames = []
    for path in paths:
        try:
            frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
        except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
            raise RecordError(f"{path} cannot be read ({error}): delete it and run snakemake again.") from error
        if missing := [name for name in columns if name not in frame]:
            raise RecordError(f"{path} has no column '{missing[0]}': delete it and run snakemake again.")
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write each table in the formats of its entry.

    Raises:
        DataError: a file cannot be written.
    """
    writers = {"csv": _csv, "md": _markdown, "tex": _latex, "html": _html}
    for entry in TABLES:
        for ending in entry.formats:
            write_text(folder / f"{entry.name}.{ending}", writers[ending](entry.name, tables[entry.name]))


def _csv(_name: str, table: pd.DataFrame) -> str:
    # Python writes a float so that reading it back gives the same bits.
    return str(table.to_csv(index=False, lineterminator="\n"))


def markdown(table: pd.DataFrame, *, floatfmt: str, intfmt: str = "") -> str:
    """Return a table in Markdown; a missing value is an empty cell, and no text is taken for markup.

    Args:
        table: what to write, without its index.
        floatfmt: how numbers with a fraction are written, as a format specification.
        intfmt: the same for whole numbers.
    """
    # tabulate takes pandas' missing value for an unknown object.
    plain = table.astype(object).where(table.notna(), "").map(_plain_text)
    return str(plain.to_markdown(index=False, disable_numparse=False, floatfmt=floatfmt, intfmt=intfmt))


def _markdown(name: str, table: pd.DataFrame) -> str:
    text = markdown(table.head(_LONGEST), floatfmt=".4g") + "\n"
    return text + (f"\n{_rest(name, table)}\n" if len(table) > _LONGEST else "")


def _plain_text(value: object) -> object:
    """A cell in which Markdown sees no column and no tag: names and reasons come from outside."""
    if not isinstance(value, str):
        return value
    return " ".join(value.split()).replace("|", "\\|").replace("<", "&lt;")


def _latex(name: str, table: pd.DataFrame) -> str:
    styled = table[_LATEX_COLUMNS[name]].style.format(precision=2, na_rep="", escape="latex").hide(axis="index")
    return str(styled.to_latex(hrules=True, environment="longtable"))


def _html(name: str, table: pd.DataFrame) -> str:
    body = table.head(_LONGEST).to_html(index=False, na_rep="", float_format="{:.4g}".format, border=0)
    if len(table) > _LONGEST:
        body += f"<p>{_rest(name, table)}</p>"
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>{body}</html>\n'


def _rest(name: str, table: pd.DataFrame) -> str:
    return f"The first {_LONGEST:,} of {len(table):,} rows; {name}.csv has all."
