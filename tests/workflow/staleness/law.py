"""The law: change something, run the same command again, and every table is what a fresh folder would give.

A folder in use goes through some changes. After them the real Snakemake runs in it, and the same tables are made in a
fresh folder with an empty store (`fresh`). Compared is every table, byte for byte, but for what is
measured by a clock or tells where it was made (`VOLATILE`).
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from tests.workflow.conftest import ROOT

from twinbench.measurement.columns import COUNTS

# Columns of times and memory, of where and from what a record was made; and the claim that rests on times.
VOLATILE = {
    "costs": ["seconds", "train_seconds", "images_per_second", "peak_memory_mb", "manifest"],
    "provenance": ["manifest", "runs", "tensorflow", "keras", "numpy", "configuration_digest"],
    "api_costs": ["mean", "ci_low", "ci_high", "difference_percent", "difference_low", "difference_high", "verdict"],
    "determinism_costs": [
        "strict_ms",
        "seeded_ms",
        "difference_percent",
        "difference_low",
        "difference_high",
        "verdict",
    ],
    "claims": [],
}
CLAIMS_OF_TIMES = ["C7"]

NETWORK = '''"""A dense network in the place of the convolutional one, small enough to be trained in no time."""

from keras import Input, Model, Sequential, layers
from keras.layers import ReLU as Activation

from twinbench.architectures import sizes
from twinbench.architectures.declaration import lookalike, reference, twin

TASK = "classify"
if sizes.HIDDEN:
    RATE = 0.25


@reference
def functional(input_shape, classes, blocks=1):
    """The Functional API."""
    image = Input(input_shape)
    x = layers.Flatten()(image)
    for _ in range(blocks):
        x = Activation()(layers.Dense(sizes.HIDDEN)(x))
    x = layers.Dropout(RATE)(x)
    return Model(image, layers.Dense(classes)(x))


@twin
def sequential(input_shape, classes, blocks=1):
    """The Sequential API."""
    hidden = [layer for _ in range(blocks) for layer in (layers.Dense(sizes.HIDDEN), layers.ReLU())]
    return Sequential([Input(input_shape), layers.Flatten(), *hidden, layers.Dropout(0.25), layers.Dense(classes)])


@twin
def sequential_wide(input_shape, classes):
    """One that is not chosen at first."""
    return Sequential([Input(input_shape), layers.Flatten(), layers.Dense(9), layers.Dense(classes)])


@lookalike(differs="initial weights")
def functional_reordered(input_shape, classes):
    """Which a suspect uses."""
    output = layers.Dense(classes)
    image = Input(input_shape)
    return Model(image, output(layers.ReLU()(layers.Dense(sizes.HIDDEN)(layers.Flatten()(image)))))
'''
BASE: dict[str, Any] = {
    "output": "results",
    "datasets": [{"source": "images.npz", "name": "images"}],
    "architectures": ["plain_cnn/sequential"],
    "suspects": ["nothing"],
    "seeds": [3],
    "training": {"epochs": 1, "threads": 2},
    "measurements": {"ladder_steps": 1, "gradient_depths": [1], "cost_repeats": 3},
}
_MISSING = """
import json, sys
from pathlib import Path
from twinbench.config import read_configuration
from twinbench.planning.forecast import make_forecast, missing_runs
from twinbench.planning.plan import make_plan
configuration = read_configuration(Path("config.yaml"))
missing, unprepared = missing_runs(configuration, make_plan(configuration))
forecast = make_forecast(configuration, cores=1)
assert sum(row.runs - row.recorded for row in forecast.rows) == len(missing)
print(json.dumps([sorted(run.name for run in missing), list(unprepared)]))
"""


@dataclass(frozen=True)
class Change:
    """One change to a folder in use.

    Attributes:
        name: what it is, in a few words; of a setting, its key.
        apply: makes it.
        reruns: the rules that it is a matter of; empty where nothing is to be done.
        trains: whether runs are trained then.
    """

    name: str
    apply: Callable[["Law"], None]
    reruns: str
    trains: bool = False


def setting(key: str, value: Any, reruns: str, *, trains: bool = False) -> Change:
    """Return the change of one key of the configuration, such as `training.epochs`."""
    section, _, name = key.partition(".")
    changes = {section: {name: value}} if name else {section: value}
    return Change(key, lambda law: law.configure(**changes), reruns, trains)


def edited(file: str, old: str, new: str, reruns: str, *, trains: bool = False) -> Change:
    """Return the change of a text in a file of the package."""
    return Change(f"{file}: {new.strip()}", lambda law: law.edit(f"src/twinbench/{file}", old, new), reruns, trains)


@dataclass
class Law:
    """A copy of the repository, a folder that it is used in, and the server of fresh tables."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(BASE)))
    environment: dict[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ("tables",)
    turn: int = 0
    _undo: list[Callable[[], object]] = field(default_factory=list)
    _kept: str = ""
    _served_with: dict[str, str] | None = None
    _server: "subprocess.Popen[str] | None" = None

    def __post_init__(self) -> None:
        self.copy, self.used = self.folder / "copy", self.folder / "used"
        self.used.mkdir()
        self.copy.mkdir()
        for name in ("Snakefile", "config", "scripts", "workflow", "src"):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, self.copy / name)
        architectures = self.copy / "src/twinbench/architectures"
        for path in architectures.glob("*.py"):
            if "\nTASK = " in path.read_text():
                path.unlink()
        (architectures / "plain_cnn.py").write_text(NETWORK)
        (architectures / "sizes.py").write_text("HIDDEN = 6\n")
        self.images()
        self.configure()

    def keep(self) -> None:
        """Keep the state of both folders, for `restore`."""
        for folder in (self.copy, self.used):
            shutil.copytree(folder, self.folder / "kept" / folder.name)
        self._kept = json.dumps(self.settings)

    def restore(self) -> None:
        """Bring back what `keep` kept, so that no test depends on those before it."""
        for folder in (self.copy, self.used):
            shutil.rmtree(folder)
            shutil.copytree(self.folder / "kept" / folder.name, folder)
        shutil.rmtree(self.folder / "site", ignore_errors=True)
        self.settings, self.environment = json.loads(self._kept), {}
        self._undo.clear()

    def images(self, seed: int = 0, name: str = "images.npz") -> None:
        """Write a dataset of 60 images of three classes."""
        generator = np.random.default_rng(seed)
        file = io.BytesIO()
        np.savez(
            file,
            x_train=generator.integers(0, 256, (60, 6, 6), dtype=np.uint8),
            y_train=np.arange(60) % 3,
            x_test=generator.integers(0, 256, (30, 6, 6), dtype=np.uint8),
            y_test=np.arange(30) % 3,
        )
        self.write(self.used / name, file.getvalue())

    def configure(self, **settings: Any) -> None:
        """Change settings; a section's other keys stay."""
        before = self.settings
        self._undo.append(lambda: setattr(self, "settings", before))
        self.settings = dict(before)
        for name, value in settings.items():
            both = isinstance(value, dict) and isinstance(before.get(name, {}), dict)
            self.settings[name] = {**before.get(name, {}), **value} if both else value
        self.write(self.used / "config.yaml", yaml.safe_dump(self.settings).encode())

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a text in a file of the copy, where it stands first."""
        path = self.copy / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        self.write(path, text.replace(old, new, 1).encode())

    def write(self, path: Path, content: bytes) -> None:
        """Write a file, for as long as the change lasts."""
        before = path.read_bytes() if path.exists() else None
        self._undo.append(lambda: path.unlink() if before is None else path.write_bytes(before))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def with_version(self, package: str, version: str) -> None:
        """Put another version of a package first on the path, as far as its metadata tell."""
        folder = self.folder / "site" / f"{package}-{version}.dist-info"
        self._undo.append(lambda: shutil.rmtree(folder))
        self.write(folder / "METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode())

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable of the environment."""
        before = self.environment
        self._undo.append(lambda: setattr(self, "environment", before))
        self.environment = {**before, name: value}

    def undo_by(self, restore: Callable[[], object]) -> None:
        """Say how a change of another kind is taken back."""
        self._undo.append(restore)

    def undo(self) -> None:
        """Take the changes back that were made since the last command."""
        while self._undo:
            self._undo.pop()()

    def snakemake(self, *arguments: str, status: int = 0) -> str:
        """Run the command, which ends with this status, and return what it prints."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.copy / "Snakefile", "--directory", self.used]
        finished = subprocess.run(
            [*command, "--workflow-profile", "none", "--cores", "1", *arguments, "--configfile", "config.yaml"],
            cwd=self.used, env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=600, check=False,
        )  # fmt: skip
        assert finished.returncode == status, finished.stdout[-6000:]
        return finished.stdout

    def missing(self) -> tuple[list[str], list[str]]:
        """Return the runs that `twinbench plan` counts as missing, and the datasets of which it cannot tell."""
        printed = subprocess.run(
            [sys.executable, "-c", _MISSING], cwd=self.used, env=self._environment(str(self.copy / "src")),
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert printed.returncode == 0, printed.stderr[-3000:]
        runs, unprepared = json.loads(printed.stdout)
        return runs, unprepared

    def recorded(self) -> dict[str, str]:
        """Return the runs of every store by the file of their record."""
        names = {}
        for path in self.used.glob("*/store/records/*/*.json"):
            outcome = json.loads(path.read_bytes().partition(b"\n")[2])["outcome"]
            names[str(path)] = "{dataset} {architecture}/{variant} seed {seed}".format(**outcome)
        return names

    def fresh(self) -> Callable[[], Path]:
        """Begin to make the tables in a fresh folder; the result waits for them."""
        self.turn += 1
        folder = self.folder / f"fresh {self.turn}"
        shutil.copytree(self.used, folder, ignore=shutil.ignore_patterns("results*", ".snakemake"))
        request = {"folder": str(folder), "path": [str(self.folder / "site"), str(self.copy / "src")]}
        server = self._served()
        assert server.stdin is not None
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()

        def wait() -> Path:
            assert server.stdout is not None
            assert server.stdout.readline().strip() == "done", (folder / "log").read_text()[-6000:]
            return folder / "tables"

        return wait

    def close(self) -> None:
        """End the server."""
        if self._server is not None:
            self._server.kill()
            self._server.communicate()

    def _served(self) -> "subprocess.Popen[str]":
        if self._served_with != self.environment:
            self.close()
            self._served_with = self.environment
            self._server = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("fresh.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True, env=self._environment(),
            )  # fmt: skip
        return self._server

    def _environment(self, *path: str) -> dict[str, str]:
        environment = {**os.environ, **self.environment, "TERM": "dumb", "TF_CPP_MIN_LOG_LEVEL": "2"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # each process would compile the copy again
        return {**environment, "PYTHONPATH": os.pathsep.join([str(self.folder / "site"), *path])}

    def looks_ahead(self, change: Change) -> None:
        """Make a change, ask what would be done, and take it back."""
        change.apply(self)
        try:
            missing, unprepared = self.missing()
            output = self.snakemake("--dry-run", *self.targets)
        finally:
            self.undo()
        rules = rules_run(output)
        assert rules == set(change.reruns.split()), f"{change.name}: {rules}\n{output[-6000:]}"
        assert bool(missing) == change.trains, f"{change.name}: {missing}"
        assert not unprepared

    def holds_after(self, changes: Sequence[Change]) -> None:
        """Make changes, run the same command again, and hold every table against a fresh one."""
        for change in changes:
            change.apply(self)
        self._undo.clear()
        fresh, before = self.fresh(), self.recorded()
        missing, _ = self.missing()
        output = self.snakemake(*self.targets)
        trained = {path: name for path, name in self.recorded().items() if path not in before}
        problems = differences(self.used / self.settings["output"] / "tables", fresh())
        assert not problems, f"{problems}\n{output[-3000:]}"
        assert sorted(trained.values()) == missing
        assert bool(trained) == any(change.trains for change in changes)


def rules_run(output: str) -> set[str]:
    """Return the rules of which Snakemake says that it runs them, but for those that only ask for others."""
    return set(re.findall(r"^(?:local)?(?:rule|checkpoint) (\w+):", output, flags=re.MULTILINE)) - {
        "all",
        "figures",
        "runs",
    }


def differences(used: Path, fresh: Path) -> list[str]:
    """Return in what the tables of two folders differ, apart from what is volatile."""
    problems = []
    names = {path.name for path in fresh.iterdir()}
    if names != {path.name for path in used.iterdir()}:
        problems.append("the files")
    for name in sorted(names):
        table, ending = name.split(".")
        if table not in VOLATILE:
            if (used / name).read_bytes() != (fresh / name).read_bytes():
                problems.append(f"{name}: {_first_difference(used / name, fresh / name)}")
        elif ending == "csv":
            first, second = (_without_volatile(folder / name, table) for folder in (used, fresh))
            if first != second:
                problems.append(f"{name}: {first[:300]} against {second[:300]}")
    return problems


def _without_volatile(path: Path, table: str) -> str:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    if table == "claims":
        frame = frame[~frame["claim"].isin(CLAIMS_OF_TIMES)]
    if table == "api_costs":  # a count is no time
        counts = frame["quantity"].isin(COUNTS)
        return frame[counts].to_csv(index=False) + frame.drop(columns=VOLATILE[table]).to_csv(index=False)
    frame = frame.drop(columns=VOLATILE[table])
    return (frame.drop_duplicates() if table == "provenance" else frame).to_csv(index=False)


def _first_difference(used: Path, fresh: Path) -> str:
    lines = zip(used.read_text().splitlines(), fresh.read_text().splitlines(), strict=False)
    return next((f"{a[:300]} against {b[:300]}" for a, b in lines if a != b), "the number of lines")
