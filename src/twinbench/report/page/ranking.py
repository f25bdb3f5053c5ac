"""The ranking of the suspects as a list, for screens on which the figure would be too small to read."""

from dataclasses import dataclass

from twinbench.analysis.suspects import standing_of
from twinbench.report.figures.suspects import effect, grouped_suspects
from twinbench.report.tables import NothingToShowError, Tables


@dataclass(frozen=True)
class RankedSuspect:
    """One row of the list.

    Attributes:
        name: of the suspect.
        change: what it changes.
        effect: its effect on the score, in words and points.
        percent: length of its bar, 0 to 100.
        look: control, shown, unconfirmed (the interval by itself misses zero) or open.
        group: the heading above it, where it is the first of its group.
    """

    name: str
    change: str
    effect: str
    percent: float
    look: str
    group: str


def rankings(tables: Tables) -> dict[str, list[RankedSuspect]]:
    """Return the suspects of each dataset that has some, in groups, largest damage first."""
    by_dataset = {}
    for dataset in tables.datasets:
        try:
            table = grouped_suspects(tables.of_dataset(dataset).get("suspects"))
        except NothingToShowError:
            continue
        largest = max(float(table["mean_difference"].abs().max()), 1.0)
        percent = (100 * table["mean_difference"].abs() / largest).fillna(0.0).round(1)
        groups = table["group"].mask(table["group"].eq(table["group"].shift()), "")
        by_dataset[dataset] = [
            RankedSuspect(
                name=str(row["suspect"]).replace("_", " "),
                change=str(row["changes"]),
                effect=effect(row).replace("\n", ", "),
                percent=length,
                look=standing_of(row),
                group=group,
            )
            for row, length, group in zip(table.to_dict("records"), percent, groups, strict=True)
        ]
    return by_dataset
