"""The part of the source code that determines one function's result, as a digest.

A run is stored under, among other things, the digest of its variant's code. Covered is the function; by name,
all that it uses from its module and from other modules of its package; and whatever these modules do while they are
imported. Where names do not tell what is used (`getattr`, a whole module, a star import), the whole module is covered.
Left out are comments, docstrings, formatting, the marks, and definitions that the function does not use.

So a cosmetic change trains nothing again, a new variant leaves its neighbours alone, and a changed layer retrains
exactly the variants that hold it.
"""

import ast
import functools
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twinbench.architectures.statements import Import, Statement, statements

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
# What these mean is the engine's business, whose version is in a run's key.
_ENGINE = {"twinbench/__init__.py"} | {
    f"twinbench/architectures/{name}.py"
    for name in (
        "__init__",
        "catalogue",
        "contract",
        "declaration",
        "keras_settings",
        "marks",
        "recipe",
        "source",
        "statements",
    )
}


@functools.cache
def parse(path: Path) -> ast.Module:
    """Parse a Python file; raises SyntaxError as Python does."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def source_digest(path: Path, name: str) -> str:
    """Return the SHA-256 (hex) of the code that the definition `name` in `path` consists of.

    Raises:
        KeyError: the file defines no such name.
    """
    if name not in _module(path).binders:
        raise KeyError(name)
    coverage = _Coverage()
    coverage.run(path)
    coverage.use(path, name)
    return hashlib.sha256("\n".join(coverage.lines()).encode()).hexdigest()


@dataclass(frozen=True)
class _Module:
    statements: tuple[Statement, ...]
    binders: dict[str, list[int]]


class _Coverage:
    """Which statements of which files are covered."""

    def __init__(self) -> None:
        self._covered: dict[Path, set[int]] = {}
        self._run: set[Path] = set()

    def lines(self) -> Iterator[str]:
        """Yield the code that is covered, in an order that moving a definition does not change."""
        for path in sorted(self._covered, key=_label):
            module = _module(path)
            covered = [module.statements[index] for index in sorted(self._covered[path])]
            setters = Counter(name for statement in covered for name in statement.binds)
            anywhere = [s for s in covered if s.movable and all(setters[name] == 1 for name in s.binds)]
            yield f"# {_label(path)}"
            yield from sorted(statement.text for statement in anywhere)
            yield from (statement.text for statement in covered if statement not in anywhere)

    def run(self, path: Path) -> None:
        """Cover what a module does when it is imported."""
        if path in self._run or _label(path) in _ENGINE:
            return
        self._run.add(path)
        for index, statement in enumerate(_module(path).statements):
            if statement.acts:
                self._cover(path, index)
            for imported in statement.imports:
                for file in _files(imported.module, imported.level, path):
                    self.run(file)

    def use(self, path: Path, name: str) -> None:
        """Cover whatever sets a name of a module; the whole module where nothing seems to."""
        binders = _module(path).binders.get(name)
        if binders is None:
            self.use_all(path)
        for index in binders or ():
            self._cover(path, index)

    def use_all(self, path: Path) -> None:
        """Cover a whole module."""
        if _label(path) not in _ENGINE:
            self.run(path)
            for index in range(len(_module(path).statements)):
                self._cover(path, index)

    def _cover(self, path: Path, index: int) -> None:
        covered = self._covered.setdefault(path, set())
        if index in covered:
            return
        covered.add(index)
        statement = _module(path).statements[index]
        for name in statement.uses & _module(path).binders.keys():
            self.use(path, name)
        for imported in statement.imports:
            self._follow(imported, path)
        if statement.dynamic or statement.dynamic_import:
            self.use_all(path)
        if statement.dynamic_import:
            named = [file for word in statement.words for file in _files(word, 0, path)]
            for file in {*named, *path.parent.glob("*.py")}:
                self.use_all(file)

    def _follow(self, imported: Import, importer: Path) -> None:
        files = _files(imported.module, imported.level, importer)
        for file in files:
            self.run(file)
        if not files:
            return
        module = files[-1]
        if imported.name is None or imported.name == "*":
            self.use_all(module)
            return
        separator = "." if imported.module else ""
        submodule = _files(f"{imported.module}{separator}{imported.name}", imported.level, importer)
        if submodule:
            self.use_all(submodule[-1])
        if _label(module) not in _ENGINE and (not submodule or imported.name in _module(module).binders):
            self.use(module, imported.name)


@functools.cache
def _module(path: Path) -> _Module:
    listed = tuple(statements(parse(path)))
    binders: dict[str, list[int]] = {}
    for index, statement in enumerate(listed):
        for name in statement.binds:
            binders.setdefault(name, []).append(index)
    return _Module(listed, binders)


def _files(module: str, level: int, importer: Path) -> list[Path]:
    """The files that importing a module runs, its packages' first; none for a module of another package."""
    names = module.split(".") if module else []
    if not all(name.isidentifier() for name in names):
        return []
    if level:
        folder = importer.parents[level - 1]
        if not names:
            return [file] if (file := folder / "__init__.py").is_file() else []
    else:
        folder = _root(importer)
        if names[:1] == ["twinbench"] and not (folder / "twinbench").is_dir():
            folder = PACKAGE_ROOT
        elif names[:1] != ["twinbench"] and folder.name in ("site-packages", "dist-packages"):
            return []
    files = []
    for position, name in enumerate(names):
        package, file = folder / name / "__init__.py", folder / f"{name}.py"
        folder /= name
        if package.is_file():
            files.append(package)
        elif file.is_file() and position == len(names) - 1:
            files.append(file)
        else:
            return []
    return files


@functools.cache
def _root(path: Path) -> Path:
    """The folder that the outermost package of a file lies in."""
    return next(folder for folder in path.parents if not (folder / "__init__.py").is_file())


def _label(path: Path) -> str:
    """A file's name within its packages, the same wherever they lie."""
    return path.relative_to(_root(path)).as_posix()
