"""The plan: which runs a configuration asks for, and which job trains each.

A pure function of the configuration and the catalogue; it reads no data and imports no TensorFlow.
"""

import dataclasses
import difflib
import fnmatch
import functools
import hashlib
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinbench.architectures.catalogue import (
    SUSPECTS_ARCHITECTURE,
    Architecture,
    Variant,
    architectures,
    find_variant,
    suspects,
)
from twinbench.architectures.places import bring
from twinbench.config import Configuration, TrainingSection
from twinbench.config.networks import is_file
from twinbench.data.manifest import Manifest
from twinbench.errors import ConfigurationError
from twinbench.planning.keys import Identity, identity_of, key_of, plan_content


@dataclass(frozen=True)
class Run:
    """One training of a variant (or suspect) of an architecture on a dataset under a seed."""

    dataset: str
    architecture: str
    variant: str
    seed: int

    @property
    def name(self) -> str:
        """How a person calls it."""
        return f"{self.dataset} {self.architecture}/{self.variant} seed {self.seed}"

    @property
    def definition(self) -> Variant:
        """What is trained; raises KeyError where there is none of this name."""
        return find_variant(self.architecture, self.variant)


@dataclass(frozen=True)
class Job:
    """What one process trains: runs of one dataset, in this order; `look` is the one that needs them, from 1."""

    dataset: str
    name: str
    runs: tuple[Run, ...]
    look: int = 0


@dataclass(frozen=True)
class Plan:
    """All runs of a configuration, in the order of every table, the jobs that hold them, and how they are trained."""

    jobs: tuple[Job, ...]
    training: TrainingSection

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs of all jobs."""
        return tuple(run for job in self.jobs for run in job.runs)

    def after(self, dataset: str, decisions: Sequence[Container[Sequence[str]]]) -> tuple[Job, ...]:
        """Return the jobs of a dataset that are wanted after looks; all of them where the seeds are fixed.

        Args:
            dataset: its name.
            decisions: for each look so far the (architecture, variant) that train on.
        """
        return tuple(
            job
            for job in self.jobs
            if job.dataset == dataset
            and job.look <= len(decisions) + 1
            and all([job.runs[0].architecture, job.runs[0].variant] in going for going in decisions[: job.look - 1])
        )

    def with_jobs(self, names: Container[tuple[str, str]]) -> "Plan":
        """Return the part of the plan that these jobs train, named by dataset and name."""
        return Plan(tuple(job for job in self.jobs if (job.dataset, job.name) in names), self.training)

    def job(self, dataset: str, name: str) -> Job:
        """Return a job.

        Raises:
            KeyError: there is none of this name.
        """
        return self._jobs_by_name[dataset, name]

    def key(self, run: Run) -> str:
        """All that determines a run's result but the dataset's content and the device, as a digest."""
        if run not in self._keys:
            self._keys[run] = key_of(self._content(run))
        return self._keys[run]

    def identity(self, run: Run, dataset: Manifest, device: str) -> Identity:
        """Return a run's key in the store, and all that determines its result.

        Args:
            run: a run of the plan.
            dataset: the manifest of its prepared dataset.
            device: `cpu` or `gpu`.
        """
        return identity_of(self._content(run), dataset, device)

    @functools.cached_property
    def digest(self) -> str:
        """All that the tables take from the plan: the runs in their order, their keys, what their variants say."""
        variants = dict.fromkeys(run.definition for run in self.runs)
        told = [dataclasses.replace(variant, path=Path(), sentence="") for variant in variants]
        runs = [(run, self.key(run)) for run in self.runs]
        return hashlib.sha256(repr((told, runs)).encode()).hexdigest()

    def _content(self, run: Run) -> dict[str, Any]:
        variant = run.architecture, run.variant
        if variant not in self._contents:
            self._contents[variant] = plan_content(run.definition, run.seed, self.training)
        return self._contents[variant] | {"seed": run.seed}

    @functools.cached_property
    def _contents(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What determines the runs of a variant: of 100,000 runs, all but the seed is the same in thousands."""
        return {}

    @functools.cached_property
    def _keys(self) -> dict[Run, str]:
        """Each is asked for by its job, by the digest and by the tables."""
        return {}

    @functools.cached_property
    def _jobs_by_name(self) -> dict[tuple[str, str], Job]:
        """Each of thousands of jobs is asked for several times."""
        return {(job.dataset, job.name): job for job in self.jobs}


def make_plan(configuration: Configuration) -> Plan:
    """Return the runs that a configuration asks for, grouped into jobs.

    Raises:
        ConfigurationError: a pattern names no architecture, variant or suspect.
    """
    groups = _groups(configuration)
    size = configuration.training.job_size
    jobs: list[Job] = []
    for dataset in configuration.datasets:
        for group, variants in groups:
            runs_by_variant = [
                [Run(dataset.name, variant.architecture, variant.name, seed) for seed in configuration.seed_list]
                for variant in variants
            ]
            if configuration.looks:
                jobs.extend(_jobs_by_look(dataset.name, group, variants, runs_by_variant, configuration))
            else:
                jobs.extend(_jobs(dataset.name, group, variants, runs_by_variant, size))
    return Plan(tuple(jobs), configuration.training)


