import json
import multiprocessing
import subprocess
import sys
import time
from pathlib import Path

import pytest

from twinbench.errors import DataError
from twinbench.training.locks import Locks

KEY = "ab" * 32


def elsewhere(path: Path, counter: int = 0) -> None:
    """A lock of a process on another machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = {"beat": f"{counter:012d}", "host": "node7", "pid": 1, "started": "5", "machine": "another"}
    path.write_text(json.dumps(lock) + "\n")


def test_a_run_is_claimed_by_one_and_free_again_when_the_claim_ends(tmp_path: Path) -> None:
    mine, yours = Locks(tmp_path), Locks(tmp_path)
    lock = mine.take(KEY)
    assert lock is not None
    with lock:
        assert yours.take(KEY) is None
        assert "process" in yours.owner(KEY)
        assert yours.take("cd" * 32) is not None
    assert yours.take(KEY) is not None


def test_a_claim_ends_with_an_exception_too(tmp_path: Path) -> None:
    lock = Locks(tmp_path).take(KEY)
    assert lock is not None
    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    assert Locks(tmp_path).take(KEY) is not None


def test_the_claim_of_a_killed_process_of_this_machine_is_void_at_once(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from twinbench.training.locks import Locks\n"
        f"with Locks(Path(sys.argv[1])).take({KEY!r}): os.kill(os.getpid(), signal.SIGKILL)"
    )
    source = str(Path(__file__).resolve().parents[2] / "src")
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={"PYTHONPATH": source}, check=False)
    assert killed.returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    lock = Locks(tmp_path).take(KEY)
    assert lock is not None
    with lock:
        assert [path.name for path in tmp_path.iterdir()] == [f"{KEY}.2.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_claim_elsewhere_is_void_only_when_its_counter_stands_still(tmp_path: Path) -> None:
    path = tmp_path / f"{KEY}.1.lock"
    locks = Locks(tmp_path, patience_seconds=0.2)
    for counter in range(4):
        elsewhere(path, counter)
        assert locks.take(KEY) is None
        time.sleep(0.1)
    time.sleep(0.2)
    assert locks.take(KEY) is not None


def test_a_half_written_claim_is_respected_for_the_same_time(tmp_path: Path) -> None:
    (tmp_path / f"{KEY}.1.lock").touch()
    locks = Locks(tmp_path, patience_seconds=0.1)
    assert locks.take(KEY) is None
    assert locks.owner(KEY) == "an unknown process"
    time.sleep(0.15)
    assert locks.take(KEY) is not None


def test_an_owner_keeps_its_claim_alive_and_learns_that_it_lost_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lock = Locks(tmp_path, beat_seconds=0.02).take(KEY)
    assert lock is not None
    path = tmp_path / f"{KEY}.1.lock"
    with lock:
        first = path.read_bytes()
        deadline = time.monotonic() + 20
        while path.read_bytes() == first:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert len(path.read_bytes()) == len(first)
        path.unlink()
        while not caplog.records:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert "taken for gone" in caplog.text
    assert not path.exists()


def _race(folder: str, number: int, barrier: "multiprocessing.synchronize.Barrier") -> None:
    locks = Locks(Path(folder), patience_seconds=1.0)
    locks.take(KEY)  # see the void lock's counter
    time.sleep(1.2)
    barrier.wait()
    if locks.take(KEY) is not None:
        Path(folder, f"winner-{number}").touch()
    barrier.wait()


def test_of_sixteen_processes_that_take_a_void_claim_over_at_most_one_has_it(tmp_path: Path) -> None:
    elsewhere(tmp_path / f"{KEY}.1.lock")
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(16)
    processes = [context.Process(target=_race, args=(str(tmp_path), number, barrier)) for number in range(16)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert len(list(tmp_path.glob("winner-*"))) <= 1


def test_a_store_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file")
    with pytest.raises(DataError, match="cannot be written"):
        Locks(tmp_path / "locks").take(KEY)
