"""The rule of C6: can a branching network be written with Sequential?"""

from twinbench.analysis.claims.entry import ClaimVerdict, Finding, unmeasured
from twinbench.analysis.claims.evidence import Evidence, Row, cite, is_sequential, known, named
from twinbench.analysis.claims.scores import score_phrase

ARCHITECTURE = "branching_cnn"
# Same parameter count, same function and same gradients make a replica.
_REPLICA = {4: "parameter count", 6: "function", 7: "gradients"}


def sequential_cannot_branch(evidence: Evidence, dataset: str) -> Finding:
    """C6: no Sequential computes what a branching network computes. One that does refutes it."""
    rungs = evidence.rows("ladder", dataset=dataset, architecture=ARCHITECTURE)
    climbed: dict[str, dict[int, Row]] = {}
    for row in rungs:
        if is_sequential(row):
            climbed.setdefault(str(row["variant"]), {})[int(row["rung"])] = row
    twins = [name for name, rungs in climbed.items() if _first(rungs)["kind"] == "twin"]
    if not twins:
        return unmeasured(
            f"No Sequential replica of {ARCHITECTURE} was put on the ladder",
            f"Add {ARCHITECTURE} to `architectures`, with all variants",
        )
    replicas = [name for name, rungs in climbed.items() if _is_replica(rungs)]
    cited = [*cite("ladder", [_first(climbed[name]) for name in climbed])]
    others = [name for name in climbed if name not in replicas]
    if replicas:
        phrases = [_replica(evidence, dataset, climbed[name], cited) for name in replicas]
        because = f"{'; '.join(phrases)}."
        if others:
            because += f" Only those without the branches are other networks: {', '.join(others)}."
        return Finding(ClaimVerdict.REFUTED, because, tuple(cited))
    failed = {name: _failed(rungs) for name, rungs in climbed.items()}
    if all(rung is not None for rung in failed.values()):
        because = "; ".join(
            f"{name} fails rung {rung['rung']}: {rung['sentence']}" for name, rung in failed.items() if rung
        )
        return Finding(ClaimVerdict.SUPPORTED, because, tuple(cited))
    unclear = ", ".join(name for name, rung in failed.items() if rung is None)
    return Finding(
        ClaimVerdict.INCONCLUSIVE,
        f"No Sequential passes rungs 4, 6 and 7, and {unclear} could not be tested on all of them.",
        tuple(cited),
        lacking=f"Rungs 4, 6 and 7 of {unclear}.",
    )


def _first(rungs: dict[int, Row]) -> Row:
    return next(iter(rungs.values()))


def _is_replica(rungs: dict[int, Row]) -> bool:
    return all(number in rungs and rungs[number]["outcome"] == "pass" for number in (1, 2, *_REPLICA))


def _failed(rungs: dict[int, Row]) -> Row | None:
    """Return the first rung that shows the variant to be no replica."""
    for number in (1, 2, *_REPLICA):
        if number in rungs and rungs[number]["outcome"] == "fail":
            return rungs[number]
    return None


def _replica(evidence: Evidence, dataset: str, rungs: dict[int, Row], cited: list[str]) -> str:
    row = _first(rungs)
    where = {"dataset": dataset, "architecture": ARCHITECTURE, "variant": row["variant"]}
    text = f"{named(row)} has the same {' and '.join(list(_REPLICA.values())[1:])}"
    counted = evidence.rows("parameters", **where)
    if counted and known(counted[0]["parameters"]):
        text += f", with the same {int(counted[0]['parameters']):,} parameters"
        cited += cite("parameters", counted)
    compared = evidence.rows("comparisons", **where)
    if compared:
        text += f"; trained: {score_phrase(compared[0])}"
        cited += cite("comparisons", compared)
    return text
