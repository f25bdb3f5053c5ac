"""Compares where training starts: scale and distribution of the initial weights over several builds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from scipy import stats

from twinbench.compare.advice import make_cause
from twinbench.compare.report import Cause
from twinbench.compare.weights import short_path

SIGNIFICANCE = 1e-6
"""Below this probability, two sets of initial weights are taken to be from different distributions; with Bonferroni's
correction over the tensors, so that equal models are blamed about once in a million comparisons."""

_SAMPLE = 4000


def values(variable: Any) -> np.ndarray:
    """A variable's values as float64, flat."""
    return np.asarray(keras.ops.convert_to_numpy(variable), dtype="float64").ravel()


@dataclass(frozen=True)
class Start:
    """One build of both models: the variables that correspond, and each model's own, nothing trained."""

    pairs: list[tuple[Any, Any]]
    a: list[Any]
    b: list[Any]


def initial_causes(starts: Sequence[Start]) -> list[Cause]:
    """Differences in the distribution of initial weights that several builds agree on."""
    found: list[Cause] = []
    tensors = list(zip(*[start.pairs for start in starts], strict=False))
    threshold = SIGNIFICANCE / max(1, len(tensors))
    for group in tensors:
        p, q = group[0]
        if "float" not in keras.backend.standardize_dtype(p.dtype):
            continue
        samples = [(values(x), values(y)) for x, y in group]
        if all(_differs(x, y, threshold) for x, y in samples):
            place = short_path(p) if short_path(p) == short_path(q) else f"{short_path(p)} / {short_path(q)}"
            words = [_summary(side) for side in samples[0]]
            detail = "the initial values come from another distribution"
            found.append(make_cause("init", f"initial values of {place}", *words, detail=detail))
    return _merged(found) + _twins(starts)


def _differs(x: np.ndarray, y: np.ndarray, threshold: float) -> bool:
    if x.size != y.size or np.array_equal(np.sort(x), np.sort(y)):
        return False
    constant_x, constant_y = np.ptp(x) == 0, np.ptp(y) == 0
    if constant_x or constant_y:
        return bool(x.size > 1 or abs(x[0] - y[0]) > 1e-6)
    if x.size < 16:
        return False
    step = max(1, x.size // _SAMPLE)
    if stats.ks_2samp(x[::step], y[::step]).pvalue < threshold:
        return True
    wide = np.log(np.std(x) / np.std(y))
    return bool(abs(wide) > 6.5 * np.sqrt(2.0 / x.size))


def _summary(x: np.ndarray) -> str:
    if np.ptp(x) == 0:
        return f"all {x[0]:g}"
    return f"mean {x.mean():.3g}, standard deviation {x.std():.3g}, from {x.min():.3g} to {x.max():.3g}"


def _merged(causes: list[Cause]) -> list[Cause]:
    if len(causes) < 2:
        return causes
    where = ", ".join(cause.where for cause in causes[:6]) + (f" and {len(causes) - 6} more" if len(causes) > 6 else "")
    first = causes[0]
    return [make_cause("init", where, first.a, first.b, detail=f"{first.detail} (of {len(causes)} tensors)")]


def _twins(starts: Sequence[Start]) -> list[Cause]:
    """Tensors that start with equal values on one side: one initialiser object, or one seed, for several layers."""
    equal_a = [_equal_groups(start.a) for start in starts]
    equal_b = [_equal_groups(start.b) for start in starts]
    partners = {id(q): id(p) for p, q in starts[0].pairs}
    found = []
    for mine, theirs, words, mapping in (
        (equal_b, equal_a, ("independent values", "equal values"), partners),
        (equal_a, equal_b, ("equal values", "independent values"), {v: k for k, v in partners.items()}),
    ):
        if not all(mine):
            continue
        known = {frozenset(id(v) for v in group) for group in theirs[0]}
        for group in mine[0]:
            if frozenset(mapping.get(id(v), 0) for v in group) in known:
                continue
            names = ", ".join(short_path(v) for v in group)
            detail = f"{names} start with the same values: they share one initialiser object or one seed"
            found.append(make_cause("init", f"initial values of {names}", *words, detail=detail))
    return found


def _equal_groups(variables: list[Any]) -> list[list[Any]]:
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for variable in variables:
        if "float" not in keras.backend.standardize_dtype(variable.dtype):
            continue
        array = values(variable)
        if array.size > 3 and np.ptp(array) > 0 and not _is_regular(variable):
            groups.setdefault((tuple(variable.shape), array[:64].tobytes(), float(array.sum())), []).append(variable)
    return [group for group in groups.values() if len(group) > 1]


def _is_regular(variable: Any) -> bool:
    """Biases of gates start at zeros and ones by design."""
    return short_path(variable).endswith("bias")


def reproducible(first: Sequence[Any], again: Sequence[Any]) -> bool:
    """Whether two builds without a seed from outside start with the same random values."""
    random = [(p, q) for p, q in zip(first, again, strict=False) if np.ptp(values(p)) > 0 and not _is_regular(p)]
    return bool(random) and all(np.array_equal(values(p), values(q)) for p, q in random)
