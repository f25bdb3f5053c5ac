"""Seeds that are added by looks are added on a cluster as they are on one machine."""

from pathlib import Path

import pytest
from tests.slurm.conftest import Checkout
from tests.slurm.disturbed import PROFILES
from tests.workflow.test_settling import finished, made_study, tables_of, train

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1800)]


def test_a_settled_study_on_a_cluster_has_the_local_runs_byte_for_byte(checkout: Checkout, tmp_path: Path) -> None:
    local = tmp_path / "local"
    for folder in (checkout.folder, local):
        made_study(folder)
    checkout.snakemake("runs", *PROFILES["slurm"], "--configfile", "study/study.yaml")
    finished(train(local, 2))
    for there, here in zip(tables_of(checkout.folder), tables_of(local), strict=True):
        assert there.to_csv() == here.to_csv()
