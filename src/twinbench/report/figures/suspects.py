"""The ranking of the suspects: what each deliberate fault does to the test score."""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinbench.report.figures.differences import margin_band, margin_entry, signed
from twinbench.report.figures.rows import mark, number_column, subtitle_of
from twinbench.report.figures.style import INK, MUTED, PAPER, Style, new_figure, plain_rows, shorten
from twinbench.report.tables import Tables

# A gap between what is seen and what is true that is worth a mark, in points.
_SEEN_OTHERWISE = 0.05
_LONGEST_CHANGE = 44


def ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Return the suspects with the largest damage first and those without an effect last."""
    order = table.assign(_size=table["mean_difference"].fillna(0).round(6))
    return order.sort_values(["_size", "suspect"], kind="stable").drop(columns="_size").reset_index(drop=True)


def is_control(row: pd.Series) -> bool:
    """Return whether a row changes nothing that matters: the API, the seed, or nothing."""
    return str(row["cause"]).startswith("none.")


def is_shown(row: pd.Series) -> bool:
    """Return whether the difference is shown, corrected for the number of suspects."""
    return row["verdict"] in ("different", "different but within the margin")


def misses_zero(row: pd.Series) -> bool:
    """Return whether the interval of this one row, uncorrected, misses zero."""
    return bool(row["ci_high"] < 0 or row["ci_low"] > 0)


def _colour(row: pd.Series, style: Style) -> str:
    """Return vermilion where the interval misses zero, blue for a control, grey otherwise."""
    if is_control(row):
        return style.palette[0]
    return style.bad if is_shown(row) or misses_zero(row) else MUTED


def _face(row: pd.Series, style: Style) -> str:
    """Return a hollow mark's face where the interval misses zero but correction leaves the difference unproven."""
    colour = _colour(row, style)
    return PAPER if colour == style.bad and not is_shown(row) else colour


def _marks(axes: Axes, table: pd.DataFrame, limit: float, style: Style) -> None:
    """Draw every row once, without the marks that lie beyond the limit."""
    for y, (_, row) in enumerate(table.iterrows()):
        colour = _colour(row, style)
        mean, seen = row["mean_difference"], row.get("seen_difference", np.nan)
        size = 6.5 * style.scale
        if np.isfinite(mean):
            if np.isfinite(row["ci_low"]):
                axes.plot([row["ci_low"], row["ci_high"]], [y, y], color=colour, linewidth=2.2, zorder=3)
            if abs(mean) <= limit:
                look: dict[str, Any] = {
                    "marker": "o" if is_control(row) else "s",
                    "markerfacecolor": _face(row, style),
                }
                axes.plot([mean], [y], color=colour, markersize=size, markeredgewidth=1.6, zorder=4, **look)
        if np.isfinite(mean) and pd.notna(seen) and abs(seen - mean) > _SEEN_OTHERWISE:
            axes.plot([mean, seen], [y, y], color=style.palette[4], linewidth=1, linestyle=(0, (2, 2)), zorder=2)
            if abs(seen) <= limit:
                purple = style.palette[4]
                axes.plot([seen], [y], marker="D", markerfacecolor=PAPER, color=purple, markersize=size, zorder=4)


def _names(axes: Axes, table: pd.DataFrame, style: Style) -> None:
    """Write each suspect's name, and beneath it, in one or two lines, what it changes."""
    axes.set_yticks(range(len(table)), [])
    place: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "ha": "right"}
    for y, (_, row) in enumerate(table.iterrows()):
        change = textwrap.wrap(str(row["changes"]), _LONGEST_CHANGE)[:2]
        up = style.text(4.5 if len(change) > 1 else 1.0)
        name = shorten(str(row["suspect"]).replace("_", " "))
        colour = style.palette[0] if is_control(row) else INK
        axes.annotate(name, (0, y), (-6, up), size=style.text(8.5), weight="bold", color=colour, va="bottom", **place)
        axes.annotate(
            "\n".join(change), (0, y), (-6, up), size=style.text(7), color=MUTED, va="top", linespacing=1.15, **place
        )


def draw(tables: Tables, style: Style) -> Figure:
    """Return the suspects of one dataset, largest damage on top."""
    table = ranked(tables.get("suspects"))
    comparisons = tables.optional("comparisons")
    margin = 0.5
    if "margin" in comparisons and comparisons["margin"].notna().any():
        margin = float(comparisons["margin"].dropna().iloc[0])
    figure = new_figure(
        style,
        style.row * 1.75 * (len(table) + 0.5) + 0.45 * style.scale,
        "What really lowers the score",
        subtitle_of(tables, "one change to the same network, against the untouched reference", suspects=True),
        legend=[
            mark("difference shown", marker="s", color=style.bad),
            mark("not after correction", marker="s", markerfacecolor=PAPER, markeredgewidth=1.6, color=style.bad),
            mark("not told from zero", marker="s", color=MUTED),
            mark("control", marker="o", color=style.palette[0]),
            mark("what the person sees", marker="D", markerfacecolor=PAPER, color=style.palette[4]),
            margin_entry(margin, style),
        ],
    )
    whole, zoom = figure.subplots(1, 2, width_ratios=[1.15, 1], sharey=True)
    reach = 5 * margin
    for axes, limit in ((whole, np.inf), (zoom, reach)):
        margin_band(axes, margin, style)
        _marks(axes, table, limit, style)
        axes.set_ylim(-0.7, len(table) - 0.4)
    plain_rows(whole)
    zoom.grid(visible=False, axis="y")
    zoom.tick_params(axis="y", length=0, labelleft=False)
    for side in ("top", "right", "left"):
        zoom.spines[side].set_visible(False)
    _names(whole, table, style)
    zoom.set_xlim(-reach, reach)
    for y, (_, row) in enumerate(table.iterrows()):
        mean = row["mean_difference"]
        if abs(mean) > reach:
            end, arrow = (0.97 * reach, ">") if mean > 0 else (-0.97 * reach, "<")
            face = _face(row, style)
            zoom.plot(
                [end], [y], marker=arrow, color=_colour(row, style), markerfacecolor=face, markersize=5 * style.scale
            )
    number_column(zoom, range(len(table)), [effect(row) for _, row in table.iterrows()], style)
    whole.set_xlabel("points of test score")
    zoom.set_xlabel("the same, near zero")
    return figure


def effect(row: pd.Series) -> str:
    """Return a suspect's effect in points, what its owner sees where that is something else, and its failed runs."""
    mean = row["mean_difference"]
    seen = row.get("seen_difference", np.nan)
    text = signed(mean, 1 if abs(mean) >= 10 else 2)
    if row["verdict"] == "identical":
        text = "0 (identical)"
    if pd.notna(seen) and abs(seen - mean) > _SEEN_OTHERWISE:
        text += f"\nseen {signed(seen, 1 if abs(seen) >= 10 else 2)}"
    failed = row.get("failed", 0)
    return text + (f", {int(failed)} failed" if pd.notna(failed) and failed else "")
