"""Files that are there in full or not at all, and the sentences for when they cannot be written."""

import contextlib
import errno
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from twinbench.errors import DataError

# What chooses where the benchmark writes, in a sentence.
OUTPUT: Final = "`output` in the configuration"


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = True, setting: str = OUTPUT) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its place when the block ends without an exception.

    Args:
        path: the file; missing folders on the way are made.
        durable: wait until the file is on the disk.
        setting: what chooses another place for it, for the sentence.

    Raises:
        DataError: the file cannot be written; what was at `path` before is still there.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        raise DataError(cannot_write(path, error, setting)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, setting: str = OUTPUT) -> None:
    """Write a text in UTF-8, whole or not at all.

    Raises:
        DataError: the file cannot be written; what was at `path` before is still there.
    """
    with replacing(path, setting=setting) as file:
        file.write(text.encode())


def check_writable(folder: Path, *, setting: str = OUTPUT) -> None:
    """Try whether files can be written to a folder, or to where it would be made; nothing is left behind.

    Args:
        folder: it need not exist.
        setting: what chooses another one, for the sentence.

    Raises:
        DataError: they cannot.
    """
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(bytes(4096))  # an empty file finds room on a full disk
    except OSError as error:
        raise DataError(cannot_write(folder, error, setting)) from error


def check_is_folder(folder: Path, *, setting: str = OUTPUT) -> None:
    """Refuse a folder that cannot be made, since it or a folder that it would lie in is a file.

    Args:
        folder: it need not exist.
        setting: what chooses another one, for the sentence.

    Raises:
        DataError: there is a file in its place.
    """
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not place.is_dir():
        raise DataError(f"{folder} cannot be a folder, since {place} is a file; choose another folder with {setting}.")


def cannot_write(path: Path, error: OSError, setting: str = OUTPUT) -> str:
    """The sentence for a file that cannot be written, with what to do about it.

    Args:
        path: the file.
        error: what the system said.
        setting: what chooses another place for it.
    """
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return (
            f"The disk is full: {path} cannot be written; free some space there or choose another folder "
            f"with {setting}."
        )
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in {errno.EEXIST, errno.ENOTDIR}:
        reason = "its folder is a file"
    return f"{path} cannot be written ({reason}); choose a folder that you may write to with {setting}."


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the file system can do that for a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
