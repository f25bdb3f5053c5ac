"""Training time of each variant, every seed a point."""

import numpy as np
from matplotlib.figure import Figure

from twinbench.report.figures.rows import grouped, kind_legend, label_rows, mark, number_column, subtitle_of
from twinbench.report.figures.rows import without_suspects as variants_only
from twinbench.report.figures.style import MARKERS, MUTED, Style, new_figure
from twinbench.report.tables import Tables


def draw(tables: Tables, style: Style) -> Figure:
    """Return the seconds of training of one dataset, grouped by architecture."""
    costs = variants_only(tables.get("costs"), "costs")
    table = costs.groupby(["architecture", "variant", "kind"], sort=False)["train_seconds"].agg(["mean", "std"])
    table = table.reset_index()
    rows = grouped(table)
    devices = sorted({str(device) for device in costs["device"].dropna()}) if "device" in costs else []
    seed = mark("one seed", marker="o", markersize=3.5, markerfacecolor="none", markeredgecolor=MUTED)
    figure = new_figure(
        style,
        style.row * (rows.end + 0.6) + 0.45 * style.scale,
        "Training time by variant",
        subtitle_of(tables, "; ".join(devices[:2]) if devices else ""),
        legend=kind_legend(list(table["kind"]), style, [seed]),
    )
    axes = figure.subplots()
    numbers = []
    for y, row in zip(rows.positions, table.to_dict("records"), strict=True):
        own = costs[(costs["architecture"] == row["architecture"]) & (costs["variant"] == row["variant"])]
        colour = style.colour(str(row["kind"]))
        axes.plot(
            own["train_seconds"],
            np.full(len(own), y),
            linestyle="none",
            marker="o",
            markersize=3.2 * style.scale,
            markerfacecolor="none",
            markeredgecolor=colour,
            alpha=0.75,
        )
        axes.plot([row["mean"]], [y], marker=MARKERS[str(row["kind"])], color=colour, markersize=6 * style.scale)
        spread = f" ± {row['std']:.2f}" if np.isfinite(row["std"]) else ""
        numbers.append(f"{row['mean']:.2f}{spread} s")
    axes.set_xlim(0, 1.05 * float(costs["train_seconds"].max()))
    label_rows(axes, rows, [str(name) for name in table["variant"]], style)
    number_column(axes, rows.positions, numbers, style)
    axes.set_xlabel("seconds of training per run")
    return figure
