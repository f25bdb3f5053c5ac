"""The finding of each figure in one sentence with its numbers: the title of the figure, computed from the tables."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from twinbench.analysis.comparisons import Verdict
from twinbench.analysis.outputs import API_ROW
from twinbench.analysis.suspects import Standing, ranked, standing_of
from twinbench.report.catalogue import figure_entry
from twinbench.report.seeds_advice import open_to_chance, plan_in_brief
from twinbench.report.tables import Tables

# First layers' norms nearer than this are as good as the same.
_ALIKE: Final = 1.25


def headline(name: str, tables: Tables) -> str:
    """Return what one figure of one dataset shows, with its numbers; the catalogue's topic where nothing can be said.

    Args:
        name: of the figure.
        tables: of one dataset.
    """
    return _HEADLINES[name](tables) or figure_entry(name).title


def share(part: int, total: int, noun: str, verbs: tuple[str, str]) -> str:
    """Return a count with its verb: `All 19 twins train`, `1 of 19 twins trains`, `None of 19 twins trains`.

    Args:
        part: how many.
        total: of how many.
        noun: in the singular.
        verbs: the verb for one and for several, which is its plain form too.
    """
    if total == 1:
        return f"The only {noun} {verbs[0]}" if part else f"The only {noun} does not {verbs[1]}"
    several = f"{total:,} {noun}s"
    if part == total:
        return f"{f'Both {noun}s' if total == 2 else f'All {several}'} {verbs[1]}"
    return f"{part:,} of {several} {verbs[part != 1]}" if part else f"None of {several} {verbs[0]}"


def _points(value: float) -> str:
    """Return an amount of points: whole where it is large."""
    size = abs(value)
    return f"{size:.0f}" if size >= 10 or size == 0 else f"{size:.1f}" if round(size, 1) else "less than 0.1"


def _kind(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    return table[table["kind"] == kind] if "kind" in table else table.iloc[:0]


def _joined(*parts: str) -> str:
    """Return the parts that there are as one sentence."""
    first, *others = [part for part in parts if part] or [""]
    return "; ".join([first, *(other[0].lower() + other[1:] for other in others)])


def api_effect(row: Mapping[Any, Any]) -> str:
    """Return what the change of API does to the score, in a clause."""
    mean = row["mean_difference"]
    if pd.isna(mean):
        return "Switching to Sequential gave no score to compare"
    if row["verdict"] == Verdict.IDENTICAL:
        return "Switching to Sequential costs 0 points"
    if row["verdict"] == Verdict.UNDECIDED:
        return f"Switching to Sequential: {mean:+.1f} points, within noise"
    if row["verdict"] == Verdict.DIFFERENT:
        return f"Switching to Sequential {'costs' if mean < 0 else 'gains'} {_points(mean)} points"
    return f"Switching to Sequential moves the score by {_points(mean)} points, less than the margin"


def _suspects(tables: Tables) -> str:
    table = ranked(tables.get("suspects"))
    rows = table.to_dict("records")
    api = next((row for row in rows if row["suspect"] == API_ROW), None)
    costly = [row for row in rows if standing_of(row) is Standing.SHOWN]
    costly = [row for row in costly if row["mean_difference"] < 0]
    if not costly:
        worst = f"{share(0, len(rows) - (api is not None), 'planted fault', ('clearly costs', 'clearly cost'))} points"
    else:
        name = str(costly[0]["suspect"]).replace("_", " ")
        worst = f"“{name}” costs {_points(costly[0]['mean_difference'])}{'' if api else ' points'}"
    return _joined(api_effect(api) if api else "", worst)


def _ladder(tables: Tables) -> str:
    table = tables.get("ladder")
    rungs = table["rung"].nunique()
    by_variant = table.groupby(["kind", "architecture", "variant"], sort=False)["outcome"]
    passed = by_variant.agg(lambda outcomes: bool(outcomes.eq("pass").all())).reset_index()
    failed = by_variant.agg(lambda outcomes: bool(outcomes.eq("fail").any())).reset_index()
    twins, others = _kind(passed, "twin"), _kind(failed, "lookalike")
    return _joined(
        f"{share(int(twins['outcome'].sum()), len(twins), 'twin', ('passes', 'pass'))} all {rungs} tests"
        if len(twins)
        else "",
        f"{share(int(others['outcome'].sum()), len(others), 'lookalike', ('fails', 'fail'))} at least one"
        if len(others)
        else "",
    )


def _identical_twins(tables: Tables) -> str:
    """Return how many twins differ by nothing, in a clause."""
    twins = _kind(tables.optional("comparisons"), "twin")
    if twins.empty:
        return ""
    identical = int(twins["verdict"].eq(Verdict.IDENTICAL).sum())
    return f"{share(identical, len(twins), 'twin', ('scores', 'score'))} exactly the same as the reference"


def _accuracy(tables: Tables) -> str:
    runs = tables.get("runs")
    good = runs[(runs["status"] == "ok") & (runs["kind"] == "reference")]
    spread = good.groupby("architecture", sort=False)["test_score"].agg(["max", "min", "count"])
    spread = spread[spread["count"] > 1]
    if spread.empty:
        return _joined("One seed shows no spread", _identical_twins(tables))
    largest = _points(float((spread["max"] - spread["min"]).max()))
    seeds = f"Another seed moves the same network by up to {largest} points"
    moved = _kind(tables.optional("comparisons"), "twin").get("mean_difference", pd.Series(dtype=float)).abs().max()
    return _joined(seeds, f"rewriting it as a twin by {_points(moved)}" if pd.notna(moved) else "")


def _differences(tables: Tables) -> str:
    others = _kind(tables.get("comparisons"), "lookalike")
    candidates = _kind(tables.get("comparisons"), "candidate")
    if len(candidates):
        row = candidates.loc[candidates["mean_difference"].abs().fillna(-1).idxmax()]
        return f"{row['architecture']}/{row['variant']}: {row['mean_difference']:+.2f} points, {row['verdict']}"
    different = int(others["verdict"].isin([Verdict.DIFFERENT, Verdict.DIFFERENT_WITHIN_MARGIN]).sum())
    return _joined(
        _identical_twins(tables),
        share(different, len(others), "lookalike", ("clearly differs", "clearly differ")) if len(others) else "",
    )


def _noise_floor(tables: Tables) -> str:
    references = _kind(tables.get("noise_floor"), "reference")
    references = references[references["gap_0.5"].notna()] if "gap_0.5" in references else references.iloc[:0]
    if references.empty:
        return ""
    row = references.loc[references["gap_0.5"].idxmax()]
    return f"Two runs of the same {row['architecture']} end half a point or more apart in {row['gap_0.5']:.0%} of cases"


def _parameters(tables: Tables) -> str:
    table = tables.get("parameters")
    twins, others = _kind(table, "twin"), _kind(table, "lookalike")
    equal = int(twins["difference_to_reference"].eq(0).sum())
    unequal = int(others["difference_to_reference"].fillna(0).ne(0).sum())
    return _joined(
        f"{share(equal, len(twins), 'twin', ('has', 'have'))} exactly the reference's parameters" if len(twins) else "",
        f"{share(unequal, len(others), 'lookalike', ('has', 'have'))} more or fewer" if len(others) else "",
    )


def curves_by_variant(table: pd.DataFrame, order: list[str], columns: list[str]) -> dict[tuple[str, str], bytes]:
    """Return for each (architecture, variant) its numbers as bytes: equal bytes are equal curves."""
    sorted_rows = table.sort_values(order, kind="stable")
    return {
        (str(architecture), str(variant)): rows[columns].to_numpy(dtype=float).tobytes()
        for (architecture, variant), rows in sorted_rows.groupby(["architecture", "variant"], sort=False)
    }


def _learning(tables: Tables) -> str:
    history = tables.get("history")
    history = history[history["kind"].isin(["reference", "twin"]) & ~history["run"].isin(tables.failed["run"])]
    curves = curves_by_variant(history, ["seed", "epoch"], ["train_loss", "validation_score"])
    kinds = history.drop_duplicates(["architecture", "variant"])
    references = {
        row["architecture"]: curves[row["architecture"], row["variant"]]
        for row in _kind(kinds, "reference").to_dict("records")
    }
    twins = _kind(kinds, "twin")
    equal = sum(
        curves[row["architecture"], row["variant"]] == references.get(row["architecture"])
        for row in twins.to_dict("records")
    )
    if twins.empty:
        return ""
    return f"{share(equal, len(twins), 'twin', ('learns', 'learn'))} exactly as the reference does, epoch by epoch"


def warm_seconds(costs: pd.DataFrame) -> pd.DataFrame:
    """Return for each variant the seconds of its first run, which compiles, and the median of the later ones.

    Args:
        costs: rows of the table `costs` of one dataset.

    Returns:
        architecture, variant, kind, `first` and `warm` (NaN with one run).
    """
    ordered = costs.sort_values("seed", kind="stable")
    by_variant = ordered.groupby(["architecture", "variant", "kind"], sort=False)["train_seconds"]
    times = by_variant.agg(first="first", warm=lambda seconds: seconds.iloc[1:].median()).reset_index()
    keys = ["architecture", "variant", "kind"]
    return costs[keys].drop_duplicates().merge(times, on=keys)


def _training_time(tables: Tables) -> str:
    times = warm_seconds(tables.get("costs"))
    references = _kind(times, "reference").set_index("architecture")["warm"]
    twins = _kind(times, "twin")
    ratios = (twins["warm"] / twins["architecture"].map(references)).replace([np.inf, -np.inf], np.nan).dropna()
    if ratios.empty:
        return ""
    low, middle, high = (f"{value:.1f}" for value in (ratios.min(), ratios.median(), ratios.max()))
    return f"Once compiled, twins take {middle} times the reference's time (from {low} to {high}, on a shared machine)"


def first_layer_ratios(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return how much of the reference's norm the first layer of each variant gets, at the largest depth.

    Args:
        table: rows of the table `gradients` of one dataset.
        column: `gradient_norm` or `update_norm`.

    Returns:
        architecture, variant, kind, depth and `ratio`: the median over seeds, at initialisation.
    """
    keys = ["architecture", "variant", "kind", "depth", "seed"]
    rows = table[table[column].notna() & table["step"].eq(table["step"].min())].sort_values("layer_index")
    rows = rows[rows["depth"] == rows.groupby("architecture")["depth"].transform("max")]
    first = rows.groupby(keys, sort=False)[column].first().reset_index()
    reference = _kind(first, "reference")[["architecture", "depth", "seed", column]]
    both = first.merge(reference, on=["architecture", "depth", "seed"], suffixes=("", "_reference"))
    both = both[both["kind"].ne("reference") & both[f"{column}_reference"].gt(0) & both[column].gt(0)]
    both["ratio"] = both[column] / both[f"{column}_reference"]
    return both.groupby(keys[:-1], sort=False)["ratio"].median().reset_index()


