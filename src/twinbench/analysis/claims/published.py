"""The rules of C3a and C3b: do the two examples run as they were published, and with how many parameters?

They are built, not trained, and need no dataset; a ladder that holds them for several datasets must agree.
"""

import math

from twinbench.analysis.claims.entry import ClaimVerdict, Finding, unmeasured, verdict_over_datasets
from twinbench.analysis.claims.evidence import Evidence, Row, cite

ARCHITECTURE = "published_autoencoder"
SEQUENTIAL = "sequential_c3a"
FUNCTIONAL = "functional_c3b"


def sequential_example(evidence: Evidence, dataset: str) -> Finding:
    """C3a: the Sequential example runs, and has a set of parameters for each use of the two layers."""
    return _example(evidence, SEQUENTIAL, redundant=True)


def functional_example(evidence: Evidence, dataset: str) -> Finding:
    """C3b: the Functional example runs, and has one set of parameters for both uses of the two layers."""
    return _example(evidence, FUNCTIONAL, redundant=False)


def _example(evidence: Evidence, variant: str, *, redundant: bool) -> Finding:
    rows = evidence.rows("ladder", architecture=ARCHITECTURE, variant=variant)
    if not rows:
        return unmeasured("The published examples were not put on the ladder", "The rule `ladder`, which builds them")
    climbed: dict[str, dict[int, Row]] = {}
    for row in rows:
        climbed.setdefault(str(row["dataset"]), {})[int(row["rung"])] = row
    verdicts, sentences = [], []
    for rungs in climbed.values():
        verdict, because = _one(rungs, redundant=redundant)
        verdicts.append(verdict)
        sentences.append(because)
    return Finding(
        verdict=verdict_over_datasets(verdicts),
        because=" ".join(dict.fromkeys(sentences)),
        evidence=cite("ladder", rows),
        lacking="Rungs 1, 2 and 4 of the example." if ClaimVerdict.INCONCLUSIVE in verdicts else "",
    )


def _one(rungs: dict[int, Row], *, redundant: bool) -> tuple[ClaimVerdict, str]:
    """Return the verdict on one ladder; rung 4 counts against the network with a layer for each use."""
    for number in (1, 2):
        if number not in rungs:
            return ClaimVerdict.INCONCLUSIVE, f"Rung {number} was not climbed."
        if rungs[number]["outcome"] != "pass":
            built = "" if number == 1 else "It is built. "
            return ClaimVerdict.REFUTED, f"{built}{rungs[number]['sentence']}"
    count = rungs.get(4)
    if count is None or count["outcome"] == "not applicable":
        return ClaimVerdict.INCONCLUSIVE, "It runs; its parameters were not counted."
    value = float(count["value"]) if count["value"] is not None else math.nan
    # The number of rung 4 is the variant's parameters minus those with a layer for each use.
    has_redundant = count["outcome"] == "pass" or value >= 0
    verdict = ClaimVerdict.SUPPORTED if has_redundant == redundant else ClaimVerdict.DEPENDS
    return verdict, f"It runs on a batch. Against a layer for each use: {count['sentence']}"
