"""A run gives the same bits whatever trains beside it, in any order, in one go or interrupted."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from twinbench.architectures import architectures, find_variant
from twinbench.data import load
from twinbench.planning.plan import make_plan
from twinbench.store.record import Record
from twinbench.store.runs import RunStore
from twinbench.training import compilation
from twinbench.training.compilation import choose_compilation
from twinbench.training.job import train_runs

from .conftest import Train, configure


def results(records: list[Record]) -> dict[tuple[str, str, int], object]:
    """Everything of the records but what they cost and where they were made."""
    return {
        (r.outcome.architecture, r.outcome.variant, r.outcome.seed): (
            r.key, dataclasses.asdict(r.outcome), r.history, r.predictions,
        )
        for r in records
    }  # fmt: skip


def trainer(architecture: str, npz: Path, **training: object):
    from twinbench.training.feed import DatasetTensors
    from twinbench.training.runtime import start_tensorflow
    from twinbench.training.variant import VariantTrainer

    settings = configure(**training).training
    start_tensorflow(settings)
    return VariantTrainer(find_variant(architecture, "functional"), DatasetTensors(load(npz)), settings, "cpu")


class InterruptedRunError(Exception):
    pass


def stop_after(last: int):
    def progress(epoch: int, loss: float) -> None:
        if epoch == last:
            raise InterruptedRunError

    return progress


def ignore(epoch: int, loss: float) -> None:
    pass


@pytest.fixture(params=["graph", "fused"])
def compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How convolutional networks are compiled in this test."""
    if request.param == "fused":
        monkeypatch.setattr(compilation, "_WORTH_COMPILING", 0)
    return str(request.param)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_jobs_of_any_size_in_any_order_give_the_records_of_one_job(
    precision: str, compiled: str, train: Train, tiny_npz: Path, tmp_path: Path
) -> None:
    options = {"suspects": ("larger_batch",), "seeds": 2, "precision": precision}
    packed = results(train("plain_cnn/sequential", **options))
    configuration = configure("plain_cnn/sequential", **options)
    runs = make_plan(configuration).runs
    assert len(packed) == len(runs) == 6
    assert choose_compilation(architectures()["plain_cnn"], 200, 3) == compiled
    store = RunStore(tmp_path / "one by one")
    one_by_one = [record for run in reversed(runs) for record in train_runs([run], configuration, tiny_npz, store)]
    assert results(one_by_one) == packed


@pytest.mark.parametrize("architecture", list(architectures()))
def test_a_run_interrupted_in_every_epoch_ends_with_the_weights_of_the_undisturbed_one(
    architecture: str, tiny_npz: Path, tmp_path: Path
) -> None:
    undisturbed = trainer(architecture, tiny_npz, epochs=4)
    expected = undisturbed.train(5, tmp_path / "none", ignore)
    assert expected.outcome.status == "ok"
    # Another seed in between: a run begins from its own state, not from what the last one left.
    undisturbed.train(6, tmp_path / "none of 6", ignore)
    checkpoint = tmp_path / "checkpoint"
    for epoch in range(1, 5):
        with pytest.raises(InterruptedRunError):
            undisturbed.train(5, checkpoint, stop_after(epoch))
    resumed = undisturbed.train(5, checkpoint, ignore)
    assert (resumed.outcome, resumed.history) == (expected.outcome, expected.history)
    undisturbed.release()


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "rmsprop", "nadam", "adagrad", "adadelta"])
def test_every_optimiser_resumes_to_the_same_weights(optimizer: str, tiny_npz: Path, tmp_path: Path) -> None:
    expected = trainer("mlp", tiny_npz, optimizer=optimizer).train(1, tmp_path / "none", ignore)
    with pytest.raises(InterruptedRunError):
        trainer("mlp", tiny_npz, optimizer=optimizer).train(1, tmp_path / "checkpoint", stop_after(3))
    resumed = trainer("mlp", tiny_npz, optimizer=optimizer).train(1, tmp_path / "checkpoint", ignore)
    assert resumed.outcome == expected.outcome
    assert expected.outcome.final_weights_sha256 != expected.outcome.initial_weights_sha256


