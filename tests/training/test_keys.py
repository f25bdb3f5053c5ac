"""The key of a run changes with all that determines its result, and with nothing else; its seeds are apart."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbench.architectures import catalogue
from twinbench.data.manifest import read_manifest
from twinbench.data.splits import SAME_SPLIT
from twinbench.planning.keys import identify
from twinbench.planning.plan import Run
from twinbench.training.seeds import epoch_order, streams

from .conftest import configure

ALL = ["init", "order", "dropout", "split"]
RUN = Run("digits", "mlp", "sequential", 1)


def key(npz: Path, run: Run = RUN, device: str = "cpu", **training: object) -> str:
    return identify(
        run.definition, run.seed, configure(**training).training, read_manifest(npz.with_suffix(".json")), device
    ).key


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 4}, {"batch_size": 16}, {"learning_rate": 0.1}, {"optimizer": "sgd"},
        {"validation_fraction": 0.2},
        {"threads": 2}, {"determinism": "seeded"}, {"precision": "bfloat16"}, {"init": "matched"}, {"vary": ["init"]},
        {"vary": ALL},
        {"device": "gpu"}, {"run": dataclasses.replace(RUN, seed=2)},
        {"run": dataclasses.replace(RUN, variant="subclass")},
    ],
    ids=str,
)  # fmt: skip
def test_what_determines_the_result_changes_the_key(change: dict[str, object], tiny_npz: Path) -> None:
    assert key(tiny_npz, **change) != key(tiny_npz)


@pytest.mark.parametrize("change", [{"job_size": 3}, {"checkpoint_every": 5}, {"checkpoint_seconds": 60}], ids=str)
def test_what_cannot_change_the_result_leaves_the_key(change: dict[str, object], tiny_npz: Path) -> None:
    assert key(tiny_npz, **change) == key(tiny_npz)


def test_another_dataset_changes_the_key_and_another_name_for_it_does_not(tiny_npz: Path, digits_npz: Path) -> None:
    assert key(digits_npz) != key(tiny_npz)
    assert key(tiny_npz, run=dataclasses.replace(RUN, dataset="renamed")) == key(tiny_npz)


def test_the_source_and_the_version_of_keras_are_in_the_key(tiny_npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(tiny_npz)
    monkeypatch.setattr("twinbench.planning.keys.version", lambda package: "0.0")
    other_version = key(tiny_npz)
    monkeypatch.undo()
    monkeypatch.setattr(catalogue.Variant, "digest", "another")
    assert len({before, other_version, key(tiny_npz)}) == 3


@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=100)
def test_the_streams_of_a_seed_are_apart_and_in_range(seed: int) -> None:
    seeds = streams(seed, ALL)
    assert len(set(dataclasses.astuple(seeds))) == 4
    assert all(0 <= value < 2**31 for value in dataclasses.astuple(seeds))
    assert SAME_SPLIT < seeds.split < 2**24


@given(seed=st.integers(1, 2**31 - 1), vary=st.sets(st.sampled_from(ALL)))
@settings(max_examples=50)
def test_a_held_stream_is_that_of_seed_zero(seed: int, vary: set[str]) -> None:
    ours, free, held = (dataclasses.asdict(streams(s, v)) for s, v in ((seed, vary), (seed, ALL), (0, [])))
    assert ours == {name: (free if name in vary else held)[name] for name in ours}


@given(seed=st.integers(0, 2**31 - 1), epoch=st.integers(1, 500), examples=st.integers(1, 300))
@settings(max_examples=50)
def test_the_order_of_an_epoch_is_a_permutation_that_the_seed_and_the_epoch_determine(
    seed: int, epoch: int, examples: int
) -> None:
    order = epoch_order(seed, epoch, examples)
    assert sorted(order.tolist()) == list(range(examples))
    assert np.array_equal(order, epoch_order(seed, epoch, examples))
    if examples > 50:
        assert not np.array_equal(order, epoch_order(seed, epoch + 1, examples))


def test_the_streams_and_orders_are_pinned_since_every_recorded_run_rests_on_them() -> None:
    pinned = (1635553707, 1238004189, 1717374674)
    assert dataclasses.astuple(streams(1, ALL[:3])) == (*pinned, SAME_SPLIT)
    assert dataclasses.astuple(streams(1, ALL)) == (*pinned, 13437713)
    assert epoch_order(123, 1, 8).tolist() == [6, 0, 4, 1, 2, 5, 3, 7]
