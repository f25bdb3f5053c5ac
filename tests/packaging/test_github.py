"""The composite action and the workflows, their steps run as GitHub would run them; `make lint` checks their form."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

_ROOT = Path(__file__).resolve().parents[2]
_ACTION = _ROOT / ".github" / "actions" / "compare"
_WORKFLOWS = sorted((_ROOT / ".github" / "workflows").glob("*.yml"))
_BUILDER = """
import keras
from parts import activation

def build():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation()), keras.layers.Dense(2)])
"""


def _read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _run_step(step, folder, **environment):
    """Run a step's script; returns the process, and what it wrote for the outputs and the summary."""
    written = {name: folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in written.values():
        path.touch()
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    given = {**written, "PATH": path, "PYTHONPATH": _ROOT / "src", "RUNNER_TEMP": temporary, **environment}
    finished = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder / "repository",
        check=False,
        env={**os.environ, **{name: str(value) for name, value in given.items()}},
        capture_output=True,
        text=True,
    )
    return finished, *(path.read_text(encoding="utf-8") for path in written.values())


def _run_action(folder, **inputs):
    """Run the action's step that compares, with its inputs' defaults."""
    action = _read(_ACTION / "action.yml")
    values = {name: entry.get("default", "") for name, entry in action["inputs"].items()} | inputs
    (step,) = (step for step in action["runs"]["steps"] if step["name"] == "Compare")
    assert action["outputs"]["verdict"]["value"] == f"${{{{ steps.{step['id']}.outputs.verdict }}}}"
    environment = {
        variable: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: values[match[1]], text)
        for variable, text in step["env"].items()
    }
    assert "${{" not in step["run"] + "".join(environment.values())
    return _run_step(step, folder, GITHUB_ACTION_PATH=_ACTION, **environment)


@pytest.fixture
def repository(tmp_path):
    """A repository whose last commit changes nothing but a module that the builder imports."""
    folder = tmp_path / "repository"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "model.py").write_text(_BUILDER.replace("from parts", "from package.parts"), encoding="utf-8")
    (folder / "model.py").write_text(_BUILDER, encoding="utf-8")
    git = ["git", "-c", "user.name=A Person", "-c", "user.email=person@example.org"]
    subprocess.run([*git, "init", "--quiet"], cwd=folder, check=True)
    for activation in ("relu", "linear"):
        for parts in (folder / "parts.py", folder / "package" / "parts.py"):
            parts.write_text(f"def activation():\n    return '{activation}'\n", encoding="utf-8")
        subprocess.run([*git, "add", "."], cwd=folder, check=True)
        subprocess.run([*git, "commit", "--quiet", "-m", activation], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("builder", ["model.py:build", "package.model:build"])
def test_the_action_sees_what_a_commit_changed_in_a_module_that_the_builder_imports(repository, builder):
    finished, outputs, summary = _run_action(repository.parent, a=builder, base="HEAD~1")
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert outputs == "verdict=different\n"
    assert summary.startswith(f"## Different: `{builder}` at ")
    assert "relu in A, linear in B" in " ".join(summary.split())
    worktrees = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True)
    assert len(worktrees.stdout.splitlines()) == 1


def test_the_action_finds_a_builder_that_a_commit_left_alone_the_same(repository):
    finished, outputs, summary = _run_action(repository.parent, a="model.py:build", base="HEAD", fail="false")
    assert (finished.returncode, outputs) == (0, "verdict=same\n"), finished.stdout + finished.stderr
    assert summary.startswith("## Same: ")


def test_the_action_fails_with_the_reason_in_its_summary_where_nothing_could_be_compared(repository):
    finished, outputs, summary = _run_action(repository.parent, a="model.py:build", b="model.py:biuld", fail="false")
    assert (finished.returncode, outputs) == (2, "verdict=not compared\n"), finished.stdout + finished.stderr
    assert "has no function 'biuld'" in summary


def test_the_workflow_of_a_pull_request_summarises_what_changes_in_the_results(smoke, tmp_path):
    (job,) = _read(_ROOT / ".github" / "workflows" / "changes.yml")["jobs"].values()
    step = job["steps"][-1]
    for side in ("before", "after"):
        results = tmp_path / "repository" / side / "results" / "smoke"
        shutil.copytree(smoke / "results" / "smoke" / "tables", results / "tables")
    programs = tmp_path / "repository" / "after" / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "twinbench").symlink_to(Path(sys.executable).parent / "twinbench")
    finished, _, summary = _run_step(step, tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "Mean scores: 0 of" in summary


@pytest.mark.parametrize("workflow", _WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_only_targets_that_there_are(workflow):
    targets = set(re.findall(r"^([a-z-]+):", (_ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    commands = [step["run"] for job in _read(workflow)["jobs"].values() for step in job["steps"] if "run" in step]
    called = [
        word for command in commands for word in re.findall(r"^make (?:-C \S+ )?([a-z][a-z-]*)\b(?!=)", command, re.M)
    ]
    assert set(called) <= targets
    assert any(command.startswith("make ") for command in commands)
