"""The answer in three sentences, computed from the tables: the API, the real causes, and chance."""

import pandas as pd

from twinbench.analysis.seeds_needed import seeds_for_all
from twinbench.report.figures.differences import signed
from twinbench.report.figures.suspects import ranked
from twinbench.report.tables import NothingToShowError, Tables


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def of_the_api(tables: Tables) -> str:
    """Return what the pairs of Sequential twins and their Functional references say."""
    try:
        comparisons = tables.get("comparisons")
    except NothingToShowError:
        return "Whether Sequential itself lowers the score is open: no variant was compared with its reference."
    twins = comparisons[(comparisons["kind"] == "twin") & comparisons["variant"].str.startswith("sequential")]
    twins = twins[twins["n"] > 0]
    if twins.empty:
        return (
            "Whether Sequential itself lowers the score is open: no Sequential twin was trained beside its reference."
        )
    same = twins[twins["verdict"] == "identical"]
    pairs, equal = int(twins["n"].sum()), int(same["n"].sum())
    where = f"{_many(len(twins), 'comparison')}, {', '.join(tables.datasets)}"
    if equal == pairs:
        return (
            f"No, not because of the API: in all {_many(pairs, 'pair')} of runs ({where}) the Sequential model ended "
            "with the same weights as its Functional twin, bit for bit, and so with the same score."
        )
    other = twins[twins["verdict"] != "identical"]
    worst = other.sort_values("mean_difference", kind="stable").to_dict("records")[0]
    shown = other[other["verdict"] == "different"]
    opening = (
        f"Not because of the API, as far as {_many(pairs, 'pair')} of runs show"
        if shown[shown["mean_difference"] < 0].empty
        else "In part"
    )
    return (
        f"{opening} ({where}): {equal:,} pairs are bit-identical, and the lowest of the other Sequential twins, "
        f"{worst['architecture']}/{worst['variant']} on {worst['dataset']}, differs by "
        f"{signed(worst['mean_difference'])} points from its reference ({worst['verdict']})."
    )


def of_the_suspects(tables: Tables) -> str:
    """Return what the deliberate faults do."""
    try:
        suspects = ranked(tables.get("suspects"))
    except NothingToShowError:
        return "What else lowers the score was not asked: no suspect was trained."
    faults = suspects[~suspects["cause"].astype(str).str.startswith("none.")]
    damage = faults[faults["verdict"].isin(["different", "different but within the margin"])]
    damage = damage[damage["mean_difference"] < 0]
    count = faults[["dataset", "suspect"]].drop_duplicates().shape[0]
    if damage.empty:
        return f"Of {_many(count, 'deliberate fault')} none lowers the score by an amount that these seeds can show."
    worst = damage.drop_duplicates("suspect").head(3)
    named = [
        f"{row['changes'] or row['suspect']} ({signed(row['mean_difference'], 1)} points)"
        for row in worst.to_dict("records")
    ]
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    return (
        f"What does lower it is a difference that the code hides: of {_many(count, 'deliberate fault')} in one and the "
        f"same network, {len(damage)} do damage that these seeds show, above all where {listed}."
    )


def _seeds_to_paste(tables: Tables) -> int | None:
    plan = tables.optional("seeds_needed")
    return None if plan.empty else seeds_for_all(plan.fillna({"config_line": ""}))


def seeds_advice(tables: Tables) -> str:
    """Return the line for the configuration that settles what is undecided, in a sentence; empty without the table."""
    plan = tables.optional("seeds_needed")
    if plan.empty:
        return ""
    undecided = int((plan["verdict"] == "undecided").sum())
    if undecided == 0:
        return f"All {_many(len(plan), 'comparison')} are settled with the present seeds."
    needed = _seeds_to_paste(tables)
    if needed is None:
        return f"{_many(undecided, 'comparison')} undecided, and not all can be settled with 10,000 seeds."
    return (
        f"{undecided:,} of {_many(len(plan), 'comparison')} are undecided. To settle them, suspects included, put this "
        f"line into the configuration: `seeds: {needed}`"
    )


def of_chance(tables: Tables) -> str:
    """Return how far two seeds of one model end apart."""
    noise = tables.optional("noise_floor")
    if noise.empty or "gap_0.5" not in noise:
        return "How much of it is chance cannot be said: the spread between seeds was not computed."
    known = noise[(noise["kind"] == "reference") & noise["gap_0.5"].notna()]
    if known.empty:
        return "How much of it is chance cannot be said: that takes at least two seeds."
    low, high = known["gap_0.5"].min(), known["gap_0.5"].max()
    widest = known.loc[known["gap_0.5"].idxmax()]
    chance = f"{100 * high:.0f} %"
    if round(100 * low) != round(100 * high):
        chance = f"{100 * low:.0f} to {chance}"
    needed = _seeds_to_paste(tables)
    advice = f"; `seeds: {needed}` in the configuration settles what is still undecided here" if needed else ""
    return (
        "And the rest is chance: one and the same model, trained twice under two seeds, ends at least half a point "
        f"apart with a probability of {chance}, depending on the architecture (most with {widest['architecture']} on "
        f"{widest['dataset']}), so a single run of each says little{advice}."
    )


def answer(tables: Tables) -> tuple[str, str, str]:
    """Return the three sentences."""
    return of_the_api(tables), of_the_suspects(tables), of_chance(tables)


def misleading_counts(tables: Tables) -> str:
    """Return where Keras's own parameter count is not the number of unique weights; empty without the table."""
    table = tables.optional("parameters")
    if table.empty or "keras_count" not in table:
        return ""
    counted = table[table["keras_count"].notna()]
    wrong = counted[counted["keras_count"] != counted["parameters"]]
    if wrong.empty:
        return f"Keras's own count agrees with the number of unique weights in all {len(counted):,} rows."
    names = pd.unique(wrong["architecture"] + "/" + wrong["variant"])
    some = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return f"Keras's own count misleads in {len(wrong):,} of {len(counted):,} rows: {some}."
