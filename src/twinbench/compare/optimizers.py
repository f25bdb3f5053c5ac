"""Compares the optimisers of two compiled models by the values that they will use, step by step."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.report import Cause

STEPS = (0, 1, 10, 100, 500, 1_000, 5_000, 10_000, 50_000)
"""Steps at which learning-rate schedules are evaluated."""

_IGNORED = {"name", "jit_compile", "is_legacy_optimizer", "learning_rate", "loss_scale_factor"}
_SAME_CLASS = {"AdamW": "Adam"}


def optimizer_causes(a: keras.Model, b: keras.Model) -> list[Cause]:
    """Differences between optimisers: kind, learning rate over the steps, and every other value."""
    if not (getattr(a, "compiled", False) and getattr(b, "compiled", False)):
        return []
    x, y = (_unwrapped(model.optimizer) for model in (a, b))
    if x is None or y is None:
        return []
    found = []
    names = [_SAME_CLASS.get(type(one).__name__, type(one).__name__) for one in (x, y)]
    if names[0] != names[1]:
        words = [f"{type(one).__name__}(learning_rate={_shown_rate(one)})" for one in (x, y)]
        return [make_cause("compile.optimizer", "optimizer", *words, detail="another optimiser")]
    rates = [learning_rates(one) for one in (x, y)]
    if not np.allclose(rates[0], rates[1], rtol=1e-4, atol=0):
        words = [f"learning_rate={_shown_rate(one)}" for one in (x, y)]
        step = STEPS[int(np.argmax(~np.isclose(rates[0], rates[1], rtol=1e-4, atol=0)))]
        detail = f"the learning rates differ from step {step} on"
        found.append(make_cause("compile.optimizer", "optimizer: learning_rate", *words, detail=detail))
    configs = [{k: v for k, v in one.get_config().items() if k not in _IGNORED} for one in (x, y)]
    for key in sorted(set(configs[0]) | set(configs[1])):
        mine, theirs = (_value(config.get(key)) for config in configs)
        if mine != theirs:
            words = [f"{key}={mine}", f"{key}={theirs}"]
            detail = f"the optimiser's {key} differs"
            found.append(make_cause("compile.optimizer", f"optimizer: {key}", *words, detail=detail))
    return found


def _unwrapped(optimizer: Any) -> Any:
    while hasattr(optimizer, "inner_optimizer"):
        optimizer = optimizer.inner_optimizer
    return optimizer


def _value(value: Any) -> Any:
    if value in (None, 0, 0.0, False):
        return None
    return round(value, 12) if isinstance(value, float) else value


def learning_rates(optimizer: Any) -> list[float]:
    """The learning rate at each of `STEPS`."""
    schedule = getattr(optimizer, "_learning_rate", None)
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return [float(keras.ops.convert_to_numpy(schedule(step))) for step in STEPS]
    return [float(keras.ops.convert_to_numpy(optimizer.learning_rate))] * len(STEPS)


def _shown_rate(optimizer: Any) -> str:
    schedule = getattr(optimizer, "_learning_rate", None)
    rates = learning_rates(optimizer)
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return f"{type(schedule).__name__}, from {rates[0]:g} to {rates[5]:g} at step {STEPS[5]:,}"
    return f"{rates[0]:g}"
