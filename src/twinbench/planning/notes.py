"""Whether Snakemake's notes are those of a folder of results.

Snakemake tells by notes in `.snakemake` under what settings, code and versions a file was made. Without its note it
takes a file for up to date: where `.snakemake` was deleted, or the results were copied from elsewhere. So a mark in
the results names the notes, by a number that lies among them. Results whose mark names others are made again;
finished runs come from the store.
"""

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from twinbench.data.files import cannot_write, write_text
from twinbench.data.manifest import read_manifest
from twinbench.errors import DataError
from twinbench.store.storage import Storage

MARK = ".made-with"
_DERIVED = ("runs", "ladder", "measurements", "tables", "figures")


def doubt(output: str, notes: Path) -> bool:
    """Make results that were made under other notes older than all that they are made from, and tell whether they were.

    So Snakemake makes them again, in this command or in a later one.

    Args:
        output: the folder of results, as the configuration names it.
        notes: Snakemake's folder of notes.

    Raises:
        DataError: the results cannot be written.
    """
    if _read(Path(output) / MARK) == _mark(output, notes):
        return False
    made = [path for name in _DERIVED for path in sorted(Path(output, name).rglob("*")) if path.is_file()]
    made += [page] if (page := Path(output) / "report.html").is_file() else []
    try:
        for path in made:
            os.utime(path, (0, 0))
    except OSError as error:
        raise DataError(cannot_write(path, error)) from error
    return bool(made)


def adopt(output: str, notes: Path) -> None:
    """Mark results as made under these notes.

    Raises:
        DataError: the mark cannot be written.
    """
    _number(notes)
    if _read(Path(output) / MARK) != _mark(output, notes):
        write_text(Path(output) / MARK, _mark(output, notes))


def take_over(results: Storage, notes: Path, keys: Mapping[str, str]) -> bool:
    """Mark results on a storage as made under these notes from now on, and tell whether there were others.

    Files there cannot be made older. So the mark is newer than they are, and an input of what is made.

    Args:
        results: the folder of results.
        notes: Snakemake's folder of notes.
        keys: of each dataset, all that it is to be prepared from; one prepared from anything else is forgotten.

    Raises:
        DataError: the storage cannot be read or written.
    """
    marked, mark = results.fetch(MARK), results.copies / MARK
    if marked and _read(mark) == _number(notes):
        return False
    for name, key in keys.items():
        manifest = f"data/{name}.json"
        if results.fetch(manifest):
            forget_stale(results.copies / manifest, key)
            if not (results.copies / manifest).exists():
                results.remove(manifest)
    write_text(mark, _number(notes), setting="--directory")
    results.send(MARK)
    return marked


def forget_stale(manifest: Path, key: str) -> None:
    """Remove the manifest of a dataset that was prepared from anything else, so that it is prepared again."""
    with contextlib.suppress(FileNotFoundError):
        try:
            stale = read_manifest(manifest).key != key
        except DataError:
            stale = True
        if stale:
            manifest.unlink()


def _number(notes: Path) -> str:
    """The number of the notes, made when needed."""
    number = notes / "twinbench"
    if not number.is_file():
        write_text(number, secrets.token_hex(8), setting="--directory")
    return _read(number)


def _mark(output: str, notes: Path) -> str:
    """Its number and the folder's name, since the notes are about paths; each process may begin elsewhere."""
    return f"{_read(notes / 'twinbench')} {output}\n"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
