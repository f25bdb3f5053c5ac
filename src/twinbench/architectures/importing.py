"""Import a person's own files, each folder with modules of its own, and call their builders with what they take."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from twinbench.architectures.declaration import Builder
from twinbench.architectures.source import root_of
from twinbench.own_files import is_librarys


@dataclass
class _Home:
    """A folder on the path, and the modules that were imported from it."""

    folder: Path
    modules: dict[str, ModuleType] = field(default_factory=dict)


# Names by which a parameter says what it takes.
_MEANINGS = {
    "input_shape": "input_shape",
    "shape": "input_shape",
    "classes": "classes",
    "num_classes": "classes",
    "n_classes": "classes",
}
_homes: dict[Path, _Home] = {}
_current: list[_Home] = []


@contextmanager
def at_home(path: Path) -> Iterator[None]:
    """Put the folder of a file first on the path, and its modules in the place of other folders' of the same names."""
    folder = root_of(path)
    home = _homes.setdefault(folder, _Home(folder))
    if _current and _current[-1] is not home:
        last = _current[-1]
        last.modules = {name: module for name, module in sys.modules.items() if _lies_in(module, last.folder)}
        for name in last.modules:
            del sys.modules[name]
        sys.modules.update(home.modules)
    _current[:] = [home]
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # for what a layer imports when it is called


def _lies_in(module: Any, folder: Path) -> bool:
    """Whether a module is a person's own and from this folder: what is installed below it is everybody's."""
    file = Path(getattr(module, "__file__", None) or "/")
    return folder in file.parents and not is_librarys(file) and not module.__name__.startswith("twinbench.")


def import_file(path: Path) -> ModuleType:
    """Import a file under the name by which its neighbours import it, if that is free."""
    with at_home(path):
        parts = path.relative_to(root_of(path)).with_suffix("").parts
        if len(parts) > 1:  # its package is imported first
            return importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        name = parts[0]
        present = sys.modules.get(name)
        if present is not None and getattr(present, "__file__", None) == str(path):
            return present
        if present is not None or importlib.util.find_spec(name) is None:
            name = f"twinbench_file_{len(_homes)}_{abs(hash(path))}"
            if name in sys.modules:
                return sys.modules[name]
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None  # noqa: S101 # the plan has read it as Python
        assert spec.loader is not None  # noqa: S101
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module


def arguments(parameters: Iterable[tuple[str, bool]]) -> tuple[dict[str, str], list[str]]:
    """Say what the parameters of a builder get.

    Args:
        parameters: name, and whether it has no default. One with a default keeps it, unless it is called
            `input_shape` or `classes`.

    Returns:
        `input_shape` or `classes` for each parameter that gets one; and those without a default that get none.
    """
    meanings: dict[str, str] = {}
    left = ["input_shape", "classes"]
    unnamed = []
    for name, needed in parameters:
        meaning = _MEANINGS.get(name)
        if meaning in left and (needed or name == meaning):
            meanings[name] = meaning
            left.remove(meaning)
        elif needed:
            unnamed.append(name)
    meanings |= zip(unnamed, left, strict=False)
    return meanings, unnamed[len(left) :]


def adapted(builder: Builder) -> Builder:
    """Return a builder `(input_shape, classes)` that calls one which takes nothing, the shape alone, or both."""
    meanings, _ = arguments(
        (parameter.name, parameter.default is parameter.empty)
        for parameter in inspect.signature(builder).parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    )

    def build(input_shape: tuple[int, ...], classes: int) -> Any:
        values = {"input_shape": input_shape, "classes": classes}
        return builder(**{name: values[meaning] for name, meaning in meanings.items()})

    return build


def inside(path: Path, builder: Builder) -> Builder:
    """Return a builder that runs among the modules of its own file; it takes what the other takes."""

    def build(*given: Any, **named: Any) -> Any:
        with at_home(path):
            return builder(*given, **named)

    build.__signature__ = inspect.signature(builder)  # type: ignore[attr-defined] # by which is told what it takes
    return build