def selected_variants(configuration: Configuration) -> tuple[Variant, ...]:
    """Return the variants and suspects that a configuration selects, references first in each architecture.

    Raises:
        ConfigurationError: a pattern names no architecture, variant or suspect.
    """
    return tuple(variant for _, variants in _groups(configuration) for variant in variants)


def _jobs(
    dataset: str, group: str, variants: Sequence[Variant], runs_by_variant: Sequence[Sequence[Run]], size: str | int
) -> Iterable[Job]:
    if size == "architecture":
        yield Job(dataset, group, tuple(run for runs in runs_by_variant for run in runs))
    elif size == "variant":
        for variant, runs in zip(variants, runs_by_variant, strict=True):
            yield Job(dataset, f"{group}.{variant.name}", tuple(runs))
    else:
        runs = [run for runs in runs_by_variant for run in runs]
        count = int(size)
        for start in range(0, len(runs), count):
            yield Job(dataset, f"{group}.{start // count + 1:04d}", tuple(runs[start : start + count]))


def _jobs_by_look(
    dataset: str,
    group: str,
    variants: Sequence[Variant],
    runs_by_variant: Sequence[Sequence[Run]],
    configuration: Configuration,
) -> Iterable[Job]:
    """Each variant's runs look by look: a variant that is decided leaves no job half wanted."""
    size, looks = configuration.training.job_size, configuration.looks
    for variant, runs in zip(variants, runs_by_variant, strict=True):
        for look, (before, count) in enumerate(zip([0, *looks], looks, strict=False), 1):
            step = size if isinstance(size, int) else count - before
            for part, start in enumerate(range(before, count, step), 1):
                name = f"{group}.{variant.name}_look{look}" + (f"_{part:04d}" if step < count - before else "")
                yield Job(dataset, name, tuple(runs[start : min(start + step, count)]), look)


def _groups(configuration: Configuration) -> list[tuple[str, list[Variant]]]:
    """The selected variants by the name of their group: an architecture, or `suspects`."""
    brought = {architecture.name for architecture in bring(configuration)}
    known = {name: found for name, found in architectures().items() if found.reference.packaged or name in brought}
    packaged = [name for name in known if name not in brought]
    everything = [variant for name in packaged for variant in known[name].variants]
    patterns = [entry for entry in configuration.architectures if isinstance(entry, str) and not is_file(entry)]
    chosen = _select("architectures", patterns, everything, packaged)
    chosen |= {variant for name in brought for variant in known[name].variants}
    faults = _select("suspects", configuration.suspects, suspects(), [])
    groups = []
    for architecture in known.values():
        picked = [variant for variant in architecture.variants if variant in chosen]
        needed = picked or (faults and architecture.name == SUSPECTS_ARCHITECTURE)
        if needed:
            groups.append((architecture.name, _with_reference(architecture, picked)))
    if faults:
        groups.append(("suspects", [suspect for suspect in suspects() if suspect in faults]))
    return groups


def _with_reference(architecture: Architecture, picked: list[Variant]) -> list[Variant]:
    """A comparison needs its reference, and so do the suspects."""
    return picked if architecture.reference in picked else [architecture.reference, *picked]


def _select(key: str, patterns: Sequence[str], variants: Sequence[Variant], groups: Sequence[str]) -> set[Variant]:
    chosen: set[Variant] = set()
    for position, pattern in enumerate(patterns):
        matched = _without_special({variant for variant in variants if _matches(pattern, variant)})
        if not matched:
            names = [*groups, *(_full_name(variant) for variant in variants)]
            nearest = difflib.get_close_matches(pattern, names, n=1, cutoff=0.5)
            hint = f"; did you mean '{nearest[0]}'?" if nearest else "."
            valid = ", ".join(groups or names)
            raise ConfigurationError(
                f"'{key}[{position}]' is \"{pattern}\" in the configuration, which names nothing; "
                f"there are {valid}{' and their variants' if groups else ''}{hint}"
            )
        chosen |= matched
    return chosen


def _without_special(matched: set[Variant]) -> set[Variant]:
    """What a pattern stands for: the default benchmark's alone, unless it matches none of them."""
    return {variant for variant in matched if architectures()[variant.architecture].default} or matched


def _full_name(variant: Variant) -> str:
    return variant.name if variant.kind == "suspect" else f"{variant.architecture}/{variant.name}"


def _matches(pattern: str, variant: Variant) -> bool:
    if variant.kind == "suspect" or "/" in pattern:
        return fnmatch.fnmatchcase(_full_name(variant), pattern)
    return fnmatch.fnmatchcase(variant.architecture, pattern)
