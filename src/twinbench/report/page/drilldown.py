"""Every run in a few bytes, for the part of the page in which a reader looks one up."""

import json
from typing import Any, Final

import numpy as np
import pandas as pd

from twinbench.report.tables import Tables

MOST_RUNS: Final = 20_000
# Numbers of history that are carried: 10,000 runs of 40 epochs with three numbers each.
MOST_HISTORY: Final = 1_200_000
_CURVES: Final = ("train_loss", "validation_loss", "validation_score")


def _column(values: pd.Series) -> dict[str, Any]:
    """Return a column: one value if it never changes, else numbers, or codes into a list of words."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = [None if pd.isna(value) else float(f"{value:.6g}") for value in values.tolist()]
        plain = [int(value) if value is not None and value == int(value) else value for value in numbers]
        return {"same": plain[0]} if len(set(plain)) == 1 else {"numbers": plain}
    codes, words = pd.factorize(values.fillna("").astype(str))
    return {"same": str(words[0])} if len(words) == 1 else {"codes": codes.tolist(), "words": list(words)}


def _histories(tables: Tables, runs: pd.DataFrame) -> list[list[list[float | None]] | None]:
    """Return for each run its curves, rounded to four digits; None where it has none or there is no room."""
    history = tables.optional("history")
    if history.empty:
        return []
    curves = [name for name in _CURVES if name in history]
    # One run may stand under the names of two datasets.
    history = (
        history[history["run"].isin(set(runs["run"]))]
        .drop_duplicates(["run", "epoch"])
        .sort_values(["run", "epoch"], kind="stable")
    )
    values = history[curves].to_numpy(dtype=float)
    by_run: dict[str, list[list[float | None]]] = {}
    names, starts = np.unique(history["run"].to_numpy(dtype=str), return_index=True)
    room = MOST_HISTORY
    for name, start, end in zip(names, starts, [*starts[1:], len(history)], strict=True):
        room -= (end - start) * len(curves)
        if room < 0:
            break
        by_run[str(name)] = [
            [None if np.isnan(value) else float(f"{value:.4g}") for value in column] for column in values[start:end].T
        ]
    return [by_run.get(str(run)) for run in runs["run"]]


def drilldown(tables: Tables) -> tuple[str, str]:
    """Return the runs as JSON that is safe inside a script element, and a note on what is left out.

    The JSON has `count`, `columns` (name to `same`, `numbers`, or `codes` into `words`), `curves` (names) and
    `history` (for each run, an array for each curve).
    """
    every = tables.get("runs")
    runs = every.head(MOST_RUNS)
    histories = _histories(tables, runs)
    notes = []
    if len(every) > len(runs):
        notes.append(f"The first {len(runs):,} of {len(every):,} runs can be looked up here.")
    if histories and any(curves is None for curves in histories):
        left = sum(curves is None for curves in histories)
        notes.append(f"{left:,} runs are without a curve here.")
    history = tables.optional("history")
    data = {
        "count": len(runs),
        "columns": {str(name): _column(runs[name]) for name in runs},
        "curves": [name for name in _CURVES if name in history],
        "history": histories,
    }
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"), " ".join(notes)
