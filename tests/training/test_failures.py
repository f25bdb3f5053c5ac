"""What goes wrong in one run is that run's failure with its reason; a full disk is told in a sentence."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import bad_variants

from twinbench.architectures import find_variant
from twinbench.config import Dataset
from twinbench.data import load, prepare
from twinbench.errors import DataError
from twinbench.planning.plan import make_plan
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs

from .conftest import Train, configure

HERE = Path(__file__).name


def test_a_loss_that_is_no_longer_finite_is_a_failed_run_with_its_epoch_and_is_not_tried_again(train: Train) -> None:
    (record,) = train("mlp/functional", optimizer="sgd", learning_rate=1e30)
    assert record.outcome.status == "failed"
    assert record.outcome.reason in ("The loss became NaN in epoch 1.", "The loss became infinite in epoch 1.")
    assert record.outcome.test_score is None
    assert record.outcome.initial_weights_sha256
    (again,) = train("mlp/functional", optimizer="sgd", learning_rate=1e30)
    assert again.cost == record.cost


def test_a_builder_that_raises_is_its_own_failure_and_the_others_are_trained(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinbench.architectures import mlp

    def broken(input_shape: tuple[int, ...], classes: int) -> Any:
        raise ValueError("no such layer\nand more")

    monkeypatch.setattr(mlp, "sequential", broken)
    records = {record.outcome.variant: record.outcome for record in train("mlp", seeds=1)}
    assert records["sequential"].status == "failed"
    assert records["sequential"].reason == (f"It cannot be built: ValueError: no such layer ({HERE}, in broken)")
    assert all(outcome.status == "ok" for name, outcome in records.items() if name != "sequential")


def test_a_model_that_breaks_on_a_batch_is_told_apart_from_the_engine(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from twinbench.architectures import mlp

    class Breaking(keras.layers.Layer):
        def call(self, x: Any, training: bool | None = None) -> Any:
            if training:
                raise RuntimeError("not while training")
            return x

    def breaking(input_shape: tuple[int, ...], classes: int) -> Any:
        return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), Breaking(), keras.layers.Dense(10)])

    monkeypatch.setattr(mlp, "sequential", breaking)
    records = {record.outcome.variant: record.outcome for record in train("mlp", seeds=1)}
    assert records["sequential"].status == "failed"
    assert records["sequential"].reason == f"It cannot be trained: RuntimeError: not while training ({HERE}, in call)"
    assert records["subclass"].status == "ok"


def test_every_bad_variant_is_its_own_failure_with_its_authors_reason(train: Train, bad_architecture: str) -> None:
    records = train(bad_architecture, seeds=2)
    outcomes = {(record.outcome.variant, record.outcome.seed): record.outcome for record in records}
    assert {variant for variant, _ in outcomes} == {*bad_variants.GOOD, *bad_variants.REASONS}
    for variant in bad_variants.GOOD:
        assert [outcomes[variant, seed].status for seed in (1, 2)] == ["ok", "ok"]
    assert outcomes["sequential", 1].final_weights_sha256 == outcomes["functional", 1].final_weights_sha256
    assert outcomes["sets_precision", 1].final_weights_sha256 != outcomes["functional", 1].final_weights_sha256
    for variant, words in bad_variants.REASONS.items():
        for seed in (2,) if variant == "grows" else (1, 2):
            assert outcomes[variant, seed].status == "failed"
            assert words in outcomes[variant, seed].reason


def test_a_suspect_that_finds_nothing_to_change_is_a_failed_run_that_says_so(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinbench.architectures import mlp, plain_cnn

    monkeypatch.setattr(plain_cnn, "functional", mlp.functional)
    suspects = ("nothing", "normalization_stuck", "padding_valid")
    records = train("plain_cnn/functional", suspects=suspects, epochs=1)
    outcomes = {record.outcome.variant: record.outcome for record in records}
    assert outcomes["nothing"].final_weights_sha256 == outcomes["functional"].final_weights_sha256 is not None
    assert "the reference calls 0 layers of the kind BatchNormalization" in outcomes["normalization_stuck"].reason
    assert "the reference calls 0 layers of the kind Conv2D" in outcomes["padding_valid"].reason


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_told_in_a_sentence_and_costs_no_finished_run(small_disk: Path, tiny_npz: Path) -> None:
    configuration = configure("mlp/functional", seeds=2)
    first, second = make_plan(configuration).runs
    store = RunStore(small_disk / "store")
    (record,) = train_runs([first], configuration, tiny_npz, store)
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(b"x" * 4096)
            file.flush()
    with pytest.raises(DataError, match=r"The disk is full: .* cannot be written; free some space"):
        train_runs([second], configuration, tiny_npz, store)
    assert not list(store.folder.rglob("*.partial"))
    assert store.find(record.key) == record
    filler.unlink()
    assert train_runs([first, second], configuration, tiny_npz, store)[1].outcome.status == "ok"


def test_a_disk_that_fills_up_during_a_run_costs_the_epoch_in_progress(
    small_disk: Path, tiny_npz: Path, tmp_path: Path
) -> None:
    from twinbench.training.feed import DatasetTensors
    from twinbench.training.variant import VariantTrainer

    settings = configure(optimizer="sgd", epochs=4).training
    trainer = VariantTrainer(find_variant("mlp", "functional"), DatasetTensors(load(tiny_npz)), settings, "cpu")
    expected = trainer.train(1, tmp_path / "none", lambda epoch, loss: None)
    checkpoint, filler = small_disk / "checkpoint", small_disk / "filler"

    def fill_after_two(epoch: int, loss: float) -> None:
        if epoch == 2:
            filler.write_bytes(bytes(230_000))

    with pytest.raises(DataError, match="The disk is full"):
        trainer.train(1, checkpoint, fill_after_two)
    assert sorted(path.name for path in small_disk.iterdir()) == ["checkpoint", "filler"]
    filler.unlink()
    epochs = []
    resumed = trainer.train(1, checkpoint, lambda epoch, loss: epochs.append(epoch))
    assert epochs == [3, 4]
    assert resumed.outcome == expected.outcome


def test_a_folder_that_is_a_file_is_told_in_a_sentence(tiny_npz: Path, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    configuration = configure()
    with pytest.raises(DataError, match="cannot be written"):
        train_runs(make_plan(configuration).runs, configuration, tiny_npz, RunStore(tmp_path / "store"))


def test_constant_images_fail_no_reconstruction_with_an_exception(train: Train, tmp_path: Path) -> None:
    x = np.full((40, 8, 8, 1), 7, np.uint8)
    y = np.arange(40) % 4
    np.savez(tmp_path / "flat.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    npz = tmp_path / "prepared" / "flat.npz"
    prepare(Dataset(source=str(tmp_path / "flat.npz"), name="digits"), npz, npz.with_suffix(".json"))
    (record,) = train("shared_autoencoder/functional", npz=npz, epochs=1)
    assert record.outcome.status == "failed"
    assert "All images are the same" in record.outcome.reason
