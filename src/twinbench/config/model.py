"""The typed model of the configuration: keys, types, defaults and their descriptions.

This is the one source of truth. The JSON schema under `workflow/schemas/`, the reference table in
`docs/configuration.md` and `config/config.yaml` are made from it (`make docs`) or held against it by a test.
"""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from twinbench.config.dataset_names import WELL_KNOWN, known_dataset_names
from twinbench.config.networks import Network, Selected, is_file, place
from twinbench.config.paths import Folder, OutputFolder, path_of_files
from twinbench.config.section import Section
from twinbench.config.training import TrainingSection
from twinbench.errors import ConfigurationError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_LOADER = re.compile(r"(?<=\.py):\w+$", re.ASCII)
_TFDS = re.compile(r"[a-z0-9_]+(/[A-Za-z0-9_.-]+)?(:\d+\.\d+\.\d+)?")

# What may travel into file names, wildcards and patterns: no spaces, quotes or shell characters.
Pattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.*?/-]+$")]


def _names_a_source(name: Any) -> bool:
    """Whether a dataset's name alone says where its images come from."""
    plain = name.split(":")[0].partition("/")[0] if isinstance(name, str) else ""
    return plain == "digits" or plain in WELL_KNOWN or (plain != "" and plain in known_dataset_names())


def _of_a_file(source: str) -> bool:
    return source.endswith(".npz") or _LOADER.search(source) is not None


class Dataset(Section):
    """One dataset: scikit-learn's `digits`, one of tensorflow-datasets, an `.npz` file, or a function."""

    source: str = Field(
        description="`digits`, the name of an image-classification dataset of tensorflow-datasets "
        "(`mnist`, `emnist/balanced`), a path to an `.npz` with x_train, y_train, x_test, y_test, or a function that "
        "returns these arrays, `file.py:load`"
    )
    name: str = Field(default="", description="name in tables and file names (default: made from the source)")
    inputs: Literal["auto", "images", "numbers"] = Field(
        default="auto",
        description="of a file or function: what its inputs are, `images` (pixels become floats from 0 to 1) or "
        "`numbers`, which stay as they are; `auto`: three or four axes of whole numbers, or of floats from 0 to 1, are "
        "images",
    )
    labels: Literal["auto", "classes", "numbers"] = Field(
        default="auto",
        description="of a file or function: what its labels are, `classes` or `numbers` to be predicted; `auto`: "
        "floats of which one has a fraction are numbers",
    )
    data_dir: Folder | None = Field(
        default=None,
        description="folder of prepared tensorflow-datasets, read and written (default: the workflow's own)",
    )
    manual_dir: Folder | None = Field(
        default=None,
        description="folder with the original downloads, for machines without internet; checksums are verified",
    )
    train_examples: int | None = Field(
        default=None, ge=2, description="train on a fixed, stratified subset of this many images (default: all)"
    )
    train_split: str = Field(default="train", description="split of tensorflow-datasets to train on")
    test_split: str = Field(default="test", description="split of tensorflow-datasets to test on")

    @property
    def kind(self) -> Literal["digits", "npz", "loader", "tfds"]:
        """Where the images come from."""
        if self.source == "digits":
            return "digits"
        if _LOADER.search(self.source):
            return "loader"
        return "npz" if self.source.endswith(".npz") else "tfds"

    @property
    def made(self) -> bool:
        """Whether it must be downloaded or computed before anything is known of it."""
        return self.kind in ("loader", "tfds")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"source": value}
        if isinstance(value, dict) and "source" not in value and _names_a_source(value.get("name")):
            value = {**value, "source": value["name"]}
            del value["name"]
        if isinstance(value, dict) and not value.get("name") and isinstance(value.get("source"), str):
            source = value["source"]
            plain = PurePosixPath(_LOADER.sub("", source)).stem if _of_a_file(source) else source.split(":")[0]
            value = {**value, "name": re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip("-.") or "dataset"}
        return value

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(
                "must be made of at most 80 letters, digits, '_', '-' and '.', and start with a letter or digit"
            )
        return name

    @model_validator(mode="after")
    def _taken_for(self) -> "Dataset":
        if not _of_a_file(self.source) and (self.inputs, self.labels) != ("auto", "auto"):
            raise ValueError("has `inputs` or `labels`, which are for a file or a function of your own: leave them out")
        return self

    @field_validator("source")
    @classmethod
    def _known_kind(cls, source: str) -> str:
        if "://" in source:
            raise ValueError("is an address: download the file, and give its path here")
        if source.endswith(".npz"):
            return path_of_files(source)
        if _LOADER.search(source):
            return path_of_files(place(source))
        if source == "digits":
            return source
        if not _TFDS.fullmatch(source):
            raise ValueError(
                "must be 'digits', a tensorflow-datasets name such as 'mnist' or 'emnist/balanced', "
                "a path that ends in '.npz', or a function as file.py:load"
            )
        return source


class Statistics(Section):
    """How runs become verdicts."""

    equivalence_margin: float = Field(
        default=0.5, gt=0, allow_inf_nan=False, description="points of score within which two variants count as equal"
    )
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="of every interval; 1 minus the tests' level")

    @model_validator(mode="before")
    @classmethod
    def _without_resamples(cls, section: Any) -> Any:
        """Older configurations set the resamples of a bootstrap interval that the tables no longer have."""
        return {key: section[key] for key in section if key != "resamples"} if isinstance(section, dict) else section