@pytest.mark.parametrize("damage", ["truncated", "flipped", "another model", "emptied"])
def test_a_damaged_checkpoint_is_named_and_the_run_starts_over(
    damage: str, tiny_npz: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = tmp_path / "checkpoint"
    mlp = trainer("mlp", tiny_npz)
    expected = mlp.train(1, tmp_path / "none", ignore)
    with pytest.raises(InterruptedRunError):
        (trainer("plain_cnn", tiny_npz) if damage == "another model" else mlp).train(1, checkpoint, stop_after(3))
    content = bytearray(checkpoint.read_bytes())
    if damage == "truncated":
        checkpoint.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 2] ^= 1
        checkpoint.write_bytes(content)
    elif damage == "emptied":
        checkpoint.write_bytes(b"")
    assert mlp.train(1, checkpoint, ignore).outcome == expected.outcome
    assert str(checkpoint) in caplog.text
    assert "starts over" in caplog.text


@pytest.mark.parametrize(
    ("vary", "same_start", "same_end"),
    [
        (["order"], True, False),
        (["dropout"], True, False),
        (["init"], False, False),
        (["split"], True, False),
        ([], True, True),
    ],
)
def test_a_stream_that_does_not_vary_is_held_over_the_seeds(
    train: Train, vary: list[str], same_start: bool, same_end: bool
) -> None:
    first, second = (record.outcome for record in train("plain_cnn/functional", seeds=2, vary=vary, epochs=1))
    assert (first.initial_weights_sha256 == second.initial_weights_sha256) == same_start
    assert (first.final_weights_sha256 == second.final_weights_sha256) == same_end


def test_the_dropout_stream_changes_nothing_where_there_is_no_dropout(train: Train) -> None:
    first, second = (record.outcome for record in train("mlp/functional", seeds=2, vary=["dropout"]))
    assert first.final_weights_sha256 == second.final_weights_sha256


def test_unseeded_runs_differ_and_seeded_ones_do_not(train: Train) -> None:
    def ends(determinism: str) -> set[str | None]:
        stores = ("first", "second")
        return {train(determinism=determinism, store=s + determinism)[0].outcome.final_weights_sha256 for s in stores}

    assert len(ends("off")) == 2
    assert len(ends("seeded")) == 1


def test_the_initial_weights_are_those_that_keras_draws_under_the_seed(tiny_npz: Path) -> None:
    import keras

    from twinbench.architectures.recipe import recipe_of
    from twinbench.training.building import build_model
    from twinbench.training.seeds import streams

    for architecture in ("plain_cnn", "mlp"):
        recipe, seeds = recipe_of(architectures()[architecture].reference), streams(3, ["init", "order", "dropout"])
        built, _ = build_model(recipe, load(tiny_npz), seeds)
        keras.utils.set_random_seed(seeds.init)
        plain = recipe.build((8, 8, 1), 10)
        for ours, theirs in zip(built.weights, plain.weights, strict=True):
            assert np.array_equal(np.asarray(ours), np.asarray(theirs))


def test_a_finished_run_is_not_trained_again_and_a_changed_setting_is(train: Train) -> None:
    first = train(seeds=2)
    again = train(seeds=3)
    assert [record.cost for record in again[:2]] == [record.cost for record in first]
    assert again[2].outcome.seed == 3
    for options in ({"epochs": 1}, {"batch_size": 16}, {"init": "matched"}):
        assert train(seeds=1, **options)[0].key != first[0].key
    for options in ({"job_size": 7}, {"checkpoint_every": 2}, {"checkpoint_seconds": 9}):
        assert train(seeds=1, **options)[0].cost == first[0].cost
