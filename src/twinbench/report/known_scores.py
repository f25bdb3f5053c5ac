"""Networks with a published score: that, and what they score here."""

import ast
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from scipy import stats

from twinbench.analysis.comparisons import Verdict
from twinbench.analysis.files import markdown
from twinbench.architectures.catalogue import architectures, parsed
from twinbench.report.tables import Tables


def known_scores(tables: Tables) -> list[str]:
    """Return the sentence, what the columns are, the table, and for each network how it was published and differs here.

    The interval for one more run is Student's prediction interval: a published score is that of one run.
    """
    summary = tables.get("summary")
    known = {name: architecture for name, architecture in architectures().items() if architecture.published is not None}
    references = summary[
        (summary["kind"] == "reference") & summary["architecture"].isin(known) & summary["mean"].notna()
    ]
    rows, inside = [], 0
    for row in references.to_dict("records"):
        published = float(known[str(row["architecture"])].published or 0)
        low, high = _one_more(row["mean"], row["std"], row["n"])
        within = low <= published <= high
        inside += within
        rows.append(
            {
                "network": row["architecture"],
                "published": published,
                "mean here": row["mean"],
                "interval of the mean": f"{row['ci_low']:.2f} to {row['ci_high']:.2f}",
                "one more run": f"{low:.2f} to {high:.2f}",
                "seeds": row["n"],
                "the published score is": _place(published, row, within=within),
            }
        )
    apart = max((abs(row["published"] - row["mean here"]) for row in rows), default=math.nan)
    comparisons = tables.optional("comparisons")
    twins = comparisons[comparisons["kind"] == "twin"] if len(comparisons) else comparisons
    identical = int(twins["verdict"].eq(Verdict.IDENTICAL).sum()) if len(twins) else 0
    same = f" Their Sequential twins: bit-identical in {identical} of {len(twins)} pairs." if len(twins) else ""
    return [
        f"**Published scores:** {inside} of {len(rows)} lie where one more run here would; all within {apart:.2f} "
        f"points of the mean here.{same}",
        "A published score is of one run, so it is held against the interval in which one more run here would lie "
        "(95 %, each by itself); the interval of the mean is narrower.",
        markdown(pd.DataFrame(rows), floatfmt=".2f"),
        "\n".join(f"- **{name}**: {_difference(name)}" for name in references["architecture"]),
    ]


def _one_more(mean: float, std: float, n: int) -> tuple[float, float]:
    """Return where one more run lies with a probability of 95 %, in points; NaN with a single seed."""
    half = float(stats.t.ppf(0.975, n - 1)) * std * math.sqrt(1 + 1 / n) if n > 1 else math.nan
    return max(mean - half, 0.0), min(mean + half, 100.0)


def _place(published: float, row: Mapping[Any, Any], *, within: bool) -> str:
    if row["ci_low"] <= published <= row["ci_high"]:
        return "inside both"
    where = "above" if published > row["mean"] else "below"
    distance = f"{abs(published - row['mean']):.2f} {where} the mean"
    return f"{distance}, inside that of one more run" if within else f"{distance}, outside"


def _difference(architecture: str) -> str:
    """Return what the network's file says of the published one and of what differs here."""
    text = ast.get_docstring(parsed(architectures()[architecture].reference.path)) or ""
    return " ".join(text.partition("\n")[2].split())
