"""The claims under test, and the table `claims`: a verdict on each, from the tables and from nothing else."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from twinbench.analysis import outputs
from twinbench.analysis.claims.costs import functional_is_cheaper
from twinbench.analysis.claims.entry import Claim, ClaimVerdict, Finding, unmeasured, verdict_over_datasets
from twinbench.analysis.claims.evidence import Evidence
from twinbench.analysis.claims.possibility import sequential_cannot_branch, sequential_cannot_share
from twinbench.analysis.claims.propagation import sequential_loses_gradients
from twinbench.analysis.claims.published import functional_example, sequential_example
from twinbench.analysis.claims.scores import sequential_scores_lower, unshared_scores_lower
from twinbench.analysis.claims.sharing import sharing_saves_parameters

CLAIMS: Final = (
    Claim(
        "C1",
        "A plain stack of layers scores lower when it is written with Sequential than with Functional.",
        "A Sequential model achieves lower accuracy than a Functional model that uses the same architecture.",
        sequential_scores_lower,
        "One Sequential stack that scores lower than its Functional twin under the same seeds: the whole simultaneous "
        "interval beyond the equivalence margin.",
    ),
    Claim(
        "C2",
        "Sequential cannot share a layer: it makes an instance with weights of its own for each use.",
        "Sequential assumes one tensor that flows through a stack. It does not register that a layer is shared, but "
        "makes independent instances, which adds redundant parameters.",
        sequential_cannot_share,
        "A version of Keras in which no Sequential that holds one layer object twice passes the ladder's rungs of "
        "parameter count, function and gradients.",
    ),
    Claim(
        "C3a",
        "The published Sequential autoencoder runs, with redundant parameters.",
        "Its first example, a Sequential autoencoder whose decoder uses the encoder's two convolutions again, is shown "
        "as a model that runs and has redundant parameters.",
        sequential_example,
        "A version of Keras in which the example, as published, is built and runs on a batch.",
        by_dataset=False,
    ),
    Claim(
        "C3b",
        "The published Functional autoencoder runs, with fewer parameters.",
        "Its second example, the same autoencoder in Functional with the two convolutions shared, is shown as a model "
        "that runs and has fewer parameters.",
        functional_example,
        "A version of Keras in which the example, as published, is built and runs on a batch.",
        by_dataset=False,
    ),
    Claim(
        "C4",
        "A network that does not share its layers has redundant parameters and scores lower than one that does.",
        "Layers that are not shared score lower than shared ones, because of the redundant parameters.",
        unshared_scores_lower,
        "Differences of the other sign, after correction, in all networks that were trained both ways.",
    ),
    Claim(
        "C5",
        "A residual network written with Sequential does not propagate gradients: on the way to its first layers they "
        "fade, or blow up.",
        "A Sequential replica of a network with skip connections fails to propagate gradients.",
        sequential_loses_gradients,
        "A Sequential that keeps the skip connection and whose first layer gets a gradient ten times smaller or larger "
        "than the Functional one's; or one that drops it and stays within that factor at every depth.",
    ),
    Claim(
        "C6",
        "A branching network cannot be written with Sequential.",
        "A branching network, one input into two paths that are concatenated, cannot be replicated with Sequential.",
        sequential_cannot_branch,
        "To allow only Keras's own single-path layers in a Sequential: then nothing in it can branch. A layer of one's "
        "own that holds the branches is all it takes.",
    ),
    Claim(
        "C7",
        "A network costs less to compute when it is written with Functional than with Sequential.",
        "The Functional model is computationally more efficient.",
        functional_is_cheaper,
        "A training step that does more operations, makes more bytes or holds more of them at once in Sequential; or "
        "times per step that all lie beyond the threshold, on this machine and on others.",
    ),
    Claim(
        "C8",
        "Using a layer twice instead of two layers reduces the number of parameters.",
        "Sharing a layer reduces the parameter count.",
        sharing_saves_parameters,
        "A network that shares a layer with weights and has as many parameters as the one that does not.",
    ),
)


def decide_claims(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per claim, C1 to C8.

    Args:
        tables: tables by name: `runs`, `comparisons`, `parameters`, `ladder` (with the published examples),
            `gradients`, `api_costs` and `seeds_needed`. A missing or empty one makes the claims that rest on it
            inconclusive.

    Returns:
        The table `outputs.CLAIMS`.
    """
    evidence = Evidence(tables)
    return outputs.CLAIMS.frame([_row(claim, evidence) for claim in CLAIMS])


def _row(claim: Claim, evidence: Evidence) -> dict[str, Any]:
    finding = _decide(claim, evidence)
    inconclusive = finding.verdict is ClaimVerdict.INCONCLUSIVE
    return {
        "claim": claim.name,
        "statement": claim.statement,
        "article": claim.article,
        "verdict": str(finding.verdict),
        "because": finding.because,
        "evidence": "; ".join(finding.evidence),
        "would_change": finding.lacking if inconclusive and finding.lacking else claim.would_change,
        "seeds_needed": finding.seeds_needed,
    }


def _decide(claim: Claim, evidence: Evidence) -> Finding:
    """Return the finding over all datasets."""
    datasets = evidence.datasets() if claim.by_dataset else [""]
    if not datasets:
        return unmeasured("There are no runs", "Train something")
    findings = {dataset: claim.rule(evidence, dataset) for dataset in datasets}
    if len(findings) == 1:
        return next(iter(findings.values()))
    lacking = [f"On {name}: {finding.lacking}" for name, finding in findings.items() if finding.lacking]
    return Finding(
        verdict=verdict_over_datasets([finding.verdict for finding in findings.values()]),
        because=" ".join(f"On {name} ({finding.verdict}): {finding.because}" for name, finding in findings.items()),
        evidence=tuple(dict.fromkeys(row for finding in findings.values() for row in finding.evidence)),
        lacking=" ".join(lacking),
        seeds_needed=max((finding.seeds_needed for finding in findings.values() if finding.seeds_needed), default=None),
    )
