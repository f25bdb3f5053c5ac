"""A real Slurm of three virtual nodes on this machine, and the workflow as a user has it, in a folder of its own."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_SCRIPTS = Path(__file__).resolve().parent / "cluster"
_PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged", "slurmdbd", "mariadbd", "setpriv")


@dataclass(frozen=True)
class Slurm:
    """The cluster that runs; `folder` holds its pid files and logs."""

    folder: Path

    def jobs(self) -> dict[str, str]:
        """The node of each job that runs, by the job's id."""
        listed = _output("squeue", "--noheader", "--states=RUNNING", "--format=%i %N")
        return dict(line.split() for line in listed.splitlines())

    def cancel(self, *jobs: str) -> None:
        """Cancel jobs."""
        _output("scancel", *jobs)

    def node_state(self, node: str) -> str:
        """`idle`, `mixed`, `down*`, ..."""
        return _output("sinfo", "--noheader", f"--nodes={node}", "--format=%T").strip()

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon; what it started runs on, as it does on a machine that lost its network."""
        os.kill(int((self.folder / "run" / f"slurmd.{node}.pid").read_text()), 9)

    def start_node(self, node: str) -> None:
        """Start a node's daemon."""
        _output("slurmd", "-N", node)

    def settle(self) -> None:
        """Wait until no job is left and no node is missing."""
        until(lambda: not _output("squeue", "--noheader").strip(), 60)
        until(lambda: "down" not in _output("sinfo", "--noheader", "--Node", "--format=%T"), 60)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def until(happened: Callable[[], object], seconds: float) -> None:
    """Wait for something to happen."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"did not happen in {seconds} s"
        time.sleep(0.3)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
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
    try:
        with log.open("w") as output:
            up = subprocess.run(
                [_SCRIPTS / "up.sh", folder], stdout=output, stderr=subprocess.STDOUT, timeout=120, check=False
            )
        assert up.returncode == 0, log.read_text()
        yield Slurm(folder)
    finally:
        subprocess.run([_SCRIPTS / "down.sh", folder], timeout=60, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Checkout:
    """A copy of the workflow, in which Snakemake is run as a user runs it."""

    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """Snakemake's command line."""
        return [sys.executable, "-m", "snakemake", *arguments]

    def snakemake(self, *arguments: str) -> str:
        """Run Snakemake to its end, which must be a good one, and return what it printed."""
        finished = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout
        return finished.stdout

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start Snakemake in a process group of its own; what it prints goes to `snakemake.log`."""
        with (self.folder / "snakemake.log").open("a") as output:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=_environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )


def _environment() -> dict[str, str]:
    return {**os.environ, "TERM": "dumb", "TF_CPP_MIN_LOG_LEVEL": "2"}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh copy of the workflow."""
    for name in ("workflow", "scripts", "src", "config"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", tmp_path)
    (tmp_path / "profiles").symlink_to("workflow/profiles")
    return Checkout(tmp_path)
