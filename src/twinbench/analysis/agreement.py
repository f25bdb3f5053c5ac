"""The table `agreement`: on how many test images two runs give another class.

Two runs may score the same and yet disagree on many images. Each run is held against the next seed of the same variant
and against the reference under the same seed.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from twinbench.analysis.outputs import AGREEMENT
from twinbench.analysis.summary import GROUP, ended_well
from twinbench.store.predictions import unpack

NEXT_SEED: Final = "next seed"
_NO_CLASSES: Final = {
    "reconstruct": "A reconstruction predicts no class, so there is nothing to compare image by image.",
    "regress": "It predicts numbers and no class, so there is nothing to compare example by example.",
}
# Of one run: the predicted class of each test image, as an offset to the true one.
_Predictions = NDArray[np.unsignedinteger]
_Pairs = Iterator[tuple[_Predictions, _Predictions]]


def agreement(records: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Return one row per variant for pairs of its seeds, and one per variant and reference for pairs under one seed.

    Args:
        records: one row a run (the columns of `runs`, and `predictions`), in the order of the plan.
        confidence: McNemar's tests have the level 1 - confidence.

    Returns:
        The table `AGREEMENT`.

    Raises:
        RecordError: the predictions of a run are damaged.
    """
    rows: list[dict[str, object]] = []
    for _, network in records.groupby(["dataset", "architecture"], sort=False):
        references = network[network["kind"] == "reference"]
        reference = _by_seed(references)
        for key, runs in network.groupby(GROUP, sort=False):
            kind = str(runs["kind"].iloc[0])
            row = dict(zip(GROUP, key, strict=True)) | {"kind": kind}
            task = str(runs["task"].iloc[0])
            by_seed = reference if kind == "reference" else _by_seed(runs)
            seeds = pairwise(map(_unpacked, by_seed.values()))
            rows.append(row | _compared(NEXT_SEED, seeds, task, confidence))
            if kind != "reference" and len(references):
                name = str(references["variant"].iloc[0])
                rows.append(row | _compared(name, _under_one_seed(by_seed, reference), task, confidence))
    return AGREEMENT.frame(rows)


def agreement_sentence(table: pd.DataFrame) -> str:
    """Return how far seeds and APIs disagree, in a sentence about the references and their Sequential twins."""
    counted = table[table["pairs"] > 0]
    seeds = counted[(counted["kind"] == "reference") & (counted["compared_with"] == NEXT_SEED)]
    sequential = counted[
        (counted["kind"] == "twin")
        & (counted["compared_with"] != NEXT_SEED)
        & counted["variant"].str.startswith("sequential")
    ]
    said = []
    if len(seeds):
        said.append(f"two seeds of one and the same model disagree on {_span(seeds)} of the test images")
    if len(sequential):
        none = not sequential["highest"].any()
        said.append(f"Sequential and Functional under one seed on {'none' if none else _span(sequential)}")
    if not said:
        return "On how many images two runs disagree cannot be said here: no two runs to compare predict classes."
    return f"Image by image, {', '.join(said)}."


def _span(rows: pd.DataFrame) -> str:
    low, high = rows["disagreement"].min(), rows["disagreement"].max()
    return f"{low:.2f} %" if len(rows) == 1 else f"{low:.2f} to {high:.2f} %, by network,"


def _by_seed(runs: pd.DataFrame) -> dict[int, tuple[str, int]]:
    """The predictions of the runs that ended well as their records keep them, with the number of images."""
    good = runs[ended_well(runs) & runs["predictions"].notna()].sort_values("seed")
    packed = zip(good["predictions"], good["test_examples"], strict=True)
    return dict(zip(good["seed"], packed, strict=True))


def _unpacked(packed: tuple[str, int]) -> _Predictions:
    return unpack(*packed)


def _under_one_seed(runs: Mapping[int, tuple[str, int]], references: Mapping[int, tuple[str, int]]) -> _Pairs:
    # Unpacked pair by pair: the predictions of 10,000 runs are 100 MB.
    return ((unpack(*packed), unpack(*references[seed])) for seed, packed in runs.items() if seed in references)


def _compared(name: str, pairs: _Pairs, task: str, confidence: float) -> dict[str, object]:
    shares: list[float] = []
    only_right: list[tuple[int, int]] = []
    images = 0
    for first, second in pairs:
        images = len(first)
        shares.append(100 * (np.count_nonzero(first != second) / images))
        right = first == 0, second == 0
        only_right.append((int(np.count_nonzero(right[0] > right[1])), int(np.count_nonzero(right[1] > right[0]))))
    row: dict[str, object] = {"compared_with": name, "pairs": len(shares)}
    if task in _NO_CLASSES:
        return row | {"sentence": _NO_CLASSES[task]}
    if not shares:
        return row | {"sentence": "There is no pair of runs that ended well and kept its predictions."}
    tests = _mcnemar_p(np.array(only_right)).tolist()
    rejected = sum(p <= 1 - confidence for p in tests)
    row |= {
        "images": images,
        "disagreement": float(np.mean(shares)),
        "lowest": min(shares),
        "highest": max(shares),
        "mcnemar_p": tests[0] if len(tests) == 1 else float("nan"),
        "mcnemar_different": rejected,
    }
    return row | {"sentence": _in_words(name, shares, tests, rejected, images)}


def _in_words(name: str, shares: Sequence[float], tests: Sequence[float], rejected: int, images: int) -> str:
    seeds = name == NEXT_SEED
    who = "Two seeds of it" if seeds else f"It and {name} under one seed"
    pairs = "1 pair" if len(shares) == 1 else f"{len(shares):,} pairs"
    if not any(shares):
        return f"{who} give every one of the {images:,} test images the same class ({pairs})."
    spread = "" if len(shares) == 1 else f", {min(shares):.2f} to {max(shares):.2f} %"
    opening = f"{who} disagree on {np.mean(shares):.2f} % of the {images:,} test images ({pairs}{spread})."
    if len(tests) == 1:
        verdict = f"McNemar's test of the one pair: p {tests[0]:.2g}"
    else:
        verdict = f"McNemar's test takes {rejected:,} of these pairs for networks that score differently"
    warning = ", though it is one model" if seeds and rejected else ""
    return f"{opening} {verdict}{warning}. It is about these trained networks, and says nothing of other seeds."


def _mcnemar_p(only_right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the exact p of McNemar's test that two networks are right equally often, for many pairs at once.

    It is the two-sided binomial test of `statsmodels.stats.contingency_tables.mcnemar`, which takes one pair at a time.

    Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12(2).

    Args:
        only_right: whole numbers (pairs, 2): images that only the first gets right, and only the second.
    """
    p = 2 * stats.binom.cdf(only_right.min(axis=1), only_right.sum(axis=1), 0.5)
    return np.asarray(np.minimum(p, 1.0))
