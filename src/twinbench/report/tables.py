"""Reading the folder of tables: all that the report stage takes in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from twinbench.analysis.files import read_csv
from twinbench.analysis.outputs import BY_NAME, TABLES
from twinbench.errors import RecordError, TwinbenchError


class NothingToShowError(TwinbenchError):
    """A figure or section has no rows to show; `str()` is the sentence that takes its place."""


@dataclass(frozen=True)
class Tables:
    """The tables of one benchmark, all of it or one dataset's part.

    Attributes:
        folder: where they were read.
        frames: table by name, as pandas frames in the order of their files.
    """

    folder: Path
    frames: Mapping[str, pd.DataFrame]

    @classmethod
    def read(cls, folder: Path, *, complete: bool = False) -> "Tables":
        """Read the tables that a folder has.

        Args:
            folder: of `.csv` tables.
            complete: whether a table that lacks a column, as one that another version wrote, is refused.

        Raises:
            RecordError: the folder has no `runs.csv`, or a file is not the table that its name promises.
        """
        if not (folder / "runs.csv").is_file():
            raise RecordError(f"{folder} has no runs.csv: name a folder of tables, such as results/tables.")
        paths = {table: folder / f"{table.name}.csv" for table in TABLES}
        frames = {
            table.name: read_csv(path, table, complete=complete, remedy="make the tables again")
            for table, path in paths.items()
            if path.is_file()
        }
        return cls(folder, frames)

    def get(self, name: str) -> pd.DataFrame:
        """Return a table that has rows.

        Raises:
            NothingToShowError: there is no such table, or it is empty.
        """
        frame = self.frames.get(name)
        if frame is None or frame.empty:
            what = f"There is no table {name}.csv" if frame is None else f"The table {name}.csv has no rows"
            hint = f" ({BY_NAME[name].made_by})" if BY_NAME[name].made_by else ""
            raise NothingToShowError(f"{what}{hint}.")
        return frame

    def optional(self, name: str) -> pd.DataFrame:
        """Return a table, empty when there is none."""
        return self.frames.get(name, pd.DataFrame())

    def of_dataset(self, dataset: str) -> "Tables":
        """Return the rows of one dataset; tables without a dataset stay whole."""
        return Tables(
            self.folder,
            {
                name: frame[frame["dataset"] == dataset].reset_index(drop=True) if "dataset" in frame else frame
                for name, frame in self.frames.items()
            },
        )

    @cached_property
    def datasets(self) -> list[str]:
        """Names of the datasets, in the order of the runs."""
        return [str(name) for name in self.frames["runs"]["dataset"].unique()]

    @cached_property
    def seeds(self) -> list[int]:
        """Seeds that were run, ascending."""
        return sorted({int(seed) for seed in self.frames["runs"]["seed"]})

    @property
    def failed(self) -> pd.DataFrame:
        """The runs that failed."""
        runs = self.frames["runs"]
        return runs[runs["status"] != "ok"]
