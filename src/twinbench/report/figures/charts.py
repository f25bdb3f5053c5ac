"""Charts whose rows are names: dots with intervals, a column of numbers at the right, rows in groups if need be."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twinbench.report.figures.style import INK, MARKERS, MUTED, PAPER, Style, new_figure, plain_rows, shorten
from twinbench.report.tables import NothingToShowError, Tables

# Points below the reference beyond which a variant is an arrow at the edge, its number beside it.
_FAR = 12.0
# Dots of a row that are drawn as shapes; more are one small image, or a page would take tens of megabytes.
_MOST_SHAPES = 500


@dataclass(frozen=True)
class Rows:
    """Rows of a chart from the top down.

    Attributes:
        positions: y of each row, in the order of the table.
        headings: (y, name) of each group.
        end: y below the last row.
    """

    positions: list[float]
    headings: list[tuple[float, str]]
    end: float


def grouped(frame: pd.DataFrame, column: str = "architecture") -> Rows:
    """Return positions for the rows of a table that is sorted by group."""
    positions: list[float] = []
    headings: list[tuple[float, str]] = []
    y = 0.0
    last: Hashable = None
    for name in frame[column]:
        if name != last:
            y += 0.35 if last is not None else 0.0
            headings.append((y, str(name)))
            y += 1.0
            last = name
        positions.append(y)
        y += 1.0
    return Rows(positions, headings, y)


def ungrouped(count: int) -> Rows:
    """Return positions for so many rows below each other."""
    return Rows([float(y) for y in range(count)], [], count - 0.1)


def rows_figure(
    style: Style,
    rows: Rows,
    title: str,
    subtitle: str,
    *,
    legend: Sequence[Artist],
    axis: float = 0.45,
    width: float | None = None,
) -> Figure:
    """Return an empty figure that is high enough for some rows and `axis` inches below them (`style.new_figure`)."""
    height = style.row * (rows.end + 0.6) + axis * style.scale
    return new_figure(style, height, title, subtitle, legend=legend, width=width)


def label_rows(axes: Axes, rows: Rows, labels: Iterable[object], style: Style, *, numbers: Sequence[str] = ()) -> None:
    """Run the rows from the top down: their names at the left, groups in bold above them, numbers at the right."""
    axes.set_yticks(
        [*rows.positions, *(y for y, _ in rows.headings)],
        [*(shorten(str(label)) for label in labels), *(shorten(name) for _, name in rows.headings)],
    )
    for label in axes.get_yticklabels()[len(rows.positions) :]:
        label.set_fontweight("bold")
    axes.set_ylim(-0.6, rows.end - 0.3)
    plain_rows(axes)
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=style.text(8.5))
    if numbers:
        number_column(axes, rows.positions, numbers, style)


def number_column(axes: Axes, positions: Sequence[float], texts: Sequence[str], style: Style) -> None:
    """Write numbers at the right of a chart, one per row, aligned with the rows."""
    right = axes.secondary_yaxis("right")
    right.set_yticks(list(positions), list(texts))
    right.tick_params(axis="y", length=0, labelsize=style.text(7.5), labelcolor=MUTED, pad=4)
    right.spines["right"].set_visible(False)


def dot(
    axes: Axes,
    x: float,
    y: float,
    style: Style,
    *,
    colour: str,
    marker: str = "o",
    size: float = 6.0,
    hollow: bool = False,
    ends: tuple[float, float] = (np.nan, np.nan),
    **line: Any,
) -> None:
    """Draw a mark in a row, with the interval through it where both ends are known; nothing where x is not.

    `size` is in points at the default scale, a `hollow` mark is an outline, `line` says how the interval looks.
    """
    if not np.isfinite(x):
        return
    if np.isfinite(ends).all():
        look: dict[str, Any] = {"color": colour, "linewidth": 1.8 * style.scale, "solid_capstyle": "butt", "zorder": 3}
        axes.plot(ends, [y, y], **look | line)
    axes.plot(
        [x],
        [y],
        linestyle="none",
        marker=marker,
        color=colour,
        markerfacecolor=PAPER if hollow else colour,
        markersize=size * style.scale,
        markeredgewidth=1.2,
        zorder=4,
    )


def seed_dots(axes: Axes, scores: pd.Series, y: float, colour: str, style: Style, *, spread: float = 0.0) -> None:
    """Draw a small circle for each seed; `spread` keeps those of equal score apart, the same way every time."""
    offsets = spread * np.sin(2.4 * np.arange(len(scores))) if len(scores) > 1 else np.zeros(len(scores))
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "markerfacecolor": "none", "alpha": 0.75}
    look["rasterized"] = len(scores) > _MOST_SHAPES
    axes.plot(scores, y + offsets, markersize=3.2 * style.scale, markeredgecolor=colour, **look)


def kind_legend(kinds: Sequence[str], style: Style, *extra: Artist) -> list[Artist]:
    """Return legend entries for the kinds of variant that a chart shows."""
    entries = [
        Line2D([], [], linestyle="none", marker=MARKERS[kind], color=style.colour(kind), markersize=6, label=kind)
        for kind in MARKERS
        if kind in kinds
    ]
    return [*entries, *extra]


def mark(label: str, **look: Any) -> Line2D:
    """Return a legend entry without a line."""
    return Line2D([], [], linestyle="none", **({"color": INK} | look), label=label)


def seed_mark() -> Line2D:
    """Return the legend entry of the small circles."""
    return mark("one seed", marker="o", markersize=3.5, markerfacecolor="none", markeredgecolor=MUTED)


def without_suspects(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return the rows of variants by architecture, without the suspects, which have a figure of their own.

    Raises:
        NothingToShowError: nothing is left.
    """
    left = frame[frame["kind"] != "suspect"]
    if left.empty:
        raise NothingToShowError(f"The table {table}.csv has no row of a variant for this dataset.")
    return together(left)


