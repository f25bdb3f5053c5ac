"""A benchmark on the cluster that is held in the middle of a run, so that something can go wrong just then."""

import os
import re
import signal
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq
import yaml
from tests.slurm.conftest import Checkout, Slurm, until

from twinbench.store.record import Record
from twinbench.store.runs import RunStore

PROFILES = {
    "generic": ("--profile", "workflow/profiles/generic", "--seconds-between-status-checks", "2"),
    "slurm": ("--profile", "workflow/profiles/slurm", "--slurm-init-seconds-before-status-checks", "3"),
}
# What is printed when a job did not end well.
_ENDINGS = {
    "generic": r"Slurm's job \d+ on n\d ended: {state}; see \S+/\.snakemake/cluster/twinbench-train-\d+\.log",
    "slurm": r"SLURM-job '\d+' failed.* SLURM status is: '{state}'",
}
# One job of three short runs, with a checkpoint after every epoch.
_CONFIGURATION = {
    "output": "results",
    "datasets": ["digits"],
    "architectures": ["mlp/functional"],
    "suspects": [],
    "seeds": 3,
    "training": {"epochs": 150, "checkpoint_seconds": 0},
}
_RECORDS = "results/runs/digits/mlp.parquet"
_LOG = "results/logs/train/digits/mlp.log"


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
    """A Snakemake that trains on the cluster, with an eye on what it records."""

    def __init__(
        self, checkout: Checkout, slurm: Slurm, profile: str, *arguments: str, partition: str = "disturbed"
    ) -> None:
        checkout.use_partition(partition)
        self._checkout = checkout
        self._slurm = slurm
        self._profile = profile
        self._store = checkout.folder / "results/store"
        (checkout.folder / "disturbed.yaml").write_text(yaml.safe_dump(_CONFIGURATION))
        # Files show at once here; a job that lost its node need not wait a minute for what it did not write.
        patience = ("--latency-wait", "5")
        self._arguments = (_RECORDS, *PROFILES[profile], *patience, "--configfile", "disturbed.yaml", *arguments)
        self._watch = Watch(self._store)
        self._watch.start()
        self.snakemake = checkout.start(*self._arguments)
        self.process = 0

    def hold(self) -> None:
        """Stop the process that trains in the middle of a run, until `go_on` or until it is killed.

        It trains no further and holds its lock on the run: what is done to it and to what surrounds it meets it in
        the same place, however fast or slow the machine is. Its lock counts as alive for a minute after another
        process has seen it first.
        """
        until(self._trains, every=0.05)
        self.process = int(re.findall(r"begins on \S+, process (\d+)", self.log())[-1])
        until(self._is_held_within_a_run)

    def go_on(self) -> None:
        """Let the stopped process train on."""
        os.kill(self.process, signal.SIGCONT)

    def start_again(self) -> None:
        """Start Snakemake again, as a user does after its end: it refuses, and says what to do."""
        assert self._checkout.start(*self._arguments).wait(120) != 0
        assert re.search(r"Directory cannot be locked.*--unlock", self.said(), re.DOTALL)
        self._checkout.snakemake("--unlock", "--configfile", "disturbed.yaml")
        self.snakemake = self._checkout.start(*self._arguments)

    def said(self) -> str:
        """What Snakemake printed so far."""
        return self._checkout.said()

    def said_why(self, state: str) -> bool:
        """Whether Snakemake said that Slurm had ended a job so, and that it sends it again."""
        sentence = _ENDINGS[self._profile].format(state=state)
        return re.search(sentence + r".*Trying to restart job", self.said(), re.DOTALL) is not None

    def scheduler_log(self) -> str:
        """What the scheduler and the job's Snakemake said."""
        folder = self._checkout.folder / ".snakemake"
        logs = [*folder.glob("cluster/*.log"), *folder.glob("slurm_logs/**/*.log")]
        return "".join(log.read_text() for log in sorted(logs))

    def log(self) -> str:
        """The job's log; Snakemake clears it when the job is sent again."""
        path = self._checkout.folder / _LOG
        return path.read_text() if path.is_file() else ""

    def jobs(self) -> dict[str, str]:
        """The node of each of its jobs that runs, by Slurm's name of the job."""
        return self._slurm.jobs(self._checkout.folder, "RUNNING")

    def ends_well(self) -> None:
        """Snakemake ends, every run was trained and recorded once, and nothing is left over."""
        assert self.snakemake.wait(400) == 0, self.said()
        self._watch.end()
        found = list(RunStore(self._store).verify())
        assert all(isinstance(entry, Record) for entry in found), found
        assert len(found) == len(self._watch.written) == 3
        assert len(pq.read_table(self._checkout.folder / _RECORDS)) == 3
        until(lambda: not list((self._store / "locks").iterdir()))  # the job that lost its node may be about to end
        assert list((self._store / "checkpoints").glob("*.npz")) == []

    def _trains(self) -> bool:
        assert self.snakemake.poll() is None, self.said()
        return "epoch 5 of" in self.log()

    def _is_held_within_a_run(self) -> bool:
        """Stop the process; between two runs, where there is no checkpoint, let it go on for a moment."""
        assert len(list(self._store.glob("records/??/*.json"))) < 3, "the job ended before it could be stopped"
        os.kill(self.process, signal.SIGSTOP)
        time.sleep(0.2)  # a stop takes effect in every thread
        if list((self._store / "locks").iterdir()) and list((self._store / "checkpoints").glob("*.npz")):
            return True
        self.go_on()
        return False
