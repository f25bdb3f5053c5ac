"""Charts whose rows are variants: rows in groups, one group per architecture, with the group's name above it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from twinbench.report.figures.style import INK, MARKERS, MUTED, Style, plain_rows, shorten
from twinbench.report.tables import NothingToShowError, Tables

# Points below the reference beyond which a variant is an arrow at the edge, its number beside it.
_FAR = 12.0


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


def label_rows(axes: Axes, rows: Rows, labels: Sequence[str], style: Style) -> None:
    """Write the rows' names at the left, the groups' names in bold above them."""
    ticks = [*rows.positions, *(y for y, _ in rows.headings)]
    names = [*map(shorten, labels), *(shorten(name) for _, name in rows.headings)]
    axes.set_yticks(ticks, names)
    for label in axes.get_yticklabels()[len(rows.positions) :]:
        label.set_fontweight("bold")
    axes.set_ylim(-0.6, rows.end - 0.3)
    plain_rows(axes)
    axes.tick_params(axis="y", labelsize=style.text(8.5))


def number_column(axes: Axes, positions: Sequence[float], texts: Sequence[str], style: Style) -> None:
    """Write numbers at the right of a chart, one per row, aligned with the rows."""
    right = axes.secondary_yaxis("right")
    right.set_yticks(list(positions), list(texts))
    right.tick_params(axis="y", length=0, labelsize=style.text(7.5), labelcolor=MUTED, pad=4)
    right.spines["right"].set_visible(False)


def interval(axes: Axes, y: float, ends: tuple[float, float, float], *, kind: str, style: Style, **marker: Any) -> None:
    """Draw a mean with its interval (mean, low, high); an interval that is not known is left out."""
    middle, low, high = ends
    colour = style.colour(kind)
    if np.isfinite(low) and np.isfinite(high):
        axes.plot([low, high], [y, y], color=colour, linewidth=1.8 * style.scale, solid_capstyle="butt", zorder=3)
    look: dict[str, Any] = {"marker": MARKERS.get(kind, "o"), "color": colour, "markersize": 6 * style.scale} | marker
    axes.plot([middle], [y], linestyle="none", markeredgewidth=1.2, zorder=4, **look)


def kind_legend(kinds: Sequence[str], style: Style, extra: Sequence[Line2D] = ()) -> list[Any]:
    """Return legend entries for the kinds of variant that a chart shows."""
    entries: list[Any] = [
        Line2D([], [], linestyle="none", marker=MARKERS[kind], color=style.colour(kind), markersize=6, label=kind)
        for kind in MARKERS
        if kind in kinds
    ]
    return [*entries, *extra]


def mark(label: str, **look: Any) -> Line2D:
    """Return a legend entry without a line."""
    return Line2D([], [], linestyle="none", **({"color": INK} | look), label=label)


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


def subtitle_of(tables: Tables, extra: str = "", *, suspects: bool = False, seeds: int | None = None) -> str:
    """Return what every subtitle says: dataset, number of seeds, size of the test set, failures, and more.

    Args:
        tables: of one dataset.
        extra: added at the end.
        suspects: count the failed runs of suspects too.
        seeds: number of seeds, where it is not that of the runs.
    """
    runs = tables.frames["runs"]
    seeds = len(tables.seeds) if seeds is None else seeds
    parts = [", ".join(tables.datasets), "1 seed" if seeds == 1 else f"{seeds} seeds"]
    if "test_examples" in runs and runs["test_examples"].notna().any():
        parts.append(f"test set of {int(runs['test_examples'].max()):,} images")
    failed = len(tables.failed) if suspects else int((tables.failed["kind"] != "suspect").sum())
    if failed:
        parts.append("1 run failed" if failed == 1 else f"{failed} runs failed")
    return " · ".join([*parts, extra] if extra else parts)
