"""Locks: which process trains which run now, so that no run is trained by two at once.

A scheduler may start a job a second time while the first still trains: its node stopped answering, or the Snakemake
that submitted it was killed and started again. The second then takes the runs that nobody trains and waits for the
others, which it finds in the store.

A lock is a small file in the store, made with O_EXCL, which network file systems honour even without locks. Its
owner rewrites a counter in it while it lives. A lock is void when its process is gone (seen on its own machine) or its
counter has stood still for a minute by the clock of the one that waits: neither clocks that differ nor one that jumps
matter. Who takes a void lock over makes the file of the next generation, which again only one can do.

Locks save work and do not guard correctness: should two processes train a run all the same, they write one result.
"""

import contextlib
import json
import logging
import os
import platform
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from twinbench.data.files import cannot_write
from twinbench.errors import DataError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Sight:
    """What another process's lock held when its counter was last seen to move, and when that was."""

    content: bytes
    since: float


class Locks:
    """The locks of a store, as one process sees them.

    Args:
        folder: where the files lie; made when needed.
        beat_seconds: how often an owner rewrites its counter.
        patience_seconds: how long a counter must stand still for its lock to be void.
    """

    def __init__(self, folder: Path, *, beat_seconds: float = 5.0, patience_seconds: float = 60.0) -> None:
        self.folder = folder
        self._beat_seconds = beat_seconds
        self._patience_seconds = patience_seconds
        self._seen: dict[Path, _Sight] = {}

    def take(self, key: str) -> "Lock | None":
        """Return the lock on a run, to be held with `with`, or None while another process has it.

        Raises:
            DataError: the store cannot be written.
        """
        others = self._files(key)
        if not all(self._is_void(path) for path in others):
            return None
        generation = max(others.values(), default=0) + 1
        path = self.folder / f"{key}.{generation}.lock"
        judged = {other: sight.content for other in others if (sight := self._seen.get(other))}
        lock = Lock(path, self._beat_seconds)
        if not lock.make():
            return None
        for other in self._files(key):
            if other != path and _content(other) not in (None, judged.get(other)):
                lock.release()  # someone locked it between our look and our file; the next look decides
                return None
        for other in others:
            logger.warning("Took over a run from a process that is gone (%s).", _owner(judged.get(other)))
            other.unlink(missing_ok=True)
            self._seen.pop(other, None)
        return lock

    def owner(self, key: str) -> str:
        """Who has the lock on a run, in words."""
        for path in self._files(key):
            return _owner(_content(path))
        return "nobody"

    def _files(self, key: str) -> dict[Path, int]:
        """The lock files of a run, with their generations."""
        return {path: int(path.name.split(".")[-2]) for path in sorted(self.folder.glob(f"{key}.*.lock"))}

    def _is_void(self, path: Path) -> bool:
        content = _content(path)
        if content is None:
            return True  # released since we looked
        sight = self._seen.get(path)
        if sight is None or sight.content != content:
            sight = self._seen[path] = _Sight(content, time.monotonic())
        return _is_gone(content) or time.monotonic() - sight.since > self._patience_seconds


class Lock:
    """One process's lock on a run, alive for as long as the block that holds it."""

    def __init__(self, path: Path, beat_seconds: float) -> None:
        self._path = path
        self._beat_seconds = beat_seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def make(self) -> bool:
        """Make the file; False when another process was faster.

        Raises:
            DataError: the store cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("xb") as file:
                file.write(_statement(0))
        except FileExistsError as error:
            if self._path.parent.is_dir():
                return False
            raise DataError(cannot_write(self._path, error)) from error
        except OSError as error:
            self.release()  # a full disk leaves an empty file, which others would take for a lock
            raise DataError(cannot_write(self._path, error)) from error
        return True

    def release(self) -> None:
        """Give the run free."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> "Lock":
        self._thread = threading.Thread(target=self._beat, name="lock", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.release()

    def _beat(self) -> None:
        counter = 0
        while not self._stop.wait(self._beat_seconds):
            counter += 1
            try:
                with self._path.open("r+b") as file:  # the same length, in place: never made anew once taken over
                    file.write(_statement(counter))
            except FileNotFoundError:
                logger.warning("This process was taken for gone, and its run is now trained by another as well.")
                return
            except OSError as error:
                logger.warning("The lock %s cannot be kept alive: %s.", self._path, error.strerror)


def _statement(counter: int) -> bytes:
    machine, started = _machine(), _started(os.getpid())
    owner = {"host": platform.node(), "pid": os.getpid(), "started": started, "machine": machine}
    return (json.dumps({"beat": f"{counter:012d}", **owner}) + "\n").encode()


def _content(path: Path) -> bytes | None:
    """What a lock's file holds; None when it is gone."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        return b""  # unreadable now (a network file system's hiccup): neither gone nor moving


def _owner(content: bytes | None) -> str:
    try:
        lock = json.loads(content or b"")
        return f"process {lock['pid']} on {lock['host']}"
    except (ValueError, KeyError, TypeError):
        return "an unknown process"


def _is_gone(content: bytes) -> bool:
    """Whether the lock's process certainly runs no more: it ran on this machine, and is not there."""
    try:
        lock = json.loads(content)
        here = bool(lock["machine"]) and lock["machine"] == _machine()
        return here and _started(int(lock["pid"])) != lock["started"]
    except (ValueError, KeyError, TypeError):
        return False


def _machine() -> str:
    """A name for this machine since its last start and for this container; empty where the system tells none."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(process: int) -> str:
    """When a process of this machine started, in clock ticks since the machine did; empty when it runs no more."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in ("Z", "X") else fields[19]
