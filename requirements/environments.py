"""Write the conda environments from pyproject.toml and the lock (`make lock` runs this).

`environment.yml` is for people (`conda env create -f environment.yml`), `workflow/envs/twinbench.yml` for the rules
(`snakemake --sdm conda`). Both pin what pyproject.toml names to the versions of requirements/run.txt.
"""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.11"


def locked_versions(lock: Path) -> dict[str, str]:
    """`{name: version}` for this Python of a lock file made by `uv pip compile`."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.rstrip("\\ ")) for line in lines if line and not line.startswith((" ", "#"))]
    here = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0"}
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(here)
    }


def direct_requirements() -> list[Requirement]:
    """What pyproject.toml names as dependencies of the package and of its benchmark."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in [*project["dependencies"], *project["optional-dependencies"]["benchmark"]]]


def environments() -> dict[Path, str]:
    """Each environment file with the text it should have."""
    versions = locked_versions(ROOT / "requirements" / "run.txt")
    pins = sorted(f"{wanted.name}=={versions[canonicalize_name(wanted.name)]}" for wanted in direct_requirements())
    head = "# Made from pyproject.toml and requirements/run.txt by `make lock`.\n"
    conda = f"channels:\n  - conda-forge\n  - nodefaults\ndependencies:\n  - python={PYTHON}\n  - pip\n  - pip:\n"
    listed = "".join(f"      - {pin}\n" for pin in pins)
    return {
        ROOT / "environment.yml": f"{head}name: twinbench\n{conda}{listed}      - --editable .\n",
        ROOT / "workflow" / "envs" / "twinbench.yml": f"{head}{conda}{listed}",
    }


if __name__ == "__main__":
    for path, text in environments().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
