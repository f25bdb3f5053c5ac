"""The part of the source code that determines one function's result, as a digest.

A run is stored under, among other things, the digest of its variant's code. Covered is the function; by name,
all that it uses from its module and from other modules of its package; and whatever these modules do while they are
imported. Where names do not tell what is used (`getattr`, a whole module, a star import), the whole module is covered.
Of a file that is read, the content: one that a string names, and all beside a module that asks where it lies.
Left out are comments, docstrings, formatting, the marks, and definitions that the function does not use.

So a cosmetic change trains nothing again, a new variant leaves its neighbours alone, and a changed layer retrains
exactly the variants that hold it.
"""

import ast
import functools
import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twinbench.architectures.statements import Import, Statement, has_hooks, imports_of, is_installed, statements

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
# What these mean is the engine's business, whose version is in a run's key.
_ENGINE = {"twinbench/__init__.py"} | {
    f"twinbench/architectures/{name}.py"
    for name in (
        "__init__",
        "catalogue",
        "contract",
        "declaration",
        "importing",
        "keras_settings",
        "marks",
        "places",
        "recipe",
        "source",
        "statements",
    )
}


@functools.cache
def parse(path: Path) -> ast.Module:
    """Parse a Python file; raises SyntaxError as Python does. A package without an `__init__` is an empty one."""
    if not path.exists():
        return ast.Module([], [])
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def source_digest(path: Path, name: str) -> str:
    """Return the SHA-256 (hex) of the code that the definition `name` in `path` consists of.

    Raises:
        KeyError: the file defines no such name.
    """
    if path.suffix != ".py":  # compiled: its bytes, and no further
        return _content(path)
    return hashlib.sha256("\n".join(_covered(path, name).lines()).encode()).hexdigest()


def uses_outside(path: Path, name: str) -> dict[str, set[str]]:
    """Return the words by which a definition, or what it uses, may look at what no digest covers, by file."""
    return _covered(path, name).words()


def _covered(path: Path, name: str) -> "_Coverage":
    if name not in _module(path).binders and not any(
        imported.name == "*" for statement in _module(path).statements for imported in statement.imports
    ):
        raise KeyError(name)
    coverage = _Coverage()
    coverage.run(path)
    coverage.use(path, name)
    return coverage


@dataclass(frozen=True)
class _Module:
    statements: tuple[Statement, ...]
    binders: dict[str, list[int]]


class _Coverage:
    """Which statements of which files are covered."""

    def __init__(self) -> None:
        self._covered: dict[Path, set[int]] = {}
        self._run: set[Path] = set()
        self._data: set[Path] = set()

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
        yield from sorted(f"# {path.name} {_content(path)}" for path in self._data)

    def words(self) -> dict[str, set[str]]:
        """The words behind which the state of the world may stand, by the label of the file that they stand in."""
        words: dict[str, set[str]] = {}
        for path, covered in self._covered.items():
            for index in covered:
                statement = _module(path).statements[index]
                words.setdefault(_label(path), set()).update(statement.outside)
        return {label: found for label, found in words.items() if found}

    def run(self, path: Path) -> None:
        """Cover what a module does when it is imported."""
        if path in self._run or _label(path) in _ENGINE:
            return
        self._run.add(path)
        for index, statement in enumerate(_module(path).statements):
            files = [file for found in statement.imports for file in files_of(found.module, found.level, path)]
            # What a module of a person's own does when it is imported is covered as such.
            if statement.acts and not (statement.only_imports and files):
                self._cover(path, index)
            for file in files:
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
        for file in _files_named(statement, path):
            if file.suffix == ".py":
                self.use_all(file)
            else:
                self._data.add(file)
        if statement.dynamic or statement.dynamic_import:
            self.use_all(path)
        if statement.dynamic_import:
            named = [file for word in statement.words for file in files_of(word, 0, path)]
            for file in {*named, *path.parent.glob("*.py")}:
                self.use_all(file)

    def _follow(self, imported: Import, importer: Path) -> None:
        files = files_of(imported.module, imported.level, importer)
        for file in files:
            self.run(file)
        if not files:
            return
        module = files[-1]
        if imported.name is None or imported.name == "*":
            self.use_all(module)
            return
        separator = "." if imported.module else ""
        submodule = files_of(f"{imported.module}{separator}{imported.name}", imported.level, importer)
        if submodule:
            self.use_all(submodule[-1])
        if _label(module) not in _ENGINE and (not submodule or imported.name in _module(module).binders):
            self.use(module, imported.name)


