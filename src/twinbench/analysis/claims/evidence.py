"""Reading the tables that claims rest on: rows by name, whatever is missing, and how to cite them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from twinbench.analysis.seeds_needed import seeds_for_all

Row = dict[Any, Any]
_KEY = ["dataset", "architecture", "variant"]


@dataclass(frozen=True)
class Evidence:
    """The tables of one benchmark; a table that is not there has no rows.

    Attributes:
        tables: table by name.
    """

    tables: Mapping[str, pd.DataFrame]

    def rows(self, table: str, **equal: object) -> list[Row]:
        """Return the rows of a table whose columns have these values, in its order."""
        frame = self.tables.get(table)
        if frame is None or frame.empty:
            return []
        for column, value in equal.items():
            frame = frame[frame[column] == value]
        return frame.to_dict("records")

    def sequential_twins(self, table: str, dataset: str, architecture: str) -> list[Row]:
        """Return the rows of one architecture's twins that are written with Sequential."""
        rows = self.rows(table, dataset=dataset, architecture=architecture, kind="twin")
        return [row for row in rows if is_sequential(row)]

    def rungs(self, dataset: str, architecture: str, variant: str) -> dict[int, Row]:
        """Return one variant's rungs on the ladder by their number."""
        rows = self.rows("ladder", dataset=dataset, architecture=architecture, variant=variant)
        return {int(row["rung"]): row for row in rows}

    def datasets(self) -> list[str]:
        """Return the datasets of the runs, in their order; of the other tables where there are no runs."""
        names: dict[str, None] = {}
        for table in ("runs", "comparisons", "parameters", "ladder", "gradients", "api_costs"):
            names.update(dict.fromkeys(str(row["dataset"]) for row in self._named(table)))
            if names and table == "runs":
                break
        return list(names)

    def _named(self, table: str) -> list[Row]:
        frame = self.tables.get(table)
        return [] if frame is None or frame.empty else frame[["dataset"]].dropna().drop_duplicates().to_dict("records")

    def seeds_needed(self, rows: Sequence[Row]) -> int | None:
        """Return the number of seeds that settles these rows of `comparisons`; None where no plan is known."""
        plans = self.tables.get("seeds_needed")
        if plans is None or plans.empty or not rows:
            return None
        keys = {tuple(row[name] for name in _KEY) for row in rows}
        chosen = plans[[tuple(key) in keys for key in plans[_KEY].itertuples(index=False)]]
        return seeds_for_all(chosen.fillna({"config_line": ""}))


def known(value: Any) -> bool:
    """Return whether a cell holds a value; None, NaN and pandas's NA are none."""
    missing: Any = pd.isna(value)
    return not missing


def is_sequential(row: Row) -> bool:
    """Return whether a row's variant is written with Sequential."""
    return str(row["variant"]).startswith("sequential")


def named(row: Row) -> str:
    """Return the name of a row's variant: `mlp/sequential`."""
    return f"{row['architecture']}/{row['variant']}"


def cite(table: str, rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the names of rows as evidence: `comparisons: digits mlp/sequential`, each once."""
    return tuple(dict.fromkeys(f"{table}: {row['dataset']} {named(row)}" for row in rows))


def number_of(count: int, one: str, several: str = "") -> str:
    """Return a count with its noun: `1 seed`, `3 seeds`."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"
