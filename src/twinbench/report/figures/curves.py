"""Curves of variants: a mean over seeds with a band from the lowest to the highest, named beneath or beside them."""

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from twinbench.report.figures.style import INK, MUTED, Style

_DASHES: Any = ("", (5, 1.5), (2, 1), (1, 1), (6.4, 1.6, 1, 1.6))


def curves(
    axes: Axes,
    rows: pd.DataFrame,
    x: str,
    y: str,
    style: Style,
    *,
    named: bool = False,
    dashed: bool = False,
    **look: Any,
) -> None:
    """Draw one line for each variant, with a band from the lowest to the highest seed.

    Args:
        axes: where.
        rows: with the columns `variant`, `kind`, `x` and `y`, a row for each seed.
        x: column of the horizontal axis.
        y: column of the vertical axis.
        style: how it looks.
        named: whether the names stand beneath the axes.
        dashed: whether each variant has dashes of its own.
        **look: more settings of `seaborn.lineplot`.
    """
    kinds = dict(zip(rows["variant"], rows["kind"], strict=True))
    colours = iter([*style.palette[3:], *style.palette] * len(kinds))
    settings: dict[str, Any] = {"errorbar": ("pi", 100), "err_kws": {"alpha": 0.1, "linewidth": 0}}
    sns.lineplot(
        rows,
        x=x,
        y=y,
        hue="variant",
        palette=[
            INK if kind == "reference" else style.palette[0] if kind == "twin" else next(colours)
            for kind in kinds.values()
        ],
        linewidth=1.6 * style.scale,
        style="variant" if dashed else None,
        dashes=[_DASHES[min(place, len(_DASHES) - 1)] for place in range(len(kinds))] if dashed else True,
        ax=axes,
        **{"legend": "full" if named else False, **settings, **look},
    )
    if axes.get_legend():
        place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (-0.02, -0.25)}
        sns.move_legend(
            axes, title=None, handlelength=2.2, fontsize=style.text(6.8), labelspacing=0.25, borderpad=0, **place
        )
    axes.set(xlabel="", ylabel="")
    axes.tick_params(labelcolor=MUTED, labelsize=style.text(7.5))
