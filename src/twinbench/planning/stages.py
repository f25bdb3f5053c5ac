"""What each stage of the workflow depends on beside its input files: settings, code, versions of libraries.

A stage's rule lists it in its `params`, so that a change of it runs the stage again, and the stage's script gets no
other settings than these: what a script can read is what triggers it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from twinbench.architectures.catalogue import Variant
from twinbench.architectures.places import located
from twinbench.architectures.source import source_digest
from twinbench.config import Configuration, Dataset, Training
from twinbench.config.section import Section
from twinbench.data.contents import content_digests
from twinbench.errors import ChangedError
from twinbench.planning.closure import code_digest
from twinbench.planning.keys import IRRELEVANT, software, version
from twinbench.planning.workflow import workflow_folder

Stage = Literal["data", "train", "look", "ladder", "measure", "tables", "figures", "report"]

_SCRIPTS: Final[dict[Stage, str]] = {
    "data": "prepare_data",
    "train": "train",
    "look": "look",
    "ladder": "climb_ladder",
    "measure": "measure",
    "tables": "make_tables",
    "figures": "draw_figures",
    "report": "build_report",
}
_LIBRARIES: Final[dict[Stage, tuple[str, ...]]] = {
    "train": ("pyarrow",),  # the others are in the runs' keys
    "look": ("numpy", "pandas", "pyarrow", "scipy", "statsmodels"),
    "ladder": ("pandas", "scipy"),
    "measure": ("pandas",),
    "tables": ("jinja2", "numpy", "pandas", "pyarrow", "scipy", "statsmodels", "tabulate"),
    "figures": ("matplotlib", "numpy", "pandas", "scipy", "seaborn", "statsmodels"),
    "report": ("jinja2", "markupsafe", "matplotlib", "numpy", "pandas", "scipy", "seaborn", "statsmodels"),
}
# The keys of the configuration that a stage's script can read. What `train` needs is in its runs' keys.
_WHOLE: Final[dict[Stage, tuple[str, ...]]] = {
    "ladder": ("architectures", "suspects"),
    "measure": ("architectures", "suspects", "seeds"),
    "tables": ("architectures", "suspects", "seeds", "datasets", "statistics"),
}
_WHOLE["look"] = _WHOLE["tables"]
_PROCESS: Final = ("threads", "determinism", "precision", "gpu_memory_mb")
_PARTS: Final[dict[Stage, dict[str, tuple[str, ...]]]] = {
    "ladder": {"training": _PROCESS, "measurements": ("ladder_steps",)},
    "measure": {
        "training": (*_PROCESS, "batch_size", "learning_rate", "optimizer", "validation_fraction", "vary"),
        "measurements": ("gradient_depths", "cost_repeats"),
    },
    "tables": {"training": ("job_size", *(name for name in Training.model_fields if name not in IRRELEVANT))},
}

_PARTS["look"] = _PARTS["tables"]


def settings_of(stage: Stage, configuration: Configuration, variants: Sequence[Variant]) -> dict[str, Any]:
    """Return the settings that a stage depends on, as they stand in a configuration, patterns and counts resolved.

    Args:
        stage: a look, the ladder, the measurements or the tables.
        configuration: the resolved configuration.
        variants: what it selects.
    """
    whole = configuration.model_dump(mode="json")
    selected = [f"{v.architecture}/{v.name}" for v in variants if v.kind != "suspect" and v.packaged]
    networks = [entry if isinstance(entry, str) else entry.model_dump() for entry in configuration.own_networks]
    whole["architectures"] = [*selected, *networks]
    whole["suspects"] = [v.name for v in variants if v.kind == "suspect" and stage in ("look", "tables")]
    # What is measured beside the runs begins with the seeds of the first look, however many follow.
    if not configuration.looks:
        whole["seeds"] = configuration.seed_list
    elif stage == "measure":
        whole["seeds"] = configuration.seed_list[: configuration.looks[0]]
    chosen = {name: whole[name] for name in _WHOLE[stage]}
    return chosen | {name: {key: whole[name][key] for key in keys} for name, keys in _PARTS[stage].items()}


def configuration_of(settings: Mapping[str, Any]) -> Configuration:
    """Return a configuration of these settings and no others: to read another one is an AttributeError."""
    configuration = Configuration.model_validate(dict(settings))
    _forget_others(configuration, settings)
    return configuration


def _forget_others(section: Section, given: Mapping[str, Any]) -> None:
    for name in type(section).model_fields:
        if name not in given:
            del section.__dict__[name]
        elif isinstance(value := getattr(section, name), Section):
            _forget_others(value, given[name])


def code_of(stage: Stage) -> str:
    """Return the digest of all code of this project that a stage runs."""
    return code_digest(workflow_folder() / "scripts" / f"{_SCRIPTS[stage]}.py")


def check_unchanged(planned: object, now: object) -> None:
    """Refuse to make a file with other code than Snakemake notes for it: edited back, it would pass for up to date.

    Raises:
        ChangedError: the two differ.
    """
    if planned != now:
        raise ChangedError(
            "The code was changed after snakemake had started: start snakemake again. What is finished is kept."
        )


def variant_digests(variants: Sequence[Variant]) -> list[str]:
    """Return the code and the marks of variants, so that a changed one is measured again."""
    return [f"{v.architecture}/{v.name} {v.kind} {v.digest}" for v in variants if v.kind != "suspect"]


def versions_of(stage: Stage) -> dict[str, str]:
    """Return the versions of the libraries that a stage's result depends on, and the variables that these read."""
    versions = {package: version(package) for package in _LIBRARIES[stage]}
    return versions | software() if stage in ("ladder", "measure") else versions


def loader_digest(dataset: Dataset) -> str:
    """SHA-256 (hex) of the code that a dataset's function runs, as that of a builder is taken.

    Raises:
        ConfigurationError: there is no such file or function, or it cannot be read.
    """
    return source_digest(*located(dataset.source, f"Dataset '{dataset.name}' names {dataset.source}", argued=False))


def dataset_key(dataset: Dataset) -> str:
    """SHA-256 (hex) of all that determines a prepared dataset, but for its name and what a download brings.

    The content of a file counts, not its name nor its time; a `data_dir` of tensorflow-datasets is not looked into.
    """
    settings = dataset.model_dump(mode="json", exclude={"name", "manual_dir"})
    libraries = {"digits": ("numpy", "scikit-learn"), "tfds": ("numpy", "tensorflow-datasets")}
    content: dict[str, Any] = {
        "settings": settings,
        "code": code_of("data"),
        "versions": {package: version(package) for package in libraries.get(dataset.kind, ("numpy",))},
        "files": content_digests(dataset),
    }
    if dataset.kind in ("npz", "loader"):
        settings["source"] = Path(dataset.source).name  # which the manifest tells
    if dataset.kind == "loader":
        content["loader"] = loader_digest(dataset)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
