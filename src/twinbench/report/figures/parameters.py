"""Parameters against score: twins lie on their reference, lookalikes do not."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twinbench.report.figures import charts
from twinbench.report.figures.style import INK, MUTED, Style, new_figure, plain_log, shorten
from twinbench.report.tables import NothingToShowError, Tables

# One shape for each lookalike of an architecture, in turn.
_SHAPES = ("^", "s", "v", "P", "X", "<", ">", "p")
_KEYS = ["dataset", "architecture", "variant"]


def _entries(rows: pd.DataFrame, colour: str, axes: Axes, style: Style) -> list[Line2D]:
    """Draw one architecture and return its legend entries."""
    reference = rows[rows["kind"] == "reference"]
    name = shorten(str(rows["architecture"].iloc[0]))
    entries = [charts.mark(name, marker="o", color=colour, markersize=7)]
    shapes = iter(_SHAPES * (len(rows) // len(_SHAPES) + 1))
    for row in rows.to_dict("records"):
        same = row["kind"] in ("reference", "twin")
        shape = "o" if same else next(shapes)
        if not same and len(reference):
            origin = reference.iloc[0]
            line = [[origin["parameters"], row["parameters"]], [origin["mean"], row["mean"]]]
            axes.plot(*line, color=colour, linewidth=0.8, alpha=0.7, zorder=1)
        axes.errorbar(
            [row["parameters"]],
            [row["mean"]],
            yerr=[[row["std"]], [row["std"]]] if pd.notna(row["std"]) else None,
            color=colour,
            marker=shape,
            markersize=(7 if same else 6.5) * style.scale,
            markerfacecolor="none" if row["kind"] == "twin" else colour,
            markeredgecolor=colour,
            linestyle="none",
            elinewidth=0.9,
            zorder=3,
        )
        if not same:
            entries.append(charts.mark("  " + shorten(str(row["variant"])), marker=shape, color=colour, markersize=6))
    return entries


def _leave_out(axes: Axes, rows: pd.DataFrame, style: Style) -> None:
    """End the axis above variants that score far below all references, and say their scores at its edge."""
    references = rows.loc[rows["kind"] == "reference", "mean"]
    far = charts.far_below(rows["mean"], float(references.min()) if len(references) else float("nan"))
    if not far.any():
        return
    near = rows[~far]
    lowest = float((near["mean"] - near["std"].fillna(0)).min())
    highest = float((near["mean"] + near["std"].fillna(0)).max())
    room = max(highest - lowest, 1.0)
    axes.set_ylim(lowest - 0.12 * room, highest + 0.06 * room)
    for row in rows[far].to_dict("records"):
        axes.annotate(
            f"{row['mean']:.1f} ↓",
            (row["parameters"], 0),
            (-4, 4),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="right",
            size=style.text(7.5),
            color=MUTED,
        )


def draw(tables: Tables, style: Style) -> Figure:
    """Return the mean score of each variant of one dataset against its unique parameters."""
    table = charts.without_suspects(tables.get("parameters"), "parameters").merge(
        tables.get("summary")[[*_KEYS, "score_name", "mean", "std"]], on=_KEYS
    )
    table = table[table["mean"].notna() & (table["parameters"] > 0)]
    if table.empty:
        raise NothingToShowError("No variant has both a parameter count and a score.")
    scores = list(table["score_name"].unique())
    entries_of = {
        score: int(rows["architecture"].nunique() + (rows["kind"] == "lookalike").sum())
        for score, rows in table.groupby("score_name")
    }
    heights = [max(0.215 * entries_of[score] + 0.7, 2.4) for score in scores]
    figure = new_figure(
        style,
        (0.2 + sum(heights)) * style.scale,
        "parameters",
        charts.subtitle_of(tables, "mean ± standard deviation over seeds"),
    )
    grid = figure.subplots(len(scores), 1, squeeze=False, height_ratios=heights)
    architectures = list(table["architecture"].unique())
    for axes, score in zip(grid[:, 0], scores, strict=True):
        entries = []
        for name, rows in table[table["score_name"] == score].groupby("architecture", sort=False):
            colour = style.palette[architectures.index(name) % len(style.palette)]
            entries += _entries(rows, colour, axes, style)
        _leave_out(axes, table[table["score_name"] == score], style)
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        axes.set_xlim(low / 1.15, high * 1.15)
        plain_log(axes.xaxis, subs=(1, 2, 5) if high > 5 * low else (1, 1.5, 2, 3, 4, 5, 6, 7, 8))
        axes.set_ylabel(f"test {score} (points)")
        axes.legend(handles=entries, loc="center left", bbox_to_anchor=(1.01, 0.5), labelcolor=INK)
        axes.tick_params(labelcolor=MUTED)
    grid[-1, 0].set_xlabel("unique parameters, counted after a call")
    return figure
