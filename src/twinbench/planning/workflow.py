"""Where the workflow lies: in the repository, or where the installed package has put it."""

import functools
import importlib.metadata
from pathlib import Path

from twinbench.errors import UsageError
from twinbench.planning.closure import SOURCE


@functools.cache
def workflow_folder() -> Path:
    """Return the folder of the Snakefile, beside which the rules, scripts, profiles and configurations lie.

    Raises:
        UsageError: the package was installed without it.
    """
    if (SOURCE.parent / "Snakefile").is_file():
        return SOURCE.parent
    try:
        files = importlib.metadata.files("twinbench") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.parts[-3:] == ("share", "twinbench", "Snakefile"):
            return Path(str(file.locate())).resolve().parent
    raise UsageError("The workflow was not installed with the package: install twinbench again, with pip.")
