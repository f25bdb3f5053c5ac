"""Imports the files and modules that sides and feeds come from, each once and among modules of its own."""

import importlib
import importlib.util
import linecache
import sys
import traceback
from pathlib import Path
from typing import Any

from twinbench.compare.surroundings import GlobalState, Home
from twinbench.errors import UsageError
from twinbench.own_files import is_own


class Places:
    """The files and modules that the sides and feeds of one comparison come from; each is imported once."""

    def __init__(self) -> None:
        self._imported: dict[str, tuple[Any, Home]] = {}

    def named(self, text: str) -> tuple[Any, Home]:
        """Find what `path/file.py:name` or `package.module:name` stands for, and where its code lives.

        Raises:
            UsageError: There is no such file, module or name, or importing it raised.
        """
        place, colon, name = text.rpartition(":")
        if not colon or not place or not name.isidentifier():
            raise UsageError(
                f"'{text}' names no model; write file.py:function, package.module:function, file.keras or file.h5."
            )
        key = str(Path(place).resolve()) if place.endswith(".py") else place
        if key not in self._imported:
            self._imported[key] = _from_file(Path(place)) if place.endswith(".py") else _by_name(place)
        module, home = self._imported[key]
        value = getattr(module, name, None)
        if value is None:
            functions = [
                n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__
            ]
            known = ", ".join(sorted(functions)) or "none"
            raise UsageError(f"{place} has no function '{name}'; its own functions are: {known}.")
        return value, home


def _from_file(path: Path) -> tuple[Any, Home]:
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    name = f"twinbench_side_{abs(hash(path.resolve()))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} cannot be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    home = Home(path.resolve().parent)
    with home.entered():
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            sys.modules.pop(name, None)  # it may be hidden already
            raise UsageError(f"Importing {path} failed:\n{shortened(error)}") from error
        home.state = GlobalState.capture()
    return module, home


def _by_name(name: str) -> tuple[Any, Home]:
    home = Home(Path.cwd())
    with home.entered():
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and name.startswith(error.name):
                raise UsageError(f"There is no module '{name}'; run from the folder that holds it.") from error
            raise UsageError(f"Importing {name} failed:\n{shortened(error)}") from error
        except (Exception, SystemExit) as error:
            raise UsageError(f"Importing {name} failed:\n{shortened(error)}") from error
        home.state = GlobalState.capture()
    return module, home


def shortened(error: BaseException) -> str:
    """A traceback with only the lines of the person's own files."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if is_own(frame.filename)]
    lines = []
    if isinstance(error, SyntaxError) and error.filename:
        lines.append(f'  File "{error.filename}", line {error.lineno}\n    {(error.text or "").strip()}\n')
    for frame in own:
        text = frame.line or linecache.getline(frame.filename, frame.lineno or 0).strip()
        lines.append(f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n    {text}\n')
    message = "".join(traceback.format_exception_only(type(error), error)).strip()
    if isinstance(error, SyntaxError):
        message = f"{type(error).__name__}: {error.msg}"
    return "".join(lines[-6:]) + message[:1500]
