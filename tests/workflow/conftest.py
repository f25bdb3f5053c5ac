"""The real Snakemake, run as a user runs it, in folders of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_snakemake(folder: Path, *arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Snakemake with the workflow of `root` in `folder`; output and errors come back as one text.

    Without the default profile, which would draw bars in a terminal, unless an argument names a profile.
    """
    if not any(str(argument).endswith("profile") for argument in arguments):
        arguments = (*arguments, "--workflow-profile", "none")
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", root / "Snakefile", "--directory", folder, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "TERM": "dumb"},
    )
