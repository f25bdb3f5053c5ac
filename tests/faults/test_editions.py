"""A dataset that was replaced after some of the runs were made."""

import dataclasses
from pathlib import Path

import pytest
from tests.faults.made import made_record

from twinbench.analysis.records import read_records
from twinbench.config import parse_configuration
from twinbench.errors import RecordError
from twinbench.planning.plan import make_plan
from twinbench.training.output import write_records

PLAN = make_plan(parse_configuration({"architectures": ["mlp/functional"], "suspects": [], "seeds": 2}))


def test_runs_on_two_editions_of_a_dataset_are_not_mixed(tmp_path: Path) -> None:
    old, new = made_record("ab" * 32, seed=1), made_record("cd" * 32, seed=2)
    write_records(tmp_path / "same.parquet", [old, new])
    assert len(read_records([tmp_path / "same.parquet"], PLAN)) == 2
    new = dataclasses.replace(new, outcome=dataclasses.replace(new.outcome, dataset_sha256="1" * 64))
    write_records(tmp_path / "mixed.parquet", [old, new])
    with pytest.raises(
        RecordError, match="trained on 2 different editions of it, and cannot be compared: run snakemake"
    ):
        read_records([tmp_path / "mixed.parquet"], PLAN)


def test_a_run_that_is_missing_is_named(tmp_path: Path) -> None:
    write_records(tmp_path / "one.parquet", [made_record(seed=1)])
    with pytest.raises(RecordError, match=r"1 of 2 planned runs have no record, .* mlp/functional seed 2"):
        read_records([tmp_path / "one.parquet"], PLAN)
