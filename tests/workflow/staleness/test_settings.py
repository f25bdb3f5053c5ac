"""The law of `law` for the configuration and the data: every key is changed, or it is said why not."""

import os
import shutil
import time
from collections.abc import Iterator

import pytest
from tests.workflow.staleness.law import Change, Law, setting

from twinbench.config import Configuration, Dataset
from twinbench.config.section import Section

pytestmark = pytest.mark.timeout(1800)


def _dataset(name: str, changes: dict[str, object], reruns: str, *, trains: bool = False) -> Change:
    """The change of keys of the first dataset."""

    def apply(law: Law) -> None:
        first, *others = law.settings["datasets"]
        law.configure(datasets=[{**first, **changes}, *others])

    return Change(name, apply, reruns, trains)


def _second_name(law: Law) -> None:
    law.configure(datasets=[*law.settings["datasets"], {"source": "images.npz", "name": "again"}])


def _older_file(law: Law) -> None:
    """Other images under the same name, from before the others."""
    file = law.settings["datasets"][0]["source"]
    law.images(seed=1, name=file)
    os.utime(law.used / file, (0, 0))


def _another_path(law: Law) -> None:
    law.write(law.used / "elsewhere" / "images.npz", (law.used / "images.npz").read_bytes())
    law.configure(datasets=[{**entry, "source": "elsewhere/images.npz"} for entry in law.settings["datasets"]])


def _touched_file(law: Law) -> None:
    os.utime(law.used / "images.npz", (time.time() + 3600, time.time() + 3600))


def _lose_notes(law: Law) -> None:
    notes, away = law.used / ".snakemake", law.folder / "notes"

    def find_again() -> None:
        shutil.rmtree(notes)
        away.rename(notes)

    if away.exists():
        shutil.rmtree(away)
    notes.rename(away)
    law.undo_by(find_again)


EVERYTHING = "data train ladder measure tables"
AFTER_TRAINING = "train tables"
ALL_BUT_DATA = "train ladder measure tables"
# Batches of changes: each is looked at alone before, and a batch is run at once, since a run takes half a minute.
BATCHES = {
    "how runs are trained": [
        setting("training.epochs", 2, AFTER_TRAINING, trains=True),
        setting("training.batch_size", 16, "train measure tables", trains=True),
        setting("training.init", "matched", AFTER_TRAINING, trains=True),
        setting("statistics.equivalence_margin", 0.9, "tables"),
        setting("measurements.ladder_steps", 2, "ladder tables"),
    ],
    "with what": [
        setting("training.learning_rate", 0.01, "train measure tables", trains=True),
        setting("training.optimizer", "sgd", "train measure tables", trains=True),
        setting("training.validation_fraction", 0.2, "train measure tables", trains=True),
        setting("training.vary", ["init", "order"], "train measure tables", trains=True),
        setting("training.minutes", 600.0, AFTER_TRAINING, trains=True),
        setting("training.threads", 1, ALL_BUT_DATA, trains=True),
        setting("statistics.confidence", 0.9, "tables"),
        setting("measurements.gradient_depths", [2], "measure tables"),
        setting("measurements.cost_repeats", 4, "measure tables"),
    ],
    "what is trained": [
        setting("seeds", [3, 5], "train measure tables", trains=True),
        setting("architectures", ["plain_cnn"], ALL_BUT_DATA, trains=True),
        setting("suspects", ["nothing", "larger_batch"], "train tables", trains=True),
    ],
    "another name for the same images": [
        _dataset("datasets.name", {"name": "renamed"}, EVERYTHING),
        Change("two names", _second_name, EVERYTHING),
        Change("datasets.source", _another_path, EVERYTHING),
        Change("Snakemake's notes are lost", _lose_notes, ALL_BUT_DATA),
    ],
    "other images": [
        Change("a file with an older time", _older_file, EVERYTHING, trains=True),
        _dataset("datasets.labels", {"labels": "classes"}, EVERYTHING, trains=False),
        _dataset("datasets.inputs", {"inputs": "images"}, EVERYTHING, trains=False),
        _dataset("datasets.train_examples", {"train_examples": 45}, EVERYTHING, trains=True),
        setting("store", "other/store", AFTER_TRAINING, trains=True),
        setting("training.determinism", "seeded", ALL_BUT_DATA, trains=True),
        setting("training.precision", "bfloat16", ALL_BUT_DATA, trains=True),
    ],
}
HARMLESS = [
    setting("training.job_size", 50, "train tables"),
    setting("training.checkpoint_every", 3, ""),
    setting("training.checkpoint_seconds", 30.0, ""),
    setting("training.jobs_per_gpu", 2, ""),
    setting("training.gpu_memory_mb", 4096, "ladder measure tables"),
    setting("figures.context", "talk", ""),
    setting("figures.palette", "muted", ""),
    setting("figures.width", 6.0, ""),
    setting("figures.formats", ["svg"], ""),
    Change("a touched file", _touched_file, ""),
]
# Keys that are not changed here, and why.
APART = {
    "training.callbacks": "refused for networks of the package; in the key: tests/training/test_own_settings.py",
    "training.class_weight": "refused for networks of the package; in the key: tests/training/test_own_settings.py",
    "output": "another folder, in which nothing is old",
    "datasets.data_dir": "of downloads alone",
    "datasets.manual_dir": "of downloads alone: tests/planning/test_stages.py",
    "datasets.train_split": "of downloads alone: tests/planning/test_stages.py",
    "datasets.test_split": "of downloads alone: tests/planning/test_stages.py",
}


def _keys(section: type[Section], above: str = "") -> Iterator[str]:
    """Every key of the configuration that holds a value."""
    for name, field in section.model_fields.items():
        inner = Dataset if name == "datasets" else field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from _keys(inner, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def test_every_key_of_the_configuration_is_changed_or_it_is_said_why_not() -> None:
    changed = {change.name for batch in (*BATCHES.values(), HARMLESS) for change in batch}
    keys = set(_keys(Configuration))
    assert keys - changed - APART.keys() == set()
    assert APART.keys() <= keys


@pytest.fixture(scope="module")
def folder_in_use(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Law]:
    """A folder in which the benchmark was run once."""
    law = Law(tmp_path_factory.mktemp("settings"))
    law.holds_after([Change("nothing yet", lambda law: None, "", trains=True)])
    law.keep()
    yield law
    law.close()


@pytest.fixture
def law(folder_in_use: Law) -> Law:
    """The folder as it was after that run."""
    folder_in_use.restore()
    return folder_in_use


def test_what_cannot_change_a_result_trains_nothing(law: Law) -> None:
    """First, under `determinism: strict`: by what it trains with, a run under `seeded` may differ."""
    for change in HARMLESS:
        law.looks_ahead(change)
    law.holds_after(HARMLESS)


@pytest.mark.parametrize("batch", BATCHES)
def test_a_change_leaves_nothing_stale(batch: str, law: Law) -> None:
    for change in BATCHES[batch]:
        law.looks_ahead(change)
    law.holds_after(BATCHES[batch])
