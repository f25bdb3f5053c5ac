"""Trains both sides under several seeds, as `twinbench study` does, and says how far apart they land."""

import inspect
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from twinbench.compare.conclusion import gaps_in_words
from twinbench.compare.report import Report
from twinbench.errors import TwinbenchError, UsageError, first_cause, raise_if_memory_ran_out
from twinbench.sameness.rungs import Outcome, make_rung

APART = 0.001
"""Below this p value of a paired t test, equal models do not score so differently by chance."""


SUBJECT = "training on data"


def add_training(
    report: Report, sides: Sequence[Any], data: str, *, seeds: int, output: str, settings: Sequence[str]
) -> None:
    """Train both sides on a dataset and add what comes of it to a finished report.

    What cannot be trained is a sentence in the report and leaves the models not fully tested.

    Args:
        report: Of the comparison.
        sides: The two builders, or their places.
        data: A dataset as the configuration names it.
        seeds: How many, from 2.
        output: The folder of the study, whose store has the runs.
        settings: `KEY=VALUE`, further keys of the configuration.

    Raises:
        ResourceError: The memory ran out.
    """
    try:
        places = [_place_of(side) for side in sides]
        trained = _summary(_study(places, data, seeds, output, settings), data)
    except Exception as error:
        raise_if_memory_ran_out(error)
        reason = str(error) if isinstance(error, TwinbenchError) else first_cause(error)
        report.warnings.append(f"They were not trained on {data}: {reason}")
        report.rungs[7] = replace(report.rungs[7], sentence=f"They could not be trained on {data}.")
        report.coverage.not_tested(SUBJECT, reason)
    else:
        difference = trained["difference"]
        report.seeds = trained
        report.noise = str(trained["sentence"])
        apart = difference["p_value"] < APART
        outcome: Outcome = "pass" if trained["verdict"] == "identical" else "fail" if apart else "not applicable"
        report.rungs[7] = make_rung(8, outcome, difference["mean"], trained["finding"])
        report.coverage.tested(SUBJECT)
        if apart:
            report.coverage.not_tested(SUBJECT, f"they score differently on {data}, and no test says why")
    if report.verdict in ("identical", "equivalent") and report.coverage.gaps:
        report.verdict = "not_fully_tested"
        report.sentence = gaps_in_words(report.coverage)


def _place_of(side: str | Callable[[], Any]) -> str:
    """Return where a builder is, so that another process finds it.

    Raises:
        UsageError: It is no function that a file or module has by its name.
    """
    if isinstance(side, str):
        return side
    file = inspect.getsourcefile(side) if inspect.isfunction(side) else None
    if file is None or not side.__qualname__.isidentifier() or not Path(file).is_file():
        raise UsageError(
            "To be trained, each side must be a function at the top of a file, so that another process finds it: name "
            "it as file.py:function."
        )
    return f"{file}:{side.__qualname__}"


def _study(places: Sequence[str], data: str, seeds: int, output: str, settings: Sequence[str]) -> dict[str, Any]:
    """Return what the training process answered."""
    request = {"models": list(places), "data": data, "seeds": seeds, "output": output, "settings": list(settings)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "twinbench.compare.studied", json.dumps(request), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
        if not file.is_file():
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            raise UsageError(f"the training process ended: {lines[-1]}")
        answer: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if "error" in answer:
        raise UsageError(answer["error"])
    if not answer["comparison"]["n"]:
        raise UsageError(" ".join(answer["failures"]) or "no seed in which both ended well.")
    return answer


def _summary(answer: dict[str, Any], data: str) -> dict[str, Any]:
    """Return what the report holds: see `seeds` in docs/compare.md."""
    row, (first, second) = answer["comparison"], answer["scores"]
    finding = (
        "both end with bit-identical weights under every seed"
        if row["verdict"] == "identical"
        else f"B minus A is {row['mean_difference']:+.2f} points (interval {row['ci_low']:+.2f} to "
        f"{row['ci_high']:+.2f}): {row['verdict']}"
    )
    failed = f" Some runs failed: {' '.join(answer['failures'])}" if answer["failures"] else ""
    trained = f"trained {answer['epochs']} epochs under {row['n']} seeds"
    sentence = (
        f"On {data}, {trained}: A scores {sum(first) / len(first):.2f} and B {sum(second) / len(second):.2f} points on "
        f"average; {finding}. Seeds alone move one model by {answer['between_seeds'][0]:.2f} points (standard "
        f"deviation), and {answer['tested']:,} test images alone allow {answer['binomial_se']:.2f}.{failed}"
    )
    return {
        "data": data,
        "epochs": answer["epochs"],
        "accuracy": {"a": [round(score, 4) for score in first], "b": [round(score, 4) for score in second]},
        "verdict": row["verdict"],
        "difference": {
            "mean": row["mean_difference"],
            "standard_deviation": row["std_difference"],
            "ci_low": row["ci_low"],
            "ci_high": row["ci_high"],
            "p_value": 1.0 if row["t_p"] is None else row["t_p"],
        },
        "between_seeds": dict(zip("ab", answer["between_seeds"], strict=True)),
        "binomial_se": answer["binomial_se"],
        "finding": f"On {data}, {trained}: {finding}.",
        "sentence": sentence,
    }
