"""Read a configuration and refuse a bad one in one sentence for each mistake."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twinbench.config.dataset_names import check_dataset_name
from twinbench.config.mistakes import sentences, shown
from twinbench.config.model import Configuration
from twinbench.config.yaml_files import Origin, parse_yaml, read_yaml
from twinbench.errors import ConfigurationError


def read_configuration(path: Path) -> Configuration:
    """Read a YAML or JSON file.

    Raises:
        ConfigurationError: the file is missing, is not YAML, or has a key or value that cannot be used.
    """
    content, origin = read_yaml(path)
    return parse_configuration({} if content is None else content, origin=origin)


def check_configuration_file(path: Path) -> None:
    """Refuse a file that Snakemake has read, with file and line; what a YTE template makes is Snakemake's to know.

    Raises:
        ConfigurationError: as `read_configuration`.
    """
    content, origin = read_yaml(path)
    if not (isinstance(content, Mapping) and content.get("__use_yte__")):
        parse_configuration({} if content is None else content, origin=origin)


def read_with_settings(path: Path | None, settings: Sequence[str]) -> Configuration:
    """Read a file, if any, and set keys beside it, as `snakemake --configfile FILE --config KEY=VALUE ...` does.

    Args:
        path: the file.
        settings: `KEY=VALUE`, the value in YAML; the keys of a group join those of the file.

    Raises:
        ConfigurationError: the file or a setting cannot be used.
    """
    content, origin = (None, Origin("the configuration")) if path is None else read_yaml(path)
    configuration = parse_configuration({} if content is None else content, origin=origin)
    if not settings:
        return configuration
    merged = dict(content or {})
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ConfigurationError(f"--config {setting}: write KEY=VALUE, as in --config seeds=5.")
        section, _, rest = key.partition(".")
        if rest:
            group = f"--config {section}='{{{rest}: {text}}}'"
            raise ConfigurationError(f"--config {setting}: a key has no dot; write the group with its keys: {group}.")
        value, _ = parse_yaml(text, f"--config {setting}")
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = {**merged[key], **value} if both else value
    return parse_configuration(merged, origin="--config")


def parse_configuration(content: Any, *, origin: Origin | str = "the configuration") -> Configuration:
    """Turn a plain mapping (from YAML, or Snakemake's `config`) into a configuration.

    Args:
        content: the mapping.
        origin: where it comes from, for the sentences.

    Raises:
        ConfigurationError: a key or a value cannot be used; the message is one sentence for each mistake.
    """
    origin = Origin(origin) if isinstance(origin, str) else origin
    if not isinstance(content, Mapping):
        start = "The configuration" if origin.name == "the configuration" else origin.name
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
                place = origin.at(("datasets", f"[{position}]"))
                unknown.append(f"'datasets[{position}]' is {shown(dataset.source)} in {place}; {error}.")
    if unknown:
        raise ConfigurationError("\n".join(sentence.replace("?.", "?") for sentence in unknown))
    return configuration
