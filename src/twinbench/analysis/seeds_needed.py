"""The table `seeds_needed`: what the present number of seeds can show, and how many would settle a comparison.

Power is planned at the level (1 - confidence) / family_size of each test, so that the number holds whatever the other
comparisons give. Planning takes the observed spread of the differences for the
true one; `cautious_seeds` says what follows if it is larger, as a small pilot allows.
"""

import math
from functools import partial
from typing import Any, Final

import pandas as pd

from twinbench.analysis.comparisons import Verdict, reservation
from twinbench.analysis.outputs import SEEDS_NEEDED
from twinbench.analysis.power import (
    MAXIMUM_SEEDS,
    difference_power,
    equivalence_power,
    smallest_number_of_seeds,
    upper_std,
)

# What to run where one seed or none has been seen: the fewest that estimate a spread to about a third.
PILOT_SEEDS: Final = 5


def _seeds_for(margin: float, std: float, level: float, target: float) -> tuple[int | None, int | None]:
    """Return the seeds that find a difference of the margin, and that show equivalence where there is none."""
    return (
        smallest_number_of_seeds(partial(difference_power, margin, std, level=level), target),
        smallest_number_of_seeds(partial(equivalence_power, margin, std, level=level), target),
    )


def _larger(counts: tuple[int | None, int | None]) -> int | None:
    first, second = counts
    return None if first is None or second is None else max(first, second)


def _seeds_observed(mean: float, margin: float, std: float, level: float, target: float) -> int | None:
    """Return the seeds that settle a true difference of `mean`, one way or the other."""
    ways = [smallest_number_of_seeds(partial(difference_power, mean, std, level=level), target)]
    if abs(mean) < margin:
        ways.append(
            smallest_number_of_seeds(partial(equivalence_power, margin, std, difference=mean, level=level), target)
        )
    return min((n for n in ways if n is not None), default=None)


def _plan(row: dict[Any, Any], level: float, target: float) -> dict[str, object]:
    """Return powers and numbers of seeds of one comparison whose spread is known."""
    margin, std, n = row["margin"], row["std_used"], row["n"]
    counts = _seeds_for(margin, std, level, target)
    return {
        "level": level,
        "power_difference": difference_power(margin, std, n, level=level),
        "power_equivalence": equivalence_power(margin, std, n, level=level),
        "seeds_difference": counts[0],
        "seeds_equivalence": counts[1],
        "seeds_observed": _seeds_observed(row["mean_difference"], margin, std, level, target),
        "cautious_seeds": _larger(_seeds_for(margin, upper_std(std, n), level, target)),
    }


def _advice_without_plan(row: dict[Any, Any]) -> tuple[str, str]:
    """Return the line for the configuration and the sentence where nothing was tested."""
    if row["verdict"] == Verdict.IDENTICAL:
        return "", "Bit-identical: more seeds change nothing."
    if pd.isna(row["reference"]) or not row["reference"]:  # an empty name comes back from a CSV file as NaN
        return "", "The reference was not run: there is nothing to compare with."
    if row["failed_alone"]:
        return "", f"Undecided: {reservation(row)}; fix that first."
    if row["failed"]:
        return "", f"{row['failed']} of its runs failed and too few pairs are left: fix that first."
    return f"seeds: {PILOT_SEEDS}", f"Fewer than two pairs show no spread: start with {PILOT_SEEDS} seeds."


def _advice(row: dict[Any, Any], plan: dict[str, Any], target: float) -> tuple[str, str]:
    """Return the line for the configuration and the sentence of a tested comparison."""
    n, margin = row["n"], row["margin"]
    chances = (
        f"{n} seeds find a difference of {margin:g} points with probability {plan['power_difference']:.2f} and show "
        f"equivalence with probability {plan['power_equivalence']:.2f}"
    )
    if row["verdict"] != Verdict.UNDECIDED:
        return "", f"Settled ({row['verdict']}): {chances}."
    needed = _larger((plan["seeds_difference"], plan["seeds_equivalence"]))
    condition = "no difference or one of the margin"
    if needed is not None and needed <= n:
        # Planned well and still undecided: the true difference lies between none and the margin.
        needed, condition = plan["seeds_observed"], "the observed difference"
    if needed is None:
        return "", f"Undecided: {chances}; more than {MAXIMUM_SEEDS:,} would be needed."
    if why := reservation(row):
        return "", f"Undecided: {why}. More seeds can show a difference, but never that the two are alike."
    needed = max(needed, n + 1)
    settled = f"{needed} seeds settle it with probability {target:g} if the truth is {condition}"
    observed = plan["seeds_observed"]
    if observed is not None and observed < needed:
        settled += f" ({max(observed, n + 1)} if it is the observed difference)"
    return f"seeds: {needed}", f"Undecided: {chances}; {settled}."


def _after_looks(row: dict[Any, Any]) -> str:
    """Return the sentence where the looks were declared beforehand."""
    if row["verdict"] != Verdict.UNDECIDED:
        return f"Settled at look {row['look']} ({row['verdict']}), with {row['n']} seeds."
    return (
        f"Undecided at look {row['look']}, with {row['n']} seeds. A larger `most` is another try: its chance of a "
        "false verdict adds to that of this one."
    )


def seeds_needed(comparisons: pd.DataFrame, *, confidence: float, target_power: float = 0.8) -> pd.DataFrame:
    """Return one row per comparison, in the same order.

    Args:
        comparisons: the table of `compare_variants`.
        confidence: as given to `compare_variants`.
        target_power: probability of success to plan for, 0 to 1.

    Returns:
        The table `SEEDS_NEEDED`; numbers of seeds are nullable integers.
    """
    rows = []
    for row in comparisons.to_dict("records"):
        tested = isinstance(row["t_p"], float) and math.isfinite(row["t_p"])
        plan: dict[str, object] = {}
        if tested:
            plan = _plan(row, (1 - confidence) / row["family_size"], target_power)
        config_line, sentence = _advice(row, plan, target_power) if tested else _advice_without_plan(row)
        if tested and not pd.isna(row.get("look")):
            config_line, sentence = "", _after_looks(row)
        kept = {name: row[name] for name in SEEDS_NEEDED.names if name in row}
        rows.append(kept | plan | {"target_power": target_power, "config_line": config_line, "sentence": sentence})
    return SEEDS_NEEDED.frame(rows)


def seeds_for_all(table: pd.DataFrame) -> int | None:
    """Return the number of seeds that settles every undecided comparison of a table of `seeds_needed`.

    None when none is undecided for want of seeds; comparisons that no plan settles (failed runs, a spread too large)
    are passed over.
    """
    lines = table.loc[table["verdict"] == Verdict.UNDECIDED, "config_line"]
    return max((int(line.removeprefix("seeds: ")) for line in lines if line), default=None)
