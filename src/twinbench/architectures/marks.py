"""The marks of an architecture file, read from its source and held against their declarations.

The file is not imported, so what Python would say while it imports it is said here, with file and line.
"""

import ast
import builtins
import difflib
import importlib.util
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path

from twinbench.architectures import declaration
from twinbench.architectures.declaration import Kind
from twinbench.architectures.source import parse
from twinbench.architectures.statements import statements
from twinbench.errors import ConfigurationError

MARKS: typing.Final[dict[str, Kind]] = {kind: kind for kind in typing.get_args(Kind) if hasattr(declaration, kind)}


def marks_anything(tree: ast.Module) -> bool:
    """Whether a file marks a variant of an architecture, which a suspect is not."""
    return any(
        _name(decorator) in {"reference", "twin", "lookalike"}
        for statement in tree.body
        if isinstance(statement, ast.FunctionDef)
        for decorator in statement.decorator_list
    )


def marks(path: Path) -> Iterator[tuple[ast.FunctionDef, str, dict[str, str]]]:
    """Yield each marked function of a file with its mark and what the mark says.

    Raises:
        ConfigurationError: a mark, or an import, that Python would refuse; two variants of one name.
    """
    tree = parse(path)
    _check_imports(path, tree)
    listed = tuple(statements(tree))
    bound = {name for statement in listed for name in statement.binds} | set(dir(builtins))
    if any(imported.name == "*" for statement in listed for imported in statement.imports):
        bound |= MARKS.keys()
    lines: dict[str, int] = {}
    for statement in tree.body:
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        place = f"{path}:{statement.lineno}"
        marked = [decorator for decorator in statement.decorator_list if _name(decorator) in MARKS]
        for decorator in statement.decorator_list:
            first = _root(decorator)
            if first in MARKS.keys() - bound:
                raise ConfigurationError(
                    f"{path}:{decorator.lineno}: @{first} is not imported: add "
                    f"from {declaration.__name__} import {first}."
                )
            if first and first not in bound:
                raise ConfigurationError(f"{path}:{decorator.lineno}: there is no mark @{first}{_nearest(first)}")
        if statement.name in lines:
            raise ConfigurationError(
                f"{place}: '{statement.name}' is already the name of a variant in line {lines[statement.name]}: give "
                "one of the two another name."
            )
        if not marked:
            continue
        if not isinstance(statement, ast.FunctionDef):
            raise ConfigurationError(f"{place}: '{statement.name}' is no plain function; only a function is marked.")
        if len(marked) > 1:
            raise ConfigurationError(f"{place}: '{statement.name}' has {len(marked)} marks: leave one.")
        lines[statement.name] = statement.lineno
        yield statement, _name(marked[0]), _values(marked[0], path)


def _values(decorator: ast.expr, path: Path) -> dict[str, str]:
    """What a mark says, checked against the mark's own signature."""
    mark, place = _name(decorator), f"{path}:{decorator.lineno}"
    parameters = inspect.signature(getattr(declaration, mark), eval_str=True).parameters
    expected = {name: typing.get_args(p.annotation) for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    form = ", ".join(f'{name}="{choices[0] if choices else "..."}"' for name, choices in expected.items())
    right = f"write @{mark}({form})" if expected else f"write @{mark} without parentheses"
    if isinstance(decorator, ast.Call) != bool(expected):
        raise ConfigurationError(f"{place}: @{mark} {'says nothing' if expected else 'takes nothing'}: {right}.")
    values: dict[str, str] = {}
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
        word = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg is None or not isinstance(word, str):
            raise ConfigurationError(f"{place}: a mark takes literal keyword arguments only: {right}.")
        choices = expected.get(keyword.arg, ())
        if choices and word not in choices:
            near = difflib.get_close_matches(word, choices, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise ConfigurationError(
                f"{place}: {keyword.arg} is {word!r}; it must be one of {', '.join(choices)}{hint}"
            )
        values[keyword.arg] = word
    if values.keys() != expected.keys() or (isinstance(decorator, ast.Call) and decorator.args):
        raise ConfigurationError(f"{place}: @{mark} takes {' and '.join(expected)}: {right}.")
    return values


def _check_imports(path: Path, tree: ast.Module) -> None:
    """Refuse a module that there is not, and a name that the marks' module does not have."""
    trains_here = importlib.util.find_spec("keras") is not None  # else what trains is installed elsewhere
    package = declaration.__name__.rpartition(".")[0]
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            modules = [imported.name for imported in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            modules = [f"{package}.{statement.module}" if statement.level == 1 else statement.module]
        else:
            continue
        for module in modules:
            if module.startswith(f"{package}."):
                file = f"{module.removeprefix(f'{package}.').replace('.', '/')}.py"
                there = any((folder / file).is_file() for folder in (path.parent, Path(declaration.__file__).parent))
            else:
                there = not trains_here or importlib.util.find_spec(module.partition(".")[0]) is not None
            if not there:
                raise ConfigurationError(
                    f"{path}:{statement.lineno}: there is no module '{module}': correct its name, or install it."
                )
        if modules == [declaration.__name__]:
            for imported in statement.names:
                if imported.name != "*" and not hasattr(declaration, imported.name):
                    raise ConfigurationError(
                        f"{path}:{statement.lineno}: there is no mark '{imported.name}'{_nearest(imported.name)}"
                    )


def _name(decorator: ast.expr) -> str:
    """`twin` of `@twin`, `@declaration.twin` and `@twin()`."""
    mark = decorator.func if isinstance(decorator, ast.Call) else decorator
    return mark.attr if isinstance(mark, ast.Attribute) else mark.id if isinstance(mark, ast.Name) else ""


def _root(decorator: ast.expr) -> str:
    """The first name of a decorator: `declaration` of `@declaration.twin`."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _nearest(word: str) -> str:
    near = difflib.get_close_matches(word, MARKS, n=1)
    return f"; did you mean {near[0]!r}?" if near else "; the marks are " + ", ".join(MARKS) + "."
