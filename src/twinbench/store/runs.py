"""The store of finished runs and of the checkpoints of unfinished ones.

One sealed file for each, written beside its place and renamed into it: a reader sees all of it or nothing, many
processes on many machines may write at once, and no file lock is needed, which shared file systems often lack. Two
processes that train one run write the same result.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twinbench.errors import RecordError
from twinbench.store.record import Record
from twinbench.store.sealed import read_sealed, write_sealed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Damage:
    """A file of the store that cannot be used, and why."""

    path: Path
    reason: str


class RunStore:
    """Finished runs by key, in a folder that need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def record_path(self, key: str) -> Path:
        """Where the record of a run lies."""
        return self.folder / "records" / key[:2] / f"{key}.json"

    def checkpoint_path(self, key: str) -> Path:
        """Where the checkpoint of an unfinished run lies."""
        return self.folder / "checkpoints" / f"{key}.npz"

    def find(self, key: str) -> Record | None:
        """Return the record of a finished run, or None when it must be trained.

        A damaged record, or one of another format, is named in the log and counts as none.
        """
        path = self.record_path(key)
        try:
            return self._read(path, key)
        except FileNotFoundError:
            return None
        except RecordError as error:
            logger.warning("%s The run is trained again.", _naming(path, error))
            return None

    def add(self, record: Record) -> None:
        """Keep a finished run and forget its checkpoint.

        Raises:
            DataError: the store cannot be written.
        """
        write_sealed(self.record_path(record.key), record.to_json().encode())
        self.checkpoint_path(record.key).unlink(missing_ok=True)

    def keep_checkpoint(self, key: str) -> None:
        """Keep the checkpoint of a run as it is written now; in a folder it lies where it must."""

    def keys(self) -> Iterator[str]:
        """Yield the keys of all records, in order, without reading them."""
        for path in sorted((self.folder / "records").glob("??/*.json")):
            yield path.stem

    def verify(self) -> Iterator[Record | Damage]:
        """Read every record and yield it, or what is wrong with it."""
        for key in self.keys():
            path = self.record_path(key)
            try:
                yield self._read(path, key)
            except FileNotFoundError:
                continue  # another process pruned it meanwhile
            except RecordError as error:
                yield Damage(path, _naming(path, error))

    def _read(self, path: Path, key: str) -> Record:
        record = Record.from_json(read_sealed(path).decode())
        if record.key != key:
            raise RecordError(f"{path} holds the run {record.key[:12]} instead of {key[:12]}.")
        return record


def _naming(path: Path, error: RecordError) -> str:
    text = str(error)
    return text if str(path) in text else f"{path}: {text}"
