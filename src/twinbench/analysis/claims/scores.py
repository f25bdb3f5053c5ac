"""The rules of C1 and C4: does one way to write a network score lower than the other?"""

from collections.abc import Iterator, Sequence

from twinbench.analysis.claims.entry import LEAST_SEEDS, ClaimVerdict, Finding, Stance, unmeasured, verdict_of
from twinbench.analysis.claims.evidence import Evidence, Row, cite, known, named, number_of
from twinbench.analysis.comparisons import SAME, Verdict, reservation

# Networks that are one line of layers, which Sequential was made for.
LINEAR = ("mlp", "plain_cnn")
SHARED = ("shared_autoencoder", "shared_views")


def lower_score(row: Row) -> Stance:
    """Return what one row of `comparisons` says of "the variant scores lower than its reference".

    Lower by less than the equivalence margin is not the lower score that the claim is about: for it is only an interval
    that lies beyond the margin as a whole. One seed, or seeds that failed in one of the two only, leave it open.
    """
    verdict = row["verdict"]
    if row["n"] < LEAST_SEEDS or row["failed_alone"] or verdict == Verdict.UNDECIDED:
        return Stance.OPEN
    if verdict in SAME or row["mean_difference"] > 0:
        return Stance.AGAINST
    return Stance.FOR if row["ci_high"] < -row["margin"] else Stance.OPEN


def score_phrase(row: Row) -> str:
    """Return one comparison in a few words, with its numbers."""
    seeds = number_of(int(row["n"]), "seed")
    if row["failed_alone"]:
        seeds += f", {number_of(int(row['failed_alone']), 'other')} in which only one of the two failed"
    if row["verdict"] == Verdict.IDENTICAL:
        return f"{named(row)} bit-identical in {seeds}"
    if not known(row["mean_difference"]):
        return f"{named(row)} not to be compared (no seed in which both ended well)"
    difference = f"{row['mean_difference']:+.2f} points"
    if not known(row["ci_low"]):
        return f"{named(row)} {difference} in {seeds} ({row['verdict']})"
    ends = f"interval {row['ci_low']:+.2f} to {row['ci_high']:+.2f}"
    text = f"{named(row)} {difference} ({ends}, {seeds}, {row['verdict']}"
    if known(row.get("unseen_collapse")):
        text += f", a collapse in up to {row['unseen_collapse']:.0f} % of seeds not excluded"
    why = "" if row["failed_alone"] else reservation(row)
    return f"{text}; {why})" if why else f"{text})"


def decide_by_score(evidence: Evidence, rows: Sequence[Row], opening: str) -> Finding:
    """Return what comparisons say of "scores lower", with the seeds that would settle the open ones.

    Args:
        evidence: the tables.
        rows: rows of `comparisons`, at least one.
        opening: how the sentence begins, up to the colon.
    """
    verdict = verdict_of([lower_score(row) for row in rows])
    because = f"{opening}: {'; '.join(score_phrase(row) for row in rows)}."
    small = [row for row in rows if row["verdict"] == Verdict.DIFFERENT_WITHIN_MARGIN and row["mean_difference"] < 0]
    if small:
        because += f" Lower, but by less than the margin of {small[0]['margin']:g} points: {_names(small)}."
    undecided = [row for row in rows if lower_score(row) is Stance.OPEN]
    seeds = evidence.seeds_needed(undecided)
    lacking = ""
    if verdict is ClaimVerdict.INCONCLUSIVE:
        lacking = " ".join(_lacking(undecided, seeds))
    else:
        rests_on = _rests_on([row for row in rows if row not in undecided])
        because += f" This rests on {rests_on}, all tested on the same images."
    return Finding(
        verdict=verdict,
        because=because,
        evidence=(*cite("comparisons", rows), *cite("runs", rows)),
        lacking=lacking,
        seeds_needed=seeds,
    )


