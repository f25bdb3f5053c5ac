"""What each API costs: time per step, operations, memory and build time, against the reference."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinbench.measurement.columns import QUANTITIES
from twinbench.report.figures import charts
from twinbench.report.figures.style import INK, MUTED, PAPER, Style, plain_rows
from twinbench.report.headlines import headline
from twinbench.report.tables import NothingToShowError, Tables


def _panel(axes: Axes, table: pd.DataFrame, rows: charts.Rows, order: list[tuple[str, str]], style: Style) -> None:
    """Draw one quantity."""
    by_variant = {(str(row["architecture"]), str(row["variant"])): row for row in table.to_dict("records")}
    for y, key in zip(rows.positions, order, strict=True):
        if row := by_variant.get(key):
            hollow, ends = row["verdict"] in ("none", "unclear"), (row["difference_low"], row["difference_high"])
            look = style.look(str(row["kind"]))
            charts.dot(axes, row["difference_percent"], y, style, ends=ends, hollow=hollow, size=5, **look)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    low, high = axes.get_xlim()
    # At least one percent either way: a hundredth of a percent should not look large.
    axes.set_xlim(min(low, -1.0), max(high, 1.0))


def draw(tables: Tables, style: Style) -> Figure:
    """Return the costs of one dataset, a panel for each quantity in which anything differs."""
    table = tables.get("api_costs")
    table = table[(table["kind"] != "suspect") & (table["kind"] != "reference")]
    if table.empty:
        raise NothingToShowError("The table api_costs.csv compares no variant with a reference for this dataset.")
    variants = charts.together(table.drop_duplicates(["architecture", "variant"]))
    rows = charts.grouped(variants)
    order = list(zip(variants["architecture"], variants["variant"], strict=True))
    known = [name for name in QUANTITIES if name in set(table["quantity"])]
    quantities = [*known, *(name for name in table["quantity"].unique() if name not in QUANTITIES)]
    measured = table[table["difference_percent"].notna()]
    equal = [
        name
        for name in quantities
        if (values := measured.loc[measured["quantity"] == name, "difference_percent"]).size and values.eq(0).all()
    ]
    # A panel of zeros says less than a sentence; the last quantity stays, so that there is a figure.
    shown = [name for name in quantities if name not in equal] or quantities[:1]
    what = "Difference to the reference in percent, with its interval"
    what += "".join(f"; {QUANTITIES.get(name, name)} equal in all {len(variants)}" for name in equal)
    none = charts.mark("not shown beyond 10 %", marker="o", markerfacecolor=PAPER, color=MUTED)
    figure = charts.rows_figure(
        style,
        rows,
        headline("api_costs", tables),
        charts.measured_subtitle(tables, what, f"{int(table['n'].max())} interleaved repetitions"),
        legend=charts.kind_legend(list(variants["kind"]), style, none),
        axis=0.6,
        width=1.9 + 1.45 * len(shown),
    )
    grid = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    for axes, quantity in zip(grid, shown, strict=True):
        _panel(axes, table[table["quantity"] == quantity], rows, order, style)
        axes.set_title(QUANTITIES.get(quantity, quantity), size=style.text(8.5), pad=3)
        axes.set_xlabel("% more than reference", size=style.text(7.5), color=MUTED)
        plain_rows(axes)
    charts.label_rows(grid[0], rows, variants["variant"], style)
    return figure
