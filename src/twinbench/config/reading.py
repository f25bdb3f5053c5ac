"""Read a configuration and refuse a bad one in one sentence for each mistake."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from twinbench.config.dataset_names import check_dataset_name
from twinbench.config.mistakes import sentences, shown
from twinbench.config.model import Configuration
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
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The configuration {path} is not text in UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError(f"{path} is not valid YAML{_place(error)}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise ConfigurationError(f"{path} is not valid YAML: {reason}.") from error
    return parse_configuration({} if content is None else content, origin=str(path))


def parse_configuration(content: Any, *, origin: str = "the configuration") -> Configuration:
    """Turn a plain mapping (from YAML, or Snakemake's `config`) into a configuration.

    Args:
        content: the mapping.
        origin: where it comes from, for the sentences: a file name.

    Raises:
        ConfigurationError: a key or a value cannot be used; the message is one sentence for each mistake.
    """
    if not isinstance(content, Mapping):
        start = "The configuration" if origin == "the configuration" else origin
        raise ConfigurationError(f"{start} must be a mapping of keys to values, not {shown(content)}.")
    try:
        configuration = Configuration.model_validate(dict(content))
    except ValidationError as error:
        raise ConfigurationError("\n".join(sentences(error, content, origin))) from error
    unknown = []
    for position, dataset in enumerate(configuration.datasets):
        if dataset.kind == "tfds":
            try:
                check_dataset_name(dataset.source, dataset.data_dir)
            except ValueError as error:
                unknown.append(f"'datasets[{position}]' is {shown(dataset.source)} in {origin}; {error}.")
    if unknown:
        raise ConfigurationError("\n".join(sentence.replace("?.", "?") for sentence in unknown))
    return configuration


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{place}: {error.problem or error.context}"
