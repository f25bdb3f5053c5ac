"""`kill -9` at any moment costs the epoch in progress, and changes nothing in the end."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from twinbench.planning.plan import make_plan
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs

from .conftest import configure
from .test_exactness import results

KILLS = 6
ROOT = Path(__file__).resolve().parents[2]


def test_a_job_killed_at_random_moments_resumes_to_the_records_of_an_undisturbed_one(
    tiny_npz: Path, tmp_path: Path
) -> None:
    configuration = configure("mlp/functional", "plain_cnn/functional", "residual_cnn/functional", epochs=60)
    runs = make_plan(configuration).runs
    store = RunStore(tmp_path / "killed")
    content = repr(configuration.model_dump(mode="json"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "CUDA_VISIBLE_DEVICES": ""}
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("killed.py")), str(tiny_npz), str(store.folder), content],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    moments = random.Random(20260101)  # noqa: S311 # when to kill is no secret
    killed = 0
    status = None
    for attempt in range(40):
        process.stdin.write("train\n")
        process.stdin.flush()
        child = int(process.stdout.readline())
        if attempt < KILLS:
            threading.Thread(
                target=_kill_soon, args=(child, store.folder, moments.uniform(0, 0.6)), daemon=True
            ).start()
        status = int(process.stdout.readline())
        killed += status == -signal.SIGKILL
        if status == 0:
            break
    process.stdin.close()
    process.wait(30)
    assert status == 0
    assert killed >= 3
    assert not list(store.folder.glob("checkpoints/*.npz"))
    assert not list(store.folder.glob("claims/*"))
    undisturbed = train_runs(runs, configuration, tiny_npz, RunStore(tmp_path / "undisturbed"))
    assert results(train_runs(runs, configuration, tiny_npz, store)) == results(undisturbed)


def _kill_soon(child: int, folder: Path, seconds: float) -> None:
    """Kill a child some time after it has written its next file, in whatever it then does."""
    before = _files(folder)
    deadline = time.monotonic() + 60
    while _files(folder) <= before and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


def _files(folder: Path) -> set[tuple[str, int]]:
    found = set()
    for path in folder.glob("[cr]*/**/*.[nj]*"):
        try:
            found.add((path.name, path.stat().st_mtime_ns))
        except FileNotFoundError:
            continue
    return found
