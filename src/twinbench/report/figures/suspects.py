"""The ranking of the suspects: what each deliberate fault does to the test score."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinbench.analysis.comparisons import Verdict
from twinbench.analysis.suspects import Standing, ranked, standing_of
from twinbench.report.figures import charts
from twinbench.report.figures.differences import margin_band, margin_entry, margin_of, signed
from twinbench.report.figures.style import INK, MUTED, PAPER, Style, new_figure, plain_rows, shorten
from twinbench.report.tables import Tables

# A gap between what is seen and what is true that is worth a charts.mark, in points.
_SEEN_OTHERWISE = 0.05
_LONGEST_CHANGE = 44


def _look(row: dict[Any, Any], style: Style) -> dict[str, Any]:
    """Return a blue charts.dot for a control, else a square: vermilion, hollow for a candidate, grey where open."""
    colour = {Standing.CONTROL: style.palette[0], Standing.OPEN: MUTED}.get(standing := standing_of(row), style.bad)
    marker = "o" if standing is Standing.CONTROL else "s"
    return {"colour": colour, "marker": marker, "hollow": standing is Standing.CANDIDATE}


def _marks(axes: Axes, rows: Sequence[dict[Any, Any]], style: Style) -> None:
    """Draw the true difference of each row, and what its owner sees where that is something else."""
    for y, row in enumerate(rows):
        mean, ends = row["mean_difference"], (row["ci_low"], row["ci_high"])
        charts.dot(axes, mean, y, style, size=6.5, ends=ends, linewidth=2.2, **_look(row, style))
        if seen := _seen_otherwise(row):
            purple: dict[str, Any] = {"colour": style.palette[4], "marker": "D", "size": 6.5, "hollow": True}
            line: dict[str, Any] = {"linewidth": 1, "linestyle": (0, (2, 2)), "zorder": 2}
            charts.dot(axes, seen, y, style, ends=(mean, seen), **purple, **line)


def _seen_otherwise(row: dict[Any, Any]) -> float | None:
    """Return the difference that the owner of a suspect sees, where it is far enough from the true one."""
    seen = float(row["seen_difference"])
    return seen if abs(seen - row["mean_difference"]) > _SEEN_OTHERWISE else None


def _names(axes: Axes, rows: Sequence[dict[Any, Any]], style: Style) -> None:
    """Write each suspect's name, and beneath it, in one or two lines, what it changes."""
    axes.set_yticks(range(len(rows)), [])
    place: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "ha": "right"}
    for y, row in enumerate(rows):
        change = textwrap.wrap(str(row["changes"]), _LONGEST_CHANGE)[:2]
        up = style.text(4.5 if len(change) > 1 else 1.0)
        name = shorten(str(row["suspect"]).replace("_", " "))
        colour = style.palette[0] if standing_of(row) is Standing.CONTROL else INK
        axes.annotate(name, (0, y), (-6, up), size=style.text(8.5), weight="bold", color=colour, va="bottom", **place)
        axes.annotate(
            "\n".join(change), (0, y), (-6, up), size=style.text(7), color=MUTED, va="top", linespacing=1.15, **place
        )


def draw(tables: Tables, style: Style) -> Figure:
    """Return the suspects of one dataset, largest damage on top."""
    rows = ranked(tables.get("suspects")).to_dict("records")
    margin = margin_of(tables)
    figure = new_figure(
        style,
        style.row * 1.75 * (len(rows) + 0.5) + 0.45 * style.scale,
        "suspects",
        charts.subtitle_of(tables, "one change to the same network, against the untouched reference", suspects=True),
        legend=[
            charts.mark("difference shown", marker="s", color=style.bad),
            charts.mark(
                "significant only before correction",
                marker="s",
                markerfacecolor=PAPER,
                markeredgewidth=1.2,
                color=style.bad,
            ),
            charts.mark("no clear effect", marker="s", color=MUTED),
            charts.mark("control", marker="o", color=style.palette[0]),
            charts.mark("what the person sees", marker="D", markerfacecolor=PAPER, color=style.palette[4]),
            margin_entry(margin, style),
        ],
    )
    whole, zoom = figure.subplots(1, 2, width_ratios=[1.15, 1], sharey=True)
    reach = 5 * margin
    for axes in (whole, zoom):
        margin_band(axes, margin, style)
        _marks(axes, rows, style)
        axes.set_ylim(-0.7, len(rows) - 0.4)
        plain_rows(axes)
    whole.invert_yaxis()
    zoom.tick_params(axis="y", labelleft=False)
    _names(whole, rows, style)
    zoom.set_xlim(-reach, reach)
    for y, row in enumerate(rows):
        mean = row["mean_difference"]
        if abs(mean) > reach:
            arrow = ">" if mean > 0 else "<"
            charts.dot(
                zoom, float(np.sign(mean)) * 0.97 * reach, y, style, **_look(row, style) | {"marker": arrow, "size": 5}
            )
    charts.number_column(zoom, range(len(rows)), [effect(row) for row in rows], style)
    whole.set_xlabel("points of test score")
    zoom.set_xlabel("the same, near zero")
    return figure


def effect(row: dict[Any, Any]) -> str:
    """Return a suspect's effect in points, what its owner sees where that is something else, and its failed runs."""
    text = "0 (identical)" if row["verdict"] == Verdict.IDENTICAL else _points(row["mean_difference"])
    if seen := _seen_otherwise(row):
        text += f"\nseen {_points(seen)}"
    return text + (f", {row['failed']} failed" if row["failed"] else "")


def _points(difference: float) -> str:
    return signed(difference, 1 if abs(difference) >= 10 else 2)
