"""The ladder of sameness: variants down, rungs across."""

import textwrap
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

from twinbench.analysis.comparisons import Verdict
from twinbench.report.figures import charts
from twinbench.report.figures.differences import signed
from twinbench.report.figures.style import GRID, INK, MINUS, MUTED, Style
from twinbench.report.headlines import headline
from twinbench.report.tables import Tables

GRAPH_RUNG, PARAMETERS_RUNG, INITIAL_WEIGHTS_RUNG, SCORE_RUNG = 3, 4, 5, 9
# What the number beside a sign counts; a deviation is in percent of the reference's.
_UNITS: Final = {
    GRAPH_RUNG: "changes",
    PARAMETERS_RUNG: "count",
    INITIAL_WEIGHTS_RUNG: "equal",
    6: "deviation",
    7: "deviation",
    8: "deviation",
    SCORE_RUNG: "points",
}
UNDECIDED: Final = "undecided"
_SIGNS: Final = {"pass": "✓", "fail": "✗", "not applicable": "\N{EN DASH}", UNDECIDED: "?"}


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
    if rung in (GRAPH_RUNG, PARAMETERS_RUNG):
        return f"{'+' if rung == PARAMETERS_RUNG and value > 0 else ''}{brief(value)}".replace("-", MINUS)
    percent = 100 * value
    return f"{brief(round(percent) if percent >= 1 else percent)} %".replace("-", MINUS)


def _cell(axes: Axes, x: float, y: float, *, outcome: str, number: str, style: Style) -> None:
    colour = {"pass": style.palette[0], "fail": style.bad}.get(outcome, GRID)
    box = FancyBboxPatch(
        (x - 0.44, y - 0.38),
        0.88,
        0.76,
        boxstyle="round,pad=0,rounding_size=0.12",
        facecolor=(colour, 0.2 if outcome == "pass" else 0.3 if outcome == "fail" else 0.5),
        edgecolor=colour if outcome == "fail" else MUTED if outcome == UNDECIDED else "none",
        linewidth=1.2 * style.scale,
        linestyle="--" if outcome == UNDECIDED else "-",
    )
    axes.add_patch(box)
    sign = _SIGNS.get(outcome, "?")
    axes.text(x - 0.26 if number else x, y, sign, size=style.text(9.5), color=INK, ha="center", va="center")
    if number:
        axes.text(x - 0.12, y, number, size=style.text(7), color=INK, ha="left", va="center")


def _outcomes(tables: Tables) -> pd.DataFrame:
    """Return the ladder, with a score that no test could settle as undecided instead of not applicable."""
    table = tables.get("ladder")
    compared = tables.optional("comparisons")
    open_pairs = compared[compared["verdict"] == Verdict.UNDECIDED] if len(compared) else compared
    open_names = set(zip(open_pairs.get("architecture", []), open_pairs.get("variant", []), strict=True))
    names = zip(table["architecture"], table["variant"], strict=True)
    is_open = table["rung"].eq(SCORE_RUNG) & np.array([name in open_names for name in names])
    return table.assign(outcome=table["outcome"].mask(is_open, UNDECIDED))


def draw(tables: Tables, style: Style) -> Figure:
    """Return the ladder of one dataset: twins and lookalikes, and the suspects as a group of their own."""
    table = _outcomes(tables)
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
        headline("ladder", tables),
        charts.subtitle_of(tables, "Each variant against its architecture's reference, the cheapest test first"),
        axis=0.75,
        legend=[
            Patch(facecolor=(style.palette[0], 0.2), label="✓ pass"),
            Patch(facecolor=(style.bad, 0.3), edgecolor=style.bad, label="✗ fail"),
            Patch(facecolor=(GRID, 0.5), edgecolor=MUTED, linestyle="--", label="? undecided"),
            Patch(facecolor=(GRID, 0.5), label="\N{EN DASH} not applicable"),
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
    headings = zip(names["rung"], names["name"], strict=True)
    axes.set_xticks(
        range(len(columns)), [f"{rung}\n{textwrap.fill(str(name), 11)}{_unit(rung)}" for rung, name in headings]
    )
    axes.tick_params(axis="x", length=0, labelsize=style.text(7.5), labelcolor=INK)
    return figure


def _unit(rung: int) -> str:
    return f"\n({_UNITS[rung]})" if rung in _UNITS else ""
