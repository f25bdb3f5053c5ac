"""Whose a source file is: the person's own, a library's, or this package's."""

import functools
import sysconfig
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent
_PYTHON: Final = tuple({Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_INSTALLED: Final = {"site-packages", "dist-packages"}


@functools.cache  # of thousands of modules, at each call into a person's code
def is_librarys(file: str | Path) -> bool:
    """Whether a file is part of Python or of an installed package.

    Args:
        file: as a module's `__file__` or a frame has it; what is no file (`<string>`, empty) is no library's.
    """
    path = Path(file)
    return not _INSTALLED.isdisjoint(path.parts) or any(path.is_relative_to(folder) for folder in _PYTHON)


def is_own(file: str | Path) -> bool:
    """Whether a file is neither a library's nor this package's, and no part of Python that is frozen in."""
    return not is_librarys(file) and not Path(file).is_relative_to(PACKAGE) and not str(file).startswith("<frozen")
