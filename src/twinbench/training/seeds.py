"""One seed, named streams of randomness.

Initial weights, the order of the images, the randomness inside layers and the split each draw from a stream of their
own, so that one can be held while another varies, and so that a model that draws more of one does not shift the others.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbench.config.training import Stream
from twinbench.data.splits import SAME_SPLIT

HELD_SEED = 0
_BITS = 31
# Where the numbers of splits begin that belong to a seed, and how many there are.
_SPLITS = 2**23


@dataclass(frozen=True)
class Seeds:
    """The seeds of a run's streams, each in 0 to 2**31 - 1, and the number of its split (`split_validation`)."""

    init: int
    order: int
    dropout: int
    split: int = SAME_SPLIT


def streams(seed: int, vary: Collection[Stream]) -> Seeds:
    """Derive the streams' seeds; a stream that is not in `vary` is held: it derives from seed 0."""

    def derive(stream: Stream) -> int:
        source = seed if stream in vary else HELD_SEED
        digest = hashlib.sha256(f"twinbench {stream} {source}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> (64 - _BITS)

    split = _SPLITS + derive("split") % _SPLITS if "split" in vary else SAME_SPLIT
    return Seeds(init=derive("init"), order=derive("order"), dropout=derive("dropout"), split=split)


def epoch_order(order_seed: int, epoch: int, examples: int) -> NDArray[np.int32]:
    """Return the order of the training images in one epoch, a permutation of `range(examples)`.

    It depends on the seed and the epoch alone, so that a resumed run sees what an undisturbed one would have seen.
    """
    generator = np.random.Generator(np.random.PCG64([order_seed, epoch]))
    return generator.permutation(examples).astype(np.int32)
