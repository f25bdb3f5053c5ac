"""Anything at all for a plan, a record, a store: a right answer or a sentence, never a traceback."""

import io
import json
import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.faults.made import made_record

from twinbench.analysis.records import read_records
from twinbench.config import parse_configuration
from twinbench.errors import RecordError, TwinbenchError
from twinbench.planning.plan import make_plan
from twinbench.store.record import Epoch, Record
from twinbench.store.runs import Damage, RunStore
from twinbench.store.sealed import write_sealed
from twinbench.training.checkpoint import load_checkpoint
from twinbench.training.output import SCHEMA, write_records

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
patterns = st.sampled_from(
    ["*", "mlp", "*_cnn", "mlp/*", "*/subclass", "plain_cnn/sequential", "shared_*", "nothing", "x"]
)
likely = st.fixed_dictionaries(
    {},
    optional={
        "output": st.sampled_from(["results", "a folder", "ü"]) | anything,
        "datasets": st.lists(st.sampled_from(["digits", "mnist", "a.npz", "b.npz", "nosuch"]) | anything, max_size=3),
        "architectures": st.lists(patterns, max_size=3) | anything,
        "suspects": st.lists(st.sampled_from(["*", "nothing", "*loss*", "no_such"]), max_size=2) | anything,
        "seeds": st.integers(-1, 6) | st.lists(st.integers(-1, 9), max_size=4) | anything,
        "training": st.fixed_dictionaries(
            {},
            optional={
                "job_size": st.sampled_from(["architecture", "variant", 1, 2, 7, 0]) | anything,
                "epochs": anything,
            },
        ),
    },
)

likely_header = st.fixed_dictionaries(
    {
        "history": st.lists(st.fixed_dictionaries({"epoch": st.integers(0, 3) | anything}), max_size=2) | st.just([]),
        "initial_weights_sha256": st.text(max_size=4) | anything,
        "seconds": st.floats() | anything,
        "train_seconds": st.floats() | anything,
    }
)


@FUZZ
@given(content=likely | anything)
def test_a_configuration_gives_a_plan_with_every_run_once_or_a_sentence(content: Any) -> None:
    try:
        configuration = parse_configuration(content)
        plan = make_plan(configuration)
    except TwinbenchError:
        return
    assert len(set(plan.runs)) == len(plan.runs) > 0
    names = [(job.dataset, job.name) for job in plan.jobs]
    assert len(set(names)) == len(names)
    for job in plan.jobs:
        assert plan.job(job.dataset, job.name) is job
        assert {run.dataset for run in job.runs} == {job.dataset}


@FUZZ
@given(content=anything | st.fixed_dictionaries({"format": st.sampled_from([0, 1, 2]) | anything}))
def test_any_json_is_a_record_or_is_refused_with_a_sentence(content: Any) -> None:
    with pytest.raises(RecordError, match="record"):
        Record.from_json(json.dumps(content))


@FUZZ
@given(data=st.data())
def test_a_record_with_anything_in_the_place_of_a_value_is_refused_or_read(tmp_path: Path, data: st.DataObject) -> None:
    content = json.loads(made_record().to_json())
    section = data.draw(st.sampled_from([content, content["outcome"], content["cost"], content["history"][0]]))
    name = data.draw(st.sampled_from(sorted(section)))
    if data.draw(st.booleans()):
        section[name] = data.draw(anything)
    else:
        del section[name]
    try:
        read = Record.from_json(json.dumps(content))
    except RecordError:
        return
    # What is read can be used: it is what the types say, so that it goes into a table and comes back the same.
    assert json.loads(read.to_json()).keys() == content.keys()
    assert Record.from_json(read.to_json()).to_json() == read.to_json()
    write_records(tmp_path / "one.parquet", [read])
    assert pq.read_table(tmp_path / "one.parquet").schema == SCHEMA


