"""A real Slurm of seven virtual nodes on this machine, and the workflow as a user has it, in folders of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
_SCRIPTS = Path(__file__).resolve().parent / "cluster"
_PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged", "slurmdbd", "mariadbd", "setpriv")
# The process that all processes of a `pytest -n` have in common.
_SESSION = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
# Not below pytest's folder: munge and MariaDB refuse folders that only root may enter.
_CLUSTER = Path("/var/tmp") / f"twinbench-slurm-{_SESSION}"  # noqa: S108 # the folder is new, its name the session's


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of one profile after those of the other, so that the longest two begin in different processes."""
    items.sort(key=lambda item: str(getattr(item, "callspec", None) and item.callspec.params.get("profile", "")))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Bring the cluster down, once all processes are done with it."""
    if os.getpid() == _SESSION:
        subprocess.run([_SCRIPTS / "down.sh", _CLUSTER], timeout=120, check=False)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bring the cluster up; where it cannot be had the test is skipped, and fails in CI."""
    shared = tmp_path_factory.getbasetemp()
    if os.getpid() != _SESSION:
        shared = shared.parent
    with FileLock(shared / "cluster.lock"):
        if not (_CLUSTER / "ready").exists():
            _bring_up(shared / "cluster.log")


def _bring_up(log: Path) -> None:
    lacking = [program for program in _PROGRAMS if not shutil.which(program)]
    if lacking or os.geteuid() != 0 or Path("/etc/slurm/slurm.conf").exists():
        message = (
            "a test cluster needs root, no other /etc/slurm/slurm.conf, and the Debian packages slurmctld, slurmd, "
            f"slurm-client, munge, slurmdbd and mariadb-server (not found: {', '.join(lacking) or 'nothing'})"
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    _CLUSTER.mkdir(mode=0o755)
    # Brings the cluster down when the session is gone, however it ended.
    guard = f"tail --pid={_SESSION} -f /dev/null; exec '{_SCRIPTS}/down.sh' '{_CLUSTER}'"
    with log.open("w") as output:
        subprocess.Popen(["sh", "-c", guard], start_new_session=True, stdout=output, stderr=subprocess.STDOUT)
        up = subprocess.run(
            [_SCRIPTS / "up.sh", _CLUSTER], stdout=output, stderr=subprocess.STDOUT, timeout=120, check=False
        )
    if up.returncode:
        subprocess.run([_SCRIPTS / "down.sh", _CLUSTER], timeout=120, check=False)
        pytest.fail(log.read_text())


def until(happened: Callable[[], object], seconds: float = 300, *, every: float = 0.3) -> None:
    """Wait for something to happen. The limit is generous: it only ends a test that has failed."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"did not happen in {seconds} s"
        time.sleep(every)


@dataclass(frozen=True)
class Slurm:
    """The cluster, as one test uses it."""

    killed: list[str] = field(default_factory=list)

    def jobs(self, folder: Path, states: str = "all") -> dict[str, str]:
        """The node of each job that was submitted from a folder, by the job's id."""
        listed = _output("squeue", "--noheader", f"--states={states}", "--format=%i|%N|%Z").splitlines()
        rows = [line.strip().split("|") for line in listed]
        return {job: node for job, node, submitted in rows if submitted == str(folder)}

    def job(self, job: str) -> dict[str, str]:
        """What the controller knows of a job: JobState, TimeLimit, ..."""
        fields = _output("scontrol", "--oneliner", "show", "job", job).split()
        return dict(field.split("=", 1) for field in fields if "=" in field)

    def cancel(self, *jobs: str) -> None:
        """Cancel jobs."""
        _output("scancel", *jobs)

    def end_at_once(self, job: str) -> None:
        """Let a job be at the end of its time now. Slurm looks twice a minute for jobs that are over theirs."""
        _output("scontrol", "update", f"JobId={job}", "EndTime=now+1")

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon; what it started runs on, as it does on a machine that lost its network."""
        os.kill(int((_CLUSTER / "run" / f"slurmd.{node}.pid").read_text()), signal.SIGKILL)
        self.killed.append(node)

    def start_node(self, node: str) -> None:
        """Start a node's daemon."""
        _output("slurmd", "-N", node)
        self.killed.remove(node)
        until(lambda: "down" not in _output("sinfo", "--noheader", f"--nodes={node}", "--format=%T"))

    def restore(self) -> None:
        """Start the nodes that were not brought back."""
        for node in list(self.killed):
            self.start_node(node)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def slurm(cluster: None) -> Iterator[Slurm]:
    """The cluster, with all its nodes before and after the test."""
    slurm = Slurm()
    yield slurm
    slurm.restore()


@dataclass(frozen=True)
class Checkout:
    """A copy of the workflow, in which Snakemake is run as a user runs it."""

    folder: Path
    started: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def use_partition(self, name: str) -> None:
        """Name the partition in both profiles, as docs/clusters.md says."""
        for file, line in (
            ("generic/submit.sh", "export SBATCH_PARTITION={}"),
            ("slurm/config.yaml", 'slurm_partition: "{}"'),
        ):
            path = self.folder / "workflow/profiles" / file
            before = path.read_text()
            after = before.replace("# " + line.format("main"), line.format(name))
            assert after != before
            path.write_text(after)

    def snakemake(self, *arguments: str) -> str:
        """Run Snakemake to its end, which must be a good one, and return what it printed."""
        begin = len(self.said())
        process = self.start(*arguments)
        assert process.wait(500) == 0, self.said()[begin:]
        return self.said()[begin:]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start Snakemake in a process group of its own; what it prints is for `said`."""
        # By these, whatever a job leaves is found in the end.
        marks = {"TWINBENCH_TEST_CLUSTER": str(_CLUSTER), "TWINBENCH_TEST_CHECKOUT": str(self.folder)}
        with (self.folder / "snakemake.log").open("a") as output:
            process = subprocess.Popen(
                # It ends with the process that runs the test, however that ends.
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "snakemake", *arguments],
                cwd=self.folder,
                env={**os.environ, "TERM": "dumb", "TF_CPP_MIN_LOG_LEVEL": "2", **marks},
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def said(self) -> str:
        """All that Snakemake printed."""
        log = self.folder / "snakemake.log"
        return log.read_text() if log.exists() else ""


@pytest.fixture
def checkout(slurm: Slurm, tmp_path: Path) -> Iterator[Checkout]:
    """A fresh copy of the workflow; nothing that was started in it outlives the test."""
    for name in ("workflow", "scripts", "src", "config"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", tmp_path)
    (tmp_path / "profiles").symlink_to("workflow/profiles")
    checkout = Checkout(tmp_path)
    yield checkout
    for process in checkout.started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    slurm.restore()
    if left := slurm.jobs(tmp_path, "PENDING,RUNNING,COMPLETING"):
        slurm.cancel(*left)
        until(lambda: not slurm.jobs(tmp_path, "PENDING,RUNNING,COMPLETING"))
    subprocess.run([_SCRIPTS / "sweep.sh", f"TWINBENCH_TEST_CHECKOUT={tmp_path}"], timeout=60, check=True)