def together(frame: pd.DataFrame, column: str = "architecture") -> pd.DataFrame:
    """Return the rows with those of one group next to each other, groups in the order in which they first appear."""
    first = {name: place for place, name in enumerate(frame[column].unique())}
    return frame.sort_values(column, key=lambda names: names.map(first), kind="stable").reset_index(drop=True)


def far_below(means: pd.Series, reference: float) -> "pd.Series[bool]":
    """Return which means are so far below the reference that showing them to scale would flatten all others."""
    return means < reference - _FAR


def subtitle_of(tables: Tables, what: str, *, suspects: bool = False, tested: bool = True) -> str:
    """Return what was measured, on what: the dataset, the seeds of the runs, the test set, and failures.

    Args:
        tables: of one dataset.
        what: was measured, as a sentence without a full stop.
        suspects: count the failed runs of suspects too.
        tested: whether the figure rests on scores on the test set.
    """
    runs = tables.frames["runs"]
    parts = [what, ", ".join(tables.datasets), _number_of(len(tables.seeds), "seed")]
    if tested and "test_examples" in runs and runs["test_examples"].notna().any():
        parts.append(f"test set of {int(runs['test_examples'].max()):,} images")
    failed = len(tables.failed) if suspects else int((tables.failed["kind"] != "suspect").sum())
    if failed:
        parts.append(f"{_number_of(failed, 'run')} failed")
    return " · ".join(parts)


def measured_subtitle(tables: Tables, what: str, detail: str) -> str:
    """Return the subtitle of a figure that rests on measurements beside the runs, with seeds of their own or none."""
    return " · ".join([what, ", ".join(tables.datasets), detail])


def _number_of(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def merged(table: pd.DataFrame, curves: Mapping[tuple[str, str], bytes]) -> pd.DataFrame:
    """Return the rows with variants of equal curves as one, named by all of them: `functional = sequential`.

    Args:
        table: with `architecture` and `variant`.
        curves: what each (architecture, variant) draws (`headlines.curves_by_variant`).
    """
    names: dict[tuple[str, bytes], list[str]] = {}
    for (architecture, variant), curve in curves.items():
        names.setdefault((architecture, curve), []).append(variant)
    first = {(architecture, variants[0]): variants for (architecture, _), variants in names.items()}
    keys = list(zip(table["architecture"], table["variant"], strict=True))
    kept = table[[key in first for key in keys]]
    labels = [" = ".join(map(shorten, first[key])) for key in keys if key in first]
    return kept.assign(variant=labels)
