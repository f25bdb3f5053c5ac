"""Paths as a configuration may name them."""

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def text_path(value: str) -> str:
    """A path that this process can name to the system, with `~` for the home folder as a shell takes it."""
    if not value.strip():
        raise ValueError("must not be empty")
    control = re.search(r"[\x00-\x1f\x7f]", value)
    if control:
        raise ValueError(f"must be a path, which has no {control[0]!r} in it")
    try:
        os.fsencode(value)
    except UnicodeEncodeError as error:
        raise ValueError(
            f"has {value[error.start]!r} in it, which no file name can have in this locale ({error.encoding}): set "
            "PYTHONUTF8=1, or a locale such as LC_ALL=C.UTF-8"
        ) from error
    try:
        return str(Path(value).expanduser()) if value.startswith("~") else value
    except RuntimeError as error:
        raise ValueError("names a home folder that there is not: write the whole path") from error


def path_of_files(value: str) -> str:
    """A path of files that rules make or take."""
    if "{" in value or "}" in value:
        raise ValueError("must have no { and no } in it: Snakemake takes what is between them for a wildcard")
    return text_path(value)


Folder = Annotated[str, StringConstraints(min_length=1), AfterValidator(text_path)]
OutputFolder = Annotated[str, StringConstraints(min_length=1), AfterValidator(path_of_files)]
