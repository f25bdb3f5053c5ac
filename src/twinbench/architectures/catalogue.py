"""What there is to train: every architecture with its variants, and the suspects, read from their source files.

The files are read, not imported: an architecture file imports Keras, and planning, tables and figures must not. A new
file in this folder that sets `TASK` and marks a reference is a new architecture; nothing else need change.
"""

import ast
import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from twinbench.architectures.declaration import Compiler, Difference, Kind
from twinbench.architectures.marks import MARKS, marks, marks_anything
from twinbench.architectures.source import parse, source_digest
from twinbench.config import Training, TrainingRecipe, TrainingSection
from twinbench.config.networks import Task
from twinbench.errors import ConfigurationError

FOLDER = Path(__file__).resolve().parent
SUSPECTS_FILE = FOLDER / "suspects.py"
SUSPECTS_ARCHITECTURE = "plain_cnn"
_SET_TASK = 'add TASK = "classify" or TASK = "reconstruct" below the imports'


@dataclass(frozen=True)
class Variant:
    """One way to write an architecture, or one suspect.

    Attributes:
        architecture: name of the architecture.
        name: name of the function that builds it (of a suspect: that changes the recipe).
        kind: reference, twin, lookalike, suspect or candidate.
        sentence: what it shows.
        path: the file that defines it.
        differs: for a lookalike, what it claims to differ in.
        cause: for a suspect, the code under which `twinbench compare` names it.
        changes: for a suspect, what it changes.
        function: for a builder that a configuration names by its place, its name in the file.
    """

    architecture: str
    name: str
    kind: Kind
    sentence: str
    path: Path
    differs: Difference | None = None
    cause: str | None = None
    changes: str | None = None
    function: str | None = None

    @property
    def packaged(self) -> bool:
        """Whether it is one of the package's own."""
        return self.path.parent == FOLDER

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the code that determines this variant; a suspect's holds the reference, which it changes."""
        return _digest(self)


@dataclass(frozen=True)
class Architecture:
    """One network, drawn as a graph, with the ways to write it; the reference comes first.

    `compiler` is how the engine compiles its training, the same for all variants: `graph` (TensorFlow's own kernels,
    the best for convolutions on a CPU) or `xla` (one fused program an epoch, the best for dense networks).
    `recipe` holds the numbers of its training where they come with the network, `published` the test score in points
    that its source reports for them on MNIST, and `default` is whether it is part of the default benchmark;
    `score` is the metric of its models that they are scored by, None for that of the task.
    """

    name: str
    task: Task
    compiler: Compiler
    sentence: str
    variants: tuple[Variant, ...]
    recipe: TrainingRecipe = field(default_factory=TrainingRecipe)
    published: float | None = None
    default: bool = True
    score: str | None = None

    def training(self, section: TrainingSection) -> Training:
        """Return how its runs are trained under a configuration."""
        return section.resolved(self.recipe)

    @property
    def reference(self) -> Variant:
        """The variant that the others are compared with."""
        return self.variants[0]


@functools.cache
def _digest(variant: Variant) -> str:
    """Made once a process: there may be thousands of runs of a variant."""
    architecture = architectures()[variant.architecture]
    parts = [architecture.task, architecture.compiler, source_digest(variant.path, variant.function or variant.name)]
    if architecture.recipe != TrainingRecipe():
        parts.append(repr(architecture.recipe))
    if variant.kind == "suspect":
        parts.append(architecture.reference.digest)
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


_brought: dict[str, Architecture] = {}


def add(brought: Iterable[Architecture]) -> None:
    """Add a person's own architectures to those of the package, or replace them by name."""
    _brought.update({architecture.name: architecture for architecture in brought})
    architectures.cache_clear()


@functools.cache
def architectures() -> dict[str, Architecture]:
    """Return every architecture by name: the package's in the order of the names, then a person's own.

    Raises:
        ConfigurationError: an architecture file is not declared as it must be.
    """
    declared = {}
    for path in sorted(FOLDER.glob("*.py")):
        architecture = read_file(path)
        if architecture is not None:
            declared[architecture.name] = architecture
    return declared | _brought


@functools.cache
def suspects() -> tuple[Variant, ...]:
    """Return every suspect, in the order of its file."""
    return tuple(_variants(SUSPECTS_FILE, SUSPECTS_ARCHITECTURE))


