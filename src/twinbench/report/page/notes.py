"""Sentences that the page adds to its sections, computed from the tables."""

import pandas as pd

from twinbench.analysis.outputs import API_ROW
from twinbench.analysis.suspects import Standing, differs, standing_of
from twinbench.report.tables import Tables


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _some(names: list[str], most: int = 6) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def controls_apart(tables: Tables) -> str:
    """Return what it means that a control comes out different, in sentences; empty where none does."""
    rows = [
        row
        for row in tables.optional("suspects").to_dict("records")
        if standing_of(row) is Standing.CONTROL and differs(row) and row["suspect"] != API_ROW
    ]
    return " ".join(
        f"The control {row['suspect']!r} on {row['dataset']} differs ({row['mean_difference']:+.2f} points, "
        f"p {row['p_corrected']:.2g} after correction), though it is the same model. All rows are held against the "
        "same runs of the reference: if these were unlucky or lucky, every row is shifted with them by about as much. "
        "Take no difference of this size for an effect; new seeds tell."
        for row in rows
    )


def misleading_counts(tables: Tables) -> str:
    """Return where Keras's own parameter count is not the number of unique weights; empty without the table."""
    table = tables.optional("parameters")
    if table.empty or "keras_count" not in table:
        return ""
    names = table["architecture"] + "/" + table["variant"]
    refused = list(pd.unique(names[table["keras_count"].isna()]))
    wrong = table["keras_count"].notna() & (table["keras_count"] != table["parameters"])
    misled = list(pd.unique(names[wrong]))
    sentences = []
    if refused:
        sentences.append(f"Keras refuses to count before the first call in {_many(len(refused), 'variant')}: ")
        sentences[-1] += f"{_some(refused)}."
    if misled:
        sentences.append(f"Its own count misleads in {_many(len(misled), 'variant')}: {_some(misled)}.")
    else:
        sentences.append("Where Keras counts, its count is the number of unique weights.")
    return " ".join(sentences)


def determinism_cost(tables: Tables) -> str:
    """Return what strict determinism costs here, in a sentence; empty without the table."""
    table = tables.optional("determinism_costs")
    if "difference_percent" not in table or table["difference_percent"].isna().all():
        return ""
    table = table[table["difference_percent"].notna()]
    median = table["difference_percent"].median()
    clear = int(table["verdict"].isin(["more", "less"]).sum())
    beyond = (
        f"{clear:,} of these differences {'is' if clear == 1 else 'are'}" if clear else "none of these differences is"
    )
    return (
        f"Deterministic operations change the time of a training step by {median:+.1f} % here (median over "
        f"{_many(len(table), 'architecture')}); {beyond} outside the noise."
    )
