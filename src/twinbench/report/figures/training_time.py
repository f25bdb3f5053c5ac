"""Training time of each variant: the first run, which compiles, apart from the later ones."""

import numpy as np
from matplotlib.figure import Figure

from twinbench.report.figures import charts
from twinbench.report.figures.style import MUTED, PAPER, Style
from twinbench.report.headlines import headline, warm_seconds
from twinbench.report.tables import Tables


def draw(tables: Tables, style: Style) -> Figure:
    """Return the seconds of training of one dataset, grouped by architecture."""
    costs = charts.without_suspects(tables.get("costs"), "costs")
    table = warm_seconds(costs)
    rows = charts.grouped(table)
    devices = " and ".join(sorted({str(device) for device in costs["device"].dropna()})[:2])
    first = charts.mark("first run, with compilation", marker="s", markerfacecolor=PAPER, color=MUTED)
    figure = charts.rows_figure(
        style,
        rows,
        headline("training_time", tables),
        charts.subtitle_of(
            tables, f"Seconds of training per run on {devices}; large: median of later runs", tested=False
        ),
        legend=charts.kind_legend(list(table["kind"]), style, first),
    )
    axes = figure.subplots()
    numbers = []
    for y, row in zip(rows.positions, table.to_dict("records"), strict=True):
        look = style.look(str(row["kind"]))
        runs = costs[(costs["architecture"] == row["architecture"]) & (costs["variant"] == row["variant"])]
        later = runs.sort_values("seed", kind="stable")["train_seconds"].iloc[1:]
        charts.seed_dots(axes, later, y, look["colour"], style)
        charts.dot(axes, row["first"], y, style, colour=MUTED, marker="s", size=4.5, hollow=True)
        charts.dot(axes, row["warm"], y, style, **look)
        numbers.append(
            f"{row['warm']:.2f} s (first {row['first']:.1f})"
            if np.isfinite(row["warm"])
            else f"first {row['first']:.1f} s"
        )
    axes.set_xlim(0, 1.05 * float(costs["train_seconds"].max()))
    charts.label_rows(axes, rows, table["variant"], style, numbers=numbers)
    axes.set_xlabel("seconds of training per run")
    return figure
