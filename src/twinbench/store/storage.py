"""Files on a storage that a plugin of Snakemake reaches, a bucket of S3 for example: for machines that share no disk.

The workflow knows how the storage is reached; its scripts learn it from an environment variable, since keys must not
stand in a rule's `params`, which Snakemake writes down.
"""

import json
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinbench.errors import DataError

VARIABLE = "TWINBENCH_STORAGE"
logger = logging.getLogger(__name__)


def announce(provider: str, settings: Mapping[str, Any]) -> None:
    """Tell this process and those that it starts how the storage is reached."""
    os.environ[VARIABLE] = json.dumps({"provider": provider, "settings": dict(settings)}, default=str)


def withdraw() -> None:
    """Forget a storage that another process announced: this workflow has none."""
    os.environ.pop(VARIABLE, None)


class Storage:
    """The announced storage.

    Args:
        folder: what Snakemake's plugin calls a query, a `s3://bucket/folder` for example; names are relative to it.
    """

    def __init__(self, folder: str) -> None:
        from snakemake_interface_storage_plugins.registry import StoragePluginRegistry

        announced = json.loads(os.environ[VARIABLE])
        plugin = StoragePluginRegistry().get_plugin(announced["provider"])
        settings = plugin.settings_cls(**announced["settings"]) if plugin.settings_cls else None
        self._copies = tempfile.TemporaryDirectory(prefix="twinbench-")
        self.copies = Path(self._copies.name)
        self._folder = folder
        self._provider = plugin.storage_provider(
            local_prefix=self.copies / "plugin", logger=logger, settings=settings, keep_local=True
        )

    def fetch(self, name: str) -> bool:
        """Copy a file from the storage into `copies`, under its name; False where there is none.

        Raises:
            DataError: the storage cannot be read.
        """
        entry = self._entry(name)
        try:
            if not entry.exists():
                return False
            entry.local_path().parent.mkdir(parents=True, exist_ok=True)
            entry.retrieve_object()
        except Exception as error:
            raise DataError(_sentence(entry.query, "read", error)) from error
        return True

    def send(self, name: str) -> None:
        """Copy a file from `copies` to the storage, whole or not at all.

        Raises:
            DataError: the storage cannot be written.
        """
        entry = self._entry(name)
        try:
            entry.store_object()
        except Exception as error:
            raise DataError(_sentence(entry.query, "written", error)) from error

    def remove(self, name: str) -> None:
        """Remove a file from the storage, if it is there.

        Raises:
            DataError: it cannot be removed.
        """
        entry = self._entry(name)
        try:
            if entry.exists():
                entry.remove()
        except Exception as error:
            raise DataError(_sentence(entry.query, "removed", error)) from error

    def _entry(self, name: str) -> Any:
        entry = self._provider.object(f"{self._folder}/{name}")
        entry.set_local_path(self.copies / name)
        return entry


def _sentence(query: str, done: str, error: Exception) -> str:
    return (
        f"{query} cannot be {done} ({str(error).rstrip('.')}): see whether the bucket is there and its keys are right."
    )