@functools.cache
def _module(path: Path) -> _Module:
    listed = tuple(statements(parse(path), hooks=_meets_hooks(path)))
    binders: dict[str, list[int]] = {}
    for index, statement in enumerate(listed):
        for name in statement.binds:
            binders.setdefault(name, []).append(index)
    return _Module(listed, binders)


def _meets_hooks(path: Path) -> bool:
    """Whether a module, or one of those that it imports, runs code when a class is made."""
    met, waiting = set(), [path]
    while waiting:
        module = waiting.pop()
        if module not in met and _label(module) not in _ENGINE:
            met.add(module)
            for found in imports_of(parse(module)):
                submodule = ".".join(filter(None, (found.module, found.name)))
                waiting += [*files_of(found.module, found.level, module), *files_of(submodule, found.level, module)]
    return any(has_hooks(parse(module)) for module in met)


def _files_named(statement: Statement, path: Path) -> set[Path]:
    """The files that a statement may read: those that its strings name, and what is no code beside a module."""
    words = [word for word in statement.words if word.isprintable() and 0 < len(word) < 256]
    named = {folder / word for word in words for folder in (path.parent, Path.cwd())}
    if statement.reads:
        # What lies deeper in a folder that is no package may be results, which change with every run.
        beside = path.parent.glob("[!.]*") if root_of(path) == path.parent else path.parent.rglob("[!.]*")
        named |= {file for file in beside if file.suffix not in (".py", ".pyc")}
    return {file.resolve() for file in named if file.is_file()}


@functools.cache
def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(module: str, level: int, importer: Path) -> list[Path]:
    """The files that importing a module runs, its packages' first; none for a module of another package."""
    names = module.split(".") if module else []
    if not all(name.isidentifier() for name in names):
        return []
    if level:
        return _files_below(importer.parents[level - 1], names)
    for folder in _homes(names[0], importer) if names else ():
        files = _files_below(folder, names)
        if any(file.is_file() for file in files):
            return files
    return []


def _files_below(folder: Path, names: list[str]) -> list[Path]:
    """The files of a module by its path below a folder; a package may lack its `__init__`."""
    files = [] if names else [folder / "__init__.py"]
    for position, name in enumerate(names):
        file = folder / f"{name}.py"
        folder /= name
        if file.is_file() and position == len(names) - 1 and not (folder / "__init__.py").is_file():
            files.append(file)
        elif folder.is_dir():
            files.append(folder / "__init__.py")
        else:
            return []
    return files


def _homes(name: str, importer: Path) -> Iterator[Path]:
    """The folders in which a top-level module of a person's own may lie: installed ones have versions."""
    root = root_of(importer)
    if name == "twinbench":
        yield root if (root / name).is_dir() else PACKAGE_ROOT
    elif root.name not in ("site-packages", "dist-packages"):
        yield root
        if not is_installed(name):
            yield from (Path(folder) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder)
            yield from _folders_below(importer.parent, name)


@functools.cache
def _folders_below(folder: Path, name: str) -> list[Path]:
    """The folders in which a module lies that is found because `sys.path` was changed."""
    return sorted(path.parent for path in folder.rglob("*") if path.name in (name, f"{name}.py"))


@functools.cache
def root_of(path: Path) -> Path:
    """The folder that the outermost package of a file lies in."""
    return next(folder for folder in path.parents if not (folder / "__init__.py").is_file())


def _label(path: Path) -> str:
    """A file's name within its packages, the same wherever they lie."""
    return path.relative_to(root_of(path)).as_posix()
