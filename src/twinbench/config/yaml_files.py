"""Read a YAML file as Snakemake does, but for what YAML 1.1 reads in another way than it looks, which is refused."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from twinbench.errors import ConfigurationError


@dataclass(frozen=True)
class Origin:
    """Where a configuration comes from.

    Attributes:
        name: a file, or words such as `--config`.
        root: the file's content with its lines, if it has any.
    """

    name: str
    root: yaml.Node | None = None

    def at(self, path: Sequence[str]) -> str:
        """The name, with the line of a key (`("datasets", "[0]", "name")`), or of what of it there is."""
        node, line = self.root, None
        for part in path:
            if isinstance(node, yaml.MappingNode):
                entry = next(((key, value) for key, value in node.value if key.value == part), None)
                if entry is None:
                    break
                line, node = entry[0].start_mark.line, entry[1]
            elif isinstance(node, yaml.SequenceNode) and part.startswith("[") and int(part[1:-1]) < len(node.value):
                node = node.value[int(part[1:-1])]
                line = node.start_mark.line
            else:
                break
        return self.name if line is None else f"{self.name}, line {line + 1}"


def read_yaml(path: Path) -> tuple[Any, Origin]:
    """Return what a YAML (or JSON) file holds, and where.

    Raises:
        ConfigurationError: the file cannot be read, is not YAML, or says something twice or in an unclear way.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"The configuration {path} cannot be read: No such file. Check its name, and the folder: {Path.cwd()}."
        ) from error
    except OSError as error:
        raise ConfigurationError(f"The configuration {path} cannot be read: {error.strerror}; name a file.") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"The configuration {path} is not text in UTF-8: see line {line}, and save the file in that encoding."
        ) from error
    try:
        return parse_yaml(text, str(path))
    except RecursionError as error:
        raise ConfigurationError(f"{path} is not valid YAML: it is nested too deeply.") from error


def parse_yaml(text: str, name: str) -> tuple[Any, Origin]:
    """Return what a text in YAML or JSON holds, and where.

    Args:
        text: the text.
        name: of the file, for the sentences.

    Raises:
        ConfigurationError: it is not YAML, or says something twice or in an unclear way.
    """
    try:
        # YAML does not allow tabs, JSON does.
        loader = _Loader(text.replace("\t", " ") if _is_json(text) else text)
        root = loader.get_single_node()
        return (None if root is None else loader.construct_document(root)), Origin(name, root)
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError(f"{name} is not valid YAML{_place(error)}.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationError(f"{name} is not valid YAML: {' '.join(str(error).split())}.") from error


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, and numbers that look decimal and are not."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        lines: dict[Any, int] = {}
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            name, line = (key.tag, str(key.value)), key.start_mark.line + 1
            if name in lines:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key '{key.value}' is already set in line {lines[name]}: remove one of the two",
                    problem_mark=key.start_mark,
                )
            lines[name] = line
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: Any) -> Any:
        value = super().construct_yaml_int(node)
        if re.match(r"[-+]?0[0-9_]", node.value) or ":" in node.value:
            base = "octal" if ":" not in node.value else "base 60"
            raise yaml.constructor.ConstructorError(
                problem=f"YAML reads {node.value} as {value} ({base}): write the number that you mean without leading "
                "zeros or colons",
                problem_mark=node.start_mark,
            )
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem = error.problem or error.context or ""
    if "alias" in f"{error.context} {problem}":
        problem += " (* begins an alias in YAML: put a pattern in quotes, as in ['*/sequential'])"
    elif "'\\t'" in problem:
        problem += ": indent with spaces"
    elif "could not determine a constructor" in problem:
        problem += ": tags are not allowed, remove it"
    return f"{place}: {problem}"
