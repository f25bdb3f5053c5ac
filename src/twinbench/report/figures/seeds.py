"""Noise between seeds, and the number of seeds that it takes to see through it."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from twinbench.analysis.power import MAXIMUM_SEEDS
from twinbench.report.figures import charts
from twinbench.report.figures.differences import brief_verdict
from twinbench.report.figures.style import GRID, INK, MUTED, Style, new_figure, plain_log
from twinbench.report.headlines import headline
from twinbench.report.seeds_advice import milestones, open_to_chance, seeds_wanted
from twinbench.report.tables import NothingToShowError, Tables

_GAPS = {"gap_0.1": "0.1 points", "gap_0.5": "0.5 points", "gap_1": "1 point"}
_SHAPES = ("o", "s", "D")


def draw_noise_floor(tables: Tables, style: Style) -> Figure:
    """Return the chance of a gap between two seeds of one model, a row for each reference of one dataset."""
    table = tables.get("noise_floor")
    table = table[table["kind"] == "reference"].reset_index(drop=True)
    gaps = [name for name in _GAPS if name in table]
    table = table[table[gaps].notna().any(axis=1)].reset_index(drop=True) if gaps else table.iloc[:0]
    if table.empty:
        raise NothingToShowError("No reference has two runs that ended well: one seed shows no noise.")
    source = ", ".join(sorted({str(name) for name in table["source"].dropna()})) if "source" in table else ""
    figure = new_figure(
        style,
        style.row * 1.5 * len(table) + 0.5 * style.scale,
        headline("noise_floor", tables),
        charts.subtitle_of(
            tables, f"Chance of a gap between two seeds of one model{f', from {source}' if source else ''}"
        ),
        legend=[
            charts.mark(f"at least {_GAPS[name]} apart", marker=_SHAPES[number], color=style.palette[number])
            for number, name in enumerate(gaps)
        ],
    )
    axes = figure.subplots()
    for y, row in enumerate(table.to_dict("records")):
        values = [100 * float(row[name]) for name in gaps]
        axes.plot([min(values), max(values)], [y, y], color=GRID, linewidth=4, zorder=1, solid_capstyle="round")
        for number, value in enumerate(values):
            charts.dot(axes, value, y, style, colour=style.palette[number], marker=_SHAPES[number], size=7)
    numbers = [f"std {value:.2f} points" for value in table["std"]]
    charts.label_rows(axes, charts.ungrouped(len(table)), table["architecture"], style, numbers=numbers)
    axes.set_xlim(-2, 102)
    axes.set_xlabel("chance that two seeds end at least so far apart (%)")
    return figure


def draw_seeds_needed(tables: Tables, style: Style) -> Figure:
    """Return present and needed seeds of each comparison of one dataset; identical pairs need none."""
    plan = tables.get("seeds_needed")
    table = open_to_chance(plan)
    identical = len(plan) - len(table)
    if table.empty:
        raise NothingToShowError("Every comparison is bit-identical: more seeds change nothing.")
    group = table["architecture"].mask(table["kind"] == "suspect", "suspects (" + table["architecture"] + ")")
    table = charts.together(table.assign(group=group), "group")
    needed = seeds_wanted(table).mask(table["verdict"].ne("undecided"))
    rows = charts.grouped(table, "group")
    power = f"{float(table['target_power'].dropna().iloc[0]):.0%}" if table["target_power"].notna().any() else "80%"
    margin = f"{float(table['margin'].dropna().iloc[0]):g}" if table["margin"].notna().any() else "0.5"
    what = f"Seeds to tell a difference of {margin} points from none, with {power} power"
    what += f"; {identical} bit-identical comparisons, which need none, are left out" if identical else ""
    figure = charts.rows_figure(
        style,
        rows,
        headline("seeds_needed", tables),
        charts.subtitle_of(tables, what, tested=False),
        legend=[
            charts.mark("seeds at present", marker="|", markersize=10, markeredgewidth=1.8, color=INK),
            charts.mark("needed", marker=">", color=style.bad),
            charts.mark("settled with those there are", marker="o", color=style.good),
        ],
    )
    axes = figure.subplots()
    numbers = []
    for y, row, wanted in zip(rows.positions, table.to_dict("records"), needed, strict=True):
        present = float(row["n"])
        if row["verdict"] != "undecided":
            charts.dot(axes, present, y, style, colour=style.good, size=6.5)
            numbers.append(f"settled: {brief_verdict(row['verdict'])}")
        elif np.isfinite(wanted):
            way: dict[str, Any] = {"alpha": 0.45, "linewidth": 2, "zorder": 1}
            charts.dot(axes, wanted, y, style, colour=style.bad, marker=">", size=6.5, ends=(present, wanted), **way)
            numbers.append(f"{int(wanted):,} seeds{'' if wanted <= milestones(table)[1] else ', not worth it'}")
        elif pd.isna(row["level"]):  # nothing was tested: runs failed, or the reference was not run
            numbers.append("no number of seeds")
        else:
            numbers.append(f"more than {MAXIMUM_SEEDS:,} seeds")
        axes.plot([present], [y], marker="|", color=INK, markersize=11 * style.scale, markeredgewidth=1.8, zorder=4)
    for seeds in milestones(table):
        axes.axvline(seeds, color=MUTED, linewidth=1, linestyle=(0, (3, 2)), zorder=1)
        top: dict[str, Any] = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points", "ha": "center"}
        axes.annotate(f"{seeds}", (seeds, 1), (0, 2), size=style.text(7.5), color=MUTED, **top)
    largest = max([*needed.dropna(), *map(float, milestones(table))])
    axes.set_xscale("log")
    axes.set_xlim(max(0.8, 0.6 * float(table["n"].min())), 1.4 * max(10.0, largest, float(table["n"].max())))
    plain_log(axes.xaxis, subs=(1, 2, 5))
    charts.label_rows(axes, rows, table["variant"], style, numbers=numbers)
    axes.set_xlabel("seeds, planned with the spread seen so far")
    return figure
