"""The ranking of the suspects, in groups: what costs points, what does nothing, what only looks bad, the controls."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinbench.analysis.comparisons import Verdict
from twinbench.analysis.suspects import Standing, ranked, standing_of
from twinbench.report.figures import charts
from twinbench.report.figures.differences import margin_band, margin_entry, margin_of, signed
from twinbench.report.figures.style import BAND, INK, MUTED, PAPER, Style, new_figure, plain_rows, shorten
from twinbench.report.headlines import headline
from twinbench.report.tables import Tables

# A gap between what is seen and what is true that is worth a mark, in points.
_SEEN_OTHERWISE: Final = 0.05
_LONGEST_CHANGE: Final = 44
GROUPS: Final = ("costs points", "gains points", "unconfirmed", "no clear effect", "only looks bad", "controls")


def group_of(row: Mapping[Any, Any]) -> str:
    """Return the group of one suspect, one of `GROUPS`."""
    standing = standing_of(row)
    if standing is Standing.CONTROL:
        return "controls"
    if standing is Standing.OPEN:
        return "only looks bad" if _seen_otherwise(row) else "no clear effect"
    if standing is Standing.UNCONFIRMED:
        return "unconfirmed"
    return "costs points" if row["mean_difference"] < 0 else "gains points"


def grouped_suspects(table: pd.DataFrame) -> pd.DataFrame:
    """Return the suspects with their `group`, group by group, largest damage first within each."""
    rows = ranked(table)
    groups = [group_of(row) for row in rows.to_dict("records")]
    rows = rows.assign(group=groups)
    return rows.sort_values("group", key=lambda names: names.map(GROUPS.index), kind="stable").reset_index(drop=True)


def _look(row: Mapping[Any, Any], style: Style) -> dict[str, Any]:
    """Return a blue dot for a control, else a square: vermilion, hollow where unconfirmed, grey where open."""
    colour = {Standing.CONTROL: style.palette[0], Standing.OPEN: MUTED}.get(standing := standing_of(row), style.bad)
    marker = "o" if standing is Standing.CONTROL else "s"
    return {
        "colour": colour,
        "marker": marker,
        "hollow": standing is Standing.UNCONFIRMED,
    }


def _marks(axes: Axes, rows: Sequence[dict[Any, Any]], positions: Sequence[float], style: Style) -> None:
    """Draw the true difference of each row, and what its owner sees where that is something else."""
    for y, row in zip(positions, rows, strict=True):
        mean, ends = row["mean_difference"], (row["ci_low"], row["ci_high"])
        charts.dot(axes, mean, y, style, size=6.5, ends=ends, linewidth=2.2, **_look(row, style))
        if seen := _seen_otherwise(row):
            purple: dict[str, Any] = {"colour": style.palette[4], "marker": "D", "size": 6.5, "hollow": True}
            line: dict[str, Any] = {"linewidth": 1, "linestyle": (0, (2, 2)), "zorder": 2}
            charts.dot(axes, seen, y, style, ends=(mean, seen), **purple, **line)


def _seen_otherwise(row: Mapping[Any, Any]) -> float | None:
    """Return the difference that the owner of a suspect sees, where it is far enough from the true one."""
    seen = float(row["seen_difference"])
    return seen if abs(seen - row["mean_difference"]) > _SEEN_OTHERWISE else None


def _names(axes: Axes, rows: Sequence[dict[Any, Any]], places: charts.Rows, style: Style) -> None:
    """Write each suspect's name, and beneath it, in one or two lines, what it changes; groups as headings."""
    axes.set_yticks(places.positions, [])
    place: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "ha": "right"}
    for y, group in places.headings:
        axes.annotate(group.upper(), (0, y), (-6, 0), size=style.text(8), color=MUTED, va="center", **place)
    for y, row in zip(places.positions, rows, strict=True):
        change = textwrap.wrap(str(row["changes"]), _LONGEST_CHANGE)[:2]
        up = style.text(4.5 if len(change) > 1 else 1.0)
        name = shorten(str(row["suspect"]).replace("_", " "))
        axes.annotate(name, (0, y), (-6, up), size=style.text(8.5), weight="bold", color=INK, va="bottom", **place)
        axes.annotate(
            "\n".join(change), (0, y), (-6, up), size=style.text(7), color=MUTED, va="top", linespacing=1.15, **place
        )


def _further_out(axes: Axes, rows: Sequence[dict[Any, Any]], places: charts.Rows, reach: float, style: Style) -> None:
    """Draw an arrow, with its number, for each row that lies outside the close-up."""
    for y, row in zip(places.positions, rows, strict=True):
        mean = row["mean_difference"]
        if abs(mean) > reach:
            side = float(np.sign(mean))
            look = _look(row, style) | {"marker": ">" if mean > 0 else "<", "size": 5}
            charts.dot(axes, side * 0.96 * reach, y, style, **look)
            axes.annotate(
                _points(mean),
                (side * 0.96 * reach, y),
                (-6 * side, 5),
                textcoords="offset points",
                size=style.text(7),
                color=MUTED,
                ha="right" if mean > 0 else "left",
            )


def draw(tables: Tables, style: Style) -> Figure:
    """Return the suspects of one dataset in groups, largest damage on top."""
    table = grouped_suspects(tables.get("suspects"))
    rows = table.to_dict("records")
    places = charts.grouped(table, "group")
    margin = margin_of(tables)
    line = style.row * 1.55
    figure = new_figure(
        style,
        line * (places.end + 0.3) + 0.45 * style.scale,
        headline("suspects", tables),
        charts.subtitle_of(tables, "One change to the same network, against the untouched reference", suspects=True),
        legend=[
            charts.mark("difference shown", marker="s", color=style.bad),
            charts.mark(
                "significant only before correction",
                marker="s",
                markerfacecolor=PAPER,
                markeredgewidth=1.2,
                color=style.bad,
            ),
            charts.mark("what the person sees", marker="D", markerfacecolor=PAPER, color=style.palette[4]),
            margin_entry(margin, style),
        ],
    )
    whole, zoom = figure.subplots(1, 2, width_ratios=[1.15, 1], sharey=True)
    reach = 5 * margin
    whole.axvspan(-reach, reach, color=BAND, alpha=0.35, linewidth=0, zorder=0)
    margin_band(zoom, margin, style)
    whole.axvline(0, color=INK, linewidth=0.9, zorder=1)
    for axes in (whole, zoom):
        _marks(axes, rows, places.positions, style)
        axes.set_ylim(-0.6, places.end - 0.3)
        plain_rows(axes)
    whole.invert_yaxis()
    zoom.tick_params(axis="y", labelleft=False)
    _names(whole, rows, places, style)
    zoom.set_xlim(-reach, reach)
    _further_out(zoom, rows, places, reach, style)
    charts.number_column(zoom, places.positions, [effect(row) for row in rows], style)
    whole.set_xlabel("points of test score")
    zoom.set_xlabel(f"close-up of the grey strip: ±{reach:g} points")
    return figure


def effect(row: Mapping[Any, Any]) -> str:
    """Return a suspect's effect in points, what its owner sees where that is something else, and its failed runs."""
    text = "0 (identical)" if row["verdict"] == Verdict.IDENTICAL else _points(row["mean_difference"])
    if seen := _seen_otherwise(row):
        text += f"\nseen {_points(seen)}"
    return text + (f", {row['failed']} failed" if row["failed"] else "")


def _points(difference: float) -> str:
    return signed(difference, 1 if abs(difference) >= 10 else 2)
