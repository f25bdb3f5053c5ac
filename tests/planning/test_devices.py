"""Leases of GPUs, with the cards simulated: no GPU is needed, and none is used."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from twinbench.errors import DataError
from twinbench.planning.devices import lease_card, visible_cards

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
HOLD = """
import sys, time
from pathlib import Path
from twinbench.planning.devices import lease_card
with lease_card(["0", "1"], folder=Path(sys.argv[1]), poll_seconds=0.05) as card:
    print(card, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    folder = tmp_path / "gpus"
    for slot in ("0000:01:00.0", "0000:02:00.0"):
        (folder / slot).mkdir(parents=True)
    return folder


def hold(folder: Path) -> "subprocess.Popen[str]":
    """A job that holds a card until it is killed."""
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    command = [sys.executable, "-c", HOLD, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize(
    ("visible", "cards"),
    [(None, ["0", "1"]), ("", []), ("-1", []), ("1", ["1"]), ("GPU-a, GPU-b", ["GPU-a", "GPU-b"])],
)
def test_the_cards_are_those_that_the_scheduler_left(
    visible: str | None, cards: list[str], driver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert visible_cards(driver) == cards
    assert visible_cards(driver / "no driver") == []


def test_without_a_card_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with lease_card([]) as card:
        assert card is None
        assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_each_job_gets_its_own_card_and_a_killed_job_gives_it_back(tmp_path: Path) -> None:
    jobs = [hold(tmp_path / "leases"), hold(tmp_path / "leases")]
    try:
        outputs = [job.stdout for job in jobs]
        assert {output.readline().strip() for output in outputs if output} == {"0", "1"}
        third = hold(tmp_path / "leases")
        jobs.append(third)
        time.sleep(0.5)
        jobs[0].kill()
        assert third.stdout is not None
        assert third.stdout.readline().strip() in {"0", "1"}
    finally:
        for job in jobs:
            job.kill()
            job.wait()


def test_jobs_share_cards_evenly_when_they_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with (
        lease_card(["0", "1"], jobs_per_card=2, folder=tmp_path) as first,
        lease_card(["0", "1"], jobs_per_card=2, folder=tmp_path) as second,
        lease_card(["0", "1"], jobs_per_card=2, folder=tmp_path) as third,
    ):
        assert [first, second, third] == ["0", "1", "0"]
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"


def test_leases_that_cannot_be_written_are_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "leases").write_text("a file")
    with pytest.raises(DataError, match="cannot be written"), lease_card(["0"], folder=tmp_path / "leases"):
        pass
