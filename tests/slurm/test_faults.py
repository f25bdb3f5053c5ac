"""What goes wrong on a cluster: nothing finished is lost, nothing is trained twice, and the logs say what happened."""

import os
import signal

import pytest
from tests.slurm.conftest import Checkout, Slurm, until
from tests.slurm.disturbed import PROFILES, Disturbed

pytestmark = pytest.mark.slurm
through_each_profile = pytest.mark.parametrize("profile", list(PROFILES))


@through_each_profile
def test_a_cancelled_job_comes_again_and_goes_on_from_its_checkpoint(
    profile: str, slurm: Slurm, checkout: Checkout
) -> None:
    disturbed = Disturbed(checkout, slurm, profile)
    disturbed.hold()
    (job,) = disturbed.jobs()
    slurm.cancel(job)
    disturbed.ends_well()
    assert disturbed.said_why("CANCELLED")
    assert "Took over a run from a process that is gone" in disturbed.log()
    assert "Resumed after epoch" in disturbed.log()


@through_each_profile
def test_the_job_of_a_node_that_does_not_answer_waits_for_the_one_that_still_trains(
    profile: str, slurm: Slurm, checkout: Checkout
) -> None:
    disturbed = Disturbed(checkout, slurm, profile, partition="lossy")
    disturbed.hold()
    ((job, node),) = disturbed.jobs().items()
    slurm.kill_node(node)
    until(lambda: slurm.job(job)["JobState"] == "NODE_FAIL")
    until(lambda: disturbed.said_why("NODE_FAIL"))
    until(lambda: f"is being trained by process {disturbed.process}" in disturbed.log())
    disturbed.go_on()
    until(lambda: "was recorded by another process" in disturbed.log())
    slurm.start_node(node)
    disturbed.ends_well()


@through_each_profile
def test_a_snakemake_that_is_killed_and_started_again_trains_nothing_twice(
    profile: str, slurm: Slurm, checkout: Checkout
) -> None:
    disturbed = Disturbed(checkout, slurm, profile)
    disturbed.hold()
    (job,) = disturbed.jobs()
    os.killpg(disturbed.snakemake.pid, signal.SIGKILL)
    disturbed.snakemake.wait()
    assert list(disturbed.jobs()) == [job]
    disturbed.start_again()
    until(lambda: f"is being trained by process {disturbed.process}" in disturbed.log())
    disturbed.go_on()
    disturbed.ends_well()
    assert "was recorded by another process" in disturbed.log()


@through_each_profile
def test_a_job_over_its_time_limit_comes_again_with_more_time(profile: str, slurm: Slurm, checkout: Checkout) -> None:
    disturbed = Disturbed(checkout, slurm, profile)
    disturbed.hold()
    (job,) = disturbed.jobs()
    first = slurm.job(job)
    slurm.end_at_once(job)
    until(lambda: slurm.job(job)["JobState"] == "TIMEOUT")
    until(lambda: disturbed.jobs().keys() - {job})
    (again,) = disturbed.jobs()
    second = slurm.job(again)
    assert (first["TimeLimit"], second["TimeLimit"]) == ("00:10:00", "00:20:00")
    assert int(second["MinMemoryNode"].rstrip("M")) == 2 * int(first["MinMemoryNode"].rstrip("M"))
    disturbed.ends_well()
    assert disturbed.said_why("TIMEOUT")
    assert "Resumed after epoch" in disturbed.log()
    assert "DUE TO TIME LIMIT" in disturbed.scheduler_log()


@through_each_profile
def test_a_job_that_takes_more_memory_than_it_asked_for_comes_again_with_more(
    profile: str, slurm: Slurm, checkout: Checkout
) -> None:
    disturbed = Disturbed(checkout, slurm, profile, "--set-resources", "train:mem_mb=500*attempt")
    disturbed.ends_well()
    assert disturbed.said_why("FAILED")
    assert "exceeded memory limit" in disturbed.scheduler_log()
