"""Which variants can be built at all; one that raises is its own failure, and stops no other."""

import logging
from collections.abc import Sequence

import numpy as np

from twinbench.architectures.catalogue import Variant
from twinbench.architectures.recipe import recipe_of
from twinbench.data import LoadedDataset
from twinbench.errors import raise_if_memory_ran_out

logger = logging.getLogger(__name__)


def buildable(variants: Sequence[Variant], data: LoadedDataset) -> list[Variant]:
    """Return the variants of one architecture that can be built and called on an image, in their order.

    Without a reference that can be, there is nothing to hold the others against, and none is returned. Their runs are
    recorded as failed with the reason; here it goes to the log.
    """
    kept = [variant for variant in variants if _builds(variant, data)]
    return kept if any(variant.kind == "reference" for variant in kept) else []


def _builds(variant: Variant, data: LoadedDataset) -> bool:
    try:
        model = recipe_of(variant).build(data.input_shape, data.classes)
        model(np.zeros((1, *data.input_shape), np.float32), training=False)
    except Exception as error:  # whatever someone's builder raises
        raise_if_memory_ran_out(error)
        logger.warning("%s/%s is left out: it raises %r.", variant.architecture, variant.name, error)
        return False
    return True
