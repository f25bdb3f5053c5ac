"""How figures look: colours that colour-blind people tell apart, markers beside them, and the frame around them."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from twinbench.config import Figures

# The greys; the page turns them into variables of its style sheet, so that inline figures follow light and dark.
INK: Final = "#1f2328"
MUTED: Final = "#57606b"
GRID: Final = "#d9dfe5"
BAND: Final = "#c3cad2"
PAPER: Final = "#ffffff"
# A true minus, which a reader of the source would take for a hyphen.
MINUS: Final = "\N{MINUS SIGN}"

_SCALE: Final = {"paper": 0.8, "notebook": 1.0, "talk": 1.4, "poster": 1.8}
_LONGEST_LABEL: Final = 34

MARKERS: Final = {"reference": "D", "twin": "o", "lookalike": "^", "suspect": "s"}
_COLOURS: Final = {"twin": 0, "lookalike": 3, "suspect": 4}


@dataclass(frozen=True)
class Style:
    """What every figure is drawn with.

    Attributes:
        width: of the figure, inches.
        scale: of text and rows against the default context.
        palette: ten colours as hex.
        rc: settings for matplotlib.
    """

    width: float
    scale: float
    palette: tuple[str, ...]
    rc: dict[Any, Any]

    def colour(self, kind: str) -> str:
        """Return the colour of a kind of variant; a reference is drawn in ink."""
        return INK if kind == "reference" else self.palette[_COLOURS.get(kind, 0)]

    def look(self, kind: str) -> dict[str, Any]:
        """Return colour and marker of a kind of variant, as `rows.dot` takes them."""
        return {"colour": self.colour(kind), "marker": MARKERS.get(kind, "o")}

    @property
    def good(self) -> str:
        """The colour of a rung passed and of the equivalence margin."""
        return self.palette[2]

    @property
    def bad(self) -> str:
        """The colour of a rung failed and of damage."""
        return self.palette[3]

    @property
    def row(self) -> float:
        """Height of one row of a chart, inches."""
        return 0.235 * self.scale

    def text(self, size: float) -> float:
        """Return a size of text in this context; 9 is the default."""
        return size * self.scale


def style_of(figures: Figures) -> Style:
    """Return the style that a configuration asks for."""
    palette = tuple(sns.color_palette(figures.palette, 10).as_hex())
    scale = _SCALE[figures.context]
    rc = {
        **sns.axes_style("whitegrid"),
        **sns.plotting_context(figures.context, font_scale=0.8 if figures.context == "notebook" else 0.85),
        **_GREYS,
        "font.family": ["sans-serif"],
        "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],  # two of the same widths
        "font.size": 9 * scale,
        "axes.titlesize": 9.5 * scale,
        "axes.labelsize": 9 * scale,
        "xtick.labelsize": 8.5 * scale,
        "ytick.labelsize": 8.5 * scale,
        "legend.fontsize": 8.5 * scale,
        "text.parse_math": False,  # names come from outside, and may hold a dollar sign
        "svg.fonttype": "none",  # text stays text: it can be searched, and takes half the room
        "svg.hashsalt": "twinbench",
        "figure.dpi": 100,
        "savefig.dpi": 160,
    }
    return Style(width=figures.width, scale=scale, palette=palette, rc=rc)


_GREYS: Final = {
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": BAND,
    "axes.titlecolor": INK,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.facecolor": PAPER,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "patch.edgecolor": PAPER,
}


def shorten(label: str, longest: int = _LONGEST_LABEL) -> str:
    """Return a label that fits: the middle of a longer one is left out."""
    if len(label) <= longest:
        return label
    half = (longest - 1) // 2
    return f"{label[:half]}…{label[-half:]}"


def _columns(labels: Sequence[str], width: float, scale: float) -> int:
    """Return the most columns in which a legend of these labels fits a width in inches."""
    sizes = [(0.5 + 0.071 * len(label)) * scale for label in labels]
    for columns in range(len(sizes), 1, -1):
        # Matplotlib fills a legend column by column, the first ones with one entry more.
        if sum(max(column) for column in np.array_split(sizes, columns)) <= width:
            return columns
    return 1


def new_figure(
    style: Style,
    height: float,
    title: str,
    subtitle: str,
    *,
    legend: Sequence[Artist] = (),
    width: float | None = None,
) -> Figure:
    """Return an empty figure with its title, subtitle and legend, and room for a footer."""
    width = max(style.width, width or 0.0)
    titles = textwrap.wrap(title, int(width * 9.4 / style.scale))
    lines = textwrap.wrap(subtitle, int(width * 13.5 / style.scale))
    labels = [str(entry.get_label()) for entry in legend]
    columns = _columns(labels, width - 0.1, style.scale)
    subtitle_top = 0.12 + 0.22 * len(titles)
    legend_top = subtitle_top + 0.02 + 0.17 * len(lines)
    head = (legend_top + 0.2 * math.ceil(len(labels) / columns) + 0.14) * style.scale
    foot = 0.26 * style.scale
    total = head + height + foot
    figure = Figure(figsize=(width, total), layout="constrained")
    figure.get_layout_engine().set(  # type: ignore[union-attr,call-arg] # the constrained one, set above
        rect=(0.01, foot / total, 0.98, 1 - (head + foot) / total), w_pad=0.06, h_pad=0.04
    )
    left = 0.08 / width
    for number, line in enumerate(titles):
        y = 1 - (0.08 + 0.22 * number) * style.scale / total
        figure.text(left, y, line, size=style.text(12), weight="bold", va="top")
    for number, line in enumerate(lines):
        y = 1 - (subtitle_top + 0.17 * number) * style.scale / total
        figure.text(left, y, line, size=style.text(8.5), color=MUTED, va="top")
    if legend:
        drawn = figure.legend(
            handles=list(legend),
            loc="upper left",
            bbox_to_anchor=(0.02 / width, 1 - legend_top * style.scale / total),
            ncols=columns,
            borderaxespad=0,
            columnspacing=1.4,
            handletextpad=0.5,
        )
        drawn.set_in_layout(False)
    return figure


def _plain(value: float) -> str:
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:g}" if value >= 0.001 else f"{value:.0e}"


def plain_log(axis: Axis, *, subs: Sequence[float] = (1.0,)) -> None:
    """Label a logarithmic axis with plain numbers: names are not parsed as mathematics here, nor are powers of ten."""
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))


def add_footer(figure: Figure, style: Style, line: str) -> None:
    """Write the provenance at the bottom, as small as it must be to fit."""
    width, height = figure.get_size_inches()
    size = min(style.text(6.5), 72 * (width - 0.16) / (0.6 * max(len(line), 1)))
    figure.text(0.08 / width, 0.07 / height, line, size=size, color=MUTED, va="bottom")


def plain_rows(axes: Axes) -> None:
    """Keep only the vertical grid of a chart whose rows are names."""
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
