"""Which datasets tensorflow-datasets has, found out without importing it, let alone TensorFlow.

The names stand in the installed package: a folder for each dataset of the newer kind, an import for each of the older.
"""

import ast
import difflib
import functools
import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path

# Checked first, so that the usual configuration looks nothing up.
WELL_KNOWN = frozenset({"mnist", "fashion_mnist", "kmnist", "emnist", "cifar10", "cifar100", "svhn_cropped"})
# The only configurations known beforehand; those of other datasets are checked when the dataset is prepared.
EMNIST = frozenset({"balanced", "byclass", "bymerge", "digits", "letters", "mnist"})
_NO_DATASETS = frozenset({"core", "proto", "scripts", "testing"})  # folders of the package that define none


def check_dataset_name(source: str, data_dir: str | None = None) -> None:
    """Refuse a tensorflow-datasets name that does not exist.

    Args:
        source: `name`, `name/configuration`, either with `:version` after it.
        data_dir: folder of prepared datasets; a name that is found there is good.

    Raises:
        ValueError: there is no such dataset; the message ends with the nearest valid name, if one is near.
    """
    name, _, config = source.split(":", maxsplit=1)[0].partition("/")
    if data_dir is not None and (Path(data_dir).expanduser() / name).is_dir():
        return
    if name not in WELL_KNOWN and name not in known_dataset_names():
        raise ValueError(f"tensorflow-datasets has no dataset of that name{nearest_dataset_name(name)}")
    if name == "emnist" and config and config not in EMNIST:
        known = ", ".join(sorted(EMNIST))
        raise ValueError(f"emnist has no '{config}', it has {known}{nearest_of(config, EMNIST)}")


def nearest_dataset_name(source: str) -> str:
    """`; did you mean '...'?` with the nearest name of an image dataset, or nothing."""
    name, slash, config = source.split(":", maxsplit=1)[0].partition("/")
    near = nearest_of(name, [*WELL_KNOWN, "digits"]) or nearest_of(name, known_dataset_names())
    return near.replace("'?", f"{slash}{config}'?") if config else near


def nearest_of(word: str, valid: Iterable[str]) -> str:
    """`; did you mean '...'?` with the valid word nearest to `word`, or nothing when none is near."""
    by_lower = {name.lower(): name for name in sorted(valid)}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean '{by_lower[near[0]]}'?" if near else ""


@functools.cache
def known_dataset_names() -> frozenset[str]:
    """Names of all datasets of the installed tensorflow-datasets; a few names that are none may be among them."""
    package = importlib.util.find_spec("tensorflow_datasets")
    if package is None or not package.submodule_search_locations:
        return WELL_KNOWN
    root = Path(next(iter(package.submodule_search_locations)))
    names = {folder.name for folder in (root / "datasets").iterdir() if folder.is_dir()}
    modules = [module for module in root.glob("*/__init__.py") if module.parent.name not in _NO_DATASETS]
    for module in [*modules, root / "rlds" / "datasets" / "__init__.py"]:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names |= {_snake_case(imported.name) for imported in node.names}
    return frozenset(name for name in names if not name.startswith("_")) | {"caltech_birds2011"}


def _snake_case(name: str) -> str:
    """`FashionMNIST` -> `fashion_mnist`, by the rule of tensorflow-datasets."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
