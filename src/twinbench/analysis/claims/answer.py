"""The answer at the top of the page, in a few sentences made from the tables.

Is Sequential worse, how large is the noise between seeds, on how many images do runs disagree, and what really costs
points?
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from twinbench.analysis.agreement import agreement_sentence
from twinbench.analysis.claims.entry import Stance
from twinbench.analysis.claims.evidence import Evidence, Row, is_sequential, known, named, number_of
from twinbench.analysis.claims.scores import lower_score
from twinbench.analysis.comparisons import Verdict
from twinbench.analysis.outputs import API_ROW
from twinbench.analysis.suspects import MISREADING

_WORST = 4
_GAP = "gap_0.5"


def answer(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return the sentences.

    Args:
        tables: tables by name: `comparisons`, `noise_floor`, `suspects` and `seeds_needed`, of which a missing or empty
            one makes its sentence say so; and `agreement`, whose sentence is there if it is.
    """
    evidence = Evidence(tables)
    images = [agreement_sentence(tables["agreement"])] if evidence.rows("agreement") else []
    return [_is_sequential_worse(evidence), _seed_noise(evidence), *images, _what_costs_points(evidence)]


def _is_sequential_worse(evidence: Evidence) -> str:
    rows = [row for row in evidence.rows("comparisons", kind="twin") if is_sequential(row)]
    if not rows:
        return "Whether Sequential is worse was not tested here: no network was trained both ways."
    seeds = number_of(int(min(row["n"] for row in rows)), "seed")
    failed = [row for row in rows if row["failed_alone"]]
    stances = {stance: [row for row in rows if lower_score(row) is stance] for stance in Stance}
    lower, open_rows = stances[Stance.FOR], stances[Stance.OPEN]
    identical = [row for row in rows if row["verdict"] == Verdict.IDENTICAL]
    if lower:
        opening = "Yes" if len(lower) == len(rows) else "In part"
        text = f"{opening}: of {_pairs(rows)} Sequential scores lower in {len(lower)} ({_listed(lower)})"
        return f"{text}.{_failures(failed)}"
    if not open_rows and len(identical) == len(rows):
        return (
            f"No: in all {_pairs(rows)}, {seeds} each, the Sequential model ended with bit-identical weights and the "
            "same score as the Functional one."
        )
    if not open_rows:
        apart = [row for row in rows if row["verdict"] == Verdict.DIFFERENT]
        small = len(rows) - len(identical) - len(apart)
        parts = [f"bit-identical in {len(identical)}"] if identical else []
        parts += [f"within {rows[0]['margin']:g} points in {small}"] if small else []
        parts += [f"higher in {len(apart)} ({_listed(apart)})"] if apart else []
        return f"No: of {_pairs(rows)}, {seeds} each, Sequential is {', '.join(parts)}, and lower in none."
    planned = evidence.seeds_needed(open_rows)
    more = f" ({planned} seeds are planned to settle them)" if planned else ""
    opening = f"Not as far as {seeds} can tell: of {_pairs(rows)} Sequential is shown to be lower in none"
    number = f"{len(open_rows)} {'is' if len(open_rows) == 1 else 'are'} open"
    return f"{opening}, bit-identical in {len(identical)}, and {number}{more}.{_failures(failed)}"


def _failures(rows: Sequence[Row]) -> str:
    """Return in which pairs only one of the two failed, as a sentence; empty where in none."""
    if not rows:
        return ""
    names = ", ".join(f"{named(row)} in {number_of(int(row['failed_alone']), 'seed')}" for row in rows)
    return f" Only one of the two failed: {names}."


def _pairs(rows: Sequence[Row]) -> str:
    datasets = {row["dataset"] for row in rows}
    where = f" on {number_of(len(datasets), 'dataset')}" if len(datasets) > 1 else ""
    return f"{number_of(len(rows), 'pair')} of twins{where}"


def _listed(rows: Sequence[Row]) -> str:
    return ", ".join(f"{named(row)} {row['mean_difference']:+.2f} points" for row in rows)


def _seed_noise(evidence: Evidence) -> str:
    rows = [row for row in evidence.rows("noise_floor", kind="reference") if known(row["mean_gap"])]
    # Points of accuracy and of explained variance are different things; the question is asked about accuracy.
    rows = [row for row in rows if row["score_name"] == "accuracy"] or rows
    if not rows:
        return "How far apart two seeds of one model end cannot be said here: that takes at least two seeds of each."
    low, high = (pick(rows, key=lambda row: float(row["mean_gap"])) for pick in (min, max))
    ends = f"{low['mean_gap']:.2f} ({_place(low)})"
    if high is not low:
        ends += f" to {high['mean_gap']:.2f} ({_place(high)})"
    # The one with the widest gaps was chosen for it: its interval is one of all of them together.
    chances = (f"{high[f'{_GAP}{end}']:.2f}" for end in ("", "_low", "_high"))
    return (
        f"Seeds alone make gaps: two runs of one and the same Functional model end on average {ends} points apart, and "
        "in {} at least 0.5 points apart with probability {} (interval {} to {}).".format(_place(high), *chances)
    )


def _place(row: Row) -> str:
    return f"{row['architecture']} on {row['dataset']}"


def _what_costs_points(evidence: Evidence) -> str:
    rows = [row for row in evidence.rows("suspects") if row["suspect"] != API_ROW]
    if not rows:
        return "What really costs points was not tested here: no suspect was trained."
    table = pd.DataFrame(rows)
    by_suspect = [rows for _, rows in table.groupby("suspect", sort=False)]
    costly = [rows for rows in by_suspect if _lower(rows)]
    shown = [rows for rows in costly if rows["verdict"].eq(Verdict.DIFFERENT).all()]
    candidates = [rows for rows in costly if not rows["verdict"].eq(Verdict.DIFFERENT).all() and _beyond_zero(rows)]
    text = (
        f"What really costs points: {_ranked(shown)}"
        if shown
        else "Of the planted faults none is shown to cost points at this number of seeds"
    )
    if candidates:
        seeds = number_of(int(table["n"].max()), "seed")
        text += f"; candidates, which {seeds} cannot show of so many faults at once: {_ranked(candidates)}"
    misread = table[table["misread"].abs() > MISREADING]
    if len(misread):
        worst = misread.loc[misread["misread"].abs().idxmax()]
        text += (
            f"; and one only looks like it: {worst['changes']} "
            f"(seen {worst['seen_difference']:+.1f}, in truth {worst['mean_difference']:+.1f})"
        )
    return f"{text}."


def _lower(rows: pd.DataFrame) -> bool:
    return bool(rows["mean_difference"].lt(0).all())


def _beyond_zero(rows: pd.DataFrame) -> bool:
    """Return whether each interval by itself, uncorrected, lies below zero on every dataset."""
    return bool(rows["own_high"].lt(0).all())


def _ranked(suspects: Sequence[pd.DataFrame]) -> str:
    worst = sorted(suspects, key=lambda rows: float(rows["mean_difference"].mean()))[:_WORST]
    return ", ".join(f"{rows['changes'].iloc[0]} ({rows['mean_difference'].mean():+.1f})" for rows in worst)
