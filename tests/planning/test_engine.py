"""The lock of the engine: its number stands for its code as it was locked, and for no other."""

import json
from pathlib import Path

import pytest

from twinbench.architectures import architectures, catalogue
from twinbench.config import parse_configuration
from twinbench.planning import engine, keys
from twinbench.planning.plan import make_plan


def test_the_lock_is_that_of_the_present_code() -> None:
    locked = engine.read_lock()["modules"]
    changed = sorted(name for name, digest in engine.engine_digests().items() if locked.get(name) != digest)
    gone = sorted(locked.keys() - engine.engine_digests().keys())
    assert not changed + gone, (
        f"{', '.join(changed + gone)} changed. If every result is the same bit for bit (tests/training), run "
        "`make lock-engine`; if not, `make raise-engine`, and every run is trained again."
    )


def test_the_engine_holds_what_computes_a_result_and_not_what_looks_after_it() -> None:
    modules = engine.engine_digests().keys()
    assert {f"twinbench.training.{name}" for name in ("program", "feed", "building", "seeds", "runtime")} <= modules
    assert {"twinbench.architectures.recipe", "twinbench.data.splits"} <= modules
    apart = {
        "twinbench.training.locks",
        "twinbench.config.model",
        "twinbench.planning.plan",
        "twinbench.planning.engine",
    }
    assert not apart & modules


def test_code_that_is_not_the_locked_has_another_identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    number = str(engine.read_lock()["engine"])
    content = {**engine.read_lock(), "modules": {**engine.engine_digests(), "twinbench.training.feed": "0" * 64}}
    (tmp_path / "engine.json").write_text(json.dumps(content))
    monkeypatch.setattr(engine, "LOCK", tmp_path / "engine.json")
    assert engine.engine_identity.__wrapped__().startswith(f"{number}+")
    engine.write_lock(7)
    assert engine.engine_identity.__wrapped__() == "7"


def test_a_change_to_how_own_models_are_trained_reaches_their_runs_and_no_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "nets.py").write_text("import keras\n\n\ndef one():\n    ...\n\n\ndef other():\n    ...\n")
    own = {"name": "own", "reference": f"{tmp_path}/nets.py:one", "variants": [f"{tmp_path}/nets.py:other"]}
    configuration = parse_configuration({"architectures": ["mlp/functional", own], "suspects": [], "seeds": 1})

    def key_by_architecture() -> dict[str, str]:
        plan = make_plan(configuration)
        return {run.architecture: plan.key(run) for run in plan.runs if run.variant != "other"}

    before = key_by_architecture()
    monkeypatch.setattr(keys, "OWN_MODELS", keys.OWN_MODELS + 1)
    after = key_by_architecture()
    catalogue._brought.clear()
    architectures.cache_clear()
    assert {name for name in before if before[name] != after[name]} == {"own"}
    assert before.keys() == {"own", "mlp"}