def _by_depth(column: str, what: str) -> Callable[[Tables], str]:
    def sentence(tables: Tables) -> str:
        ratios = first_layer_ratios(tables.get("gradients"), column)
        if ratios.empty:
            return ""
        twins, others = _kind(ratios, "twin"), _kind(ratios, "lookalike")
        equal = int(np.isclose(twins["ratio"], 1, rtol=1e-3).sum())
        parts = [f"{share(equal, len(twins), 'twin', ('gets', 'get'))} the reference's {what}s"] if len(twins) else []
        if len(others):
            row = others.loc[np.log(others["ratio"]).abs().idxmax()]
            if abs(np.log(row["ratio"])) < np.log(_ALIKE):
                return _joined(*parts, f"lookalikes' differ by less than {round(100 * (_ALIKE - 1))} %")
            size = row["ratio"] if row["ratio"] >= 1 else 1 / row["ratio"]
            times = f"{size:.0f}" if size >= 10 else f"{size:.1f}"
            compared = "larger" if row["ratio"] >= 1 else "smaller"
            parts.append(
                f"without the skip connection the first layer's is {times} times {compared} ({row['architecture']})"
                if row["variant"].endswith("no_skip")
                else f"{row['architecture']}/{row['variant']}'s first one is {times} times {compared}"
            )
        return _joined(*parts)

    return sentence


