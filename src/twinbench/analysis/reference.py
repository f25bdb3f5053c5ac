"""The documentation of the tables, made from their columns (`make docs`); a test holds `docs/tables.md` against it."""

import sys
from collections import Counter
from pathlib import Path
from typing import Final

from twinbench.analysis.outputs import TABLES
from twinbench.table import Column

_HEAD: Final = """# Tables

Every table is in `results/tables/` as `.csv` (all digits; an empty field is a missing value), `.md` and, but for the
longest, `.html`; two are also `.tex`. One row is one observation, in the order of the plan. `runs` holds nothing
volatile: trained again on a machine of the same type, it is the same file byte for byte.

Scores are in points: percent of the test images classified rightly, percent of the variance of the test images, or of
test labels that are numbers, that is explained, or a metric of the models' own times 100. A column is text unless it
says otherwise.

<!-- Made by `make docs` from src/twinbench/analysis/outputs.py and src/twinbench/measurement/columns.py: change
them there. -->

## Columns of several tables

"""


def tables_reference() -> str:
    """Return the text of `docs/tables.md`: the columns that several tables have, then each table with its others."""
    tables_of = Counter(column for table in TABLES for column in _meant(table.columns))
    # What is said of a column may point to the one before it: two tables are no reason to part them.
    often = {column.name: column for column, tables in reversed(tables_of.items()) if tables > 2}
    shared = [column for column in tables_of if often.get(column.name) == column]
    parts = [_HEAD + _listed(shared)]
    for table in TABLES:
        columns = _meant(table.columns)
        also = ", ".join(f"`{column.name}`" for column in columns if column in shared)
        parts.append(
            f"## {table.name}\n\n{table.caption}{f' Also: {also}.' if also else ''}\n\n"
            + _listed([column for column in columns if column not in shared])
        )
    return "\n".join(parts)


def _meant(columns: tuple[Column, ...]) -> list[Column]:
    """The columns without their headings, of which the files know nothing."""
    return [Column(column.kind, column.name, column.meaning) for column in columns]


def _listed(columns: list[Column]) -> str:
    kinds = {"text": "", "whole": " (whole)", "number": " (number)", "flag": " (flag)"}
    return "".join(f"- `{column.name}`{kinds[column.kind]}: {column.meaning}\n" for column in columns)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(tables_reference(), encoding="utf-8")
