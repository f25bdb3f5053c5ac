"""The part of a source file that determines one function's result, as a digest.

A run is stored under, among other things, the digest of its variant's code. It covers the function and, by name, all
that the function uses from its module and from other modules of twinbench; it leaves out comments, docstrings,
formatting and everything that the function does not use. So a cosmetic change trains nothing again, a new variant
leaves its neighbours alone, and a changed layer retrains exactly the variants that hold it.
"""

import ast
import functools
import hashlib
from pathlib import Path

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
# The marks change nothing, and what a recipe's words mean is the engine's business, whose version is in a run's key.
_VOCABULARY = {Path(__file__).resolve().with_name(name) for name in ("declaration.py", "recipe.py")}


@functools.cache
def parse(path: Path) -> ast.Module:
    """Parse a Python file; raises SyntaxError as Python does."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def source_digest(path: Path, name: str) -> str:
    """Return the SHA-256 (hex) of the code that the definition `name` in `path` consists of.

    Raises:
        KeyError: the file defines no such name.
    """
    parts: dict[str, str] = {}
    _collect(path, name, parts)
    digest = hashlib.sha256()
    for place in sorted(parts):
        digest.update(f"{place}\n{parts[place]}\n".encode())
    return digest.hexdigest()


def _collect(path: Path, name: str, parts: dict[str, str]) -> None:
    """Add the definition `name` and, in turn, every definition that it uses."""
    place = f"{path.stem}:{name}"
    if place in parts:
        return
    definitions, imports = _names(path)
    statement = definitions[name]
    parts[place] = ast.unparse(_without_docstrings(statement))
    for used in sorted({node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}):
        if used in definitions:
            _collect(path, used, parts)
        elif used in imports:
            module, original = imports[used]
            source = _file_of(module)
            if source is None or source in _VOCABULARY:
                continue
            if original in _names(source)[0]:
                _collect(source, original, parts)


@functools.cache
def _names(path: Path) -> tuple[dict[str, ast.stmt], dict[str, tuple[str, str]]]:
    """A module's own definitions by name, and what it imports: name -> (module, original name)."""
    definitions: dict[str, ast.stmt] = {}
    imports: dict[str, tuple[str, str]] = {}
    for statement in parse(path).body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                definitions[statement.name] = statement
            case ast.Assign():
                for target in statement.targets:
                    for node in ast.walk(target):
                        if isinstance(node, ast.Name):
                            definitions[node.id] = statement
            case ast.AnnAssign(target=ast.Name(id=target_name)):
                definitions[target_name] = statement
            case ast.ImportFrom(module=str(module), level=0):
                for alias in statement.names:
                    imports[alias.asname or alias.name] = (module, alias.name)
    return definitions, imports


def _file_of(module: str) -> Path | None:
    """The source file of a module of twinbench; None for other packages."""
    if module.split(".", maxsplit=1)[0] != "twinbench":
        return None
    path = PACKAGE_ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"


class _DocstringRemover(ast.NodeTransformer):
    def _strip(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        body = getattr(node, "body", [])
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _strip  # noqa: N815 # ast's own names


def _without_docstrings(statement: ast.stmt) -> ast.AST:
    # Parsed again rather than changed in place: the parsed module is shared.
    return _DocstringRemover().visit(ast.parse(ast.unparse(statement)))  # type: ignore[no-any-return]
