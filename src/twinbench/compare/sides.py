"""Loads the two sides of a comparison: builder functions, models, `file.py:function`, `package.module:function`,
and saved `.keras` files, which are read in safe mode so that no code in them ever runs.
"""  # noqa: D205 - the list of forms is the summary

from __future__ import annotations

import importlib
import importlib.util
import linecache
import sys
import traceback
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras

from twinbench.errors import UsageError

Kind = Literal["builder", "model", "file"]


class BuildError(Exception):
    """A builder of the person's raised; `str()` is its traceback, shortened to their own lines."""


@dataclass
class Side:
    """One side of a comparison: how to get its model, once or again and again."""

    name: str
    kind: Kind
    source: Any

    @property
    def rebuilds(self) -> bool:
        """Whether a fresh model can be had at will."""
        return self.kind == "builder"

    def model(self, seed: int | None = None) -> keras.Model:
        """Builds (or returns) the model, under a seed if one is given.

        Raises:
            BuildError: The builder raised.
            UsageError: What it returned is no Keras model, or the saved file cannot be loaded safely.
        """
        if self.kind == "model":
            return self.source
        if self.kind == "file":
            return _load(self.source)
        if seed is not None:
            keras.utils.set_random_seed(seed)
        try:
            model = self.source()
        except Exception as error:
            raise BuildError(shortened(error)) from error
        if not isinstance(model, keras.Model):
            raise UsageError(
                f"{self.name} returned {type(model).__name__}, not a keras.Model; name a function that takes no "
                "arguments and returns the model."
            )
        return model


def side(source: Any, name: str) -> Side:
    """Makes a side of a model, a builder function, or text that names one."""
    if isinstance(source, keras.Model):
        return Side(name, "model", source)
    if isinstance(source, str | Path):
        text = str(source)
        if text.endswith(".keras"):
            return Side(text, "file", Path(text))
        return Side(text, "builder", named_function(text))
    if callable(source):
        return Side(name, "builder", source)
    raise UsageError(f"{name} is {type(source).__name__}; give a keras.Model, a function that returns one, or a path.")


def named_function(text: str) -> Callable[..., Any]:
    """Finds `path/file.py:function` or `package.module:function`.

    Raises:
        UsageError: There is no such file, module or function, or importing it raised.
    """
    place, colon, function = text.rpartition(":")
    if not colon or not place or not function.isidentifier():
        raise UsageError(f"'{text}' names no model; write file.py:function, package.module:function or file.keras.")
    module = _module_from_file(Path(place)) if place.endswith(".py") else _module_by_name(place)
    found = getattr(module, function, None)
    if found is None:
        names = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
        known = ", ".join(sorted(names)) or "none"
        raise UsageError(f"{place} has no function '{function}'; its own functions are: {known}.")
    if not callable(found) and not isinstance(found, keras.Model):
        raise UsageError(f"{text} is {type(found).__name__}, not a function that returns a model.")
    return found if not isinstance(found, keras.Model) else lambda: found


def _module_from_file(path: Path) -> Any:
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    name = f"twinbench_side_{abs(hash(path.resolve()))}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} cannot be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(f"Importing {path} failed:\n{shortened(error)}") from error
    finally:
        sys.path.pop(0)
    return module


def _module_by_name(name: str) -> Any:
    sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise UsageError(f"There is no module '{name}'; run from the folder that holds it.") from error
        raise UsageError(f"Importing {name} failed:\n{shortened(error)}") from error
    except (Exception, SystemExit) as error:
        raise UsageError(f"Importing {name} failed:\n{shortened(error)}") from error
    finally:
        sys.path.pop(0)


def shortened(error: BaseException) -> str:
    """A traceback with only the lines of the person's own files."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename
        and f"twinbench{'/'}" not in frame.filename.replace("\\", "/")
        and not frame.filename.startswith("<frozen")
        and "/lib/python" not in frame.filename
    ]
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


def _is_saved_model(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _load(path: Path) -> keras.Model:
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    if not _is_saved_model(path):
        raise UsageError(
            f"{path} is no saved model: a .keras file is an archive as model.save writes it, and this is not one."
        )
    try:
        model = keras.saving.load_model(path, safe_mode=True)
    except Exception as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UsageError(
            f"{path} cannot be loaded in safe mode, in which no code of the file runs: {reason[:300]} "
            "Give the function that builds the model instead."
        ) from error
    if not isinstance(model, keras.Model):
        raise UsageError(f"{path} holds {type(model).__name__}, not a keras.Model.")
    return model
