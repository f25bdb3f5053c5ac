"""What all tests of the analysis share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _quick_garbage_collection() -> Iterator[None]:
    """Keep what other tests imported out of the collections that statsmodels' `multipletests` starts on each call."""
    gc.freeze()
    yield
    gc.unfreeze()
