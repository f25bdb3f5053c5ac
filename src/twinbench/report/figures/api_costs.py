"""What each API costs: time per step, operations, memory and build time, against the reference."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinbench.report.figures.rows import Rows, grouped, interval, kind_legend, label_rows, mark, subtitle_of, together
from twinbench.report.figures.style import INK, MUTED, PAPER, Style, new_figure
from twinbench.report.tables import NothingToShowError, Tables

_QUANTITIES = {
    "step_ms": "time per step",
    "flops": "operations",
    "peak_memory_mb": "peak memory",
    "build_s": "time to build",
}


def _panel(axes: Axes, table: pd.DataFrame, rows: Rows, order: list[tuple[str, str]], style: Style) -> None:
    """Draw one quantity."""
    by_variant = {(str(row["architecture"]), str(row["variant"])): row for row in table.to_dict("records")}
    for y, key in zip(rows.positions, order, strict=True):
        row = by_variant.get(key)
        if row is None or not np.isfinite(row["difference_percent"]):
            continue
        low, high = float(row["difference_low"]), float(row["difference_high"])
        # An interval that holds zero is a difference inside the noise, whatever word the verdict uses.
        inside = np.isfinite(low) and low <= 0 <= high
        hollow: dict[str, Any] = {"markerfacecolor": PAPER} if inside else {}
        ends = (row["difference_percent"], low, high)
        interval(axes, y, ends, kind=str(row["kind"]), style=style, markersize=5, **hollow)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    low, high = axes.get_xlim()
    # At least one percent either way: a hundredth of a percent should not look large.
    axes.set_xlim(min(low, -1.0), max(high, 1.0))


def draw(tables: Tables, style: Style) -> Figure:
    """Return the costs of one dataset, a panel for each quantity."""
    table = tables.get("api_costs")
    table = table[(table["kind"] != "suspect") & (table["kind"] != "reference")]
    if table.empty:
        raise NothingToShowError("The table api_costs.csv compares no variant with a reference for this dataset.")
    variants = together(table.drop_duplicates(["architecture", "variant"]))
    rows = grouped(variants)
    order = list(zip(variants["architecture"], variants["variant"], strict=True))
    known = [name for name in _QUANTITIES if name in set(table["quantity"])]
    quantities = [*known, *(name for name in table["quantity"].unique() if name not in _QUANTITIES)]
    repeats = int(table["n"].max())
    none = mark("interval holds zero", marker="o", markerfacecolor=PAPER, color=MUTED)
    figure = new_figure(
        style,
        style.row * (rows.end + 0.6) + 0.6 * style.scale,
        "Cost by API",
        subtitle_of(tables, f"{repeats} interleaved repetitions"),
        legend=kind_legend(list(variants["kind"]), style, [none]),
        width=1.9 + 1.45 * len(quantities),
    )
    grid = figure.subplots(1, len(quantities), squeeze=False, sharey=True)[0]
    for axes, quantity in zip(grid, quantities, strict=True):
        _panel(axes, table[table["quantity"] == quantity], rows, order, style)
        axes.set_title(_QUANTITIES.get(quantity, quantity), size=style.text(8.5), pad=3)
        axes.set_xlabel("% more than reference", size=style.text(7.5), color=MUTED)
        axes.grid(visible=False, axis="y")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(axis="y", length=0)
    label_rows(grid[0], rows, [str(name) for name in variants["variant"]], style)
    return figure
