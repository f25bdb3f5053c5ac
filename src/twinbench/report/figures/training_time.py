"""Training time of each variant, every seed a point."""

import numpy as np
from matplotlib.figure import Figure

from twinbench.report.figures import charts
from twinbench.report.figures.style import Style
from twinbench.report.tables import Tables


def draw(tables: Tables, style: Style) -> Figure:
    """Return the seconds of training of one dataset, charts.grouped by architecture."""
    costs = charts.without_suspects(tables.get("costs"), "costs")
    table = costs.groupby(["architecture", "variant", "kind"], sort=False)["train_seconds"].agg(["mean", "std"])
    table = table.reset_index()
    rows = charts.grouped(table)
    devices = sorted({str(device) for device in costs["device"].dropna()})
    figure = charts.rows_figure(
        style,
        rows,
        "training_time",
        charts.subtitle_of(tables, "; ".join(devices[:2])),
        legend=charts.kind_legend(list(table["kind"]), style, charts.seed_mark()),
    )
    axes = figure.subplots()
    numbers = []
    for y, row in zip(rows.positions, table.to_dict("records"), strict=True):
        look = style.look(str(row["kind"]))
        runs = costs[(costs["architecture"] == row["architecture"]) & (costs["variant"] == row["variant"])]
        charts.seed_dots(axes, runs["train_seconds"], y, look["colour"], style)
        charts.dot(axes, row["mean"], y, style, **look)
        spread = f" ± {row['std']:.2f}" if np.isfinite(row["std"]) else ""
        numbers.append(f"{row['mean']:.2f}{spread} s")
    axes.set_xlim(0, 1.05 * float(costs["train_seconds"].max()))
    charts.label_rows(axes, rows, table["variant"], style, numbers=numbers)
    axes.set_xlabel("seconds of training per run")
    return figure
