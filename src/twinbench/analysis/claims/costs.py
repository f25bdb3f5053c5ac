"""The rule of C7: is a Functional network cheaper to compute than its Sequential twin?

It rests first on what a compiled training step does, which is counted and the same on every machine. The clock only
confirms: it overrules the counts when it contradicts them in every twin. What is paid once, to build, decides nothing.
"""

from collections.abc import Sequence

import pandas as pd

from twinbench.analysis.claims.entry import ClaimVerdict, Finding, Stance, unmeasured, verdict_of
from twinbench.analysis.claims.evidence import Evidence, Row, cite, is_sequential, known, named
from twinbench.analysis.costs import THRESHOLD_PERCENT
from twinbench.measurement.columns import COUNTS, QUANTITIES, TIMES

_STANCES = {"more": Stance.FOR, "none": Stance.AGAINST, "less": Stance.AGAINST}


def functional_is_cheaper(evidence: Evidence, dataset: str) -> Finding:
    """C7: a network costs less to compute when it is written with Functional than with Sequential."""
    twins = evidence.rows("api_costs", dataset=dataset, kind="twin")
    rows = [row for row in twins if is_sequential(row) and not known(row.get("reason"))]
    if not rows:
        return unmeasured("No Sequential twin's cost was measured", "The measurement stage, with all variants")
    counted: dict[str, list[Stance]] = {named(row): [] for row in rows}
    for row in rows:
        if row["quantity"] in COUNTS:
            counted[named(row)].append(costs_more(row))
    stances = {name: _of_a_twin(counts) for name, counts in counted.items()}
    times = [costs_more(row) for row in rows if row["quantity"] == "step_ms"]
    verdict = _confirmed(verdict_of(list(stances.values())), times)
    lacking = ""
    if verdict is ClaimVerdict.INCONCLUSIVE:
        unclear = ", ".join(name for name, stance in stances.items() if stance is Stance.OPEN)
        lacking = f"The counts of a training step of {unclear}."
    by_quantity = {quantity: [row for row in rows if row["quantity"] == quantity] for quantity in QUANTITIES}
    phrases = {quantity: _phrase(quantity, rows) for quantity, rows in by_quantity.items() if rows}
    because = f"Sequential minus Functional, one training step: {_joined(phrases, COUNTS)}."
    if set(phrases) & set(TIMES):
        because += f" By the clock, which only confirms: {_joined(phrases, TIMES)}."
    return Finding(verdict, because, cite("api_costs", rows), lacking)


def costs_more(row: Row) -> Stance:
    """Return what one row of `api_costs` says of "it costs more than the Functional reference"."""
    return _STANCES.get(str(row["verdict"]), Stance.OPEN)


def _of_a_twin(counts: Sequence[Stance]) -> Stance:
    """Return what the counts of one twin say together: more of anything is more; none is known only of all."""
    if Stance.FOR in counts:
        return Stance.FOR
    return Stance.AGAINST if len(counts) == len(COUNTS) and Stance.OPEN not in counts else Stance.OPEN


def _confirmed(verdict: ClaimVerdict, times: Sequence[Stance]) -> ClaimVerdict:
    """Return a verdict from counts beside the times per step, which contradict it only all together."""
    contradiction = {ClaimVerdict.REFUTED: Stance.FOR, ClaimVerdict.SUPPORTED: Stance.AGAINST}.get(verdict)
    return ClaimVerdict.DEPENDS if times and set(times) == {contradiction} else verdict


def _joined(phrases: dict[str, str], quantities: dict[str, str]) -> str:
    return "; ".join(phrases[quantity] for quantity in quantities if quantity in phrases) or "nothing was counted"


def _phrase(quantity: str, rows: Sequence[Row]) -> str:
    measured = [row for row in rows if known(row["difference_percent"])]
    if not measured:
        return f"{QUANTITIES[quantity]} not measured"
    if all(row["difference_percent"] == 0 for row in measured):
        return f"{QUANTITIES[quantity]} equal in all {len(measured)} twins"
    middle = float(pd.Series([row["difference_percent"] for row in measured]).median())
    words = {"more": "more", "less": "less", "none": f"within {THRESHOLD_PERCENT:g} %", "unclear": "unclear"}
    by_verdict = {word: [row for row in measured if row["verdict"] == verdict] for verdict, word in words.items()}
    parts = [
        f"{len(told)} {word}" + (f" ({_worst(told)})" if word in ("more", "less") else "")
        for word, told in by_verdict.items()
        if told
    ]
    return f"{QUANTITIES[quantity]} median {middle:+.1f} % over {len(measured)} twins: {', '.join(parts)}"


def _worst(rows: Sequence[Row]) -> str:
    row = max(rows, key=lambda row: abs(float(row["difference_percent"])))
    return f"{named(row)} {row['difference_percent']:+.1f} %"
