"""One installation: the workflow travels with the package, and `compare` needs no package of the benchmark."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from twinbench.cli.run import snakemake_command
from twinbench.errors import BENCHMARK
from twinbench.planning.workflow import workflow_folder

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRA = [re.split(r"[<>=~]", line)[0] for line in PROJECT["project"]["optional-dependencies"]["benchmark"]]
# What TensorFlow and Keras bring along is there all the same.
BROUGHT = {"markupsafe", "requests", "rich", "urllib3"}
MODULES = [
    {"scikit-learn": "sklearn", "importlib-resources": "importlib_resources"}.get(name, name)
    for name in EXTRA
    if name not in BROUGHT
]
# A machine on which only the base is installed: nothing else can be found.
WITHOUT = f"""
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {MODULES!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Nothing())
"""


def run(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + program], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_what_a_command_may_lack_is_what_the_extra_installs() -> None:
    assert set(EXTRA) == BENCHMARK


def test_the_wheel_holds_all_that_the_workflow_reads() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["src/twinbench"]
    assert wheel["shared-data"] == {
        name: f"share/twinbench/{name}" for name in ("Snakefile", "config", "scripts", "workflow")
    }
    assert all((ROOT / name).exists() for name in wheel["shared-data"])
    assert workflow_folder() == ROOT


def test_a_command_says_which_line_installs_what_it_lacks(tmp_path: Path) -> None:
    printed = run(
        "from click.testing import CliRunner\nfrom twinbench.cli import main\n"
        "for command in (['plan'], ['run', '--configfile', 'x.yaml'], ['report-diff', 'a', 'b'], ['archive', '.']):\n"
        "    result = CliRunner().invoke(main, command)\n"
        "    print(result.exit_code, result.output.replace(chr(10), ' '))\n",
        tmp_path,
    )
    lines = printed.splitlines()
    assert len(lines) == 4
    for line, package in zip(lines, ("scikit-learn", "snakemake", "pandas", "pyarrow"), strict=True):
        assert line.startswith(f"2 twinbench: This needs {package}, ")
        assert "pip install 'twinbench[benchmark]'" in line


def test_a_comparison_needs_no_package_of_the_benchmark(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(
        "import keras\ndef a():\n    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])\n"
    )
    program = "from twinbench.compare.api import compare\nprint(compare('nets.py:a', 'nets.py:a').verdict)\n"
    assert run(program, tmp_path).strip() == "identical"


@pytest.mark.parametrize(
    ("options", "ends"),
    [
        (["--configfile", "x.yaml"], ["--cores", "all", "--configfile", "x.yaml"]),
        (["-c2", "tables"], ["-c2", "tables"]),
        (["--cores=1"], ["--cores=1"]),
        (["--configfile", "smoke.yaml"], ["--cores", "all", "--configfile", str(ROOT / "config" / "smoke.yaml")]),
    ],
)
def test_run_takes_the_options_of_snakemake(options: list[str], ends: list[str]) -> None:
    command = snakemake_command(options)
    profile = str(ROOT / "workflow" / "profiles" / "default")
    assert command[:5] == [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    assert command[5:] == ["--workflow-profile", profile, *ends]


def test_run_knows_the_workflows_profiles_by_their_names() -> None:
    profile = str(ROOT / "workflow" / "profiles" / "slurm")
    assert snakemake_command(["--workflow-profile", "slurm"])[5:] == ["--workflow-profile", profile]
