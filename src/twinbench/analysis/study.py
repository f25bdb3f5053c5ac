"""The answer of a study in a few lines: for each variant what it is, and what it does to the score."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from twinbench.analysis.ladder import SCORE_RUNG

_Rows = list[dict[str, Any]]


def answer(tables: Path, architecture: str) -> Iterator[str]:
    """Yield a line for each variant of an architecture, and one for each that failed.

    Args:
        tables: folder of the tables.
        architecture: name of the network.
    """
    ladder, comparisons, runs = (_rows(tables / f"{name}.csv", architecture) for name in _TABLES)
    reference = next((row["variant"] for row in runs if row["kind"] == "reference"), "")
    failed = [row for row in runs if row["status"] == "failed" and row["variant"] == reference]
    if failed:
        yield f"{reference}, with which the others are compared, FAILED in {len(failed)} runs: {failed[0]['reason']}"
    variants = dict.fromkeys((row["dataset"], row["variant"]) for row in runs if row["kind"] != "reference")
    datasets = {dataset for dataset, _ in variants}
    for dataset, variant in variants:
        where = f"{variant} on {dataset}" if len(datasets) > 1 else variant
        mine = {"dataset": dataset, "variant": variant}
        reasons = [row["reason"] for row in _of(runs, mine) if row["status"] == "failed"]
        if reasons:
            yield f"{where} FAILED in {len(reasons)} runs: {reasons[0]}"
        yield f"{where}: {_sameness(_of(ladder, mine))} {' '.join(row['sentence'] for row in _of(comparisons, mine))}"


_TABLES = ("ladder", "comparisons", "runs")
# Rungs: up to this one a variant must come to be compared at all; and whether it computes the same.
_RUNS, _FUNCTION = 2, 6


def _rows(path: Path, architecture: str) -> _Rows:
    frame = pd.read_csv(path, keep_default_na=False, dtype=str)
    rows = frame[frame["architecture"] == architecture].to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _of(rows: _Rows, values: Mapping[str, str]) -> _Rows:
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


def _sameness(rungs: _Rows) -> str:
    """What the ladder says: where the variant is another model, where it starts elsewhere, or what was not seen."""
    climbed = {int(row["rung"]): row for row in rungs if int(row["rung"]) != SCORE_RUNG}
    failed = [row for row in climbed.values() if row["outcome"] == "fail"]
    untested = [row["name"] for row in climbed.values() if row["outcome"] not in ("pass", "fail")]
    if not failed:
        if untested or not climbed:
            return f"not fully tested ({', '.join(untested) or 'no rung was climbed'})."
        return f"the same model, as far as {len(climbed)} tests see, from its graph to its training."
    first = _ended(failed[0]["sentence"])
    if int(failed[0]["rung"]) <= _RUNS:
        return first
    if climbed[_FUNCTION]["outcome"] == "pass":
        kind = "the same function, but not the same in training"
        return f"{kind}: {' '.join(_ended(row['sentence']) for row in failed)}"
    return f"another model: {first}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
