"""A table as the page shows it: chosen columns, numbers rounded for reading, the whole file to download."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from twinbench.analysis.tables import COLUMNS
from twinbench.report.page.sections import VIEWS, View
from twinbench.report.tables import Tables

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


def data_uri(text: str) -> str:
    """Return a CSV text as a data URI."""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()


def _shown(name: str, frame: pd.DataFrame, view: View, csv: str, place: str) -> ShownTable:
    columns = {column: heading for column, heading in view.columns.items() if column in frame}
    columns = columns or {str(column): str(column).replace("_", " ") for column in frame}
    numeric = {
        column: pd.api.types.is_numeric_dtype(frame[column]) and not pd.api.types.is_bool_dtype(frame[column])
        for column in columns
    }
    top = frame[list(columns)].head(LONGEST)
    # Column by column: far faster than row by row, and each column keeps its own type.
    cells = [[_cell(value, numeric[column]) for value in top[column].tolist()] for column in columns]
    meanings = COLUMNS.get(name, {})
    notes = []
    if len(frame) > LONGEST:
        notes.append(f"The first {LONGEST:,} of {len(frame):,} rows are shown.")
    if len(csv) > LARGEST_DOWNLOAD:
        notes.append(f"The whole table is too large to carry here; it is {place}.")
    return ShownTable(
        name=name,
        title=view.title,
        headings=[(heading, numeric[column], meanings.get(column, "")) for column, heading in columns.items()],
        rows=list(zip(*cells, strict=True)),
        total=len(frame),
        note=" ".join(notes),
        download=data_uri(csv) if len(csv) <= LARGEST_DOWNLOAD else "",
    )


def shown_table(tables: Tables, name: str) -> ShownTable:
    """Return one of the tables of the folder.

    Raises:
        NothingToShowError: there is no such table, or it has no rows.
    """
    frame = tables.get(name)
    path = Path(tables.folder) / f"{name}.csv"
    return _shown(name, frame, VIEWS.get(name, View(name)), path.read_text(encoding="utf-8"), str(path))


def machines_table(tables: Tables) -> ShownTable:
    """Return the machines and versions, a column for each where they are few enough to be read side by side.

    Raises:
        NothingToShowError: there is no such table, or it has no rows.
    """
    shown = shown_table(tables, "provenance")
    frame = tables.get("provenance")
    if len(frame) > MOST_SIDE_BY_SIDE:
        return shown
    aside = frame.astype(str).replace("nan", "").set_index("manifest").T.rename_axis("what").reset_index()
    turned = _shown("provenance", aside, View(shown.title), "", "")
    return replace(turned, download=shown.download)


def made_table(name: str, frame: pd.DataFrame) -> ShownTable:
    """Return a table that was made for the page."""
    return _shown(name, frame, VIEWS.get(name, View(name)), frame.to_csv(index=False), "not in a file")
