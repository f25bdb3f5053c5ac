"""The store where machines share no disk: each record and checkpoint goes to a storage as soon as it is written.

What one job finished is there for its next attempt on any machine, however the first one ended. There are no locks:
should two jobs train one run at a time, they write the same record.
"""

import contextlib
import logging
import os
from pathlib import Path

from twinbench.errors import DataError
from twinbench.store.record import Record
from twinbench.store.runs import RunStore
from twinbench.store.storage import VARIABLE, Storage

logger = logging.getLogger(__name__)


def open_store(place: str) -> RunStore:
    """Return the store at a place that the workflow names: on the storage that it announced, else in a folder."""
    on_disk = VARIABLE not in os.environ or Path(place).is_absolute()
    return RunStore(Path(place)) if on_disk else RemoteStore(place)


class RemoteStore(RunStore):
    """Finished runs by key on a storage, with copies of those that this process asks for.

    Args:
        place: where it lies on the storage.
    """

    def __init__(self, place: str) -> None:
        self._storage = Storage(place)
        self._sent: dict[Path, float] = {}
        super().__init__(self._storage.copies)

    def find(self, key: str) -> Record | None:
        """Return the record of a finished run; where there is none, fetch the checkpoint that the run goes on from."""
        self._storage.fetch(self._name(self.record_path(key)))
        record = super().find(key)
        if record is None:
            self._storage.fetch(self._name(self.checkpoint_path(key)))
        return record

    def add(self, record: Record) -> None:
        """Keep a finished run and forget its checkpoint.

        Raises:
            DataError: the storage cannot be written.
        """
        super().add(record)
        self._storage.send(self._name(self.record_path(record.key)))
        self._storage.remove(self._name(self.checkpoint_path(record.key)))

    def keep_checkpoint(self, key: str) -> None:
        """Send the checkpoint of an unfinished run, if it is a new one; without it, only time is lost."""
        path = self.checkpoint_path(key)
        with contextlib.suppress(FileNotFoundError):
            written = path.stat().st_mtime
            if self._sent.get(path) != written:
                self._sent[path] = written
                try:
                    self._storage.send(self._name(path))
                except DataError as error:
                    logger.warning("%s A job that is killed now starts this run over.", error)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()
