"""The score of each variant: every seed a point, their mean, and what the size of the test set leaves in doubt."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from twinbench.report.figures import charts
from twinbench.report.figures.style import BAND, MUTED, Style, new_figure
from twinbench.report.headlines import headline
from twinbench.report.tables import Tables


def _panel(axes: Axes, rows: pd.DataFrame, runs: pd.DataFrame, style: Style) -> None:
    reference = rows[rows["kind"] == "reference"]
    if len(reference) and np.isfinite(reference["binomial_se"].iloc[0]):
        mean, error = float(reference["mean"].iloc[0]), float(reference["binomial_se"].iloc[0])
        axes.axvspan(mean - error, min(mean + error, 100), color=BAND, alpha=0.45, linewidth=0, zorder=0)
    numbers = []
    far = charts.far_below(rows["mean"], float(reference["mean"].iloc[0]) if len(reference) else float("nan"))
    for y, row in enumerate(rows.to_dict("records")):
        look = style.look(str(row["kind"]))
        seeds = runs[(runs["variant"] == row["variant"]) & (runs["status"] == "ok")].sort_values("seed")
        if not far[y]:
            charts.seed_dots(axes, seeds["test_score"], y, look["colour"], style, spread=0.22)
            charts.dot(axes, row["mean"], y, style, **look)
        number = f"{row['mean']:.2f}" if np.isfinite(row["mean"]) else "no run ended well"
        numbers.append(number + (f", {int(row['failed'])} failed" if row["failed"] else ""))
    charts.label_rows(axes, charts.ungrouped(len(rows)), rows["variant"], style, numbers=numbers)
    axes.margins(x=0.04)
    axes.set_xlim(axes.get_xlim())
    for y in np.flatnonzero(far).tolist():
        colour = style.colour(str(rows["kind"].iloc[y]))
        axes.plot([0.01], [y], marker="<", color=colour, transform=axes.get_yaxis_transform())
        place: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "va": "center"}
        axes.annotate("far below", (0.01, y), (6, 0), size=style.text(7.5), color=MUTED, **place)
    axes.set_title(str(rows["architecture"].iloc[0]), pad=3)


def draw(tables: Tables, style: Style) -> Figure:
    """Return the scores of one dataset, a panel for each architecture."""
    summary = charts.without_suspects(tables.get("summary"), "summary")
    runs = tables.get("runs")
    panels = [rows.reset_index(drop=True) for _, rows in summary.groupby("architecture", sort=False)]
    heights = [len(rows) + 2.3 for rows in panels]
    kinds = charts.kind_legend(list(summary["kind"]), style)
    band = Patch(facecolor=BAND, alpha=0.7, label="± 1 standard error of the test set")
    figure = new_figure(
        style,
        style.row * sum(heights) + 0.1 * style.scale,
        headline("accuracy", tables),
        charts.subtitle_of(tables, "Test score of every run (small) and its mean (large, number at the right)"),
        legend=[*kinds, band],
    )
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for axes, rows in zip(grid[:, 0], panels, strict=True):
        _panel(axes, rows, runs[runs["architecture"] == rows["architecture"].iloc[0]], style)
        axes.set_xlabel(f"test {rows['score_name'].iloc[0]} (points)", size=style.text(7.5), color=MUTED, labelpad=1)
    return figure
