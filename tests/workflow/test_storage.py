"""Machines that share no disk: files travel through a real S3 server, and each job begins in an empty folder."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tests.workflow.conftest import ROOT, run_snakemake

pytestmark = pytest.mark.timeout(1800)
_MACHINES = Path(__file__).parent / "machines"
_SERVER = ("moto[s3]==5.2.5", "flask==3.1.3", "flask-cors==6.0.5")
# The server lets everyone in who signs, whatever the signature.
_SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}
_KINDS = ("records", "checkpoints")
# Equal on two machines of one type; the others hold times, and of the claims, C7 rests on them.
_TABLES = (
    *("runs", "history", "parameters", "summary", "comparisons", "noise_floor", "seeds_needed", "ladder", "suspects"),
    "gradients",
)
_CONFIGURATION = {
    "output": "results/tiny",
    "datasets": [{"name": "own", "source": "own.npz"}],
    "architectures": ["mlp/functional", "mlp/sequential"],
    "suspects": [],
    "seeds": 2,
    "training": {"epochs": 30, "checkpoint_every": 1, "checkpoint_seconds": 0},
    "measurements": {"ladder_steps": 1, "gradient_depths": [2], "cost_repeats": 3},
    "figures": {"formats": ["svg"]},
}


def _install(folder: Path, *packages: str) -> Path:
    """Install packages into a folder: in the environment they would slow every start of Snakemake down."""
    uv = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--python", sys.executable]
    subprocess.run([*uv, "--target", folder, *packages], check=True)
    return folder


@dataclass
class Bucket:
    """A bucket on a server here, and the plugin that reaches it."""

    url: str
    plugins: Path

    def keys(self, prefix: str) -> list[str]:
        """The names of the files below a prefix."""
        return re.findall("<Key>([^<]*)", self._get(f"?list-type=2&prefix={prefix}").decode())

    def read(self, key: str) -> bytes:
        """The content of a file."""
        return self._get(f"/{key}")

    def _get(self, path: str) -> bytes:
        request = urllib.request.Request(f"{self.url}/bucket{path}", headers=_SIGNED)  # noqa: S310 # our own server
        with urllib.request.urlopen(request) as answer:  # noqa: S310 # our own server
            content: bytes = answer.read()
        return content


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """An empty bucket on a server of its own."""
    folder = tmp_path_factory.mktemp("s3")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plugins = _install(folder / "plugins", *project["optional-dependencies"]["s3"])
    server = _install(folder / "server", *_SERVER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "--port", str(port)],
            env={**os.environ, "PYTHONPATH": str(server)},
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _until(lambda: "Running on" in (folder / "server.log").read_text())
        urllib.request.urlopen(urllib.request.Request(f"{url}/bucket", method="PUT")).close()  # noqa: S310 # ours
        yield Bucket(url, plugins)
    finally:
        process.kill()
        process.wait()


def _until(happened, seconds: float = 300) -> None:
    """Wait for something to happen. The limit is generous: it only ends a test that has failed."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"did not happen in {seconds} s"
        time.sleep(0.05)


def _checkout(folder: Path, npz: Path) -> Path:
    """The workflow as git knows it, a configuration, and a dataset of one's own that git does not know."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.split("\0"):
        if name.startswith(("Snakefile", "config/", "scripts/", "src/", "workflow/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(_CONFIGURATION), encoding="utf-8")
    git = "git -c user.name=test -c user.email=test@example.org"
    commit = f"git init --quiet && git add --all && {git} commit --quiet --message test"
    subprocess.run(commit, shell=True, cwd=folder, check=True)  # noqa: S602 # a constant
    shutil.copy(npz, folder / "own.npz")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _no_variables_that_join_keys() -> Iterator[None]:
    """Take away what a test before may have set: the machines have no such variable, and keys would differ."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("TF_", "XLA_", "NVIDIA_"))]:
            patch.delenv(name)
        yield


@dataclass
class Main:
    """Snakemake where the user starts it."""

    folder: Path
    bucket: Bucket

    @property
    def machines(self) -> Path:
        """The folders of the jobs' machines."""
        return self.folder / "machines"

    def start(self, *arguments: str, log: str = "snakemake.log") -> "subprocess.Popen[bytes]":
        """Start Snakemake with the profile."""
        profile = ("--profile", ROOT / "workflow/profiles/s3", "--default-storage-prefix", "s3://bucket/here")
        generic = ("--executor", "cluster-generic", "--seconds-between-status-checks", "1")
        commands = (
            *("--cluster-generic-submit-cmd", _MACHINES / "submit.sh"),
            *("--cluster-generic-status-cmd", _MACHINES / "status.sh"),
        )
        keys = {f"SNAKEMAKE_STORAGE_S3_{name}": "test" for name in ("ACCESS_KEY", "SECRET_KEY")}
        access = {"PYTHONPATH": str(self.bucket.plugins), "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL": self.bucket.url, **keys}
        machines = {"MACHINES": str(self.machines), "PLUGINS": str(self.bucket.plugins), "TERM": "dumb"}
        # On another machine, Snakemake calls the Python that is found first.
        machines["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.machines.mkdir(exist_ok=True)
        with (self.folder / log).open("w") as output:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "snakemake",
                    *profile,
                    *generic,
                    *commands,
                    "--configfile",
                    "tiny.yaml",
                    *arguments,
                ],
                cwd=self.folder,
                env={**os.environ, **access, **machines},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def run(self, *arguments: str) -> str:
        """Run Snakemake to its end, which must be a good one, and return what it printed."""
        process = self.start(*arguments, log="run.log")
        assert process.wait(1000) == 0, (self.folder / "run.log").read_text()
        return (self.folder / "run.log").read_text()

    def jobs(self, rule: str) -> list[Path]:
        """The machines that had a job of a rule, in the order of their start."""
        of_rule = [
            script.parent for script in self.machines.glob("*/script") if f'"rule": "{rule}"' in script.read_text()
        ]
        return sorted(of_rule, key=lambda machine: (machine / "script").stat().st_mtime)


