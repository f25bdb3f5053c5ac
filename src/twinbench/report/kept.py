"""Results to commit: a results folder's tables as CSV with the configuration that gives them, and nothing else.

`python -m twinbench.report.kept RESULTS PLACE CONFIGURATION` (`make keep`) writes them to a folder of the repository;
`docs/findings.md` is made from such folders, and `twinbench reproduce` trains rows of one again without the store.
"""

import gzip
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Final

from twinbench.analysis.outputs import TABLES
from twinbench.analysis.record_tables import RUNS
from twinbench.config import read_configuration
from twinbench.errors import UsageError
from twinbench.planning.plan import make_plan
from twinbench.report.tables import Tables
from twinbench.training.tabled import CONFIGURATION

# Bytes from which a table is kept compressed; that of the runs never is.
_LARGE: Final = 256 * 1024
_OF_ONE_MACHINE: Final = {"output", "store"}
_FOLDERS: Final = ("data_dir", "manual_dir")


def keep(results: Path, place: Path, configuration_file: Path) -> None:
    """Write the tables of a results folder and its configuration, without paths of this machine.

    Args:
        results: a results folder with `tables/`.
        place: the folder to write; tables that are there are replaced.
        configuration_file: what the results were made with.

    Raises:
        UsageError: the tables are not those of the configuration, or it names files of one machine.
        RecordError: the folder has no tables.
    """
    runs = Tables.read(results / "tables", complete=True).frames["runs"]
    configuration = read_configuration(configuration_file)
    tabled = set(runs[["dataset", "architecture", "variant", "seed"]].itertuples(index=False, name=None))
    planned = {(run.dataset, run.architecture, run.variant, run.seed) for run in make_plan(configuration).runs}
    if tabled != planned:
        raise UsageError(
            f"{results}/tables has {len(tabled):,} runs, and {configuration_file} plans {len(planned):,} "
            f"({len(tabled & planned):,} are in both): name the configuration that the tables were made with."
        )
    content = configuration.model_dump(mode="json", exclude=_OF_ONE_MACHINE)
    for dataset in content["datasets"]:
        if dataset["source"].endswith(".npz"):
            raise UsageError(
                f"The dataset {dataset['name']!r} is a file of this machine: nobody could train on it again."
            )
        dataset.update(dict.fromkeys(_FOLDERS))
    place.mkdir(parents=True, exist_ok=True)
    (place / CONFIGURATION).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    for table in TABLES:
        _copy(results / "tables" / f"{table.name}.csv", place, compress=table is not RUNS)


def unpack(place: Path, folder: Path) -> Path:
    """Write the tables of a kept result as a folder of plain tables, and return that."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in place.glob("*.csv"):
        shutil.copyfile(path, folder / path.name)
    for path in place.glob("*.csv.gz"):
        (folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    return folder


def digest(place: Path) -> str:
    """Return the SHA-256 (hex) of all kept tables of a folder."""
    content = hashlib.sha256()
    for path in (place / f"{table.name}{ending}" for table in TABLES for ending in (".csv", ".csv.gz")):
        if path.is_file():
            content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def _copy(table: Path, place: Path, *, compress: bool) -> None:
    content = table.read_bytes()
    plain, packed = place / table.name, place / f"{table.name}.gz"
    large = compress and len(content) > _LARGE
    (plain if large else packed).unlink(missing_ok=True)
    # Without a time in it, so that the same table is the same file.
    (packed if large else plain).write_bytes(gzip.compress(content, mtime=0) if large else content)


if __name__ == "__main__":
    keep(*map(Path, sys.argv[1:4]))
