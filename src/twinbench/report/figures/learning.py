"""Learning curves: validation score and training loss by epoch, with bands over seeds."""

from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from twinbench.report.figures import charts
from twinbench.report.figures.curves import curves
from twinbench.report.figures.style import MUTED, Style, new_figure, plain_log, shorten
from twinbench.report.tables import Tables

# From so many epochs on the first two are left out of the scale of the score.
_LONG: Final = 8
_DASHES: Final[tuple[Any, ...]] = ("", (5, 1.5), (2, 1), (1, 1), (6.4, 1.6, 1, 1.6))


def draw(tables: Tables, style: Style) -> Figure:
    """Return the learning curves of one dataset, a row for each architecture; failed runs are left out."""
    history = charts.without_suspects(tables.get("history"), "history")
    history = history[~history["run"].isin(tables.failed["run"])]
    runs = tables.get("runs")
    names = dict(zip(runs["architecture"], runs["score_name"], strict=True))
    architectures = list(history["architecture"].unique())
    legends = [history.loc[history["architecture"] == name, "variant"].nunique() for name in architectures]
    heights = [max(1.5, 0.2 * count + 0.55) for count in legends]
    figure = new_figure(
        style,
        (sum(heights) + 0.3) * style.scale,
        "learning_curves",
        charts.subtitle_of(tables, "mean over seeds, band from the lowest to the highest"),
    )
    grid = figure.subplots(len(architectures), 2, squeeze=False, sharex="col", height_ratios=heights)
    for (left, right), name in zip(grid, architectures, strict=True):
        rows = history[history["architecture"] == name]
        variants = rows["variant"].nunique()
        dashes = [*_DASHES, *[_DASHES[-1]] * variants][:variants]
        for axes, column, legend in ((left, "validation_score", False), (right, "train_loss", "full")):
            curves(axes, rows, "epoch", column, style, thickest=3.4, dashes=dashes, legend=legend)
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if (rows["train_loss"] > 0).any():
            right.set_yscale("log")
            plain_log(right.yaxis, subs=(1, 3))
        scores = rows["validation_score"].to_numpy(dtype=float)
        last = rows.loc[rows["epoch"] >= min(3, rows["epoch"].max()), "validation_score"].min()
        if rows["epoch"].max() >= _LONG and np.isfinite(last) and last > np.nanmin(scores):
            # The first epochs would flatten everything that follows.
            left.set_ylim(bottom=last - 0.05 * (np.nanmax(scores) - last))
        left.set_title(shorten(name), pad=3)
        left.set_ylabel(f"validation\n{names.get(name, 'score')} (points)", size=style.text(7.5), color=MUTED)
        right.set_ylabel("training loss", size=style.text(7.5), color=MUTED)
    for axes in grid[-1]:
        axes.set_xlabel("epoch")
    return figure
