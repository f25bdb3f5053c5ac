"""What pytest finds where twinbench is installed: two fixtures, and the mark `twinbench` of tests that use them."""

from collections.abc import Callable
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest know the mark."""
    config.addinivalue_line("markers", "twinbench: compares Keras models; tests that use its fixtures have the mark")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that uses a fixture of these, so that `-m twinbench` finds them."""
    for item in items:
        if {"assert_same_model", "assert_survives_saving"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("twinbench")


@pytest.fixture(scope="session")
def assert_same_model() -> Callable[..., Any]:
    """Fail with the whole report where two models differ: `twinbench.assert_same_model`."""
    from twinbench.compare.api import assert_same_model

    return assert_same_model


@pytest.fixture(scope="session")
def assert_survives_saving() -> Callable[..., Any]:
    """Fail with the whole report where a model is another after saving: `twinbench.assert_survives_saving`."""
    from twinbench.compare.survival import assert_survives_saving

    return assert_survives_saving
