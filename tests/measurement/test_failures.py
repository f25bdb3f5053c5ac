"""What one variant raises is a row with its reason, and takes no other's measurements away."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from tests import bad_variants

from twinbench.analysis.costs import api_costs
from twinbench.config import Configuration
from twinbench.measurement.columns import QUANTITIES

SETTINGS: dict[str, Any] = {
    "datasets": ["digits"],
    "suspects": [],
    "seeds": [1],
    "measurements": {"gradient_depths": [1], "cost_repeats": 3},
}
# What compiles and measures a training step, whatever happens elsewhere.
MEASURED = {
    "sets_precision",
    "functional",
    "sequential",
    "breaks_on_the_last_batch",
    "breaks_in_traced_inference",
    "not_a_number",
    "breaks_when_saved",
    "grows",
}


def test_every_bad_variant_is_a_row_with_its_reason_in_what_it_costs(bad_architecture: str, digits_npz: Path) -> None:
    from twinbench.measurement.costs import measure_costs

    configuration = Configuration.model_validate(SETTINGS | {"architectures": [bad_architecture]})
    table = api_costs(measure_costs(configuration, digits_npz), confidence=0.95)
    assert set(table["variant"]) == {*bad_variants.GOOD, *bad_variants.REASONS}
    assert (table.groupby("variant").size() == len(QUANTITIES)).all()
    failed = table[table["reason"].notna()]
    assert (failed["n"] == 0).all()
    assert (failed["verdict"] == "not measured").all()
    assert set(table["variant"]) - set(failed["variant"]) <= MEASURED
    assert {"functional", "sequential"}.isdisjoint(failed["variant"])
    reasons = failed.set_index("variant")["reason"].to_dict()
    assert "the loss depends on no weight" in reasons.pop("has_no_weights")
    for variant, said in reasons.items():
        assert variant in MEASURED or bad_variants.REASONS[variant] in said


def test_a_reference_that_fails_is_a_row_and_so_are_those_that_it_cannot_be_compared_with(
    bad_architecture: str, digits_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinbench.measurement.costs import measure_costs
    from twinbench.measurement.determinism import measure_determinism
    from twinbench.measurement.gradients import measure_gradients

    bad = importlib.import_module(f"twinbench.architectures.{bad_architecture}")
    monkeypatch.setattr(bad, "functional", bad.breaks_in_training)
    configuration = Configuration.model_validate(SETTINGS | {"architectures": [f"{bad_architecture}/sequential"]})
    reason = bad_variants.REASONS["breaks_in_training"]
    costs = measure_costs(configuration, digits_npz)
    assert costs["reason"].str.contains(reason, regex=False).all()
    assert costs[costs["variant"] == "sequential"]["reason"].str.startswith("The reference fails. ").all()
    gradients = measure_gradients(configuration, digits_npz)
    assert list(gradients["variant"]) == ["functional", "sequential"]
    assert gradients["reason"].str.contains(reason, regex=False).all()
    determinism = measure_determinism(configuration, digits_npz)
    assert len(determinism) == 1
    assert reason in determinism["reason"].iloc[0]


def test_a_bad_variant_leaves_the_gradients_of_the_others(
    bad_architecture: str, digits_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinbench.measurement.gradients import measure_gradients

    bad = importlib.import_module(f"twinbench.architectures.{bad_architecture}")
    configuration = Configuration.model_validate(SETTINGS | {"architectures": [bad_architecture]})
    for broken in ("exits", "gives_two", "breaks_in_training", "has_no_weights"):
        monkeypatch.setattr(bad, "sequential", getattr(bad, broken))
        table = measure_gradients(configuration, digits_npz)
        assert table[table["variant"] == "functional"]["gradient_norm"].notna().all()
        (said,) = table[table["variant"] == "sequential"]["reason"]
        assert ("no weight" if broken == "has_no_weights" else bad_variants.REASONS[broken]) in said


def test_a_step_that_fails_on_a_later_call_takes_no_other_times_away() -> None:
    import tensorflow as tf

    from twinbench.architectures.catalogue import find_variant
    from twinbench.measurement.failures import Failures
    from twinbench.measurement.steps import time_steps

    good, bad = (find_variant("mlp", name) for name in ("functional", "sequential"))
    calls = iter(range(5))

    def fails_later(*_: Any) -> list[Any]:
        if next(calls, None) is None:
            raise ValueError("the fifth batch is one too many")
        return [tf.zeros(1)]

    failures = Failures()
    times = time_steps({bad: fails_later, good: lambda *_: [tf.zeros(1)]}, (None, None), failures.of)
    assert set(times) == {good}
    assert times[good] > 0
    assert "one too many" in failures[bad]
