"""The statements of a module, and what each sets, uses, imports and does."""

import ast
import copy
import functools
import importlib.metadata
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_MARKS = {"reference", "twin", "lookalike", "suspect"}
# Their versions are in a run's key, and importing them does nothing that the engine has not done.
_VERSIONS_IN_THE_KEY = {"keras", "tensorflow"}
_HARMLESS_IMPORTS = {*_VERSIONS_IN_THE_KEY, "numpy", *sys.stdlib_module_names} - {"__future__"}
# Behind these a name may hide in a string.
_DYNAMIC = {
    "getattr",
    "setattr",
    "delattr",
    "globals",
    "locals",
    "vars",
    "dir",
    "eval",
    "exec",
    "__dict__",
    "__globals__",
    "__subclasses__",
}
# By these a module finds files beside it, and code reads docstrings.
_PLACES = {"__file__", "__path__", "__spec__", "get_data", "resources"}
_READERS_OF_WORDS = {"__doc__", "getdoc", "inspect"}
# By these code looks at what is no code: files, the network, the clock, the environment, one fixed seed.
FILES = frozenset(
    {"open", "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "read_csv", "read_text", "read_bytes"}
)
FILES |= {"imread", "load_model", "load_weights", "load_img", "h5py"}
NETWORK = frozenset({"requests", "urllib", "urlopen", "urlretrieve", "httpx", "get_file", "load_data", "applications"})
CLOCK = frozenset({"time", "datetime", "now", "today", "perf_counter", "monotonic"})
ENVIRONMENT = frozenset({"environ", "getenv", "argv", "gethostname", "getpid"})
SEEDING = frozenset({"set_random_seed", "set_seed"})
_OUTSIDE = FILES | NETWORK | CLOCK | ENVIRONMENT | SEEDING
# What runs when a class is made of another.
_HOOKS = {"__init_subclass__", "__set_name__"}
_DYNAMIC_IMPORTS = {"__import__", "import_module", "importlib", "modules", "builtins"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_HARMLESS_DECORATORS = {"property", "staticmethod", "classmethod", "override"}


@dataclass(frozen=True)
class Import:
    """One imported name: of `module`, `level` packages up, the attribute `name`, or the module itself."""

    module: str
    level: int
    name: str | None


@dataclass(frozen=True)
class Statement:
    """One statement of a module, outside any function or class.

    Attributes:
        text: its code, without comments, docstrings and marks.
        binds: the names of the module that it sets.
        uses: all names in it.
        imports: what it imports, at any depth.
        acts: whether running it may do more than set its names.
        only_imports: whether it does nothing but import names by their names.
        movable: whether it may stand anywhere in its module.
        dynamic: whether it may use names of its module that do not stand in it.
        dynamic_import: whether it may import what no import names.
        reads: whether it may read a file that no string in it names.
        words: the strings in it.
        outside: the words by which it may look at a file, the network, the clock or the environment.
    """

    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    imports: tuple[Import, ...]
    acts: bool
    only_imports: bool
    movable: bool
    dynamic: bool
    dynamic_import: bool
    reads: bool
    words: tuple[str, ...]
    outside: frozenset[str]


def statements(module: ast.Module, *, hooks: bool = False) -> list[Statement]:
    """Return the statements of a module outside any function or class, one for each name that an import brings.

    Args:
        module: the syntax tree.
        hooks: whether to make a class may run code (`has_hooks`), here or in a module that it imports.
    """
    module = copy.deepcopy(module)
    _Bare(module).visit(module)
    return [_statement(node, hooks) for node in _single_imports(module.body)]


def has_hooks(module: ast.Module) -> bool:
    """Whether a module defines what runs when a class is made of one of its classes."""
    return any(
        (isinstance(node, _FUNCTIONS) and node.name in _HOOKS)
        or (isinstance(node, ast.ClassDef) and any(keyword.arg == "metaclass" for keyword in node.keywords))
        for node in ast.walk(module)
    )


class _Bare(ast.NodeTransformer):
    """Takes docstrings and marks off a module."""

    def __init__(self, module: ast.Module) -> None:
        self._marks = {
            alias.asname or alias.name
            for node in ast.walk(module)
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("declaration")
            for alias in node.names
            if alias.name in _MARKS
        }
        self._told = bool(_words(module) & _READERS_OF_WORDS)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit a node and all that is in it."""
        super().generic_visit(node)
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Module)) and not self._told:
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())), *rest]:
                    node.body = rest or [ast.Pass()]
        if isinstance(node, _FUNCTIONS):
            node.decorator_list = [mark for mark in node.decorator_list if not self._is_mark(mark)]
        return node

    def _is_mark(self, decorator: ast.expr) -> bool:
        mark = decorator.func if isinstance(decorator, ast.Call) else decorator
        return isinstance(mark, ast.Name) and mark.id in self._marks


def _single_imports(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements, an import of several names as several imports: each is used by itself."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (ast.Import([alias]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (ast.ImportFrom(node.module, [alias], node.level) for alias in node.names)
        else:
            yield node


def _statement(node: ast.stmt, hooks: bool) -> Statement:
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    imports, words = tuple(imports_of(node)), _words(node)
    outside = {imported.module.split(".")[0] for imported in imports if not imported.level}
    versions = [f"{root} {version}" for root in sorted(outside) if (version := _version(root))]
    plain_function = isinstance(node, _FUNCTIONS) and not (
        node.decorator_list or node.args.defaults or any(node.args.kw_defaults)
    )
    return Statement(
        text="  # ".join([ast.unparse(node), *versions]),
        binds=frozenset(_bound(node)),
        uses=frozenset(names),
        imports=imports,
        acts=_acts(node, hooks),
        only_imports=isinstance(node, ast.Import | ast.ImportFrom) and all(found.name != "*" for found in imports),
        movable=plain_function,
        dynamic=bool(words & _DYNAMIC),
        dynamic_import=bool(words & _DYNAMIC_IMPORTS),
        reads=bool(words & _PLACES),
        words=tuple(
            child.value for child in ast.walk(node) if isinstance(child, ast.Constant) and type(child.value) is str
        ),
        outside=frozenset(words & _OUTSIDE),
    )


def _words(node: ast.AST) -> set[str]:
    """The names and attributes in a node, those that it imports with them."""
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    attributes = {child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)}
    return names | attributes | {word for found in imports_of(node) for word in (found.module, found.name or "")}


def imports_of(node: ast.AST) -> Iterator[Import]:
    """Yield what a node imports, at any depth."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, 0, None) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (Import(child.module or "", child.level, alias.name) for alias in child.names)


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names of the module that a statement sets, and some that it might."""
    for child in ast.walk(node):
        if isinstance(child, ast.Global):
            yield from child.names
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        yield node.name
        inside = {id(child) for child in node.body}
        header = (child for child in ast.iter_child_nodes(node) if id(child) not in inside)
        named = (child.target for part in header for child in ast.walk(part) if isinstance(child, ast.NamedExpr))
        yield from (target.id for target in named)
        return
    for child in ast.walk(node):
        match child:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.alias():
                yield child.asname or child.name.split(".")[0]


def _acts(node: ast.stmt, hooks: bool) -> bool:
    """Whether running a statement may do more than set its names; where unsure, yes."""
    acts = not isinstance(node, ast.Pass)
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            acts = bool(node.decorator_list) or _calls(node.args, node.returns)
        case ast.ClassDef():
            acts = hooks or bool(node.keywords or node.decorator_list) or _calls(*node.bases)
            acts = acts or any(_member_acts(member) for member in node.body)
        case ast.Assign(targets=targets, value=value):
            acts = _calls(value) or not all(_is_plain(target) for target in targets)
        case ast.AnnAssign(target=target, value=value):
            acts = _calls(value) or not _is_plain(target)
        case ast.Import() | ast.ImportFrom():
            roots = {imported.module.split(".")[0] for imported in imports_of(node) if not imported.level}
            star = any(imported.name == "*" for imported in imports_of(node))
            acts = star or not roots <= {*_HARMLESS_IMPORTS, "twinbench"}
    return acts


def _member_acts(node: ast.stmt) -> bool:
    if isinstance(node, _FUNCTIONS):
        known = [isinstance(mark, ast.Name) and mark.id in _HARMLESS_DECORATORS for mark in node.decorator_list]
        return not all(known) or _calls(node.args, node.returns)
    return _acts(node, hooks=False)


def _calls(*nodes: ast.AST | None) -> bool:
    calling = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)
    return any(isinstance(child, calling) for node in nodes if node is not None for child in ast.walk(node))


def _is_plain(target: ast.expr) -> bool:
    return not any(isinstance(child, ast.Attribute | ast.Subscript) for child in ast.walk(target))


def is_installed(package: str) -> bool:
    """Whether a top-level module has a version: Python's, one in a run's key, or one beside the code."""
    return package in {*_HARMLESS_IMPORTS, *_VERSIONS_IN_THE_KEY} or bool(_version(package))


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    """The names of the installed packages by what they are imported as; Python reads the lists of all their files."""
    return importlib.metadata.packages_distributions()


@functools.cache
def _version(package: str) -> str:
    """The version of an installed package that is imported under a name; nothing where a run's key has it."""
    if package in {*_VERSIONS_IN_THE_KEY, *sys.stdlib_module_names, "twinbench"}:
        return ""
    names = _distributions().get(package, [])
    return " ".join(sorted({importlib.metadata.version(name) for name in names}))
