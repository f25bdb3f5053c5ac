"""The same workflow on a real Slurm gives the same results."""

from pathlib import Path

import pytest
from tests.slurm.conftest import Checkout
from tests.slurm.disturbed import PROFILES

pytestmark = pytest.mark.slurm


@pytest.mark.parametrize("profile", list(PROFILES))
def test_a_cluster_gives_the_local_runs_hash_for_hash(
    profile: str, checkout: Checkout, request: pytest.FixtureRequest
) -> None:
    checkout.snakemake("tables", *PROFILES[profile], "--configfile", "config/smoke.yaml")
    smoke: Path = request.getfixturevalue("smoke")  # only now: nothing on the cluster waits for the local run
    tables = checkout.folder / "results/smoke/tables"
    for name in ("runs", "history", "summary", "comparisons", "ladder"):
        assert (tables / f"{name}.csv").read_bytes() == (smoke / f"results/smoke/tables/{name}.csv").read_bytes()
