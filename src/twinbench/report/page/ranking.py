"""The ranking of the suspects as a list, for screens on which the figure would be too small to read."""

from dataclasses import dataclass

import pandas as pd

from twinbench.report.figures.suspects import effect, is_control, is_shown, misses_zero, ranked
from twinbench.report.tables import NothingToShowError, Tables


@dataclass(frozen=True)
class RankedSuspect:
    """One row of the list.

    Attributes:
        name: of the suspect.
        change: what it changes.
        effect: its effect on the score, in words and points.
        percent: length of its bar, 0 to 100.
        look: control, shown, likely (the interval misses zero, uncorrected) or open.
    """

    name: str
    change: str
    effect: str
    percent: float
    look: str


def _look(row: pd.Series) -> str:
    if is_control(row):
        return "control"
    return "shown" if is_shown(row) else "likely" if misses_zero(row) else "open"


def _percent(difference: float, largest: float) -> float:
    return 0.0 if pd.isna(difference) else round(100 * abs(difference) / largest, 1)


def rankings(tables: Tables) -> dict[str, list[RankedSuspect]]:
    """Return the suspects of each dataset that has some, largest damage first."""
    found = {}
    for dataset in tables.datasets:
        try:
            table = ranked(tables.of_dataset(dataset).get("suspects"))
        except NothingToShowError:
            continue
        largest = max(float(table["mean_difference"].abs().max()), 1.0)
        found[dataset] = [
            RankedSuspect(
                name=str(row["suspect"]).replace("_", " "),
                change=str(row["changes"]),
                effect=effect(row).replace("\n", ", "),
                percent=0.0
                if pd.isna(row["mean_difference"])
                else round(100 * abs(row["mean_difference"]) / largest, 1),
                look=_look(row),
            )
            for _, row in table.iterrows()
        ]
    return found
