"""Trains both sides under several seeds and says how far apart equal models land."""

from __future__ import annotations

from typing import Any

from twinbench.compare.sides import Side


def train_both(sides: tuple[Side, Side], data: str, seeds: int) -> dict[str, Any]:
    """Placeholder, replaced before release."""
    raise NotImplementedError
