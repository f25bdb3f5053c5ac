"""The ranking of the suspects as a list, for screens on which the figure would be too small to read."""

from dataclasses import dataclass

from twinbench.analysis.suspects import ranked, standing_of
from twinbench.report.figures.suspects import effect
from twinbench.report.tables import NothingToShowError, Tables


@dataclass(frozen=True)
class RankedSuspect:
    """One row of the list.

    Attributes:
        name: of the suspect.
        change: what it changes.
        effect: its effect on the score, in words and points.
        percent: length of its bar, 0 to 100.
        look: control, shown, candidate (the interval by itself misses zero) or open.
    """

    name: str
    change: str
    effect: str
    percent: float
    look: str


def rankings(tables: Tables) -> dict[str, list[RankedSuspect]]:
    """Return the suspects of each dataset that has some, largest damage first."""
    by_dataset = {}
    for dataset in tables.datasets:
        try:
            table = ranked(tables.of_dataset(dataset).get("suspects"))
        except NothingToShowError:
            continue
        largest = max(float(table["mean_difference"].abs().max()), 1.0)
        percent = (100 * table["mean_difference"].abs() / largest).fillna(0.0).round(1)
        by_dataset[dataset] = [
            RankedSuspect(
                name=str(row["suspect"]).replace("_", " "),
                change=str(row["changes"]),
                effect=effect(row).replace("\n", ", "),
                percent=length,
                look=standing_of(row),
            )
            for row, length in zip(table.to_dict("records"), percent, strict=True)
        ]
    return by_dataset
