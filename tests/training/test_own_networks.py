"""Networks of a person's own are trained like the package's: from their own folders."""

from pathlib import Path

import pytest
from tests.architectures.test_places import forget

from twinbench.architectures import catalogue
from twinbench.config import parse_configuration
from twinbench.planning.plan import make_plan
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs

NETS = """import keras
from blocks import hidden

CLASSES = 10

def functional(input_shape, classes):
    image = keras.Input(input_shape)
    x = hidden()(keras.layers.Flatten()(image))
    return keras.Model(image, keras.layers.Dense(classes)(x))

def sequential(classes):
    from blocks import hidden as late
    return keras.Sequential([keras.layers.Flatten(), late(), keras.layers.Dense(CLASSES)])

def nothing():
    return None
"""
BLOCKS = "from keras import layers\ndef hidden():\n    return layers.Dense({units}, activation='relu')\n"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Two folders with files of the same names."""
    for name, units in (("first", 4), ("second", 6)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "nets.py").write_text(NETS)
        (tmp_path / name / "blocks.py").write_text(BLOCKS.format(units=units))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    catalogue._brought.clear()
    forget()


def test_own_networks_are_trained_among_the_modules_of_their_own_folders(folders: Path, tiny_npz: Path) -> None:
    configuration = parse_configuration(
        {
            "architectures": {
                "name": "pair",
                "reference": "first/nets.py:functional",
                "variants": ["first/nets.py:sequential", "second/nets.py:functional", "first/nets.py:nothing"],
            },
            "suspects": [],
            "seeds": 1,
            "training": {"epochs": 1},
        }
    )
    plan = make_plan(configuration)
    records = train_runs(plan.runs, configuration, tiny_npz, RunStore(folders / "store"))
    outcomes = {record.outcome.variant: record.outcome for record in records}
    first, second = outcomes["first_nets_functional"], outcomes["second_nets_functional"]
    assert (first.kind, second.kind) == ("reference", "candidate")
    assert first.parameters == 64 * 4 + 4 + 4 * 10 + 10
    assert second.parameters == 64 * 6 + 6 + 6 * 10 + 10
    assert outcomes["first_nets_sequential"].final_weights_sha256 == first.final_weights_sha256
    assert outcomes["first_nets_nothing"].reason == (
        "It cannot be built: UnfitModelError: the builder returns None instead of a keras.Model."
    )
    assert [record.key for record in records] == [
        record.key for record in train_runs(plan.runs, configuration, tiny_npz, RunStore(folders / "store"))
    ]
