"""The configuration of a study: two or more models of a person's own, one dataset, many seeds."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from twinbench.config import Configuration, parse_configuration
from twinbench.config.yaml_files import parse_yaml
from twinbench.data.files import write_text
from twinbench.errors import ConfigurationError, UsageError
from twinbench.planning.feasible import check_feasible

NAME = "study"


def write_study(
    models: Sequence[str],
    *,
    data: str,
    seeds: int | str,
    output: str,
    task: str,
    score: str | None = None,
    jobs: int | None = None,
    settings: Sequence[str] = (),
) -> Path:
    """Write the configuration of a study into its output folder, and return its path.

    The arguments are those of `study_configuration`, which says what is refused.
    """
    content, configuration = study_configuration(
        models, data=data, seeds=seeds, output=output, task=task, score=score, jobs=jobs, settings=settings
    )
    file = Path(configuration.output) / f"{NAME}.yaml"
    head = f"# Made by `twinbench study`. Run it again in {Path.cwd()}: twinbench run --configfile {file}\n"
    write_text(file, head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True), setting="--output")
    return file


def study_configuration(
    models: Sequence[str],
    *,
    data: str,
    seeds: int | str,
    output: str,
    task: str = "classify",
    score: str | None = None,
    jobs: int | None = None,
    settings: Sequence[str] = (),
) -> tuple[dict[str, Any], Configuration]:
    """Return the configuration of a study, as it is written and resolved.

    Args:
        models: places of builders; the first is the reference.
        data: the dataset's source.
        seeds: how many, or `settle`.
        output: the output folder.
        task: `classify`, `regress` or `reconstruct`.
        score: the metric that the models are scored by; None for that of the task.
        jobs: into how many jobs the runs are put, which may run side by side; a model each where it is None.
        settings: `KEY=VALUE`, further keys of the configuration, the value in YAML.

    Raises:
        UsageError: there are not two models.
        ConfigurationError: a model, a setting or the dataset cannot be used.
    """
    if len(models) < 2:
        raise UsageError("A study compares models: name two or more, as in twinbench study old.py:build new.py:build.")
    if task == "regress" and not data.endswith(".npz") and ".py:" not in data:
        raise ConfigurationError(
            f"To regress is to predict numbers, and {data} is no file of them: give --data an .npz or file.py:load."
        )
    network: dict[str, Any] = {"name": NAME, "reference": models[0], "variants": list(models[1:]), "task": task}
    if score:
        network["score"] = score
    content: dict[str, Any] = {
        "output": output,
        "datasets": [{"source": data, "labels": "numbers"} if task == "regress" else data],
        "architectures": [network],
        "suspects": [],
        "seeds": seeds,
        "training": {
            "job_size": math.ceil(len(models) * seeds / jobs) if jobs and isinstance(seeds, int) else "variant"
        },
    }
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ConfigurationError(f"--config {setting}: write KEY=VALUE, as in --config training='{{epochs: 2}}'.")
        value, _ = parse_yaml(text, f"--config {setting}")
        both = isinstance(value, Mapping) and isinstance(content.get(key), Mapping)
        content[key] = {**content[key], **value} if both else value
    configuration = parse_configuration(content, origin="the study")
    check_feasible(configuration)
    return content, configuration
