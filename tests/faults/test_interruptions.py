"""A Snakemake that is stopped in every way there is, again and again, in one folder: nothing finished is lost."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from twinbench.store.record import Record
from twinbench.store.runs import RunStore

ROOT = Path(__file__).resolve().parents[2]
RECORDS = "results/runs/digits/mlp.parquet"
CONFIGURATION = {
    "datasets": ["digits"],
    "architectures": ["mlp/functional"],
    "suspects": [],
    "seeds": 4,
    "training": {"epochs": 1000, "checkpoint_seconds": 0},
}
# No home, the C locale, and a hash seed of its own: none of it may matter.
BARE = {
    "PATH": os.environ["PATH"],
    "TERM": "dumb",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "7",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), *arguments]


RUN = command(RECORDS, "--cores", "1", "--configfile", "long.yaml")


def start(folder: Path) -> "subprocess.Popen[bytes]":
    """Start Snakemake and come back in the middle of a run, with a checkpoint on the disk."""
    with (folder / "said").open("wb") as said:
        snakemake = subprocess.Popen(
            RUN, cwd=folder, stdout=said, stderr=subprocess.STDOUT, env=BARE, start_new_session=True
        )
    log = folder / "results/logs/train/digits/mlp.log"
    log.unlink(missing_ok=True)
    deadline = time.monotonic() + 200
    while not _in_the_middle(log):
        assert snakemake.poll() is None, said_in(folder)
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return snakemake


def _in_the_middle(log: Path) -> bool:
    """Whether the process that trains is past the checkpoint of a run's third epoch and far from the run's end.

    It is held while that is looked at, and only then.
    """
    text = log.read_text() if log.is_file() else ""
    process = re.search(r"begins on .*, process (\d+)", text)
    if not process or not re.search(r" epoch \d+ of ", text):
        return False
    os.kill(int(process[1]), signal.SIGSTOP)
    try:
        lines = [int(epoch) for epoch in re.findall(r" epoch (\d+) of ", log.read_text())]
        return 3 < lines[-1] < 150 and lines[-4:] == list(range(lines[-1] - 3, lines[-1] + 1))
    finally:
        os.kill(int(process[1]), signal.SIGCONT)


def said_in(folder: Path) -> str:
    return (folder / "said").read_text(errors="replace")


def test_ctrl_c_once_and_twice_and_a_kill_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "Übung mit Leerzeichen"
    folder.mkdir()
    (folder / "long.yaml").write_text(yaml.safe_dump(CONFIGURATION))

    once = start(folder)
    os.killpg(once.pid, signal.SIGINT)
    assert once.wait(60) != 0, said_in(folder)
    assert "twinbench: train was stopped; what is finished is kept" in said_in(folder)
    assert "Traceback" not in said_in(folder)

    twice = start(folder)
    # While it trains, a second Snakemake in the same folder is refused, and a new configuration is not read.
    second = subprocess.run(RUN, cwd=folder, env=BARE, capture_output=True, timeout=100, check=False)
    assert second.returncode != 0
    assert b"Directory cannot be locked" in second.stdout + second.stderr
    (folder / "long.yaml").write_text("no: [yaml")
    os.killpg(twice.pid, signal.SIGINT)
    time.sleep(0.3)
    os.killpg(twice.pid, signal.SIGINT)
    assert twice.wait(60) != 0, said_in(folder)
    (folder / "long.yaml").write_text(yaml.safe_dump(CONFIGURATION))

    killed = start(folder)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait(60)
    locked = subprocess.run(RUN, cwd=folder, env=BARE, capture_output=True, timeout=100, check=False)
    assert locked.returncode != 0
    assert b"--unlock" in locked.stdout + locked.stderr
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("results/store/records/*/*.json")}
    checkpoints = list(folder.glob("results/store/checkpoints/*.npz"))
    assert kept or checkpoints

    unlock = command("--unlock", "--cores", "1", "--configfile", "long.yaml")
    subprocess.run(unlock, cwd=folder, env=BARE, capture_output=True, timeout=100, check=True)
    last = subprocess.run(RUN, cwd=folder, env=BARE, capture_output=True, timeout=300, check=False)
    assert last.returncode == 0, last.stdout + last.stderr
    found = list(RunStore(folder / "results/store").verify())
    assert len(found) == 4
    assert all(isinstance(entry, Record) for entry in found)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    log = (folder / "results/logs/train/digits/mlp.log").read_text()
    assert "Resumed after epoch" in log

    # A clock that jumped: a file from tomorrow with the same content trains nothing.
    before = {path: path.stat().st_mtime_ns for path in folder.glob("results/store/records/*/*.json")}
    tomorrow = time.time() + 86_400
    os.utime(folder / "results/data/digits.npz", (tomorrow, tomorrow))
    again = subprocess.run(RUN, cwd=folder, env=BARE, capture_output=True, timeout=100, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_key_of_a_run_does_not_depend_on_pythons_hash_seed(seed: str, digits_npz: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from twinbench.config import parse_configuration\n"
        "from twinbench.data.manifest import read_manifest; from twinbench.planning.plan import make_plan\n"
        "from twinbench.planning.keys import identify\n"
        "c = parse_configuration({}); m = read_manifest(Path(sys.argv[1]))\n"
        "print([identify(run.definition, run.seed, c.training, m, 'cpu').key for run in make_plan(c).runs])"
    )
    arguments = [sys.executable, "-c", code, str(digits_npz.with_suffix(".json"))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONHASHSEED": seed}
    printed = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=100, check=True).stdout
    environment["PYTHONHASHSEED"] = "12345"
    other = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=100, check=True).stdout
    assert printed == other
    assert len(printed) > 1000
