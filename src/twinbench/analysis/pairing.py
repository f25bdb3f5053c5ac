"""Each variant's scores beside its reference's, paired by seed."""

from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True)
class _Runs:
    """The columns that pairing reads, as arrays in the order of the runs."""

    seed: list[int]
    variant: list[str]
    kind: list[str]
    ended_well: list[bool]
    score: Floats
    sha256: list[object]
    frame: pd.DataFrame

    @classmethod
    def of(cls, runs: pd.DataFrame) -> "_Runs":
        return cls(
            seed=runs["seed"].tolist(),
            variant=runs["variant"].map(str).tolist(),
            kind=runs["kind"].map(str).tolist(),
            ended_well=ended_well(runs).tolist(),
            score=runs["test_score"].to_numpy(dtype=np.float64),
            sha256=runs["final_weights_sha256"].tolist(),
            frame=runs,
        )

    def good(self, places: Sequence[int]) -> dict[int, int]:
        """Return the places of runs that ended well by their seed."""
        return {self.seed[place]: place for place in places if self.ended_well[place]}


def _references_of(runs: _Runs) -> dict[tuple[str, str], list[int]]:
    """Return the places of the reference's runs by dataset and architecture.

    Raises:
        RecordError: an architecture has several references.
    """
    references = {}
    chosen = runs.frame.reset_index(drop=True)
    for (dataset, architecture), group in chosen[chosen["kind"] == "reference"].groupby(GROUP[:2], sort=False):
        places = group.index.tolist()
        names = list(dict.fromkeys(runs.variant[place] for place in places))
        if len(names) > 1:
            raise RecordError(
                f"The runs of {architecture} on {dataset} have several references ({', '.join(names)}): "
                "an architecture has exactly one."
            )
        references[str(dataset), str(architecture)] = places
    return references


def _pair(key: tuple[str, str, str], runs: _Runs, places: Sequence[int], reference_places: Sequence[int]) -> Pairs:
    dataset, architecture, variant = key
    good, good_references = runs.good(places), runs.good(reference_places)
    shared = sorted(good.keys() & good_references.keys())
    alone = good.keys() ^ good_references.keys()
    both = [(good[seed], good_references[seed]) for seed in shared]
    scores, references = (runs.score[[pair[side] for pair in both]] for side in (0, 1))
    hashes = [(runs.sha256[place], runs.sha256[reference]) for place, reference in both]
    ran = {runs.seed[place] for place in places} & {runs.seed[place] for place in reference_places}
    score_name = score_name_of(runs.frame.iloc[list(places)])
    return Pairs(
        dataset=dataset,
        architecture=architecture,
        variant=variant,
        kind=runs.kind[places[0]],
        reference=runs.variant[reference_places[0]] if reference_places else "",
        score_name=score_name,
        scores=scores,
        reference_scores=references,
        resolution=score_resolution(score_name, images_tested(runs.frame.iloc[[pair[0] for pair in both]])),
        failed=len(places) - len(good),
        reference_failed=len(reference_places) - len(good_references),
        failed_alone=len(alone & ran),
        unpaired=len(alone),
        identical=bool(both)
        and all(isinstance(sha256, str) and sha256 == other for sha256, other in hashes)
        and bool((scores == references).all()),
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
    columns = _Runs.of(runs)
    references = _references_of(columns)
    others = runs.reset_index(drop=True)
    for key, group in others[others["kind"] != "reference"].groupby(GROUP, sort=False):
        dataset, architecture, variant = map(str, key)
        reference_places = references.get((dataset, architecture), [])
        yield _pair((dataset, architecture, variant), columns, group.index.tolist(), reference_places)
