"""The files of the tables, by name; light enough to be asked for whenever the workflow is read."""

from typing import Final

TABLE_NAMES: Final = (
    "runs",
    "history",
    "costs",
    "provenance",
    "parameters",
    "summary",
    "comparisons",
    "noise_floor",
    "seeds_needed",
    "ladder",
)
LATEX_NAMES: Final = ("summary", "comparisons")


def table_files(folder: str) -> dict[str, str]:
    """Return the path of every table file below `folder`, by a name that says which it is."""
    files = {}
    for name in TABLE_NAMES:
        files[f"{name}_csv"] = f"{folder}/{name}.csv"
        files[f"{name}_md"] = f"{folder}/{name}.md"
    for name in LATEX_NAMES:
        files[f"{name}_tex"] = f"{folder}/{name}.tex"
    return files
