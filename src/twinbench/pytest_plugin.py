"""What pytest finds by itself where twinbench is installed: the fixture `assert_same_model`."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="session")
def assert_same_model() -> Callable[..., Any]:
    """Fail with the whole report where two models differ: `twinbench.assert_same_model`."""
    from twinbench.compare.api import assert_same_model

    return assert_same_model
