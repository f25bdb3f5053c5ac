"""As many seeds as it takes: verdicts at looks that are declared beforehand, with the error spent over them.

A group-sequential design by a union bound: look k tests each comparison that is still undecided at the level
share_k (1 - confidence) / family, and a verdict is kept. The shares add up to one, so that all looks of a dataset
together are wrong as seldom as one, whatever the dependence between looks and between comparisons.

Sources: Lan and DeMets 1983, "Discrete sequential boundaries for clinical trials", Biometrika 70(3); Jennison and
Turnbull 1999, "Group Sequential Methods with Applications to Clinical Trials".
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from twinbench.analysis.comparisons import Verdict, compare_variants
from twinbench.analysis.outputs import COMPARISONS

_PLACE = ["dataset", "architecture"]
_KEY = [*_PLACE, "variant"]


def shares(looks: int) -> tuple[float, ...]:
    """Return the part of the error that each look may spend: for five 0.1, 0.2, 0.2, 0.2 and 0.3."""
    weights = [1.0, *[2.0] * (looks - 2), 3.0] if looks > 1 else [1.0]
    return tuple(weight / sum(weights) for weight in weights)


def compare_at_looks(
    runs: pd.DataFrame,
    looks: Sequence[int],
    *,
    margin: float,
    confidence: float,
    chance: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return the table `comparisons`, each row as at the look at which it was decided, or the last that it reached.

    Identical pairs never count, and what more seeds cannot decide (too few pairs ended well) is not looked at again.

    Args:
        runs: the table `runs`, whose seeds are 1, 2, ... where there are looks.
        looks: seeds at each look, ascending; none where their number is fixed.
        margin: the equivalence margin in points, above 0.
        confidence: of all looks of a dataset together.
        chance: as `compare_variants` takes it.
    """
    compare = partial(compare_variants, margin=margin, confidence=confidence, chance=chance)
    if not looks:
        return compare(runs)
    rows: dict[tuple[str, ...], dict[Any, Any]] = {}
    sizes: dict[str, int] | None = None
    waiting = runs
    for number, (count, share) in enumerate(zip(looks, shares(len(looks)), strict=True), 1):
        seen = _complete(waiting[waiting["seed"] <= count], count)
        if seen.empty:
            break
        table = compare(seen, share=share, sizes=sizes)
        if sizes is None:
            counts = table["std_used"].ne(0).groupby(table["family"]).sum().clip(lower=1)
            sizes = {str(family): int(count) for family, count in counts.items()}
            table = compare(seen, share=share, sizes=sizes)
        rows |= {tuple(row[name] for name in _KEY): row | {"look": number} for row in table.to_dict("records")}
        undecided = table[is_open(table)]
        waiting = waiting[_among(waiting, undecided, _KEY) | (_among(waiting, undecided, _PLACE) & _reference(waiting))]
    for row in rows.values():
        row["sentence"] += f" {_fell(row['verdict'], row['look'], len(looks))}"
    return COMPARISONS.frame(rows.values())


def going_on(comparisons: pd.DataFrame, look: int) -> list[list[str]]:
    """Return the (architecture, variant) that train on after a look: what is undecided, and its references.

    Args:
        comparisons: what `compare_at_looks` returned of one dataset.
        look: the look, from 1.
    """
    undecided = comparisons[is_open(comparisons) & comparisons["look"].eq(look)]
    names = {
        (row["architecture"], row[side]) for row in undecided.to_dict("records") for side in ("reference", "variant")
    }
    return [list(name) for name in sorted(names)]


def is_open(table: pd.DataFrame) -> "pd.Series[bool]":
    """Return which comparisons more seeds may decide: those that were tested, and are not decided."""
    return table["verdict"].eq(Verdict.UNDECIDED) & table["t_p"].notna()


def _among(runs: pd.DataFrame, rows: pd.DataFrame, columns: Sequence[str]) -> "pd.Series[bool]":
    present = pd.MultiIndex.from_frame(runs[list(columns)]).isin(pd.MultiIndex.from_frame(rows[list(columns)]))
    return pd.Series(present, index=runs.index)


def _reference(runs: pd.DataFrame) -> "pd.Series[bool]":
    return runs["kind"].eq("reference")


def _complete(runs: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the runs of the variants that have all seeds of a look, and whose reference has."""
    there = runs[runs.groupby(_KEY, sort=False)["seed"].transform("size") == count]
    return there[_among(there, there[_reference(there)], _PLACE)]


def _fell(verdict: str, look: int, looks: int) -> str:
    if verdict == Verdict.IDENTICAL:
        return f"Known at look {look} of {looks}."
    return f"{'Undecided' if verdict == Verdict.UNDECIDED else 'Decided'} at look {look} of {looks}."
