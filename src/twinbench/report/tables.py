"""Reading the folder of tables: all that the report stage takes in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pandas as pd

from twinbench.errors import RecordError, TwinbenchError

# Read as text whatever they look like: a hash of digits is not a number, and a variant may be called `1e5`.
_TEXT: Final = (
    *("run", "dataset", "architecture", "variant", "kind", "reference", "suspect", "status", "reason", "manifest"),
    *("git_commit", "configuration_digest", "dataset_sha256", "initial_weights_sha256", "final_weights_sha256"),
    *("tensorflow", "keras", "numpy", "python", "twinbench", "sentence", "verdict", "config_line", "claim", "layer"),
)
# What every reader of the runs asks for.
_NEEDED: Final = ("dataset", "architecture", "variant", "seed", "status")
_NUMBERS: Final = (("runs", "seed"), ("summary", "n"), ("summary", "mean"))
MADE_BY: Final = {
    "suspects": "no suspect was trained: list some under `suspects` in the configuration",
    "comparisons": "the analysis stage makes it",
    "ladder": "the audit stage makes it",
    "gradients": "the audit stage makes it",
    "api_costs": "the audit stage makes it",
    "determinism_costs": "the audit stage makes it",
    "claims": "the analysis stage makes it",
}


class NothingToShowError(TwinbenchError):
    """A figure or section has no rows to show; `str()` is the sentence that takes its place."""


def read_table(path: Path) -> pd.DataFrame:
    """Read one table; only an empty field is missing, so that names such as `NA` and `none` survive.

    Raises:
        RecordError: the file is not a table.
    """
    try:
        header = pd.read_csv(path, nrows=0).columns
        text = {name: str for name in _TEXT if name in header}
        return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""], low_memory=False)  # type: ignore[arg-type] # pandas-stubs know no plain dict of types
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise RecordError(f"{path} is not a table of twinbench, nor any text; make the tables again.") from error
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise RecordError(f"{path} is not a table that twinbench wrote ({reason}); make the tables again.") from error


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
    def read(cls, folder: Path) -> "Tables":
        """Read every `.csv` of a folder.

        Raises:
            RecordError: the folder has no `runs.csv`, or a file is not a table.
        """
        if not (folder / "runs.csv").is_file():
            raise RecordError(f"{folder} has no runs.csv: name a folder of tables, such as results/tables.")
        return cls(folder, {path.stem: read_table(path) for path in sorted(folder.glob("*.csv"))})

    def check(self) -> None:
        """Refuse tables that someone edited or that another program wrote.

        Raises:
            RecordError: a column is missing, or holds other things than it should.
        """
        missing = [name for name in _NEEDED if name not in self.frames["runs"]]
        if missing:
            raise RecordError(f"{self.folder / 'runs.csv'} has no column '{missing[0]}'; make the tables again.")
        for table, column in _NUMBERS:
            values = self.optional(table).get(column, pd.Series(dtype=float))
            whole = table != "runs" or not values.isna().any()
            if not (values.empty or (whole and pd.api.types.is_numeric_dtype(values))):
                raise RecordError(
                    f"The column '{column}' of {self.folder / table}.csv holds other things than numbers; "
                    "make the tables again."
                )

    def get(self, name: str) -> pd.DataFrame:
        """Return a table that has rows.

        Raises:
            NothingToShowError: there is no such table, or it is empty.
        """
        frame = self.frames.get(name)
        if frame is None or frame.empty:
            what = f"There is no table {name}.csv" if frame is None else f"The table {name}.csv has no rows"
            hint = f" ({MADE_BY[name]})" if name in MADE_BY else ""
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
