"""The captions of Snakemake's report, one file for each figure and table, made from the two catalogues.

`python -m twinbench.report.captions workflow/report` writes them; a test holds them against the catalogues.
"""

import sys
from pathlib import Path

from twinbench.analysis.outputs import TABLES
from twinbench.report.catalogue import FIGURES


def captions() -> dict[str, str]:
    """Return the text of every caption file by its name."""
    figures = {f"figure_{entry.name}.rst": f"{entry.caption}\n" for entry in FIGURES}
    tables = {f"table_{entry.name}.rst": f"{entry.caption}\n" for entry in TABLES}
    return figures | tables


def main() -> None:
    """Write the caption files into the folder that the command names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in captions().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
