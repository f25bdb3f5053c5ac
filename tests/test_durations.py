"""Spans of time, as logs and estimates word them."""

import pytest

from twinbench.durations import duration


@pytest.mark.parametrize(
    ("seconds", "exact", "rough"),
    [
        (0.4, "0 s", "1 min"),
        (59.6, "1 min 00 s", "1 min"),
        (200, "3 min 20 s", "3 min"),
        (3599.7, "1 h 00 min", "1 h 00 min"),
        (7500, "2 h 05 min", "2 h 05 min"),
        (90000, "25 h 00 min", "25 h 00 min"),
    ],
)
def test_a_span_is_worded_by_its_size(seconds: float, exact: str, rough: str) -> None:
    assert duration(seconds) == exact
    assert duration(seconds, rough=True) == rough
