"""The ladder of sameness: variants down, rungs across."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

from twinbench.report.figures import charts
from twinbench.report.figures.differences import signed
from twinbench.report.figures.style import GRID, INK, MINUS, Style
from twinbench.report.tables import Tables

PARAMETERS_RUNG, INITIAL_WEIGHTS_RUNG, SCORE_RUNG = 4, 5, 9
_SIGNS = {"pass": "✓", "fail": "✗", "not applicable": "\N{EN DASH}"}


def brief(value: float) -> str:
    """Return a number in at most six characters."""
    if not np.isfinite(value):
        return ""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value / 1000:.0f}k" if abs(value) >= 10_000 else f"{value / 1000:.1f}k"
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.2g}" if abs(value) >= 0.001 else f"{value:.0e}".replace("e-0", "e-")


def number_of(rung: int, outcome: str, value: float) -> str:
    """Return what a cell says beside its sign: nothing where the rung is passed without a deviation."""
    if not np.isfinite(value):
        return ""
    if rung == SCORE_RUNG:
        return signed(value, 1 if abs(value) >= 10 else 2)
    if rung == INITIAL_WEIGHTS_RUNG:
        return "" if outcome == "pass" else f"{100 * value:.0f} %"
    if value == 0 and outcome == "pass":
        return ""
    return f"{'+' if rung == PARAMETERS_RUNG and value > 0 else ''}{brief(value)}".replace("-", MINUS)


def _cell(axes: Axes, x: float, y: float, *, outcome: str, number: str, style: Style) -> None:
    colour = {"pass": style.palette[0], "fail": style.bad}.get(outcome, GRID)
    box = FancyBboxPatch(
        (x - 0.44, y - 0.38),
        0.88,
        0.76,
        boxstyle="round,pad=0,rounding_size=0.12",
        facecolor=colour,
        edgecolor="none",
        alpha=0.22 if outcome == "pass" else 0.9 if outcome == "fail" else 0.5,
    )
    axes.add_patch(box)
    ink = "#ffffff" if outcome == "fail" else INK
    sign = _SIGNS.get(outcome, "?")
    axes.text(x - 0.26 if number else x, y, sign, size=style.text(9.5), color=ink, ha="center", va="center")
    if number:
        axes.text(x - 0.12, y, number, size=style.text(7), color=ink, ha="left", va="center")


def draw(tables: Tables, style: Style) -> Figure:
    """Return the ladder of one dataset: twins and lookalikes, and the suspects as a group of their own."""
    table = tables.get("ladder")
    names = table.drop_duplicates("rung").sort_values("rung")
    group = np.where(table["kind"] == "suspect", "suspects (" + table["architecture"] + ")", table["architecture"])
    table = table.assign(group=group)
    variants = table.drop_duplicates(["group", "variant"]).sort_values(
        "kind", key=lambda kinds: kinds == "suspect", kind="stable"
    )
    variants = charts.together(variants, "group")
    rows = charts.grouped(variants, "group")
    place = dict(zip(zip(variants["group"], variants["variant"], strict=True), rows.positions, strict=True))
    figure = charts.rows_figure(
        style,
        rows,
        "ladder",
        charts.subtitle_of(tables, "each variant against its architecture's reference"),
        axis=0.6,
        legend=[
            Patch(facecolor=style.palette[0], alpha=0.22, label="✓ pass"),
            Patch(facecolor=style.bad, alpha=0.9, label="✗ fail"),
            Patch(facecolor=GRID, alpha=0.5, label="\N{EN DASH} not applicable"),
        ],
    )
    axes = figure.subplots()
    columns = {rung: column for column, rung in enumerate(names["rung"])}
    for row in table.to_dict("records"):
        value = float(row["value"]) if pd.notna(row["value"]) else float("nan")
        x, y = columns[row["rung"]], place[row["group"], row["variant"]]
        outcome = str(row["outcome"])
        _cell(axes, x, y, outcome=outcome, number=number_of(row["rung"], outcome, value), style=style)
    charts.label_rows(axes, rows, variants["variant"], style)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.xaxis.tick_top()
    axes.set_xticks(
        range(len(columns)),
        [f"{rung}\n{textwrap.fill(str(name), 11)}" for rung, name in zip(names["rung"], names["name"], strict=True)],
    )
    axes.tick_params(axis="x", length=0, labelsize=style.text(7.5), labelcolor=INK)
    return figure
