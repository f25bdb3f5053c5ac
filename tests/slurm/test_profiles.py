"""The same workflow on a real Slurm: the same results, and nothing lost when something goes wrong."""

import os
import signal
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from tests.slurm.conftest import Checkout, Slurm, until

from twinbench.training.record import Record
from twinbench.training.store import RunStore

pytestmark = pytest.mark.slurm

PROFILES = {
    "generic": ("--profile", "workflow/profiles/generic", "--seconds-between-status-checks", "2"),
    "slurm": ("--profile", "workflow/profiles/slurm", "--slurm-init-seconds-before-status-checks", "3"),
}
# One job of three runs, long enough to be disturbed.
DISTURBED = {
    "output": "results",
    "datasets": ["digits"],
    "architectures": ["mlp/functional"],
    "suspects": [],
    "seeds": 3,
    "training": {"checkpoint_seconds": 0},
}
RECORDS = "results/runs/digits/mlp.parquet"
STORE = "results/store"


@pytest.mark.parametrize("profile", list(PROFILES))
def test_a_cluster_gives_the_local_runs_hash_for_hash(
    profile: str, slurm: Slurm, checkout: Checkout, smoke: Path
) -> None:
    checkout.snakemake("tables", *PROFILES[profile], "--configfile", "config/smoke.yaml")
    tables = checkout.folder / "results/smoke/tables"
    for name in ("runs", "history", "summary", "comparisons", "ladder"):
        assert (tables / f"{name}.csv").read_bytes() == (smoke / f"results/smoke/tables/{name}.csv").read_bytes()
    slurm.settle()


class Watch(threading.Thread):
    """Sees every record that is ever written, also one that another takes the place of."""

    def __init__(self, store: Path) -> None:
        super().__init__(daemon=True)
        self._store = store
        self._over = threading.Event()
        self.written: set[tuple[str, int, int]] = set()

    def run(self) -> None:
        while not self._over.wait(0.1):
            self.look()

    def look(self) -> None:
        for path in self._store.glob("records/??/*.json"):
            status = path.stat()
            self.written.add((path.name, status.st_ino, status.st_mtime_ns))

    def end(self) -> None:
        self._over.set()
        self.join()
        self.look()


class Disturbed:
    """A Snakemake that trains on the cluster and is about to be disturbed."""

    def __init__(self, checkout: Checkout, *, epochs: int) -> None:
        self.checkout = checkout
        (checkout.folder / "disturbed.yaml").write_text(yaml.safe_dump(DISTURBED))
        configuration = ("--configfile", "disturbed.yaml", "--config", f'training={{"epochs":{epochs}}}')
        self.arguments = (RECORDS, *PROFILES["generic"], *configuration)
        self.watch = Watch(checkout.folder / STORE)
        self.watch.start()
        self.snakemake = checkout.start(*self.arguments)
        until(self._trains, 200)

    def said(self) -> str:
        """What Snakemake printed so far."""
        return (self.checkout.folder / "snakemake.log").read_text()

    def log(self) -> str:
        """The job's log; Snakemake clears it when the job is sent again."""
        path = self.checkout.folder / "results/logs/train/digits/mlp.log"
        return path.read_text() if path.is_file() else ""

    def ends_well(self) -> None:
        """Snakemake ends, with every run trained and recorded once, and nothing left over."""
        assert self.snakemake.wait(300) == 0, self.said()
        self.is_complete()

    def is_complete(self) -> None:
        """Every run was trained and recorded once, and nothing is left over."""
        self.watch.end()
        store = self.checkout.folder / STORE
        found = list(RunStore(store).verify())
        assert all(isinstance(entry, Record) for entry in found), found
        assert len(found) == len(self.watch.written) == 3
        assert len(pq.read_table(self.checkout.folder / RECORDS)) == 3
        assert list((store / "claims").iterdir()) == []
        assert list((store / "checkpoints").glob("*.npz")) == []

    def _trains(self) -> bool:
        assert self.snakemake.poll() is None, self.said()
        return "epoch 20 of" in self.log()


def test_a_cancelled_job_comes_again_and_goes_on_from_its_checkpoint(slurm: Slurm, checkout: Checkout) -> None:
    disturbed = Disturbed(checkout, epochs=200)
    slurm.cancel(*slurm.jobs())
    disturbed.ends_well()
    assert "Trying to restart job" in disturbed.said()
    assert "Took over a run from a process that is gone" in disturbed.log()
    assert "Resumed after epoch" in disturbed.log()
    slurm.settle()


def test_the_job_of_a_node_that_does_not_answer_waits_for_the_one_that_still_trains(
    slurm: Slurm, checkout: Checkout
) -> None:
    disturbed = Disturbed(checkout, epochs=700)
    (node,) = slurm.jobs().values()
    slurm.kill_node(node)
    until(lambda: "Trying to restart job" in disturbed.said(), 90)
    until(lambda: "is being trained by process" in disturbed.log(), 90)
    slurm.start_node(node)
    disturbed.ends_well()
    slurm.settle()


def test_a_snakemake_that_is_killed_and_started_again_trains_nothing_twice(slurm: Slurm, checkout: Checkout) -> None:
    disturbed = Disturbed(checkout, epochs=300)
    os.killpg(disturbed.snakemake.pid, signal.SIGKILL)
    disturbed.snakemake.wait(30)
    assert len(slurm.jobs()) == 1
    checkout.snakemake("--unlock", "--configfile", "disturbed.yaml")
    checkout.snakemake(*disturbed.arguments)
    disturbed.is_complete()
    slurm.settle()
