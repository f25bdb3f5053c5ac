"""Learning curves: validation score and training loss by epoch, with bands over seeds."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from twinbench.report.figures.rows import subtitle_of, without_suspects
from twinbench.report.figures.style import INK, MUTED, Style, new_figure, plain_log, shorten
from twinbench.report.tables import Tables

# From so many epochs on the first two are left out of the scale of the score.
_LONG: Final = 8
_DASHES: Final[tuple[Any, ...]] = ("-", (0, (5, 1.5)), (0, (2, 1)), (0, (1, 1)), "-.")


def _lines(axes: Axes, rows: pd.DataFrame, column: str, style: Style) -> list[Line2D]:
    """Draw one line with a band for each variant, each thinner than the one before, so that equal lines all show."""
    variants = list(rows["variant"].unique())
    entries = []
    for number, variant in enumerate(variants):
        own = rows[rows["variant"] == variant]
        by_epoch = own.groupby("epoch")[column].agg(["mean", "min", "max"])
        reference = own["kind"].iloc[0] == "reference"
        colour = INK if reference else style.palette[(number - 1) % len(style.palette)]
        width = (1.2 + 3.4 * (1 - number / max(len(variants) - 1, 1))) * style.scale
        dashes = _DASHES[min(number, len(_DASHES) - 1)]
        epochs = by_epoch.index.to_numpy(dtype=float)
        alpha = 0.35 if reference else 1.0
        axes.plot(epochs, by_epoch["mean"], color=colour, linewidth=width, linestyle=dashes, alpha=alpha, zorder=2)
        if (by_epoch["max"] > by_epoch["min"]).any():
            axes.fill_between(epochs, by_epoch["min"], by_epoch["max"], color=colour, alpha=0.1, linewidth=0, zorder=1)
        entries.append(
            Line2D([], [], color=colour, linewidth=width, linestyle=dashes, alpha=alpha, label=shorten(variant))
        )
    return entries


def draw(tables: Tables, style: Style) -> Figure:
    """Return the learning curves of one dataset, a row for each architecture; failed runs are left out."""
    history = without_suspects(tables.get("history"), "history")
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
        subtitle_of(tables, "mean over seeds, band from the lowest to the highest"),
    )
    grid = figure.subplots(len(architectures), 2, squeeze=False, sharex="col", height_ratios=heights)
    for (left, right), name in zip(grid, architectures, strict=True):
        rows = history[history["architecture"] == name]
        entries = _lines(left, rows, "validation_score", style)
        _lines(right, rows, "train_loss", style)
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
        right.legend(handles=entries, loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=2.6)
        for axes in (left, right):
            axes.tick_params(labelcolor=MUTED, labelsize=style.text(7.5))
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    for axes in grid[-1]:
        axes.set_xlabel("epoch")
    return figure
