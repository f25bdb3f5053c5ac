"""Norms of gradients and of updates by layer, for several depths: do they reach the first layers?"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from twinbench.report.figures.rows import subtitle_of
from twinbench.report.figures.style import INK, MUTED, Style, new_figure, plain_log, shorten
from twinbench.report.tables import NothingToShowError, Tables


def _panel(axes: Axes, rows: pd.DataFrame, column: str, colours: dict[str, str], style: Style) -> None:
    variants = list(rows["variant"].unique())
    steps = sorted(rows["step"].unique())
    for number, variant in enumerate(variants):
        width = (1.0 + 2.4 * (1 - number / max(len(variants) - 1, 1))) * style.scale
        for step in {steps[0], steps[-1]}:
            own = rows[(rows["variant"] == variant) & (rows["step"] == step)]
            norm = own.groupby("layer_index")[column].agg(["mean", "min", "max"])
            dashes = "-" if step == steps[0] else (0, (3, 1.5))
            alpha = 0.4 if own["kind"].eq("reference").any() else 1.0
            axes.plot(norm.index, norm["mean"], color=colours[variant], linestyle=dashes, linewidth=width, alpha=alpha)
            if step == steps[0]:
                axes.fill_between(norm.index, norm["min"], norm["max"], color=colours[variant], alpha=0.12, linewidth=0)
    axes.tick_params(labelcolor=MUTED, labelsize=style.text(7.5))


def _draw(tables: Tables, style: Style, name: str, column: str, what: str) -> Figure:
    table = tables.get("gradients")
    # Scales and shifts of a normalisation are of another size than kernels: the lines would go up and down with them.
    table = table[~table["layer"].astype(str).str.rsplit("/", n=1).str[-1].str.contains("normalization")]
    # A logarithmic axis has no place for a norm of zero: a layer that is not trained.
    table = table[table[column] > 0]
    if table.empty:
        raise NothingToShowError(f"The table gradients.csv has no {column} above zero for this dataset.")
    architectures = list(table["architecture"].unique())
    depths = sorted(table["depth"].unique())
    last = int(table["step"].max())
    figure = new_figure(
        style,
        (1.95 * len(architectures) + 0.4) * style.scale,
        name,
        subtitle_of(tables, f"solid: at initialisation; dashed: after {last} steps", seeds=table["seed"].nunique()),
    )
    grid = figure.subplots(len(architectures), len(depths), squeeze=False, sharey="row")
    for line, architecture in zip(grid, architectures, strict=True):
        rows = table[table["architecture"] == architecture]
        variants = list(rows["variant"].unique())
        kinds = dict(zip(rows["variant"], rows["kind"], strict=True))
        colours = {
            variant: INK if kinds[variant] == "reference" else style.palette[(number - 1) % len(style.palette)]
            for number, variant in enumerate(variants)
        }
        for axes, depth in zip(line, depths, strict=True):
            own = rows[rows["depth"] == depth]
            if own.empty:
                axes.set_axis_off()
                continue
            axes.set_yscale("log")
            plain_log(axes.yaxis)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            _panel(axes, own, column, colours, style)
            axes.set_title(
                f"{depth} block{'s' if depth != 1 else ''}", size=style.text(8), pad=3, weight="normal", color=MUTED
            )
        line[0].set_ylabel(f"{shorten(architecture, 24)}\n{what}")
        entries = [
            Line2D([], [], color=colours[variant], linewidth=2, alpha=0.4 if kinds[variant] == "reference" else 1.0)
            for variant in variants
        ]
        labels = [shorten(variant) for variant in variants]
        line[-1].legend(entries, labels, loc="center left", bbox_to_anchor=(1.01, 0.5))
    for axes in grid[-1]:
        axes.set_xlabel("layer, from the input")
    return figure


def draw_gradients(tables: Tables, style: Style) -> Figure:
    """Return the norm of the gradient by layer, a panel for each architecture and depth of one dataset."""
    return _draw(tables, style, "gradients", "gradient_norm", "norm of the gradient")


def draw_updates(tables: Tables, style: Style) -> Figure:
    """Return the norm of the weight update by layer, a panel for each architecture and depth of one dataset."""
    return _draw(tables, style, "updates", "update_norm", "norm of the update")
