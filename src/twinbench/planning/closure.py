"""The code that a module or a script runs, as digests: its own and that of every module of twinbench it imports.

Imports are followed wherever they stand, inside functions too. A name that a package only passes on is followed to
the module that defines it. Beside a module, files of its folder that are not Python (templates) belong to it, but for
what editors and systems leave there. Comments, docstrings and formatting do not count. Architecture files, which are
imported by name, are not followed: each variant has its own digest (`twinbench.architectures.source`).
"""

import ast
import fnmatch
import functools
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from twinbench.architectures.source import files_of
from twinbench.architectures.statements import imports_of

SOURCE = Path(__file__).resolve().parents[2]
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# What editors, version control and systems leave beside a file.
_LEFT_BEHIND = (".*", "*~", "#*#", "*.orig", "*.rej", "*.bak", "*.tmp", "*.swp", "*.py[ci]", "*.py")
# What follows from the rest of the tree, or is a comment.
_IMPLIED = ("ctx", "kind", "type_comment", "type_ignores")


def code_digests(entry: Path, *, follow: Callable[[str], bool] = lambda module: True) -> dict[str, str]:
    """Return the digest of each module and data file that an entry runs, by name, in the order of the names.

    Args:
        entry: a module of twinbench, or a script.
        follow: whether a module, by its full name, is taken; what is not taken is not followed either.
    """
    digests: dict[str, str] = {}
    followed: set[Path] = set()
    waiting = [entry.resolve()]
    while waiting:
        path = waiting.pop()
        name = _module_name(path)
        if path in followed or (path != entry.resolve() and not follow(name)):
            continue
        followed.add(path)
        digests[name], imports = _read(path)
        digests |= {_module_name(package): _read(package)[0] for package in _packages(path)} | _data_beside(path)
        waiting += imports
    return {name: digests[name] for name in sorted(digests) if follow(name)}


def joined(digests: dict[str, str]) -> str:
    """One digest of several."""
    return hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()


@functools.cache
def code_digest(entry: Path) -> str:
    """One digest of all that an entry runs."""
    return joined(code_digests(entry))


@functools.cache
def _read(path: Path) -> tuple[str, tuple[Path, ...]]:
    """The digest of a file's code, and the files that it imports."""
    tree = _parse(path)
    parts: list[str] = []
    _write_out(tree, parts)
    return hashlib.sha256(" ".join(parts).encode()).hexdigest(), tuple(dict.fromkeys(_imports(path, tree)))


@functools.cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


def _write_out(node: Any, parts: list[str]) -> None:
    """Write a syntax tree out without docstrings; by hand, since `ast.dump` differs between Pythons and is slower."""
    if isinstance(node, list):
        parts.append("[")
        for entry in node:
            _write_out(entry, parts)
        parts.append("]")
    elif isinstance(node, ast.AST):
        parts.append(f"{type(node).__name__}(")
        for name in node._fields:
            value: Any = getattr(node, name, None)
            if name == "body" and _opens_with_text(node, value):
                value = value[1:]
            if value is not None and value != [] and name not in _IMPLIED:
                parts.append(f"{name}=")
                _write_out(value, parts)
        parts.append(")")
    else:
        parts.append(repr(node))


def _opens_with_text(node: ast.AST, body: Any) -> bool:
    """Whether a body begins with a docstring."""
    if not isinstance(node, _DOCUMENTED) or not body or not isinstance(body[0], ast.Expr):
        return False
    first = body[0].value
    return isinstance(first, ast.Constant) and isinstance(first.value, str)


def _module_name(path: Path) -> str:
    if not path.is_relative_to(SOURCE):
        return path.name  # a script
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def _data_beside(path: Path) -> dict[str, str]:
    """The digests of what is no Python in the folder of a module, and below it where there is no package."""
    if not path.is_relative_to(SOURCE):
        return {}
    files = [file for file in path.parent.iterdir() if file.is_file()]
    folders = [folder for folder in path.parent.iterdir() if folder.is_dir() and not (folder / "__init__.py").exists()]
    files += [file for folder in folders if folder.name != "__pycache__" for file in folder.rglob("*")]
    return {
        file.relative_to(SOURCE).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file() and not any(fnmatch.fnmatchcase(file.name, pattern) for pattern in _LEFT_BEHIND)
    }


def _packages(path: Path) -> list[Path]:
    """The `__init__` files that run before a module; what they import of others is not followed for that."""
    if not path.is_relative_to(SOURCE):
        return []
    folders = list(path.relative_to(SOURCE).parents)[:-1]
    return [file for folder in folders if (file := SOURCE / folder / "__init__.py").is_file()]


def _imports(path: Path, tree: ast.Module) -> Iterator[Path]:
    """The files of twinbench, and of the folder of a script, that a module imports."""
    for imported in imports_of(tree):
        files = files_of(imported.module, imported.level, path)
        if imported.name is not None:
            yield from _definer(files, imported.module, imported.level, imported.name, path)
        else:
            yield from files[-1:]


def _definer(files: list[Path], module: str, level: int, name: str, importer: Path) -> list[Path]:
    """The file that defines what `from module import name` imports: a package may pass on the name of another."""
    submodule = files_of(f"{module}.{name}".lstrip("."), level, importer)[-1:]
    if submodule or not files or files[-1].name != "__init__.py":
        return submodule or files[-1:]
    package = files[-1]
    for statement in _parse(package).body:
        if not isinstance(statement, ast.ImportFrom):
            continue
        for alias in statement.names:
            if name == (alias.asname or alias.name):
                source = statement.module or ""
                sources = files_of(source, statement.level, package)
                return _definer(sources, source, statement.level, alias.name, package) or [package]
    return [package]
