"""Compares the optimisers of two compiled models by the values that they will use, step by step."""

import re
from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.coverage import Coverage
from twinbench.compare.report import Cause
from twinbench.sameness.evidence import short_path
from twinbench.sameness.subjects import Pair

STEPS = (0, 1, 10, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 10_000_000)
"""Steps at which learning-rate schedules are evaluated."""

_IGNORED = {
    "name",
    "jit_compile",
    "is_legacy_optimizer",
    "learning_rate",
    "loss_scale_factor",
    "built",
    "inner_optimizer",
}
_SAME_CLASS = {"AdamW": "Adam"}
_NEEDS = {"ema_momentum": "use_ema", "ema_overwrite_frequency": "use_ema", "nesterov": "momentum"}
"""Settings that act only where another is set."""


def optimizer_causes(pair: Pair, coverage: Coverage) -> list[Cause]:
    """Differences between optimisers: kind, learning rate over the steps, and every other value that they hold."""
    found: list[Cause] = []
    sides = [_optimizers(one.model) for one in (pair.a, pair.b)]
    if not sides[0] and not sides[1]:
        coverage.not_given("optimizer", "neither model is compiled with an optimizer.")
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        x, y = sides[0].get(name), sides[1].get(name)
        if x is None or y is None:
            coverage.not_tested("optimizer", f"{'B' if x is not None else 'A'} has no '{name}'")
            continue
        found += settings_causes(name, x, y, pair, coverage)
    return found


def _optimizers(model: keras.Model) -> dict[str, Any]:
    """All optimisers that a model holds, by name: one, as a rule; `compile` of the person's own may take several."""
    optimizers = {
        n: v for n, v in vars(model).items() if isinstance(v, keras.optimizers.Optimizer) and n != "optimizer"
    }
    usual = getattr(model, "optimizer", None)
    return ({} if usual is None else {"optimizer": usual}) | optimizers


def settings_causes(place: str, x: Any, y: Any, pair: Pair, coverage: Coverage) -> list[Cause]:
    """How two optimizers differ: class, learning rates along the steps, and every other value that they hold."""
    found = _loss_scale(place, x, y, pair)
    x, y = _unwrapped(x), _unwrapped(y)
    names = [_SAME_CLASS.get(type(one).__name__, type(one).__name__) for one in (x, y)]
    own = [type(one).__module__.split(".")[0] != "keras" for one in (x, y)]
    if names[0] != names[1] and any(own):
        coverage.not_tested("optimizer", f"{' and '.join(names)} are of other classes, and one is a custom class")
        return found
    if names[0] != names[1]:
        words = [f"{type(one).__name__}(learning_rate={_shown_rate(one)})" for one in (x, y)]
        return [*found, make_cause("compile.optimizer", place, *words, detail="another optimiser")]
    if any(own) and type(x) is not type(y):
        coverage.not_tested("optimizer", f"{names[0]} is a custom class, another one on each side")
    rates = [learning_rates(one) for one in (x, y)]
    if not np.allclose(rates[0], rates[1], rtol=1e-4, atol=0):
        first = int(np.argmax(~np.isclose(rates[0], rates[1], rtol=1e-4, atol=0)))
        step = STEPS[first]
        words = [f"learning_rate={_shown_rate(one, first)}" for one in (x, y)]
        detail = f"the learning rates differ from step {step} on"
        found.append(make_cause("compile.optimizer", f"{place}: learning_rate", *words, detail=detail))
    values = [_values(one) for one in (x, y)]
    for key in sorted(set(values[0]) | set(values[1])):
        mine, theirs = (side.get(key) for side in values)
        if isinstance(mine, keras.optimizers.Optimizer) and isinstance(theirs, keras.optimizers.Optimizer):
            found += settings_causes(f"{place}: {key}", mine, theirs, pair, coverage)
        elif isinstance(mine, _Opaque) or isinstance(theirs, _Opaque):
            if any(own) and mine != theirs:
                coverage.not_tested("optimizer", f"{key} of {names[0]} cannot be compared")
        elif not _equal(mine, theirs):
            words = [f"{key}={mine}", f"{key}={theirs}"]
            found.append(
                make_cause("compile.optimizer", f"{place}: {key}", *words, detail=f"the optimiser's {key} differs")
            )
    return found + _decay(place, x, y, pair)


def _loss_scale(place: str, x: Any, y: Any, pair: Pair) -> list[Cause]:
    """Loss scaling: without effect but in float16, where small gradients are lost without it."""
    if not any("16" in one.model.compute_dtype and "b" not in one.model.compute_dtype for one in (pair.a, pair.b)):
        return []
    words = []
    for one in (x, y):
        scaled = isinstance(one, keras.optimizers.LossScaleOptimizer)
        words.append(
            f"initial_scale={one.initial_scale:g}, dynamic_growth_steps={one.dynamic_growth_steps}"
            if scaled
            else "no loss scaling"
        )
    if words[0] == words[1]:
        return []
    return [
        make_cause(
            "compile.optimizer",
            f"{place}: loss scale",
            *words,
            detail="small gradients in float16 are kept on one side only",
        )
    ]


