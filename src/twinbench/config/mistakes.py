"""What is wrong in a configuration, in the user's words.

A sentence names the key, the value, where it stands, what would be valid and, for a typing error, the nearest valid
name.
"""

import json
import types
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from twinbench.config.dataset_names import nearest_of
from twinbench.config.model import Configuration
from twinbench.config.networks import FORMS
from twinbench.config.section import Section
from twinbench.config.yaml_files import Origin

# What a key takes that takes more than one type: pydantic reports a mistake for each.
_SEVERAL_TYPES = {
    ("seeds",): "it must be a number of seeds from 1 to 100000, a list of different whole numbers from 0, or settle",
    ("training", "class_weight"): "it must be 'balanced', or a weight of at least 0 for each class by its name",
    ("training", "job_size"): "it must be 'architecture', 'variant' or a whole number of at least 1",
}
_VALID = {
    "greater_than_equal": "it must be at least {ge}",
    "greater_than": "it must be greater than {gt}",
    "less_than_equal": "it must be at most {le}",
    "less_than": "it must be less than {lt}",
    "finite_number": "it must be a finite number",
    "string_type": "it must be text",
    "string_unicode": "it must be text",
    "string_too_short": "it must not be empty",
    "list_type": "it must be a list",
    "too_short": "it must name at least one",
    "too_long": "it must name at most {max_length}",
    "string_pattern_mismatch": "it may be made of letters, digits and _ - . / * ? only",
    "recursion_loop": "it contains itself",
}


def sentences(error: ValidationError, content: Mapping[Any, Any], origin: Origin) -> list[str]:
    """One sentence for each key at which `error` reports mistakes.

    Args:
        error: what pydantic says of `content`.
        content: the configuration as it was read.
        origin: where it comes from, for the sentences.
    """
    places: dict[tuple[str, ...], str] = {}
    for mistake in error.errors():
        path = _key_path(mistake["loc"])
        places.setdefault(path, _sentence(path, mistake, content, origin))
    return list(places.values())


def shown(value: Any) -> str:
    """A value as it would be written in the configuration, cut where it is long."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= 80 else text[:76] + " ..."


def _sentence(path: tuple[str, ...], mistake: Any, content: Mapping[Any, Any], origin: Origin) -> str:
    key, place = _dotted(path), origin.at(path)
    kind = mistake["type"]
    if kind == "extra_forbidden":
        return _unknown_key(path, place)
    if kind == "missing":
        return f"'{key}' is missing in {place}: {_described(path)}."
    value = mistake["input"]
    if kind == "invalid_key":
        return f"A key in {place} is {shown(value)}; keys must be text: put it in quotes."
    if path in _SEVERAL_TYPES:
        for part in path:
            content = content[part] if isinstance(content, Mapping) and part in content else value
        value = content
    found = f"'{key}' is {shown(value)} in {place}; "
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        empty = " or be left out" if value is None else ""
        return f"{found}it must have keys{empty}; valid keys are {', '.join(_valid_keys(path))}."
    choices = _choices(path)
    one_word = isinstance(value, str) and choices and kind != "list_type"
    hint = nearest_of(value, choices) if one_word else ""
    return found + _valid(path, mistake, choices) + (hint or ".")


def _valid(path: tuple[str, ...], mistake: Any, choices: list[str]) -> str:
    """What a key takes."""
    kind: str = mistake["type"]
    text = mistake["msg"].removeprefix("Value error, ")
    valid = f"it {text}" if text.startswith(("must", "may", "names", "has", "is ")) else text[:1].lower() + text[1:]
    if path in _SEVERAL_TYPES and "true or false" not in text:
        valid = _SEVERAL_TYPES[path]
    elif choices and kind == "literal_error":
        valid = f"it must be one of {', '.join(choices)}"
    elif kind.startswith("int_") and isinstance(mistake["input"], float) and mistake["input"].is_integer():
        valid = "it is too large"
    elif kind.startswith(("int_", "float_")):
        valid = "it must be a whole number" if kind.startswith("int_") else "it must be a number"
    elif kind in _VALID:
        bounds = {name: f"{at:g}" for name, at in mistake.get("ctx", {}).items() if isinstance(at, int | float)}
        valid = _VALID[kind].format(**bounds)
    return valid


def _unknown_key(path: tuple[str, ...], place: str) -> str:
    key = path[-1]
    valid = sorted(_valid_keys(path[:-1]))
    hint = nearest_of(key, valid)
    if not hint:
        elsewhere = [
            f"{name}.{key}"
            for name, field in Configuration.model_fields.items()
            if (section := _section_of(field.annotation)) and key in section.model_fields
        ]
        hint = f"; did you mean '{elsewhere[0]}'?" if elsewhere else ""
    where = f" in '{_dotted(path[:-1])}'" if len(path) > 1 else ""
    return f"Unknown key {shown(key)}{where} in {place}; valid keys are {', '.join(valid)}{hint or '.'}"


def _described(path: tuple[str, ...]) -> str:
    """What a key means."""
    section = _section_of(_annotation(path[:-1]))
    return f"add it, {section.model_fields[path[-1]].description}" if section else "add it"


def _dotted(path: tuple[str, ...]) -> str:
    """`("datasets", "[0]", "name")` -> `datasets[0].name`."""
    return "".join(part if part.startswith("[") else f".{part}" for part in path).lstrip(".") or "the configuration"


def _key_path(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Keep the keys and positions of a pydantic location, drop what is inside a key that takes several types."""
    path: list[str] = []
    model: type[BaseModel] | None = Configuration
    for part in location:
        if isinstance(part, int):
            path.append(f"[{part}]")
        elif model is None or part in FORMS:
            continue
        else:
            path.append(part)
            field = model.model_fields.get(part)
            model = _section_of(field.annotation) if field else None
        if tuple(path) in _SEVERAL_TYPES:
            break
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
    """The words that a key takes from a fixed list."""

    def literals(annotation: Any) -> list[str]:
        if typing.get_origin(annotation) is typing.Literal:
            return [str(choice) for choice in typing.get_args(annotation)]
        if typing.get_origin(annotation) in (list, typing.Union, types.UnionType, typing.Annotated):
            return [word for inner in typing.get_args(annotation) for word in literals(inner)]
        return []

    return literals(_annotation(path))
