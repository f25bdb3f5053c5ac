"""Records and checkpoints are whole and right, or noticed; many processes share a store without harm."""

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbench.errors import RecordError
from twinbench.store.record import Cost, Epoch, Outcome, Record
from twinbench.store.runs import Damage, RunStore
from twinbench.store.sealed import read_sealed, write_sealed

OUTCOME = Outcome(
    dataset="digits", architecture="mlp", variant="functional", kind="reference", seed=1, status="ok", reason="",
    task="classify", score_name="accuracy", optimizer="adam", learning_rate=0.1 + 0.2, batch_size=32, epochs=1,
    loss="crossentropy on logits", precision="float32", determinism="strict", threads=1, init="own", vary="init order",
    train_examples=180, validation_examples=20, test_examples=360, dataset_sha256="0" * 64, test_score=97.5,
)  # fmt: skip


def record(number: int = 0) -> Record:
    return Record(
        key=f"{number:064x}",
        identity={"seed": number},
        outcome=replace(OUTCOME, seed=number),
        history=(Epoch(1, 1 / 3, 2 / 3, 91.0),),
        cost=Cost("cpu", 1.5, 1.25, 1000.0, 800.0),
        manifest={"python": "3.11"},
        predictions=None,
    )


@given(value=st.floats(allow_nan=False))
@settings(max_examples=50, deadline=None)
def test_a_record_keeps_every_bit_of_its_numbers(value: float) -> None:
    written = replace(record(), outcome=replace(OUTCOME, test_loss=value))
    assert Record.from_json(written.to_json()) == written


def test_a_kept_record_is_found_and_its_checkpoint_forgotten(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "new" / "store")
    assert store.find(record().key) is None
    checkpoint = store.checkpoint_path(record().key)
    write_sealed(checkpoint, b"epoch 3")
    store.add(record())
    assert store.find(record().key) == record()
    assert not checkpoint.exists()
    assert list(store.keys()) == [record().key]


@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_single_flipped_bit_is_noticed_wherever_it_is(
    position: float, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("sealed") / "file"
    write_sealed(path, b"the weights of an epoch", durable=False)
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(RecordError, match="damaged"):
        read_sealed(path)


@given(kept=st.floats(0, 1, exclude_max=True))
@settings(max_examples=30, deadline=None)
def test_a_truncated_file_is_noticed_wherever_it_ends(kept: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("sealed") / "file"
    write_sealed(path, b"the weights of an epoch", durable=False)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(RecordError, match="damaged"):
        read_sealed(path)


@pytest.mark.parametrize("damage", ["truncated", "another format", "another run", "not a record"])
def test_a_record_that_cannot_be_used_is_named_and_counts_as_none(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = RunStore(tmp_path)
    store.add(record(1))
    path = store.record_path(record(1).key)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "another format":
        write_sealed(path, json.dumps({**json.loads(record(1).to_json()), "format": 99}).encode())
    elif damage == "another run":
        write_sealed(path, record(2).to_json().encode())
    else:
        write_sealed(path, b"[1, 2]")
    assert store.find(record(1).key) is None
    assert str(path) in caplog.text
    assert "trained again" in caplog.text
    (found,) = store.verify()
    assert isinstance(found, Damage)
    assert str(path) in found.reason
    store.add(record(1))
    assert list(store.verify()) == [record(1)]


def _write(folder: str, writer: int) -> None:
    store = RunStore(Path(folder))
    for number in range(40):
        store.add(record(number if number % 2 else 1000 * writer + number))
        found = store.find(record(number - number % 2 + 1).key)
        assert found is None or found == record(number - number % 2 + 1)


def test_sixteen_processes_write_one_store_and_every_record_is_whole(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(str(tmp_path), writer)) for writer in range(1, 17)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 16
    found = list(RunStore(tmp_path).verify())
    assert len(found) == 20 + 16 * 20
    assert all(isinstance(entry, Record) for entry in found)
    assert not list(tmp_path.rglob("*.partial"))
