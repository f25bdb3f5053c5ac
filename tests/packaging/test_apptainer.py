"""`--sdm apptainer`: what Snakemake asks of Apptainer. A stand-in notes it and runs the command outside of an image."""

import os
import subprocess
import sys
from pathlib import Path

from tests.workflow.conftest import ROOT

_STAND_IN = """#!/bin/bash
[ "$1" = --version ] && { echo "apptainer version 1.3.0"; exit; }
echo "$*" >"$NOTED"
while [ "$1" != "$TWINBENCH_IMAGE" ]; do shift; done
shift
exec "$@"
"""


def _prepare_digits(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    smoke = ("--cores", "1", "--configfile", ROOT / "config/smoke.yaml", "--workflow-profile", "none")
    command = [sys.executable, "-m", "snakemake", "results/smoke/data/digits.npz", "--snakefile", ROOT / "Snakefile"]
    return subprocess.run(
        [*command, "--directory", folder, *smoke, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "TERM": "dumb", **environment},
    )


def test_jobs_run_in_the_image_that_is_named_and_without_the_flag_in_none(tmp_path: Path) -> None:
    program, image, noted = tmp_path / "apptainer", tmp_path / "twinbench.sif", tmp_path / "noted"
    program.write_text(_STAND_IN, encoding="utf-8")
    program.chmod(0o755)
    image.touch()
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    inside = _prepare_digits(tmp_path, "--sdm", "apptainer", PATH=path, TWINBENCH_IMAGE=str(image), NOTED=str(noted))
    assert inside.returncode == 0, inside.stderr
    assert f" {image} bash -c " in noted.read_text(encoding="utf-8")
    assert "prepare_data.py" in noted.read_text(encoding="utf-8")
    noted.unlink()
    (tmp_path / "results/smoke/data/digits.npz").unlink()
    outside = _prepare_digits(tmp_path, PATH=path, TWINBENCH_IMAGE=str(image), NOTED=str(noted))
    assert outside.returncode == 0, outside.stderr
    assert not noted.exists()


def test_an_image_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.sif")
    refused = _prepare_digits(tmp_path, "--sdm", "apptainer", TWINBENCH_IMAGE=missing)
    assert refused.returncode != 0
    assert f"`--sdm apptainer` needs an image, and {missing} is not there" in refused.stderr
    assert "Traceback" not in refused.stderr
