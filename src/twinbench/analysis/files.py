"""Tables as files: read with the types that their declaration gives, checked, and written for programs and people."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from twinbench.analysis.outputs import TABLES
from twinbench.data.files import write_text
from twinbench.errors import RecordError
from twinbench.table import Table

# Rows of a table that is made for reading; more take minutes to lay out, and nobody reads them.
_LONGEST = 2000


def read_csv(path: Path, table: Table, *, complete: bool, remedy: str) -> pd.DataFrame:
    """Read one table; only an empty field is missing, so that names such as `NA` and `none` survive.

    Args:
        path: its CSV file.
        table: what it should be.
        complete: whether every column must be there.
        remedy: what to do where it is something else.

    Raises:
        RecordError: the file is not that table.
    """
    try:
        header = pd.read_csv(path, nrows=0).columns
        types = {name: kind for name, kind in table.text_columns().items() if name in header}
        frame = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""], low_memory=False)  # type: ignore[arg-type] # pandas-stubs know no plain dict of types
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame()
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise RecordError(f"{path} is not a table of twinbench, nor any text; {remedy}.") from error
    except ValueError as error:  # pandas' own errors are ValueErrors
        reason = " ".join(str(error).split())
        raise RecordError(f"{path} is not a table that twinbench wrote ({reason}); {remedy}.") from error
    table.check(frame, path, complete=complete, remedy=remedy)
    return frame


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write each table in the formats of its declaration.

    Raises:
        ValueError: a table has other columns than declared.
        RecordError: a column holds other things than declared.
        DataError: a file cannot be written.
    """
    writers = {"csv": _csv, "md": _markdown, "tex": _latex, "html": _html}
    for table in TABLES:
        frame = tables[table.name]
        path = folder / f"{table.name}.csv"
        if list(frame) != table.names:
            raise ValueError(f"The table {table.name} has the columns {list(frame)}; declared are {table.names}.")
        table.check(frame, path, complete=True, remedy="this is a mistake in twinbench")
        for ending in table.formats:
            write_text(path.with_suffix(f".{ending}"), writers[ending](table, frame))


def _csv(_table: Table, frame: pd.DataFrame) -> str:
    # Python writes a float so that reading it back gives the same bits.
    return str(frame.to_csv(index=False, lineterminator="\n"))


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


def _markdown(table: Table, frame: pd.DataFrame) -> str:
    text = markdown(frame.head(_LONGEST), floatfmt=".4g") + "\n"
    return text + (f"\n{_rest(table, frame)}\n" if len(frame) > _LONGEST else "")


def _plain_text(value: object) -> object:
    """A cell in which Markdown sees no column and no tag: names and reasons come from outside."""
    if not isinstance(value, str):
        return value
    return " ".join(value.split()).replace("|", "\\|").replace("<", "&lt;")


def _latex(table: Table, frame: pd.DataFrame) -> str:
    # Columns that fit on a printed page; the CSV has all.
    styled = frame[table.latex.split()].style.format(precision=2, na_rep="", escape="latex").hide(axis="index")
    return str(styled.to_latex(hrules=True, environment="longtable"))


def _html(table: Table, frame: pd.DataFrame) -> str:
    body = frame.head(_LONGEST).to_html(index=False, na_rep="", float_format="{:.4g}".format, border=0)
    if len(frame) > _LONGEST:
        body += f"<p>{_rest(table, frame)}</p>"
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{table.name}</title>{body}</html>\n'


def _rest(table: Table, frame: pd.DataFrame) -> str:
    return f"The first {_LONGEST:,} of {len(frame):,} rows; {table.name}.csv has all."