class Measurements(Section):
    """What is measured beside the scores."""

    ladder_steps: int = Field(default=20, ge=1, description="training steps that the ladder compares bit by bit")
    gradient_depths: list[Annotated[int, Field(ge=1)]] = Field(
        default=[2, 8, 30], min_length=1, description="numbers of blocks at which gradients are measured (claim C5)"
    )
    cost_repeats: int = Field(
        default=5, ge=3, description="interleaved repetitions of each timing by API, each with builds of its own"
    )


class Figures(Section):
    """How the figures look."""

    context: Literal["paper", "notebook", "talk", "poster"] = Field(
        default="notebook", description="seaborn's context: the size of text and lines"
    )
    palette: Literal["colorblind", "deep", "muted", "bright", "pastel", "dark"] = Field(
        default="colorblind", description="a seaborn palette"
    )
    width: float = Field(default=8.0, gt=2, le=40, description="inches")
    formats: list[Literal["svg", "png", "pdf"]] = Field(
        default=["svg", "png"], min_length=1, description="file formats"
    )


class Settle(Section):
    """As many seeds as it takes: looks at `first` seeds, twice as many, and so on, declared beforehand."""

    first: int = Field(default=5, ge=2, le=100_000, description="seeds at the first look")
    most: int = Field(default=80, ge=2, le=100_000, description="seeds at the last look; the others are doublings")

    @property
    def looks(self) -> list[int]:
        """How many seeds there are at each look."""
        counts = [self.first]
        while counts[-1] < self.most:
            counts.append(min(2 * counts[-1], self.most))
        return counts

    @model_validator(mode="after")
    def _in_order(self) -> "Settle":
        if self.most < self.first:
            raise ValueError("`most` must be at least `first`")
        return self


class Configuration(Section):
    """The whole configuration."""

    output: OutputFolder = Field(default="results", description="folder of everything that is made")
    store: Folder | None = Field(
        default=None, description="folder of the finished runs, may be shared (default: `store` in the output folder)"
    )
    datasets: list[Dataset] = Field(
        default=[Dataset.model_validate("digits")], min_length=1, description="what to train on"
    )
    architectures: list[Selected] = Field(
        default=["*"],
        min_length=1,
        description="what to train: names (`mlp`), variants (`mlp/sequential`) or patterns (`*_cnn`, `*/subclass`); "
        "the reference of each is always added; a pattern takes networks that are not part of the default benchmark "
        "only where it matches no others (`mnist_*`). Networks of your own: the path of a file with marks (`nets.py`), "
        "or a group of `name`, `reference` and `variants`",
    )
    suspects: list[Pattern] = Field(
        default=["*"], description="deliberate faults to train: names or patterns; `[]` for none"
    )
    seeds: int | list[Annotated[int, Field(ge=0, lt=2**31)]] | Literal["settle"] | Settle = Field(
        default=3,
        description="how many seeds (1, 2, ...), or a list of them; or `settle`, as many as it takes: looks at 5, 10, "
        "20, 40 and 80 seeds, after each of which only undecided comparisons train on (`{first: 5, most: 80}`)",
    )
    training: TrainingSection = Field(default=TrainingSection(), description="how every run is trained")
    statistics: Statistics = Field(default=Statistics(), description="how runs become verdicts")
    measurements: Measurements = Field(default=Measurements(), description="what is measured beside the scores")
    figures: Figures = Field(default=Figures(), description="how the figures look")

    @field_validator("seeds", mode="before")
    @classmethod
    def _settle_by_name(cls, seeds: Any) -> Any:
        return Settle() if seeds == "settle" else seeds

    @field_validator("seeds")
    @classmethod
    def _some_seeds(cls, seeds: int | list[int] | str | Settle) -> int | list[int] | str | Settle:
        if isinstance(seeds, int) and not 1 <= seeds <= 100_000:
            raise ValueError("must be at least 1 and at most 100000, or a list of different whole numbers")
        if isinstance(seeds, list) and (not seeds or len(set(seeds)) != len(seeds)):
            raise ValueError("must name at least one seed, and none twice")
        return seeds

    @field_validator("datasets", "architectures", "suspects", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str | dict | Network) else value

    @field_validator("datasets")
    @classmethod
    def _different_names(cls, datasets: list[Dataset]) -> list[Dataset]:
        names = [dataset.name for dataset in datasets]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two datasets are called {sorted(twice)[0]!r}: give one of them another `name`")
        return datasets

    @property
    def own_networks(self) -> list[str | Network]:
        """The networks that are not of the package: files with marks, and groups of builders."""
        return [entry for entry in self.architectures if isinstance(entry, Network) or is_file(entry)]

    @property
    def seed_list(self) -> list[int]:
        """The seeds, in the order in which they are trained; all that may be needed where seeds are added by looks."""
        if isinstance(self.seeds, list):
            return list(self.seeds)
        return list(range(1, (self.seeds if isinstance(self.seeds, int) else self.looks[-1]) + 1))

    @property
    def looks(self) -> list[int]:
        """How many seeds there are at each look; none where their number is fixed."""
        return self.seeds.looks if isinstance(self.seeds, Settle) else []

    @property
    def store_folder(self) -> str:
        """Where finished runs are kept."""
        return self.store if self.store is not None else f"{self.output}/store"

    def dataset(self, name: str) -> Dataset:
        """Return the dataset called `name`.

        Raises:
            ConfigurationError: no dataset of the configuration has this name.
        """
        for dataset in self.datasets:
            if dataset.name == name:
                return dataset
        raise ConfigurationError(f"The configuration has no dataset called {name!r}.")