def _api_costs(tables: Tables) -> str:
    table = tables.get("api_costs")
    steps = table[(table["kind"] == "twin") & (table["quantity"] == "step_ms")]
    steps = steps[steps["difference_percent"].notna()]
    if steps.empty:
        return ""
    same = int(steps["verdict"].eq("none").sum())
    clear = steps[steps["verdict"].isin(["more", "less"])]
    clause = f"{share(same, len(steps), 'twin', ('takes', 'take'))} the reference's time per step, within 10 %"
    if unclear := len(steps) - same - len(clear):
        clause += f", {unclear} unclear"
    if clear.empty:
        return clause
    row = clear.loc[clear["difference_percent"].abs().idxmax()]
    return f"{clause}; {row['architecture']}/{row['variant']} {row['difference_percent']:+.0f} %"


_HEADLINES: Final[Mapping[str, Callable[[Tables], str]]] = {
    "suspects": _suspects,
    "ladder": _ladder,
    "accuracy": _accuracy,
    "differences": _differences,
    "noise_floor": _noise_floor,
    "parameters": _parameters,
    "learning_curves": _learning,
    "training_time": _training_time,
    "gradients": _by_depth("gradient_norm", "gradient"),
    "updates": _by_depth("update_norm", "update"),
    "api_costs": _api_costs,
    "seeds_needed": lambda tables: plan_in_brief(open_to_chance(tables.get("seeds_needed"))),
}
