"""Curves of variants: a mean over seeds with a band, each variant's line thinner than the one before it."""

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from twinbench.report.figures.style import INK, MUTED, Style, shorten


def curves(axes: Axes, rows: pd.DataFrame, x: str, y: str, style: Style, *, thickest: float, **look: Any) -> None:
    """Draw one line for each variant, with a band from the lowest to the highest seed; equal lines all show."""
    kinds = dict(zip(rows["variant"].map(shorten), rows["kind"], strict=True))
    last = max(len(kinds) - 1, 1)
    settings: dict[str, Any] = {"errorbar": ("pi", 100), "err_kws": {"alpha": 0.1, "linewidth": 0}, "legend": False}
    sns.lineplot(
        rows.assign(variant=rows["variant"].map(shorten)),
        x=x,
        y=y,
        hue="variant",
        size="variant",
        palette=[
            to_rgba(INK, 0.4) if kind == "reference" else style.palette[(place - 1) % len(style.palette)]
            for place, kind in enumerate(kinds.values())
        ],
        sizes=[(1.1 + thickest * (1 - place / last)) * style.scale for place in range(len(kinds))],
        style="variant" if "dashes" in look else None,
        ax=axes,
        **settings | look,
    )
    if axes.get_legend():
        sns.move_legend(axes, "center left", bbox_to_anchor=(1.01, 0.5), title=None, handlelength=2.6)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(labelcolor=MUTED, labelsize=style.text(7.5))
