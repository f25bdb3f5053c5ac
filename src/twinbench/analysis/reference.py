"""The documentation of the tables, made from their columns (`make docs`); a test holds `docs/tables.md` against it."""

import sys
from pathlib import Path

from twinbench.analysis.outputs import TABLES

_HEAD = """# Tables

Every table is in `results/tables/` as `.csv` (all digits; an empty field is a missing value), `.md` and, but for the
longest, `.html`; two are also `.tex`. They are in long format, one observation a row, in the order of the plan. `runs`
holds nothing volatile: trained again on a machine of the same type, it is the same file byte for byte. Times, memory
and machines are in `costs` and `provenance`.

Scores are in points: percent of the test images classified rightly, or percent of the test images' variance that a
reconstruction explains.

<!-- Made by `make docs` from src/twinbench/analysis/outputs.py and src/twinbench/measurement/columns.py: change
them there. -->
"""


def tables_reference() -> str:
    """Return the text of `docs/tables.md`."""
    parts = [_HEAD]
    for table in TABLES:
        rows = "\n".join(f"| `{column.name}` | {column.kind} | {column.meaning} |" for column in table.columns)
        parts.append(
            f"## {table.name}\n\n{table.caption}\n\n| column | type | meaning |\n| --- | --- | --- |\n{rows}\n"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(tables_reference(), encoding="utf-8")
