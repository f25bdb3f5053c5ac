"""A table as the page shows it: chosen columns, numbers rounded for reading, the whole file to download."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from twinbench.analysis.outputs import BY_NAME
from twinbench.analysis.record_tables import RUNS
from twinbench.report.tables import Tables
from twinbench.table import Column, Table, text

# More rows than this help nobody on a page; the download has them all.
LONGEST: Final = 400
# Bytes of CSV that are carried inside the page; a larger file stays in its folder.
LARGEST_DOWNLOAD: Final = 600_000
MOST_SIDE_BY_SIDE: Final = 4


@dataclass(frozen=True)
class Cell:
    """One cell: what is read, and for a number, what is sorted by."""

    text: str
    number: str = ""


@dataclass(frozen=True)
class ShownTable:
    """What the template needs of a table.

    Attributes:
        name: stem of its file.
        title: in words.
        headings: (heading, is a number, what the column means).
        rows: cells.
        total: rows of the whole table.
        note: what is left out; empty when nothing is.
        download: data URI of the CSV file; empty when it is too large.
    """

    name: str
    title: str
    headings: Sequence[tuple[str, bool, str]]
    rows: Sequence[Sequence[Cell]]
    total: int
    note: str
    download: str


def readable(value: Any) -> str:
    """Return a number as people read it: whole numbers with separators, others with four significant digits."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}" if abs(value) >= 10_000 else f"{int(value)}"
    return f"{value:.3g}" if abs(value) < 0.1 else f"{value:,.2f}"


def _cell(value: Any, numeric: bool) -> Cell:
    if numeric:
        text = readable(value)
        return Cell(text, repr(float(value)) if text else "")
    return Cell("" if value is None or value is pd.NA or value != value else str(value))  # noqa: PLR0124 # NaN is the only value unequal to itself


def data_uri(csv: str) -> str:
    """Return a CSV text as a data URI."""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(csv.encode()).decode()


def _is_number(column: Column) -> bool:
    return column.kind in ("whole", "number")


def _shown(name: str, table: Table, frame: pd.DataFrame, csv: str, place: str) -> ShownTable:
    columns = [column for column in table.on_page() if column.name in frame]
    top = frame.head(LONGEST)
    # Column by column: far faster than row by row, and each column keeps its own type.
    cells = [[_cell(value, _is_number(column)) for value in top[column.name].tolist()] for column in columns]
    notes = []
    if len(frame) > LONGEST:
        notes.append(f"The first {LONGEST:,} of {len(frame):,} rows are shown.")
    if len(csv) > LARGEST_DOWNLOAD:
        notes.append(f"The whole table is too large to carry here; it is {place}.")
    return ShownTable(
        name=name,
        title=table.title,
        headings=[(column.title, _is_number(column), column.meaning) for column in columns],
        rows=list(zip(*cells, strict=True)),
        total=len(frame),
        note=" ".join(notes),
        download=data_uri(csv) if len(csv) <= LARGEST_DOWNLOAD else "",
    )


def shown_table(tables: Tables, name: str) -> ShownTable:
    """Return one of the tables of the folder."""
    frame = tables.get(name)
    path = Path(tables.folder) / f"{name}.csv"
    return _shown(name, BY_NAME[name], frame, path.read_text(encoding="utf-8"), str(path))


def machines_table(tables: Tables) -> ShownTable:
    """Return the machines and versions, a column for each where they are few enough to be read side by side."""
    shown = shown_table(tables, "provenance")
    frame = tables.get("provenance")
    if len(frame) > MOST_SIDE_BY_SIDE:
        return shown
    aside = frame.astype(str).replace("nan", "").set_index("manifest").T.rename_axis("what").reset_index()
    columns = tuple(text(str(name), "") for name in aside)
    turned = _shown("provenance", replace(BY_NAME["provenance"], columns=columns), aside, "", "")
    return replace(turned, download=shown.download)


def failed_table(tables: Tables) -> ShownTable | None:
    """Return the runs that failed; None where none did."""
    failed = tables.failed
    return None if failed.empty else _shown("failed", RUNS, failed, failed.to_csv(index=False), "not in a file")
