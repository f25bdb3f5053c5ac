"""The ninth rung of the ladder of sameness: the same score over seeds, which only trained runs can show."""

from typing import Any, Final

import pandas as pd

from twinbench.analysis.comparisons import Verdict
from twinbench.measurement.columns import LADDER

SCORE_RUNG: Final = 9
SCORE_RUNG_NAME: Final = "same score"

_KEY: Final = ["dataset", "architecture", "variant"]
_PASSES: Final = {Verdict.IDENTICAL, Verdict.EQUIVALENT, Verdict.DIFFERENT_WITHIN_MARGIN}


def _outcome(verdict: str) -> str:
    if verdict in _PASSES:
        return "pass"
    return "fail" if verdict == Verdict.DIFFERENT else "not applicable"


def _score_rung(climbed: dict[Any, Any], comparison: dict[Any, Any] | None) -> dict[str, Any]:
    rung = {name: climbed[name] for name in (*_KEY, "kind")} | {"rung": SCORE_RUNG, "name": SCORE_RUNG_NAME}
    if comparison is None:
        return rung | {"outcome": "not applicable", "value": float("nan"), "sentence": "It was not trained."}
    return rung | {
        "outcome": _outcome(str(comparison["verdict"])),
        "value": comparison["mean_difference"],
        "sentence": comparison["sentence"],
    }


def with_scores(ladder: pd.DataFrame, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the ladder with a ninth rung for every variant on it.

    The rung passes when the two are bit-identical or shown to be inside the equivalence margin, fails when they are
    shown to differ (and not inside it), and is not applicable while that is undecided or the variant was not trained.

    Args:
        ladder: rungs 1 to 8, as in the table `LADDER`; a ninth rung that is there already is replaced.
        comparisons: the table of `compare_variants`.

    Returns:
        The table `LADDER`; each variant's rungs in order, the variants in the order of `ladder`.
    """
    by_key = {tuple(row[name] for name in _KEY): row for row in comparisons.to_dict("records")}
    climbed = ladder[ladder["rung"] != SCORE_RUNG] if len(ladder) else ladder
    rows: list[dict[Any, Any]] = []
    for key, rungs in climbed.groupby(_KEY, sort=False) if len(climbed) else []:
        measured = rungs.to_dict("records")
        rows += [*measured, _score_rung(measured[-1], by_key.get(tuple(key)))]
    return LADDER.frame(rows)