@FUZZ
@given(header=likely_header | anything, payload=st.binary(max_size=40), whole=st.booleans())
def test_anything_sealed_in_the_place_of_a_checkpoint_is_one_or_is_none(
    tmp_path: Path, header: Any, payload: bytes, whole: bool
) -> None:
    path, state = tmp_path / "checkpoint.npz", [np.zeros(2, "float32")]
    if whole:
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, header=np.array(json.dumps(header)), variable_0=state[0])
        payload = buffer.getvalue()[: None if len(payload) % 2 else 40 * len(payload)]
    write_sealed(path, payload, durable=False)
    found = load_checkpoint(path, state)
    if found is not None:
        assert isinstance(found.seconds + found.train_seconds, float)
        assert all(isinstance(epoch, Epoch) for epoch in found.history)


@pytest.mark.parametrize("name", SCHEMA.names)
def test_a_jobs_records_without_a_column_or_with_another_type_are_refused(name: str, tmp_path: Path) -> None:
    plan = make_plan(parse_configuration({"architectures": ["mlp/functional"], "suspects": [], "seeds": 1}))
    path = tmp_path / "job.parquet"
    write_records(path, [made_record()])
    assert len(read_records([path], plan)) == 1
    table = pq.read_table(path)
    pq.write_table(table.drop_columns([name]), path)
    with pytest.raises(RecordError, match=rf"{path} was written by another version of twinbench: delete the folder"):
        read_records([path], plan)
    position = table.schema.get_field_index(name)
    pq.write_table(table.set_column(position, name, pa.array([b"other"])), path)
    with pytest.raises(RecordError, match="was written by another version"):
        read_records([path], plan)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1 and then nothing PAR1", b"a,b\n1,2\n"])
def test_another_file_in_the_place_of_a_jobs_records_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "job.parquet").write_bytes(content)
    with pytest.raises(RecordError, match=r"job.parquet cannot be read .*: delete it and run snakemake again"):
        read_records([tmp_path / "job.parquet"], make_plan(parse_configuration({})))


def test_a_run_that_stands_in_the_files_twice_is_one_run(tmp_path: Path) -> None:
    plan = make_plan(parse_configuration({"architectures": ["mlp/functional"], "suspects": [], "seeds": 1}))
    write_records(tmp_path / "job.parquet", [made_record(), made_record()])
    write_records(tmp_path / "other.parquet", [made_record()])
    assert len(read_records([tmp_path / "job.parquet", tmp_path / "other.parquet"], plan)) == 1


@FUZZ
@given(position=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.booleans())
def test_damage_anywhere_in_a_records_file_is_noticed(tmp_path: Path, position: int, byte: int, cut: bool) -> None:
    store = RunStore(tmp_path)
    store.add(made_record())
    path = store.record_path("ab" * 32)
    whole = path.read_bytes()
    position %= len(whole)
    damaged = whole[:position] if cut else whole[:position] + bytes([byte]) + whole[position + 1 :]
    path.write_bytes(damaged)
    if damaged == whole:
        assert store.find("ab" * 32) == made_record()
    else:
        assert store.find("ab" * 32) is None
        (damage,) = store.verify()
        assert isinstance(damage, Damage)
        assert str(path) in damage.reason


def test_a_record_of_another_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    old = made_record().to_json().replace('"format": 2', '"format": 1')
    with pytest.raises(RecordError, match=r"has format 1 and this version of twinbench reads format 2: read it with"):
        Record.from_json(old)


def test_a_record_in_the_place_of_another_is_noticed(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.add(made_record("cd" * 32))
    store.record_path("ab" * 32).parent.mkdir(parents=True)
    store.record_path("cd" * 32).rename(store.record_path("ab" * 32))
    assert store.find("ab" * 32) is None


def _write(folder: str, number: int) -> None:
    store = RunStore(Path(folder))
    for turn in range(20):
        store.add(made_record(f"{turn:064x}", seed=turn))
        store.add(made_record(f"{1000 * (number + 1) + turn:064x}", seed=number))


def test_sixteen_writers_at_once_lose_and_spoil_no_record(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(str(tmp_path), number)) for number in range(16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    found = list(RunStore(tmp_path).verify())
    assert len(found) == 20 + 16 * 20
    assert all(isinstance(entry, Record) for entry in found)
    assert [path for path in tmp_path.rglob("*") if path.suffix == ".partial"] == []
