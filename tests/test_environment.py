"""pyproject.toml, the two locks and the two conda environments name the same versions."""

import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).resolve().parents[1]
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_EXTRAS = _PROJECT["optional-dependencies"]
_BASE = [Requirement(line) for line in _PROJECT["dependencies"]]
_RUN = [*_BASE, *(Requirement(line) for line in _EXTRAS["benchmark"])]
_DEV = [Requirement(line) for extra in ("dev", "generic") for line in _EXTRAS[extra]]
_ENVIRONMENTS = ["environment.yml", "workflow/envs/twinbench.yml"]


def _lock(name):
    """`{package: [pins]}`: a package has several where its version depends on Python's."""
    lines = (_ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    pins = {}
    for line in lines:
        if line and not line.startswith((" ", "#")):
            pin = Requirement(line.rstrip("\\ "))
            pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    return pins


def _version(pin):
    (specifier,) = pin.specifier
    assert specifier.operator == "=="
    return specifier.version


def _environment(name):
    content = yaml.safe_load((_ROOT / name).read_text(encoding="utf-8"))
    conda = [entry for entry in content["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict)]
    return content, conda, pip


@pytest.mark.parametrize(("lock", "wanted"), [("run.txt", _RUN), ("dev.txt", _RUN + _DEV)])
def test_a_lock_has_a_version_of_every_direct_dependency_that_pyproject_allows(lock, wanted):
    pins = _lock(lock)
    refused = [
        str(requirement)
        for requirement in wanted
        if canonicalize_name(requirement.name) not in pins
        or not all(requirement.specifier.contains(_version(pin)) for pin in pins[canonicalize_name(requirement.name)])
    ]
    assert refused == [], "run `make lock`"


def test_the_two_locks_agree_on_every_version():
    run, dev = (
        {name: {_version(pin) for pin in pins} for name, pins in _lock(lock).items()} for lock in ("run.txt", "dev.txt")
    )
    assert run == {name: dev[name] for name in run}


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_every_version_of_a_lock_is_pinned_with_hashes(lock):
    text = (_ROOT / "requirements" / lock).read_text(encoding="utf-8")
    blocks = [block for block in text.replace("\\\n", "").splitlines() if block and not block.startswith("#")]
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("name", _ENVIRONMENTS)
def test_an_environment_pins_every_direct_dependency_to_the_version_of_the_lock(name):
    _, conda, pip = _environment(name)
    (python,) = [entry.removeprefix("python=") for entry in conda if entry.startswith("python=")]
    here = {"python_version": python, "python_full_version": f"{python}.0"}
    lock = _lock("run.txt")
    expected = {}
    for wanted in _RUN:
        pins = lock[canonicalize_name(wanted.name)]
        (pin,) = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(here)]
        expected[canonicalize_name(wanted.name)] = _version(pin)
    found = {canonicalize_name(pin.name): _version(pin) for pin in map(Requirement, _without_options(pip))}
    assert found == expected, "run `make lock`"


@pytest.mark.parametrize("name", _ENVIRONMENTS)
def test_an_environment_takes_a_python_that_pyproject_allows_from_conda_forge_alone(name):
    content, conda, _ = _environment(name)
    (python,) = [entry for entry in conda if entry.startswith("python=")]
    assert SpecifierSet(_PROJECT["requires-python"]).contains(python.removeprefix("python=") + ".0")
    assert content["channels"] == ["conda-forge", "nodefaults"]
    assert "pip" in conda


def test_only_the_environment_for_people_installs_the_package_itself():
    content, _, pip = _environment("environment.yml")
    assert content["name"] == "twinbench"
    assert pip[-1] == "--editable ."
    content, _, pip = _environment("workflow/envs/twinbench.yml")
    assert "name" not in content
    assert _without_options(pip) == pip


def test_every_module_that_the_package_imports_is_of_a_direct_dependency():
    import ast
    import importlib.metadata
    import sys

    files = [*(_ROOT / "src").rglob("*.py"), *(_ROOT / "workflow").rglob("*.py"), *(_ROOT / "scripts").rglob("*.py")]
    imported = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                imported.add(node.module.split(".")[0])
    owners = importlib.metadata.packages_distributions()
    direct = {canonicalize_name(wanted.name) for wanted in _RUN}
    foreign = imported - set(sys.stdlib_module_names) - {"twinbench", "snakemake", "adapter", "pytest"}
    # pytest is what loads the plugin, so it is there.
    undeclared = {
        module for module in foreign if not direct & {canonicalize_name(owner) for owner in owners.get(module, [])}
    }
    assert undeclared == set()


def _without_options(pip):
    return [entry for entry in pip if not entry.startswith("-")]
