"""Deterministic, stratified choices of images: the validation split, subsets, and the split of the digits.

No random generator is involved, whose stream might change with NumPy's version: the images of a class are ranked
by a hash of their position, and the first ones are chosen.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinbench.errors import DataError

# The number of the validation split that every run has unless its seed draws one.
SAME_SPLIT: Final = 1


def split_validation(
    labels: NDArray[np.int64], fraction: float, *, split: int = SAME_SPLIT
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hold out a validation split, the same for all that name the same split (below 2**24) on these labels.

    Returns:
        Positions of the images to train on and of those to validate on, both ascending, int64; every class keeps
        an image to train on.

    Raises:
        DataError: the fraction leaves no image to validate or to train on.
    """
    held_out = round(len(labels) * fraction)
    classes = len(np.unique(labels))
    if held_out < 1 or len(labels) - held_out < classes:
        raise DataError(
            f"A validation_fraction of {fraction:g} of {len(labels)} training images holds out {held_out} of them, "
            f"and {classes} classes need an image each to train on: change validation_fraction or train_examples."
        )
    counts = np.unique(labels, return_counts=True)[1]
    quotas = _quotas(counts, held_out, least=np.zeros_like(counts), most=counts - 1)
    validation = _choose(labels, quotas, purpose=split)
    return np.setdiff1d(np.arange(len(labels), dtype=np.int64), validation), validation


def stratified_subset(labels: NDArray[np.int64], size: int, *, purpose: int = 0) -> NDArray[np.int64]:
    """Choose `size` images, each class with its share of them and at least one.

    Args:
        labels: `(n,)` classes of all images.
        size: how many to choose; at least one for each class and at most n.
        purpose: another number gives another choice.

    Returns:
        Their positions, ascending, int64.
    """
    counts = np.unique(labels, return_counts=True)[1]
    return _choose(labels, _quotas(counts, size, least=np.ones_like(counts), most=counts), purpose)


def _quotas(
    counts: NDArray[np.int64], total: int, *, least: NDArray[np.int64], most: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Share out `total` in proportion to `counts` by largest remainder, within the bounds of each class."""
    exact = counts * (total / counts.sum())
    quotas: NDArray[np.int64] = np.clip(np.floor(exact).astype(np.int64), least, most)
    while quotas.sum() != total:
        if quotas.sum() < total:
            quotas[np.argmax(np.where(quotas < most, exact - quotas, -np.inf))] += 1
        else:
            quotas[np.argmax(np.where(quotas > least, quotas - exact, -np.inf))] -= 1
    return quotas


def _choose(labels: NDArray[np.int64], quotas: NDArray[np.int64], purpose: int) -> NDArray[np.int64]:
    rank = _hash_positions(len(labels), purpose)
    chosen = []
    for label, quota in zip(np.unique(labels), quotas, strict=True):
        members = np.flatnonzero(labels == label)
        chosen.append(members[np.argsort(rank[members], kind="stable")[:quota]])
    positions: NDArray[np.int64] = np.sort(np.concatenate(chosen)).astype(np.int64)
    return positions


def _hash_positions(count: int, purpose: int) -> NDArray[np.uint64]:
    """SplitMix64 of the positions 0, 1, ... (Steele, Lea and Flood, OOPSLA 2014, figure 15), a stream per purpose."""
    z = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(purpose << 40)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed
