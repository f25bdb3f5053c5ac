"""The builder as it was at another commit, as a side of `twinbench compare`.

Both commits have modules of the same names, and a process imports a name once. So the modules of the checkout at
TWINBENCH_BASE take those names only while the builder TWINBENCH_BUILDER runs; the other side never sees them.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

_BASE = Path(os.environ["TWINBENCH_BASE"]).resolve()
_PLACE, _, _FUNCTION = os.environ["TWINBENCH_BUILDER"].rpartition(":")
_FILE = _BASE / _PLACE if _PLACE.endswith(".py") else None
_FOLDERS = [folder for folder in (_FILE.parent if _FILE else None, _BASE, _BASE / "src") if folder]
_NAME = "twinbench_builder_at_commit"
_modules: dict[str, ModuleType] = {}


def build() -> Any:
    """Call the builder of the other commit.

    Raises:
        ImportError: the builder is not in that commit's checkout.
    """
    with _names_of_the_commit():
        if _FILE:
            module = sys.modules.get(_NAME) or _load(_FILE)
        else:
            module = importlib.import_module(_PLACE)
            source = Path(module.__file__ or "").resolve()
            if not source.is_relative_to(_BASE):
                message = f"{_PLACE} is not in the checkout of the commit: Python found it in {source}."
                raise ImportError(message)
        return getattr(module, _FUNCTION)()


@contextmanager
def _names_of_the_commit() -> Iterator[None]:
    """Let the names of modules that the checkout has mean its own modules."""
    names = {path.stem for folder in _FOLDERS for path in (*folder.glob("*.py"), *folder.glob("*/"))} | {_NAME}
    aside = _take_away(names)
    sys.modules.update(_modules)
    sys.path[:0] = map(str, _FOLDERS)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        del sys.path[: len(_FOLDERS)]
        _modules.update(_take_away(names))
        sys.modules.update(aside)


def _take_away(names: set[str]) -> dict[str, ModuleType]:
    return {module: sys.modules.pop(module) for module in list(sys.modules) if module.partition(".")[0] in names}


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(_NAME, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ImportError(f"{_PLACE} is not in the commit.")
    module = sys.modules[_NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
