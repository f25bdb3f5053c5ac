"""The answer of a study says of each variant whether it is another model, and what that does to the score."""

from pathlib import Path

import pandas as pd
import pytest

from twinbench.analysis.study import answer

NAMES = {
    1: "builds",
    2: "runs on a batch",
    3: "same graph",
    4: "same parameter count",
    5: "same initial weights",
    6: "same function",
    7: "same gradients",
    8: "same training",
    9: "same score",
}


@pytest.fixture
def tables(tmp_path: Path):
    """Writes the tables of a study; `failed` names the rungs that fail, `untested` those that were not climbed."""

    def write(failed: tuple[int, ...] = (), untested: tuple[int, ...] = (), status: str = "ok") -> Path:
        who = {"dataset": "mine", "architecture": "study", "variant": "b"}
        rungs = [
            {**who, "rung": number, "name": name, "sentence": f"Rung {number}",
             "outcome": "fail" if number in failed else "not applicable" if number in untested else "pass"}
            for number, name in NAMES.items()
        ]  # fmt: skip
        runs = [
            {**who, "variant": variant, "kind": kind, "status": status, "reason": "" if status == "ok" else "It broke."}
            for variant, kind in (("a", "reference"), ("b", "candidate"))
        ]
        scores = [{**who, "sentence": "It scores 3 points lower."}, {**who, "architecture": "mlp", "sentence": "No."}]
        for name, rows in (("ladder", rungs), ("runs", runs), ("comparisons", scores)):
            pd.DataFrame(rows).to_csv(tmp_path / f"{name}.csv", index=False)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("failed", "untested", "line"),
    [
        ((), (), "b: the same model, as far as 8 tests see, from its graph to its training."),
        ((3, 6, 7, 8, 9), (), "b: another model: Rung 3."),
        ((5, 8), (), "b: the same function, but not the same in training: Rung 5. Rung 8."),
        ((2,), (3, 4, 5, 6, 7, 8, 9), "b: Rung 2."),
        ((), (7, 8), "b: not fully tested (same gradients, same training)."),
    ],
)
def test_a_variant_is_named_with_what_tells_it_apart(tables, failed, untested, line: str) -> None:
    assert list(answer(tables(failed, untested), "study")) == [f"{line} It scores 3 points lower."]


def test_runs_that_failed_are_told_first(tables) -> None:
    lines = list(answer(tables(status="failed"), "study"))
    assert lines[0] == "a, with which the others are compared, FAILED in 1 runs: It broke."
    assert lines[1] == "b FAILED in 1 runs: It broke."
