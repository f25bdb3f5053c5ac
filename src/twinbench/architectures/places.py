"""Networks from outside the package, as a configuration names them: read as text, and added to the catalogue.

A file with marks is read as the package's own are. A builder is named by its place, `file.py:function` or
`package.module:function`; its module is found without importing it.
"""

import ast
import collections
import difflib
import importlib.machinery
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from twinbench.architectures.catalogue import FOLDER, Architecture, Variant, add, first_line, parsed, read_file
from twinbench.architectures.importing import arguments
from twinbench.architectures.source import source_digest, uses_outside
from twinbench.architectures.statements import CLOCK, ENVIRONMENT, FILES, NETWORK, SEEDING, statements
from twinbench.config import Configuration
from twinbench.config.networks import Network
from twinbench.errors import ConfigurationError

_UNSEEN = (
    (FILES, "may read a file", "a file counts where a string names it as it lies from this file or from here"),
    (NETWORK, "may take something from the network", "load it once, save it beside the builder and read that file"),
    (CLOCK, "may read the clock", "give it fixed numbers"),
    (ENVIRONMENT, "may read the environment", "give it fixed values, or name one function for each"),
    (SEEDING, "sets a seed of its own", "leave the seed to the benchmark, or every seed starts from the same weights"),
)


def bring(configuration: Configuration) -> list[Architecture]:
    """Read the networks of a configuration that are not the package's, add them to the catalogue, and return them."""
    brought: list[Architecture] = []
    packaged = {path.stem for path in FOLDER.glob("*.py")} | {"suspects"}
    for entry in configuration.own_networks:
        architecture = _of_builders(entry) if isinstance(entry, Network) else _of_file(Path(entry))
        others = [other.name for other in brought]
        if architecture.name in packaged or architecture.name in others:
            whose = "already in the configuration" if architecture.name in others else "one of twinbench's own"
            raise ConfigurationError(
                f"A network is called '{architecture.name}', which is {whose}: give it another "
                f"{'`name`' if isinstance(entry, Network) else 'file name'}."
            )
        brought.append(architecture)
    if brought:
        add(brought)
    return brought


def unseen(configuration: Configuration) -> Iterator[str]:
    """Yield a sentence for each function that may depend on what its key does not cover, with what to do."""
    for dataset in configuration.datasets:
        if dataset.kind == "loader":
            path, function = located(dataset.source, f"Dataset '{dataset.name}' names {dataset.source}", argued=False)
            yield from _uses_outside(f"Dataset '{dataset.name}'", path, function, "which its key may know nothing")
    for architecture in bring(configuration):
        for variant in architecture.variants:
            name, function = f"{architecture.name}/{variant.name}", variant.function or variant.name
            if variant.path.suffix != ".py":
                yield (
                    f"The code of {name} cannot be read as text ({variant.path.name}): what it imports does not count, "
                    "and a change there trains nothing again. Name a function in a .py file."
                )
                continue
            yield from _uses_outside(name, variant.path, function, "which its runs' keys may know nothing")


def _uses_outside(name: str, path: Path, function: str, unknown: str) -> Iterator[str]:
    for file, words in uses_outside(path, function).items():
        for kind, what, remedy in _UNSEEN:
            if words & kind:
                yield f"{name} {what} ({', '.join(sorted(words & kind))} in {file}), of {unknown}: {remedy}."


def _of_file(path: Path) -> Architecture:
    """Read a file with marks."""
    path = _existing(path, str(path))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", path.stem):
        raise ConfigurationError(
            f"{path} cannot be a network's name in tables and file names: call it by letters, digits, '_' and '-'."
        )
    architecture = read_file(path)
    if architecture is None:
        raise ConfigurationError(
            f"{path} sets no TASK and marks no function: mark the variants as CONTRIBUTING.md says, or name its "
            f"functions in the configuration ({{name: my_net, reference: {path.name}:FUNCTION, variants: [...]}})."
        )
    for variant in architecture.variants:
        _check_readable(path, variant.name)
    return architecture


def _of_builders(network: Network) -> Architecture:
    found = [located(place, f"Network '{network.name}' names {place}") for place in network.places]
    variants: list[Variant] = []
    for (path, function), label in zip(found, _labels(found, network), strict=True):
        definition = _definition(path, function)
        variants.append(
            Variant(
                architecture=network.name,
                name=label,
                kind="candidate" if variants else "reference",
                sentence=first_line(ast.get_docstring(definition)) if definition else "",
                path=path,
                function=function,
            )
        )
    return Architecture(
        name=network.name,
        task=network.task,
        score=network.score,
        compiler="graph",
        sentence=f"{len(variants)} ways to build it, of which nothing is claimed.",
        variants=tuple(variants),
    )


