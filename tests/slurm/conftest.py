"""A real Slurm of three virtual nodes on this machine, and the workflow as a user has it, in a folder of its own."""

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

ROOT = Path(__file__).resolve().parents[2]
_SCRIPTS = Path(__file__).resolve().parent / "cluster"
_PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged", "slurmdbd", "mariadbd", "setpriv")
NODES = ("n1", "n2", "n3")
# In the environment of every job: down.sh finds by it what is left.
MARK = "TWINBENCH_TEST_CLUSTER"


@dataclass(frozen=True)
class Slurm:
    """The cluster that runs; `folder` holds its pid files and logs."""

    folder: Path

    def running(self) -> dict[str, str]:
        """The node of each job that runs, by the job's id."""
        listed = _output("squeue", "--noheader", "--states=RUNNING", "--format=%i %N")
        return dict(line.split() for line in listed.splitlines())

    def job(self, job: str) -> dict[str, str]:
        """What the controller knows of a job: JobState, TimeLimit, ..."""
        fields = _output("scontrol", "--oneliner", "show", "job", job).split()
        return dict(field.split("=", 1) for field in fields if "=" in field)

    def cancel(self, job: str) -> None:
        """Cancel a job."""
        _output("scancel", job)

    def end_at_once(self, job: str) -> None:
        """Let a job be at the end of its time now. Slurm looks twice a minute for jobs that are over theirs."""
        _output("scontrol", "update", f"JobId={job}", "EndTime=now+1")

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon; what it started runs on, as it does on a machine that lost its network."""
        os.kill(int(self._pid_file(node).read_text()), signal.SIGKILL)

    def start_node(self, node: str) -> None:
        """Start a node's daemon."""
        _output("slurmd", "-N", node)

    def is_down(self, node: str) -> bool:
        """Whether the controller has given the node up."""
        return "down" in _output("sinfo", "--noheader", f"--nodes={node}", "--format=%T")

    def settle(self) -> None:
        """Bring lost nodes back, cancel what is left, and wait until nothing runs."""
        for node in NODES:
            if not _lives(self._pid_file(node)):
                self.start_node(node)
        subprocess.run(["scancel", "--user=root"], timeout=30, check=False)
        until(lambda: not _output("squeue", "--noheader").strip())
        until(lambda: _output("sinfo", "--noheader", "--Node", "--format=%T").split() == ["idle"] * len(NODES))
        # Without cgroups, Slurm loses sight of a job's processes whose parents are gone.
        subprocess.run([_SCRIPTS / "sweep.sh", self.folder], timeout=30, check=True)

    def _pid_file(self, node: str) -> Path:
        return self.folder / "run" / f"slurmd.{node}.pid"


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def _lives(pid_file: Path) -> bool:
    """Whether a process runs; a zombie, which nothing reaps in some containers, does not."""
    try:
        status = Path(f"/proc/{pid_file.read_text().strip()}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def until(happened: Callable[[], object], seconds: float = 300, *, every: float = 0.3) -> None:
    """Wait for something to happen. The limit is generous: it only ends a test that has failed."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"did not happen in {seconds} s"
        time.sleep(every)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """The running cluster; where it cannot be had the test is skipped, and fails in CI."""
    lacking = [program for program in _PROGRAMS if not shutil.which(program)]
    if lacking or os.geteuid() != 0 or Path("/etc/slurm/slurm.conf").exists():
        message = (
            "a test cluster needs root, no other /etc/slurm/slurm.conf, and the Debian packages slurmctld, slurmd, "
            f"slurm-client, munge, slurmdbd and mariadb-server (not found: {', '.join(lacking) or 'nothing'})"
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    # Not below pytest's folder: munge and MariaDB refuse folders that only root may enter.
    folder = Path("/var/tmp") / f"twinbench-slurm-{os.getpid()}"  # noqa: S108 # the folder is new, its name the test's
    folder.mkdir(mode=0o755)
    log = tmp_path_factory.mktemp("slurm") / "up.log"
    # Brings the cluster down when this process is gone, however it ended.
    guard = f"tail --pid={os.getpid()} -f /dev/null; exec '{_SCRIPTS}/down.sh' '{folder}'"
    guarding = subprocess.Popen(["sh", "-c", guard], start_new_session=True)
    try:
        with log.open("w") as output:
            up = subprocess.run(
                [_SCRIPTS / "up.sh", folder], stdout=output, stderr=subprocess.STDOUT, timeout=120, check=False
            )
        assert up.returncode == 0, log.read_text()
        yield Slurm(folder)
    finally:
        subprocess.run([_SCRIPTS / "down.sh", folder], timeout=120, check=False)
        os.killpg(guarding.pid, signal.SIGKILL)
        guarding.wait()


@pytest.fixture
def slurm(cluster: Slurm) -> Iterator[Slurm]:
    """The cluster with nothing on it, before and after a test."""
    yield cluster
    cluster.settle()


@dataclass(frozen=True)
class Checkout:
    """A copy of the workflow, in which Snakemake is run as a user runs it."""

    folder: Path
    cluster: Path
    started: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def snakemake(self, *arguments: str) -> str:
        """Run Snakemake to its end, which must be a good one, and return what it printed."""
        begin = len(self.said())
        process = self.start(*arguments)
        assert process.wait(500) == 0, self.said()[begin:]
        return self.said()[begin:]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start Snakemake in a process group of its own; what it prints is for `said`."""
        with (self.folder / "snakemake.log").open("a") as output:
            process = subprocess.Popen(
                # It ends with the process that runs the tests, however that ends.
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "snakemake", *arguments],
                cwd=self.folder,
                env={**os.environ, "TERM": "dumb", "TF_CPP_MIN_LOG_LEVEL": "2", MARK: str(self.cluster)},
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
    """A fresh copy of the workflow; no Snakemake is left in it."""
    for name in ("workflow", "scripts", "src", "config"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", tmp_path)
    (tmp_path / "profiles").symlink_to("workflow/profiles")
    checkout = Checkout(tmp_path, slurm.folder)
    yield checkout
    for process in checkout.started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
