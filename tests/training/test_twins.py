"""Under the engine, variants that are the same train to the same bits, however the training is compiled."""

from pathlib import Path

import pytest

from twinbench.architectures import architectures
from twinbench.store.record import Record
from twinbench.training import compilation

from .conftest import Train


def by_variant(records: list[Record]) -> dict[str, Record]:
    assert all(record.outcome.status == "ok" for record in records), [r.outcome.reason for r in records]
    return {record.outcome.variant: record for record in records}


def digests(records: dict[str, Record], *variants: str) -> set[tuple[str | None, str | None]]:
    outcomes = [records[variant].outcome for variant in variants]
    return {(outcome.initial_weights_sha256, outcome.final_weights_sha256) for outcome in outcomes}


@pytest.mark.parametrize("architecture", ["mlp", "plain_cnn", "mnist_mlp", "mnist_cnn", "mnist_convnet"])
def test_the_apis_train_to_the_same_weights_under_one_seed_and_another_order_of_layers_does_not(
    train: Train, architecture: str
) -> None:
    records = by_variant(train(architecture))
    same = digests(records, "functional", "sequential", "sequential_deferred", "subclass")
    assert len(same) == 1
    if "functional_reordered" in records:
        assert not same & digests(records, "functional_reordered")
    histories = {records[v].history for v in ("functional", "sequential", "sequential_deferred", "subclass")}
    assert len(histories) == 1


@pytest.mark.parametrize("architecture", ["mlp", "plain_cnn"])
def test_they_do_so_on_mnist_compiled_as_for_mnist(
    train: Train, mnist_sample_npz: Path, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "_WORTH_COMPILING", 0)
    records = by_variant(train(architecture, npz=mnist_sample_npz, batch_size=128, epochs=2))
    expected = {"mlp": "xla", "plain_cnn": "fused"}[architecture]
    assert {record.identity["compilation"] for record in records.values()} == {expected}
    same = digests(records, "functional", "sequential", "sequential_deferred", "subclass")
    assert len(same) == 1
    assert not same & digests(records, "functional_reordered")


@pytest.mark.parametrize("architecture", list(architectures()))
def test_with_matched_initial_weights_everything_that_computes_the_same_function_trains_alike(
    train: Train, architecture: str
) -> None:
    records = by_variant(train(architecture, init="matched", epochs=2))
    variants = architectures()[architecture].variants
    same = [v.name for v in variants if v.kind != "lookalike" or v.differs == "initial weights"]
    assert len(digests(records, *same)) == 1
    others = [v.name for v in variants if v.name not in same]
    assert all(not digests(records, *same) & digests(records, other) for other in others)


def test_a_published_network_is_trained_by_its_recipe_but_for_what_is_set(train: Train) -> None:
    (record,) = train("mnist_mlp/functional", epochs=1)
    outcome = record.outcome
    assert outcome.status == "ok"
    assert (outcome.optimizer, outcome.learning_rate, outcome.batch_size, outcome.epochs) == ("rmsprop", 0.001, 128, 1)
    assert len(record.history) == 1
    (same,) = train("mnist_mlp/functional", epochs=1, optimizer="rmsprop", learning_rate=0.001, batch_size=128)
    assert same.key == record.key
    (other,) = train("mnist_mlp/functional", epochs=1, batch_size=50)
    assert other.outcome.batch_size == 50
    assert other.outcome.final_weights_sha256 != outcome.final_weights_sha256


def test_the_control_suspect_is_the_reference_bit_for_bit_and_the_other_seed_is_not(train: Train) -> None:
    records = by_variant(train("plain_cnn/functional", suspects=("nothing", "another_seed", "late_regularizer")))
    assert len(digests(records, "functional", "nothing", "late_regularizer")) == 1
    assert not digests(records, "functional") & digests(records, "another_seed")
