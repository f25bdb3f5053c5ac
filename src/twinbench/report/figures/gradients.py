"""Norms of gradients and of updates by layer, for several depths: do they reach the first layers?"""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from twinbench.report.figures import charts
from twinbench.report.figures.curves import curves
from twinbench.report.figures.style import MUTED, Style, new_figure, plain_log, shorten
from twinbench.report.headlines import curves_by_variant, headline
from twinbench.report.tables import NothingToShowError, Tables


def _draw(tables: Tables, style: Style, name: str, column: str, what: str) -> Figure:
    table = tables.get("gradients")
    # Scales and shifts of a normalisation are of another size than kernels: the lines would go up and down with them.
    table = table[~table["layer"].astype(str).str.rsplit("/", n=1).str[-1].str.contains("normalization")]
    # A logarithmic axis has no place for a norm of zero: a layer that is not trained.
    table = table[table[column] > 0]
    if table.empty:
        raise NothingToShowError(f"The table gradients.csv has no {column} above zero for this dataset.")
    table = charts.merged(table, curves_by_variant(table, ["depth", "seed", "step", "layer_index"], [column]))
    architectures = list(table["architecture"].unique())
    depths = sorted(table["depth"].unique())
    seeds = table["seed"].nunique()
    lines = max(table.groupby("architecture")["variant"].nunique())
    figure = new_figure(
        style,
        (2.1 + 0.15 * lines) * len(architectures) * style.scale,
        headline(name, tables),
        charts.measured_subtitle(
            tables,
            f"Norm of the {what} by layer; solid: at initialisation, dashed: after {table['step'].max()} steps",
            f"initial weights of {seeds} seed{'' if seeds == 1 else 's'}",
        ),
    )
    grid = figure.subplots(len(architectures), len(depths), squeeze=False, sharey="row")
    for line, architecture in zip(grid, architectures, strict=True):
        rows = table[table["architecture"] == architecture]
        for axes, depth in zip(line, depths, strict=True):
            panel = rows[rows["depth"] == depth]
            if panel.empty:
                axes.set_axis_off()
                continue
            steps = sorted(panel["step"].unique())
            first = depth == rows["depth"].min()
            curves(axes, panel[panel["step"] == steps[0]], "layer_index", column, style, named=first)
            if len(steps) > 1:
                dashed: dict[str, Any] = {"errorbar": None, "linestyle": (0, (3, 1.5))}
                curves(axes, panel[panel["step"] == steps[-1]], "layer_index", column, style, **dashed)
            axes.set_yscale("log")
            plain_log(axes.yaxis)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.set_title(
                f"{depth} block{'s' if depth != 1 else ''}", size=style.text(8), pad=3, weight="normal", color=MUTED
            )
            axes.set_xlabel("layer, from the input", size=style.text(7.5), color=MUTED, labelpad=1)
        line[0].set_ylabel(f"{shorten(architecture, 24)}\n{what}")
    return figure


def draw_gradients(tables: Tables, style: Style) -> Figure:
    """Return the norm of the gradient by layer, a panel for each architecture and depth of one dataset."""
    return _draw(tables, style, "gradients", "gradient_norm", "gradient")


def draw_updates(tables: Tables, style: Style) -> Figure:
    """Return the norm of the weight update by layer, a panel for each architecture and depth of one dataset."""
    return _draw(tables, style, "updates", "update_norm", "update")