@pytest.fixture(scope="module")
def main(tmp_path_factory: pytest.TempPathFactory, digits_npz: Path, bucket: Bucket) -> Main:
    """The whole benchmark through the bucket; the machine of its training job is lost once."""
    main = Main(_checkout(tmp_path_factory.mktemp("main"), digits_npz), bucket)
    process = main.start()
    try:
        _until(lambda: process.poll() is not None or _between_two_epochs(bucket))
        (lost,) = main.jobs("train")
        os.killpg(int((lost / "pid").read_text()), signal.SIGKILL)
        assert process.wait(1000) == 0, (main.folder / "snakemake.log").read_text()
    finally:
        process.kill()
    return main


def _between_two_epochs(bucket: Bucket) -> bool:
    """Whether a run is recorded, and another has a checkpoint."""
    runs = {kind: {Path(key).stem for key in bucket.keys(f"here/results/tiny/store/{kind}/")} for kind in _KINDS}
    return bool(runs["records"] and runs["checkpoints"] - runs["records"])


def test_a_benchmark_through_a_bucket_has_the_tables_of_a_local_one_though_a_machine_was_lost(
    main: Main, tmp_path: Path, digits_npz: Path
) -> None:
    local = _checkout(tmp_path, digits_npz)
    command = [sys.executable, "-m", "snakemake", "tables", "--cores", "2", "--configfile", "tiny.yaml"]
    finished = subprocess.run(command, cwd=local, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    for name in _TABLES:
        through_the_bucket = main.bucket.read(f"here/results/tiny/tables/{name}.csv")
        assert through_the_bucket == (local / f"results/tiny/tables/{name}.csv").read_bytes(), name
    claims = [
        main.bucket.read("here/results/tiny/tables/claims.csv"),
        (local / "results/tiny/tables/claims.csv").read_bytes(),
    ]
    of_scores = [[line for line in table.splitlines() if not line.startswith(b"C7,")] for table in claims]
    assert of_scores[0] == of_scores[1]
    assert len(of_scores[0]) > 3
    assert b"<html" in main.bucket.read("here/results/tiny/report.html")
    assert main.bucket.keys("here/results/tiny/figures/accuracy-own.svg")


def test_a_lost_machine_costs_at_most_the_run_that_it_was_at(main: Main) -> None:
    lost, _ = main.jobs("train")
    assert not (lost / "status").exists()
    log = main.bucket.read("here/results/tiny/logs/train/own/mlp.log").decode()
    recorded = re.search(r"(\d) of 4 runs are recorded", log)
    assert recorded
    assert int(recorded[1]) >= 1
    assert "Resumed after epoch" in log
    assert len(main.bucket.keys("here/results/tiny/store/records")) == 4
    assert main.bucket.keys("here/results/tiny/store/checkpoints") == []


def test_each_job_ran_where_nothing_but_the_sources_was(main: Main) -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=main.folder, check=True, capture_output=True, text=True)
    provenance = main.bucket.read("here/results/tiny/tables/provenance.csv").decode()
    assert commit.stdout.strip() in provenance  # although the jobs' folders have no history
    for rule in ("train", "ladder", "measure"):
        work = main.jobs(rule)[-1] / "work"
        assert (work / "Snakefile").is_file()
        assert not (work / "own.npz").exists()
        assert not (work / "results").exists()
    assert not (main.folder / "results").exists()


def test_a_store_that_only_a_plugin_reaches_and_an_output_that_is_no_folder_are_refused_in_a_sentence(
    tmp_path: Path,
) -> None:
    for setting, sentence in (
        ("store=s3://bucket/store", "`store` is s3://bucket/store, which only a storage's plugin reaches"),
        ("output=s3://bucket/mnist", "`output` is s3://bucket/mnist: name a folder"),
    ):
        refused = run_snakemake(tmp_path, "--dry-run", "--cores", "1", "--config", setting)
        assert refused.returncode != 0
        assert sentence in refused.stdout
        assert "Traceback" not in refused.stdout


def test_running_again_does_nothing_and_from_elsewhere_all_is_made_again_but_the_dataset(main: Main) -> None:
    assert "Nothing to be done" in main.run("--dry-run")
    shutil.rmtree(main.folder / ".snakemake")
    for _ in range(2):  # a dry run is no run: the next command says the same
        again = main.run("--dry-run")
        counted = dict(re.findall(r"^(\w+) +(\d+)$", again, flags=re.MULTILINE))
        assert set(counted) == {"train", "ladder", "measure", "tables", "draw", "report", "all", "total"}
