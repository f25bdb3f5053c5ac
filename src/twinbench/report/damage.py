"""What each suspect cost, from the kept tables, in the form in which `twinbench compare` tells it."""

import json
from collections.abc import Iterable
from typing import Any

from twinbench.analysis.suspects import Standing, standing_of
from twinbench.architectures.catalogue import SUSPECTS_ARCHITECTURE
from twinbench.report.tables import Tables


def damage(tables: Tables) -> dict[str, dict[str, Any]]:
    """One entry for each suspect that gave a score: what it changes, the difference in points, and half its interval.

    Raises:
        NothingToShowError: the table of suspects is missing.
    """
    rows = tables.get("suspects").to_dict("records")
    return {
        str(row["suspect"]): {
            "changes": str(row["changes"]),
            "difference": round(float(row["mean_difference"]), 2) + 0.0,
            "half_interval": round(float(row["ci_high"] - row["ci_low"]) / 2, 2),
            "clear": standing_of(row) is Standing.SHOWN,
            "architecture": SUSPECTS_ARCHITECTURE,
            "dataset": str(row["dataset"]),
            "seeds": int(row["n"]),
        }
        for row in rows
        if standing_of(row) is not Standing.CONTROL and row["mean_difference"] == row["mean_difference"]
    }


def as_json(results: Iterable[Tables]) -> str:
    """The same as the text of a file: of each suspect from the first results on which its effect is clear of chance.

    Args:
        results: kept tables; where no effect is clear, the first count.
    """
    told: dict[str, dict[str, Any]] = {}
    for measured in map(damage, results):
        for suspect, entry in measured.items():
            if suspect not in told or (entry["clear"] and not told[suspect]["clear"]):
                told[suspect] = entry
    return json.dumps(told, indent=2) + "\n"
