"""The paired difference of each variant to its reference, with the equivalence margin."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from twinbench.config import Configuration
from twinbench.report.figures import charts
from twinbench.report.figures.style import INK, MINUS, MUTED, PAPER, Style
from twinbench.report.headlines import headline
from twinbench.report.tables import Tables


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, a true minus, and no sign for zero."""
    if not np.isfinite(value):
        return "not known"
    text = f"{value:+.{digits}f}".replace("-", MINUS)
    return f"{0:.{digits}f}" if float(f"{value:.{digits}f}") == 0 else text


def brief_verdict(verdict: str) -> str:
    """Return a verdict that fits beside a chart."""
    return {"different but within the margin": "different, within"}.get(verdict, verdict)


def difference_scale(axes: Axes, values: pd.Series, margin: float) -> bool:
    """Make the axis linear near zero and logarithmic beyond where a linear one would hide the middle; say which."""
    largest = float(np.nanmax(np.abs(values.to_numpy(dtype=float)), initial=0.0))
    if largest <= 8 * margin:
        reach = max(1.15 * largest, 1.5 * margin)
        axes.set_xlim(-reach, reach)
        return False
    linear = 2 * margin
    axes.set_xscale("symlog", linthresh=linear, linscale=1.0)
    low = float(np.nanmin(values.to_numpy(dtype=float), initial=0.0))
    high = float(np.nanmax(values.to_numpy(dtype=float), initial=0.0))
    steps = [linear * step for step in (1, 3, 10, 30, 100) if linear * step <= 1.3 * largest]
    axes.set_xlim(min(1.3 * low, -2 * margin), max(1.3 * high, 2 * margin))
    left, right = axes.get_xlim()
    ticks = [-step for step in steps] + [-margin, 0.0, margin] + steps
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if left <= tick <= right]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", MINUS)))
    return True


def margin_of(tables: Tables) -> float:
    """Return the equivalence margin in points; the default one where nothing was compared."""
    margins = tables.optional("comparisons").get("margin", pd.Series(dtype=float)).dropna()
    return float(margins.iloc[0]) if len(margins) else Configuration().statistics.equivalence_margin


def margin_entry(margin: float, style: Style) -> Patch:
    """Return the legend entry of the equivalence margin."""
    return Patch(facecolor=style.good, alpha=0.25, label=f"equivalence margin, ± {margin:g} points")


def margin_band(axes: Axes, margin: float, style: Style) -> None:
    """Draw the equivalence margin around zero."""
    axes.axvspan(-margin, margin, color=style.good, alpha=0.16, linewidth=0, zorder=0)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)


def draw(tables: Tables, style: Style) -> Figure:
    """Return the paired differences of one dataset, grouped by architecture."""
    table = charts.without_suspects(tables.get("comparisons"), "comparisons")
    margin = margin_of(tables)
    rows = charts.grouped(table)
    undecided = charts.mark("undecided", marker="o", markerfacecolor=PAPER, color=MUTED)
    figure = charts.rows_figure(
        style,
        rows,
        headline("differences", tables),
        charts.subtitle_of(
            tables, "Test score of each variant minus its reference's under the same seed, with interval"
        ),
        legend=charts.kind_legend(list(table["kind"]), style, undecided, margin_entry(margin, style)),
    )
    axes = figure.subplots()
    numbers = []
    for y, row in zip(rows.positions, table.to_dict("records"), strict=True):
        hollow, ends = row["verdict"] == "undecided", (row["ci_low"], row["ci_high"])
        charts.dot(axes, row["mean_difference"], y, style, ends=ends, hollow=hollow, **style.look(str(row["kind"])))
        numbers.append(f"{signed(row['mean_difference'])}  {brief_verdict(row['verdict'])}")
    margin_band(axes, margin, style)
    folded = difference_scale(axes, pd.concat([table["mean_difference"], table["ci_low"], table["ci_high"]]), margin)
    charts.label_rows(axes, rows, table["variant"], style, numbers=numbers)
    note = f"; linear within ± {2 * margin:g}, logarithmic beyond" if folded else ""
    axes.set_xlabel(f"variant {MINUS} reference, test score (points{note})")
    return figure
