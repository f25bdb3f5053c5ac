"""Learning curves: validation score by epoch, with bands over seeds; variants of equal curves are one line."""

from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from twinbench.report.figures import charts
from twinbench.report.figures.curves import curves
from twinbench.report.figures.style import MUTED, Style, new_figure, shorten
from twinbench.report.headlines import curves_by_variant, headline
from twinbench.report.tables import Tables

# From so many epochs on the first two are left out of the scale of the score.
_LONG: Final = 8
_ACROSS: Final = 2


def draw(tables: Tables, style: Style) -> Figure:
    """Return the learning curves of one dataset, a panel for each architecture; failed runs are left out."""
    history = charts.without_suspects(tables.get("history"), "history")
    history = history[~history["run"].isin(tables.failed["run"])]
    equal = curves_by_variant(history, ["seed", "epoch"], ["train_loss", "validation_score"])
    history = charts.merged(history, equal)
    runs = tables.get("runs")
    names = dict(zip(runs["architecture"], runs["score_name"], strict=True))
    architectures = list(history["architecture"].unique())
    lines = {name: history.loc[history["architecture"] == name, "variant"].nunique() for name in architectures}
    across = min(_ACROSS, len(architectures))
    down = -(-len(architectures) // across)
    heights = [
        1.5 + 0.15 * max(lines[name] for name in architectures[across * row : across * (row + 1)])
        for row in range(down)
    ]
    figure = new_figure(
        style,
        (sum(heights) + 0.3) * style.scale,
        headline("learning_curves", tables),
        charts.subtitle_of(
            tables, "Validation score by epoch: mean over seeds, band from lowest to highest", tested=False
        ),
    )
    grid = figure.subplots(down, across, squeeze=False, height_ratios=heights)
    for axes, name in zip(grid.flat, architectures, strict=False):
        rows = history[history["architecture"] == name]
        curves(axes, rows, "epoch", "validation_score", style, named=True, dashed=True)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        scores = rows["validation_score"].to_numpy(dtype=float)
        last = rows.loc[rows["epoch"] >= min(3, rows["epoch"].max()), "validation_score"].min()
        if rows["epoch"].max() >= _LONG and np.isfinite(last) and last > np.nanmin(scores):
            # The first epochs would flatten everything that follows.
            axes.set_ylim(bottom=last - 0.05 * (np.nanmax(scores) - last))
        axes.set_title(shorten(name), pad=3)
        axes.set_xlabel("epoch", size=style.text(7.5), color=MUTED, labelpad=1, loc="right")
        axes.set_ylabel(f"{names.get(name, 'score')} (points)", size=style.text(7.5), color=MUTED)
    for axes in grid.flat[len(architectures) :]:
        axes.set_axis_off()
    return figure
