"""The content of the files that a dataset is made from: what counts is what is in them, not when they were written."""

import hashlib
from pathlib import Path

from twinbench.config import Dataset


def content_digests(dataset: Dataset) -> dict[str, str]:
    """Return the SHA-256 (hex) of each file that a dataset is made from, by name; what is missing is left out.

    Args:
        dataset: a file, whose name is taken without its folder; or a download with a `manual_dir`, of which all files
            count. For any other, nothing lies on this machine, or its code says what does.
    """
    if dataset.kind == "npz":
        path = Path(dataset.source).expanduser()
        return {path.name: _digest(path)} if path.is_file() else {}
    if dataset.kind in ("digits", "loader") or dataset.manual_dir is None:
        return {}
    folder = Path(dataset.manual_dir).expanduser()
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
