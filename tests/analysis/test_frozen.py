"""Which planned runs no look wants any more, so that nobody is told that they are still to train."""

import pandas as pd
import pytest

from twinbench.analysis.frozen import frozen_runs
from twinbench.config import parse_configuration
from twinbench.planning.plan import Plan, make_plan


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A reference and two variants, looked at with 2 and with 4 seeds."""
    content = {"architectures": ["mlp/sequential", "mlp/subclass"], "suspects": [], "seeds": {"first": 2, "most": 4}}
    return make_plan(parse_configuration(content))


def row(variant: str, verdict: str, look: int) -> dict[str, object]:
    p = None if verdict == "identical" else 0.1
    return {"dataset": "digits", "architecture": "mlp", "variant": variant, "verdict": verdict, "t_p": p, "look": look}


def frozen(plan: Plan, missing: dict[str, list[int]], *rows: dict[str, object]) -> set[tuple[str, int]]:
    """The frozen among missing runs, given by the seeds of each variant."""
    runs = [run for run in plan.runs if run.seed in missing.get(run.variant, [])]
    return {(run.variant, run.seed) for run in frozen_runs(plan, runs, pd.DataFrame(rows))}


LATER = {"functional": [3, 4], "sequential": [3, 4], "subclass": [3, 4]}


def test_a_settled_variant_is_frozen_and_the_reference_goes_on_with_the_others(plan: Plan) -> None:
    rows = row("sequential", "identical", 1), row("subclass", "undecided", 1)
    assert frozen(plan, LATER, *rows) == {("sequential", 3), ("sequential", 4)}


def test_where_all_are_settled_the_reference_is_frozen_too(plan: Plan) -> None:
    rows = row("sequential", "identical", 1), row("subclass", "different", 1)
    assert frozen(plan, LATER, *rows) == {(variant, seed) for variant in LATER for seed in (3, 4)}


def test_a_variant_that_no_look_has_seen_is_not_frozen(plan: Plan) -> None:
    assert not frozen(plan, LATER, row("subclass", "undecided", 1))


def test_nothing_is_frozen_by_a_look_of_which_a_run_is_missing(plan: Plan) -> None:
    rows = row("sequential", "different", 1), row("subclass", "undecided", 1)
    assert not frozen(plan, LATER | {"subclass": [2, 3, 4]}, *rows)
