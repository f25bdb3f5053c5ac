"""The one rule of C2 and C6: what Sequential "cannot" be is refuted by one Sequential that is that network.

It is that network when it has the reference's parameter count and, with the reference's weights in it, gives the same
outputs and the same gradients. Equal counts alone would not do: two layers of half the size count the same.
"""

from collections.abc import Sequence

from twinbench.analysis.claims.entry import ClaimVerdict, Finding, unmeasured
from twinbench.analysis.claims.evidence import Evidence, Row, cite, is_sequential, known, named, number_of
from twinbench.analysis.claims.scores import SHARED, score_phrase

BRANCHING = ("branching_cnn",)
# It is built, it runs, and it has the same parameter count, function and gradients.
_REPLICA = (1, 2, 4, 6, 7)


def sequential_cannot_share(evidence: Evidence, dataset: str) -> Finding:
    """C2: no Sequential has one set of weights behind two uses of a layer."""
    return _sequential_cannot(evidence, dataset, SHARED)


def sequential_cannot_branch(evidence: Evidence, dataset: str) -> Finding:
    """C6: no Sequential computes what a branching network computes."""
    return _sequential_cannot(evidence, dataset, BRANCHING)


def _sequential_cannot(evidence: Evidence, dataset: str, architectures: Sequence[str]) -> Finding:
    ladders: dict[tuple[str, str], dict[int, Row]] = {}
    for name in architectures:
        for row in evidence.rows("ladder", dataset=dataset, architecture=name):
            if is_sequential(row):
                ladders.setdefault((name, str(row["variant"])), {})[int(row["rung"])] = row
    if not any(_first(rungs)["kind"] == "twin" for rungs in ladders.values()):
        return unmeasured(
            f"No Sequential replica of {' or '.join(architectures)} was put on the ladder",
            f"Add {' or '.join(architectures)} to `architectures`, with all variants",
        )
    replicas = [rungs for rungs in ladders.values() if _is_replica(rungs)]
    others = [rungs for rungs in ladders.values() if rungs not in replicas]
    cited = [*cite("ladder", [_first(rungs) for rungs in ladders.values()])]
    if replicas:
        because = f"{'; '.join(_replica(evidence, rungs, cited) for rungs in replicas)}."
        if others:
            because += f" Other networks, as their ladders show: {', '.join(named(_first(rungs)) for rungs in others)}."
        return Finding(ClaimVerdict.REFUTED, because, tuple(cited))
    failed = [_failed(rungs) for rungs in others]
    unclear = ", ".join(named(_first(rungs)) for rungs, failure in zip(others, failed, strict=True) if failure is None)
    if unclear:
        return Finding(
            ClaimVerdict.INCONCLUSIVE,
            f"No Sequential passes rungs 4, 6 and 7, and {unclear} could not be tested on all of them.",
            tuple(cited),
            lacking=f"Rungs 4, 6 and 7 of {unclear}.",
        )
    reasons = "; ".join(f"{named(rung)} fails rung {rung['rung']}: {rung['sentence']}" for rung in failed if rung)
    because = (
        f"{reasons} None of {number_of(len(others), 'Sequential')} that was tried is that network; another may be."
    )
    return Finding(ClaimVerdict.SUPPORTED, because, tuple(cited))


def _first(rungs: dict[int, Row]) -> Row:
    return next(iter(rungs.values()))


def _is_replica(rungs: dict[int, Row]) -> bool:
    return all(number in rungs and rungs[number]["outcome"] == "pass" for number in _REPLICA)


def _failed(rungs: dict[int, Row]) -> Row | None:
    """Return the first rung that shows the variant to be another network."""
    return next((rungs[n] for n in _REPLICA if n in rungs and rungs[n]["outcome"] == "fail"), None)


def _replica(evidence: Evidence, rungs: dict[int, Row], cited: list[str]) -> str:
    row = _first(rungs)
    where = {name: row[name] for name in ("dataset", "architecture", "variant")}
    text = f"{named(row)} has the same parameter count, function and gradients as the Functional one"
    counted = evidence.rows("parameters", **where)
    if counted and known(counted[0]["parameters"]):
        count, per_call = counted[0]["parameters"], counted[0]["parameters_per_call"]
        text += f", with {int(count):,} parameters"
        if known(per_call) and per_call != count:
            text += f" (a use of a layer counted as a layer of its own: {int(per_call):,})"
        cited += cite("parameters", counted)
    compared = evidence.rows("comparisons", **where)
    if compared:
        text += f"; trained: {score_phrase(compared[0])}"
        cited += cite("comparisons", compared)
    return text
