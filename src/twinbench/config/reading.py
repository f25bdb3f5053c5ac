"""Read a configuration and refuse a bad one in one sentence.

The sentence names the key, the value, what would be valid and, for a typing error, the nearest valid name.
"""

import difflib
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from twinbench.config.model import Configuration, Section
from twinbench.errors import ConfigurationError


def read_configuration(path: Path) -> Configuration:
    """Read a YAML file.

    Raises:
        ConfigurationError: the file is missing, is not YAML, or has a key or value that cannot be used.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"The configuration {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The configuration {path} is not valid YAML: {error}.") from error
    return parse_configuration({} if content is None else content)


def parse_configuration(content: Any) -> Configuration:
    """Turn a plain mapping (from YAML, or Snakemake's `config`) into a configuration.

    Raises:
        ConfigurationError: a key or a value cannot be used; the message is one sentence for each mistake.
    """
    if not isinstance(content, Mapping):
        raise ConfigurationError(
            f"The configuration must be a mapping of keys to values, not {type(content).__name__}."
        )
    try:
        return Configuration.model_validate(dict(content))
    except ValidationError as error:
        # A union reports each of its members; one sentence for each place is what a person can use.
        places: dict[tuple[str, ...], str] = {}
        for mistake in error.errors():
            path = _key_path(mistake["loc"])
            places.setdefault(path, _sentence(path, mistake, content))
        raise ConfigurationError("\n".join(places.values())) from error


def _key_path(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Keep the keys and positions of a pydantic location, drop the names of union members."""
    path: list[str] = []
    model: type[BaseModel] | None = Configuration
    for part in location:
        if isinstance(part, int):
            path.append(f"[{part}]")
        elif model is None:
            continue
        else:
            path.append(part)
            field = model.model_fields.get(part)
            model = _section_of(field.annotation) if field else None
    return tuple(path)


def _section_of(annotation: Any) -> type[Section] | None:
    """The section that an annotation holds, also inside a list or a union."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for inner in typing.get_args(annotation):
        found = _section_of(inner)
        if found is not None:
            return found
    return None


def _sentence(path: tuple[str, ...], mistake: Any, content: Any) -> str:
    key = "".join(part if part.startswith("[") else f".{part}" for part in path).lstrip(".")
    value = json.dumps(mistake["input"], default=str, ensure_ascii=False)
    if mistake["type"] == "extra_forbidden":
        valid = sorted(_valid_keys(path[:-1]))
        nearest = difflib.get_close_matches(path[-1], valid, n=1, cutoff=0.6)
        hint = f"; did you mean '{nearest[0]}'?" if nearest else "."
        where = f" in '{'.'.join(path[:-1])}'" if len(path) > 1 else ""
        return f"Unknown key '{path[-1]}'{where} in the configuration; valid keys are {', '.join(valid)}{hint}"
    choices = _choices(path)
    if choices and isinstance(mistake["input"], str):
        nearest = difflib.get_close_matches(mistake["input"], choices, n=1, cutoff=0.6)
        hint = f"; did you mean '{nearest[0]}'?" if nearest else "."
        return f"'{key}' is {value} in the configuration; it must be one of {', '.join(choices)}{hint}"
    if mistake["type"] == "missing":
        return f"'{key}' is missing in the configuration."
    text = mistake["msg"].removeprefix("Value error, ").removeprefix("Input ")
    text = text[:1].lower() + text[1:]
    if text.startswith("should "):
        text = "it must " + text.removeprefix("should ")
    elif text.startswith("must"):
        text = "it " + text
    return f"'{key}' is {value} in the configuration; {text}."


def _annotation(path: tuple[str, ...]) -> Any:
    model: type[BaseModel] | None = Configuration
    annotation: Any = Configuration
    for part in path:
        if part.startswith("["):
            continue
        if model is None or part not in model.model_fields:
            return None
        annotation = model.model_fields[part].annotation
        model = _section_of(annotation)
    return annotation


def _valid_keys(path: tuple[str, ...]) -> list[str]:
    section = Configuration if not path else _section_of(_annotation(path))
    return list(section.model_fields) if section else []


def _choices(path: tuple[str, ...]) -> list[str]:
    """The words that a key takes, where it takes words from a fixed list and nothing else."""

    def literals(annotation: Any) -> list[str]:
        if typing.get_origin(annotation) is typing.Literal:
            return [str(choice) for choice in typing.get_args(annotation)]
        if typing.get_origin(annotation) in (list, typing.Union, types.UnionType, typing.Annotated):
            return [word for inner in typing.get_args(annotation) for word in literals(inner)]
        return []

    return literals(_annotation(path))