def _rests_on(rows: Sequence[Row]) -> str:
    """Return in a few words how many seeds and networks a verdict rests on."""
    networks = dict.fromkeys(str(row["architecture"]) for row in rows)
    seeds = sorted({int(row["n"]) for row in rows})
    counts = f"{seeds[0]:,}" if len(seeds) == 1 else f"{seeds[0]:,} to {seeds[-1]:,}"
    return f"{counts} seeds of {number_of(len(networks), 'network')} ({', '.join(networks)})"


def _lacking(rows: Sequence[Row], seeds: int | None) -> Iterator[str]:
    """Yield what would settle open comparisons, a sentence for each reason."""
    failed = [row for row in rows if row["failed_alone"]]
    if failed:
        yield f"Runs that do not fail in one of the two only: {_names(failed)}."
    single = [row for row in rows if row["n"] < LEAST_SEEDS and row not in failed]
    if single:
        yield f"At least {LEAST_SEEDS} seeds that ended well: {_names(single)}."
    guessing = [row for row in rows if row["at_chance"] and row not in failed and row not in single]
    if guessing:
        yield f"Training that ends above a constant guess, which no number of seeds brings: {_names(guessing)}."
    said = [*failed, *single, *guessing]
    undecided = [row for row in rows if row["verdict"] == Verdict.UNDECIDED and row not in said]
    if undecided:
        planned = f"`seeds: {seeds}` is planned to settle it." if seeds else "more seeds."
        yield f"{_names(undecided)} undecided at this number of seeds; {planned}"
    near = [row for row in rows if row["verdict"] == Verdict.DIFFERENT and row not in said]
    if near:
        yield f"Lower, but perhaps by less than the margin of {near[0]['margin']:g} points: {_names(near)}; more seeds."


def sequential_scores_lower(evidence: Evidence, dataset: str) -> Finding:
    """C1: a linear stack scores lower when it is written with Sequential."""
    rows = [row for name in LINEAR for row in evidence.sequential_twins("comparisons", dataset, name)]
    if not rows:
        return unmeasured(
            "No linear stack was trained both ways", f"Add {' or '.join(LINEAR)} to `architectures`, with all variants"
        )
    return decide_by_score(evidence, rows, "Sequential minus Functional, the same seeds")


def unshared_scores_lower(evidence: Evidence, dataset: str) -> Finding:
    """C4: a network whose layers are not shared has more parameters and scores lower."""
    rows = [
        row
        for name in SHARED
        for row in evidence.rows("comparisons", dataset=dataset, architecture=name, kind="lookalike")
        if str(row["variant"]).endswith("_unshared")
    ]
    if not rows:
        return unmeasured(
            "No unshared network was trained beside its shared one",
            f"Add {' or '.join(SHARED)} to `architectures`, with all variants",
        )
    counts = [_extra_parameters(evidence, row) for row in rows]
    added = f" Parameters more than shared: {', '.join(f'{count:+,}' for count in counts if count is not None)}."
    finding = decide_by_score(evidence, rows, "Unshared minus shared, the same seeds")
    because = finding.because + (added if any(count is not None for count in counts) else "")
    if finding.verdict is ClaimVerdict.SUPPORTED:
        because += " That the redundant parameters are the reason does not follow from this."
    return Finding(
        verdict=finding.verdict,
        because=because,
        evidence=(*finding.evidence, *cite("parameters", rows)),
        lacking=finding.lacking,
        seeds_needed=finding.seeds_needed,
    )


def _extra_parameters(evidence: Evidence, row: Row) -> int | None:
    counts = evidence.rows(
        "parameters", dataset=row["dataset"], architecture=row["architecture"], variant=row["variant"]
    )
    difference = counts[0]["difference_to_reference"] if counts else None
    return None if difference is None or not known(difference) else int(difference)


def _names(rows: Sequence[Row]) -> str:
    return ", ".join(named(row) for row in rows)