def _decay(place: str, x: Any, y: Any, pair: Pair) -> list[Cause]:
    """Weights that decay on one side only (`exclude_from_weight_decay`)."""
    if not (getattr(x, "weight_decay", None) and getattr(y, "weight_decay", None)):
        return []
    trained = {id(v) for one in (pair.a, pair.b) for v in one.model.trainable_variables}
    apart = [
        (p, q, decays)
        for p, q in pair.transfer.relations
        if id(p) in trained and id(q) in trained and (decays := _decays(x, p)) != _decays(y, q)
    ]
    if not apart:
        return []
    words = ["decays", "excluded"] if apart[0][2] else ["excluded", "decays"]
    where = ", ".join(short_path(p) for p, _, _ in apart[:6])
    detail = f"weight decay acts on {len(apart)} weights of one side only: {where}"
    return [make_cause("compile.optimizer", f"{place}: exclude_from_weight_decay ({where})", *words, detail=detail)]


def _decays(optimizer: Any, variable: Any) -> bool:
    """Whether weight decay acts on a variable; as Keras decides it, without its cache."""
    if optimizer._var_key(variable) in (getattr(optimizer, "_exclude_from_weight_decay", None) or ()):
        return False
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    return pattern is None or re.search(pattern, variable.name) is None


def _unwrapped(optimizer: Any) -> Any:
    while isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer
    return optimizer


class _Opaque:
    """A value that two optimisers hold and that cannot be compared."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Opaque) and (self.value is other.value)

    __hash__ = None  # type: ignore[assignment]


def _values(optimizer: Any) -> dict[str, Any]:
    """Everything that decides what an optimiser does: its configuration, and what else its object holds."""
    held = dict(optimizer.get_config())
    known = set(vars(keras.optimizers.SGD(0.1))) if isinstance(optimizer, keras.optimizers.Optimizer) else set()
    state = {id(v) for v in optimizer.variables}
    for name, value in vars(optimizer).items():
        if (
            name in held
            or (name in known and name not in _CHANGEABLE)
            or name.startswith(("_self_", "_exclude_from_weight_decay"))
        ):
            continue
        if id(value) in state or _holds_state(value, state):
            continue
        held[name] = _plain(value)
    inert = {name for name, needed in _NEEDS.items() if not held.get(needed)}
    return {name: _plain(value) for name, value in held.items() if name not in _IGNORED and name not in inert}


_CHANGEABLE = {
    "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "gradient_accumulation_steps", "momentum", "nesterov",
}  # fmt: skip


def _holds_state(value: Any, state: set[int]) -> bool:
    """Whether a value is a collection of the optimiser's own variables (its slots), or of nothing."""
    if isinstance(value, list | tuple):
        return all(id(v) in state or _holds_state(v, state) for v in value if v is not None)
    return isinstance(value, dict) and all(id(v) in state for v in value.values())


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, np.generic | np.ndarray) or (hasattr(value, "numpy") and not hasattr(value, "get_config")):
        return np.asarray(keras.ops.convert_to_numpy(value)).tolist()
    known = isinstance(value, bool | int | float | str | type(None) | keras.optimizers.Optimizer | _Opaque)
    return value if known else _Opaque(value)


def _equal(x: Any, y: Any) -> bool:
    if x in (None, 0, 0.0, False) and y in (None, 0, 0.0, False):
        return True
    if isinstance(x, int | float) and isinstance(y, int | float):
        return bool(np.isclose(x, y, rtol=1e-6, atol=0))
    if {x if isinstance(x, int) else None, y if isinstance(y, int) else None} == {None, 1} and (x is None or y is None):
        return True  # one step of accumulation is none
    return bool(x == y)


def learning_rates(optimizer: Any) -> list[float]:
    """The learning rate at each of `STEPS`."""
    schedule = getattr(optimizer, "_learning_rate", None)
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return [float(keras.ops.convert_to_numpy(schedule(step))) for step in STEPS]
    return [float(keras.ops.convert_to_numpy(optimizer.learning_rate))] * len(STEPS)


def _shown_rate(optimizer: Any, place: int = 0) -> str:
    """The learning rate in words: that of the start, and of a schedule also that at one of `STEPS`."""
    schedule = getattr(optimizer, "_learning_rate", None)
    rates = learning_rates(optimizer)
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        place = place or STEPS.index(1_000)
        return f"{type(schedule).__name__}, from {rates[0]:g} to {rates[place]:g} at step {STEPS[place]:,}"
    return f"{rates[0]:g}"
