"""The rule of C7: is a Functional network cheaper to compute than its Sequential twin?"""

from collections.abc import Sequence

import pandas as pd

from twinbench.analysis.claims.entry import ClaimVerdict, Finding, Stance, unmeasured
from twinbench.analysis.claims.evidence import Evidence, Row, cite, is_sequential, known, named
from twinbench.measurement.columns import QUANTITIES

# What training costs at every step; the rest is paid once, or is room and not work.
RUNNING = ("step_ms", "flops")
# An interval within this many percent of none shows that there is nothing worth having.
CLOSE_PERCENT = 10.0


def costs_more(row: Row) -> Stance:
    """Return what one row of `api_costs` says of "the variant costs more than the Functional reference"."""
    if row["verdict"] == "more":
        return Stance.FOR
    if row["verdict"] == "less":
        return Stance.AGAINST
    high = row["difference_high"]
    return Stance.AGAINST if row["verdict"] == "none" and high <= CLOSE_PERCENT else Stance.OPEN


def functional_is_cheaper(evidence: Evidence, dataset: str) -> Finding:
    """C7: a network costs less to compute when it is written with Functional than with Sequential."""
    twins = evidence.rows("api_costs", dataset=dataset, kind="twin")
    rows = [row for row in twins if is_sequential(row) and not known(row.get("reason"))]
    if not rows:
        return unmeasured("No Sequential twin's cost was measured", "The measurement stage, with all variants")
    by_quantity = {quantity: [row for row in rows if row["quantity"] == quantity] for quantity in QUANTITIES}
    measured = {quantity: rows for quantity, rows in by_quantity.items() if rows}
    verdict = _verdict({quantity: [costs_more(row) for row in rows] for quantity, rows in measured.items()})
    lacking = ""
    if verdict is ClaimVerdict.INCONCLUSIVE:
        unclear = [q for q in RUNNING if q not in measured or any(costs_more(r) is Stance.OPEN for r in measured[q])]
        names = " and ".join(QUANTITIES[quantity] for quantity in unclear)
        lacking = f"Narrower intervals of {names}: a larger `measurements.cost_repeats`, and a quiet machine."
    because = (
        f"Sequential minus Functional: {'; '.join(_phrase(quantity, rows) for quantity, rows in measured.items())}."
    )
    return Finding(verdict, because, cite("api_costs", rows), lacking)


def _verdict(stances: dict[str, list[Stance]]) -> ClaimVerdict:
    """Return the verdict: the time of a step can support the claim alone, any other cost only make it `depends`."""
    everything = [stance for several in stances.values() for stance in several]
    running = [stance for quantity in RUNNING for stance in stances.get(quantity, [Stance.OPEN])]
    if set(stances.get("step_ms", ())) == {Stance.FOR}:
        return ClaimVerdict.SUPPORTED
    if Stance.FOR in everything:
        return ClaimVerdict.DEPENDS
    return ClaimVerdict.INCONCLUSIVE if Stance.OPEN in running else ClaimVerdict.REFUTED


def _phrase(quantity: str, rows: Sequence[Row]) -> str:
    more = [row for row in rows if row["verdict"] == "more"]
    less = [row for row in rows if row["verdict"] == "less"]
    measured = [row for row in rows if known(row["difference_percent"])]
    if not measured:
        return f"{QUANTITIES[quantity]} not measured"
    middle = float(pd.Series([row["difference_percent"] for row in measured]).median())
    text = f"{QUANTITIES[quantity]} median {middle:+.1f} % over {len(measured)} twins"
    if all(row["difference_percent"] == 0 for row in measured):
        text = f"{QUANTITIES[quantity]} equal in all {len(measured)} twins"
    parts = [f"{len(told)} {word} ({_worst(told)})" for told, word in ((more, "more"), (less, "less")) if told]
    noise = len(measured) - len(more) - len(less)
    if noise and middle != 0:
        parts.append(f"{'all' if noise == len(measured) else noise} within noise")
    return f"{text}: {', '.join(parts)}" if parts else text


def _worst(rows: Sequence[Row]) -> str:
    row = max(rows, key=lambda row: abs(float(row["difference_percent"])))
    return f"{named(row)} {row['difference_percent']:+.1f} %"