def find_variant(architecture: str, name: str) -> Variant:
    """Return a variant or suspect by name.

    Raises:
        KeyError: there is none.
    """
    known = architectures()[architecture].variants
    extra = suspects() if architecture == SUSPECTS_ARCHITECTURE else ()
    for variant in (*known, *extra):
        if variant.name == name:
            return variant
    raise KeyError(f"{architecture}/{name}")


def read_file(path: Path) -> Architecture | None:
    """Read a file as an architecture; None when it sets no TASK and marks no variant, and so is none."""
    tree = parsed(path)
    constants = _constants(tree)
    if "TASK" not in constants:
        if marks_anything(tree):
            raise ConfigurationError(f"{path} marks variants and sets no TASK: {_SET_TASK}.")
        return None
    task, compiler = constants["TASK"], constants.get("COMPILER", "graph")
    if task not in ("classify", "regress", "reconstruct"):
        raise ConfigurationError(f"{path}: TASK is {_word(task)}; it must be 'classify', 'regress' or 'reconstruct'.")
    if compiler not in ("graph", "xla"):
        raise ConfigurationError(f"{path}: COMPILER is {_word(compiler)}; it must be 'graph' or 'xla'.")
    recipe, published, default = _recipe(path, constants), _published(path, constants), _default(path, constants)
    variants = _variants(path, path.stem)
    references = [variant for variant in variants if variant.kind == "reference"]
    if len(references) != 1:
        raise ConfigurationError(f"{path}: mark exactly one function with @reference, not {len(references)}.")
    return Architecture(
        name=path.stem,
        task=task,
        compiler=compiler,
        sentence=first_line(ast.get_docstring(tree)),
        variants=(*references, *(variant for variant in variants if variant.kind != "reference")),
        recipe=recipe,
        published=published,
        default=default,
    )


def parsed(path: Path) -> ast.Module:
    """Parse a Python file."""
    try:
        return parse(path)
    except SyntaxError as error:
        raise ConfigurationError(f"{path}:{error.lineno}: {error.msg}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not text in UTF-8: save it in that encoding.") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is no Python file: {error}.") from error


def _recipe(path: Path, constants: Mapping[str, object]) -> TrainingRecipe:
    try:
        return TrainingRecipe.model_validate(constants.get("RECIPE", {}))
    except ValidationError as error:
        mistake = error.errors()[0]
        where = "".join(f"[{part!r}]" for part in mistake["loc"])
        takes = ", ".join(TrainingRecipe.model_fields)
        raise ConfigurationError(
            f"{path}: RECIPE{where} is {_word(mistake['input'])}: {mistake['msg'][:1].lower()}{mistake['msg'][1:]}; "
            f"a recipe is a literal dictionary of {takes}, or of some of them."
        ) from error


def _published(path: Path, constants: Mapping[str, object]) -> float | None:
    score = constants.get("PUBLISHED")
    if score is None:
        return None
    if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 100:
        return float(score)
    raise ConfigurationError(f"{path}: PUBLISHED is {_word(score)}; it must be a score in points, such as 98.4.")


def _default(path: Path, constants: Mapping[str, object]) -> bool:
    default = constants.get("DEFAULT", True)
    if isinstance(default, bool):
        return default
    raise ConfigurationError(f"{path}: DEFAULT is {_word(default)}; it must be True or False.")


def _constants(tree: ast.Module) -> dict[str, object]:
    """What a file assigns to plain names; an expression where it is no literal."""
    values: dict[str, object] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            try:
                value = ast.literal_eval(statement.value)
            except (TypeError, ValueError):
                value = statement.value
            values |= {target.id: value for target in targets if isinstance(target, ast.Name)}
    return values


def _word(value: object) -> str:
    """A literal, or an expression as it is written."""
    return f"{ast.unparse(value)}, which is no literal" if isinstance(value, ast.AST) else repr(value)


def _variants(path: Path, architecture: str) -> list[Variant]:
    return [
        Variant(
            architecture=architecture,
            name=function.name,
            kind=MARKS[mark],
            sentence=first_line(ast.get_docstring(function)),
            path=path,
            **values,  # type: ignore[arg-type] # the marks are checked against their declarations
        )
        for function, mark, values in marks(path)
    ]


def first_line(docstring: str | None) -> str:
    """Return the first line of a docstring, or nothing."""
    return docstring.strip().splitlines()[0] if docstring else ""