def _labels(located: list[tuple[Path, str]], network: Network) -> list[str]:
    """A name for each builder: its function's, behind its file's and its folder's where others have the same."""
    for twice, count in collections.Counter(located).items():
        if count > 1:
            raise ConfigurationError(
                f"Network '{network.name}' names {twice[0].name}:{twice[1]} {count} times: name each function once."
            )
    for length in (1, 2, 3):
        labels = [
            re.sub(r"[^A-Za-z0-9_]", "_", "_".join((path.parent.name, path.stem, function)[-length:]))
            for path, function in located
        ]
        if len(set(labels)) == len(labels):
            return labels
    shared = collections.Counter(labels).most_common(1)[0][0]
    raise ConfigurationError(
        f"Network '{network.name}' has two builders that would be called '{shared}': rename a function, a file or "
        "a folder."
    )


def located(place: str, where: str, *, argued: bool = True) -> tuple[Path, str]:
    """Find the file that a function stands in, and its name.

    Args:
        place: `file.py:function` or `package.module:function`.
        where: what names it, the begin of a sentence.
        argued: whether it may take what a builder does; else it takes nothing.

    Raises:
        ConfigurationError: there is none, or it cannot be read or called.
    """
    file, _, function = place.rpartition(":")
    path = _existing(Path(file), where) if file.endswith(".py") else _module_file(file, where)
    if path.suffix == ".py":
        _check_function(path, function, where, argued=argued)
        _check_readable(path, function)
    return path, function


def _existing(path: Path, where: str) -> Path:
    path = path.expanduser()
    if not path.is_file():
        raise ConfigurationError(f"{where}, and there is no file {path} (looked for from {Path.cwd()}).")
    return path.resolve()


def _module_file(name: str, where: str) -> Path:
    """Find the file of a module without importing it or its packages."""
    first, *rest = name.split(".")
    spec = importlib.machinery.PathFinder.find_spec(first, [str(Path.cwd())])
    if spec is None or not (spec.origin or rest):
        spec = importlib.util.find_spec(first)
    for position, part in enumerate(rest, 2):
        folders = spec.submodule_search_locations if spec is not None else None
        whole = ".".join([first, *rest][:position])
        spec = importlib.machinery.PathFinder.find_spec(whole, list(folders)) if part and folders else None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise ConfigurationError(
            f"{where}, and there is no module '{name}': install it, or run from the folder that holds it "
            f"({Path.cwd()} does not)."
        )
    return Path(spec.origin).resolve()


def _check_function(path: Path, function: str, where: str, *, argued: bool) -> None:
    """Refuse a function that the file does not have, or that takes what nobody gives it."""
    tree = parsed(path)
    bound = {name for statement in statements(tree) for name in statement.binds}
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    star = any(imported.name == "*" for statement in statements(tree) for imported in statement.imports)
    if function not in bound and not star:
        near = difflib.get_close_matches(function, functions, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; its functions are: {', '.join(functions) or 'none'}."
        raise ConfigurationError(f"{where}, and {path} has no '{function}'{hint}")
    definition = _definition(path, function)
    if definition is None:
        return
    given = definition.args
    plain = [*given.posonlyargs, *given.args]
    with_default = len(plain) - len(given.defaults)
    parameters = [(parameter.arg, position < with_default) for position, parameter in enumerate(plain)]
    parameters += [(p.arg, value is None) for p, value in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    needed = ", ".join(name for name, without_default in parameters if without_default)
    if needed and not argued:
        raise ConfigurationError(f"{path}:{definition.lineno}: '{function}' takes {needed}; it must take nothing.")
    _, left = arguments(parameters)
    if left:
        raise ConfigurationError(
            f"{path}:{definition.lineno}: '{function}' takes {needed}; a builder takes nothing, (input_shape) or "
            "(input_shape, classes): give the others defaults."
        )


def _definition(path: Path, function: str) -> ast.FunctionDef | None:
    if path.suffix != ".py":
        return None
    definitions = (node for node in parsed(path).body if isinstance(node, ast.FunctionDef) and node.name == function)
    return next(definitions, None)


def _check_readable(path: Path, function: str) -> None:
    """Refuse code that Python could not read, in the file or in what it imports from beside it."""
    try:
        source_digest(path, function)
    except SyntaxError as error:
        raise ConfigurationError(f"{error.filename}:{error.lineno}: {error.msg}.") from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} imports a file that cannot be read: {error}.") from error
