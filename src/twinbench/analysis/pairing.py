"""Each variant's scores beside its reference's, paired by seed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twinbench.analysis.intervals import SCORE_DECIMALS, Floats, score_resolution
from twinbench.analysis.summary import GROUP, ended_well, images_tested, score_name_of
from twinbench.errors import RecordError


@dataclass(frozen=True)
class Pairs:
    """One variant and its reference in the seeds that both ended well.

    Attributes:
        dataset: name of the dataset.
        architecture: name of the architecture.
        variant: name of the variant.
        kind: twin, lookalike or suspect.
        reference: name of the reference; empty where it was not run.
        score_name: accuracy or explained variance.
        scores: the variant's scores in points, float64 (n,), in the order of the seeds.
        reference_scores: the reference's, in the same order.
        resolution: the smallest step of the score, in points.
        failed: runs of the variant that failed.
        reference_failed: runs of the reference that failed.
        failed_alone: seeds in which one of the two failed and the other ended well.
        unpaired: seeds that only one of the two ended well.
        identical: n >= 1 and in every pair the final weights' hashes and the scores are equal.
    """

    dataset: str
    architecture: str
    variant: str
    kind: str
    reference: str
    score_name: str
    scores: Floats
    reference_scores: Floats
    resolution: float
    failed: int
    reference_failed: int
    failed_alone: int
    unpaired: int
    identical: bool

    @property
    def n(self) -> int:
        """Number of pairs."""
        return len(self.scores)

    @property
    def differences(self) -> Floats:
        """Variant minus reference in points, float64 (n,), free of rounding noise so that ties are ties."""
        return np.round(self.scores - self.reference_scores, SCORE_DECIMALS)


def _references_of(runs: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the reference's runs by dataset and architecture.

    Raises:
        RecordError: an architecture has several references.
    """
    references = {}
    for (dataset, architecture), chosen in runs[runs["kind"] == "reference"].groupby(GROUP[:2], sort=False):
        names = chosen["variant"].unique()
        if len(names) > 1:
            raise RecordError(
                f"The runs of {architecture} on {dataset} have several references ({', '.join(map(str, names))}): "
                "an architecture has exactly one."
            )
        references[str(dataset), str(architecture)] = chosen
    return references


def _pair(key: tuple[str, str, str], runs: pd.DataFrame, references: pd.DataFrame) -> Pairs:
    dataset, architecture, variant = key
    columns = ["test_score", "test_examples", "final_weights_sha256"]
    good = runs[ended_well(runs)].set_index("seed")[columns]
    good_references = references[ended_well(references)].set_index("seed")[columns]
    both = good.join(good_references, how="inner", rsuffix="_reference").sort_index()
    alone = set(good.index) ^ set(good_references.index)
    score_name = score_name_of(runs)
    hashes = both["final_weights_sha256"]
    equal = hashes.notna() & (hashes == both["final_weights_sha256_reference"])
    return Pairs(
        dataset=dataset,
        architecture=architecture,
        variant=variant,
        kind=str(runs["kind"].iloc[0]),
        reference=str(references["variant"].iloc[0]) if len(references) else "",
        score_name=score_name,
        scores=both["test_score"].to_numpy(dtype=np.float64),
        reference_scores=both["test_score_reference"].to_numpy(dtype=np.float64),
        resolution=score_resolution(score_name, images_tested(both)),
        failed=len(runs) - len(good),
        reference_failed=len(references) - len(good_references),
        failed_alone=len(alone & set(runs["seed"]) & set(references["seed"])),
        unpaired=len(alone),
        identical=bool(len(both)) and bool((equal & (both["test_score"] == both["test_score_reference"])).all()),
    )


def pairs_by_seed(runs: pd.DataFrame) -> Iterator[Pairs]:
    """Yield every variant that is not a reference beside the reference of its dataset and architecture.

    Args:
        runs: the table `runs`.

    Yields:
        Pairs in the order in which the variants first appear in `runs`.

    Raises:
        RecordError: a run appears twice, or an architecture has several references.
    """
    twice = runs.duplicated([*GROUP, "seed"])
    if twice.any():
        first = runs[twice].iloc[0]
        raise RecordError(
            f"The run of {first['architecture']} {first['variant']} on {first['dataset']} with seed {first['seed']} "
            "appears twice in the runs: keep one training configuration per results folder."
        )
    references = _references_of(runs)
    for key, group in runs[runs["kind"] != "reference"].groupby(GROUP, sort=False):
        dataset, architecture, variant = map(str, key)
        yield _pair((dataset, architecture, variant), group, references.get((dataset, architecture), runs.iloc[:0]))
