"""Parameters of each variant beside its reference's: twins have the same number, lookalikes seldom."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from twinbench.report.figures import charts
from twinbench.report.figures.differences import signed
from twinbench.report.figures.style import MUTED, Style, plain_log
from twinbench.report.headlines import headline
from twinbench.report.tables import NothingToShowError, Tables

_KEYS = ["dataset", "architecture", "variant"]


def _number(row: dict[Any, Any], origin: float) -> str:
    """Return a row's count, how far it is from its reference's, and what becomes of the score."""
    count = float(row["parameters"])
    text = f"{count:,.0f}"
    if count != origin:
        percent = 100 * (count / origin - 1)
        text += f" ({signed(percent, 0)} %)" if abs(percent) >= 1 else f" ({signed(count - origin, 0)})"
    difference = row["mean_difference"]
    if row["kind"] == "lookalike" and pd.notna(difference):
        text += f", score {signed(float(difference), 1)}"
    return text


def draw(tables: Tables, style: Style) -> Figure:
    """Return the unique parameters of one dataset's variants, tied to their reference's."""
    table = charts.without_suspects(tables.get("parameters"), "parameters")
    table = table[table["parameters"] > 0].reset_index(drop=True)
    if table.empty:
        raise NothingToShowError("No variant has a parameter count.")
    compared = tables.optional("comparisons").reindex(columns=[*_KEYS, "mean_difference"])
    table = table.merge(compared.astype(dict.fromkeys(_KEYS, object)), on=_KEYS, how="left")
    references = table[table["kind"] == "reference"].drop_duplicates("architecture")
    origins = references.set_index("architecture")["parameters"].astype(float).to_dict()
    rows = charts.grouped(table)
    figure = charts.rows_figure(
        style,
        rows,
        headline("parameters", tables),
        " · ".join(["Unique parameters, counted after a call, on a logarithmic axis", ", ".join(tables.datasets)]),
        legend=charts.kind_legend(list(table["kind"]), style),
    )
    axes = figure.subplots()
    numbers = []
    for y, row in zip(rows.positions, table.to_dict("records"), strict=True):
        origin = origins.get(row["architecture"], float(row["parameters"]))
        axes.plot([origin, row["parameters"]], [y, y], color=MUTED, linewidth=1.6 * style.scale, zorder=2)
        if row["kind"] != "reference":
            charts.dot(axes, origin, y, style, size=4, hollow=True, **style.look("reference"))
        charts.dot(axes, row["parameters"], y, style, **style.look(str(row["kind"])))
        numbers.append(_number(row, origin))
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.15, high * 1.15)
    plain_log(axes.xaxis, subs=(1, 2, 5) if high > 5 * low else (1, 1.5, 2, 3, 4, 5, 6, 7, 8))
    charts.label_rows(axes, rows, table["variant"], style, numbers=numbers)
    axes.set_xlabel("unique parameters")
    return figure
