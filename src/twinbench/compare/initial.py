"""Compares where training starts: scale and distribution of the initial weights over several builds."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from twinbench.compare.advice import make_cause
from twinbench.compare.report import Cause
from twinbench.sameness.evidence import short_path
from twinbench.sameness.probes import is_float, numbers
from twinbench.sameness.transfer import Transfer

SIGNIFICANCE = 1e-6
"""Below this probability, two sets of initial weights are taken to be from different distributions; with Bonferroni's
correction over the tensors, so that equal models are blamed about once in a million comparisons."""

MOST_WIDTH = 2.0
"""Weights in tensors of another shape may start wider by less than this factor: an initialiser that counts the units
of a tensor gives as much."""

_SAMPLE = 4000


def values(variable: Any) -> np.ndarray:
    """A variable's values as float64, flat."""
    return numbers(variable).ravel()


@dataclass(frozen=True)
class Start:
    """One build of both models, nothing trained.

    Attributes:
        transfer: which variable of B takes its numbers from which of A, in the first build.
        first: the variables of A and of B in the first build.
        again: for the variables of the first build by identity, those of this one; empty for the first itself.
    """

    transfer: Transfer
    first: tuple[list[Any], list[Any]]
    again: dict[int, Any] = field(default_factory=dict)

    @property
    def sides(self) -> tuple[list[Any], list[Any]]:
        """The variables of A and of B in this build."""
        a, b = ([self._here(variable) for variable in variables] for variables in self.first)
        return a, b

    def carried(self) -> Iterator[tuple[Any, Any, np.ndarray, np.ndarray]]:
        """For each variable of B with a partner: that partner, itself, and the values of both, A's as B holds them."""
        for p, q, value in self.transfer.carried(lambda variable: values(self._here(variable))):
            yield p, q, np.ravel(value), values(self._here(q))

    def _here(self, variable: Any) -> Any:
        return self.again.get(id(variable), variable)


def initial_causes(starts: Sequence[Start]) -> tuple[list[Cause], list[str]]:
    """Differences in the distribution of initial weights that several builds agree on.

    Returns:
        The causes; and in words, weights that are cut into tensors of other shapes, to which an initialiser that
        looks at the shape gives another width.
    """
    found: list[Cause] = []
    widths: list[str] = []
    count = len(starts[0].transfer.relations)
    threshold = SIGNIFICANCE / max(1, count)
    for group in zip(*[start.carried() for start in starts], strict=True):
        p, q = group[0][:2]
        if not is_float(p):
            continue
        samples = [(x, y) for _, _, x, y in group]
        same_draws = tuple(p.shape) == tuple(q.shape) and all(_of_one_draw(x, y) for x, y in samples)
        if same_draws or all(_differs(x, y, threshold) for x, y in samples):
            place = short_path(p) if short_path(p) == short_path(q) else f"{short_path(p)} / {short_path(q)}"
            if tuple(p.shape) != tuple(q.shape) and (ratio := _ratio(samples)) is not None:
                widths.append(f"{place} {ratio:.2g} times as wide in B")
                continue
            words = [_summary(side) for side in samples[0]]
            detail = "the initial values come from another distribution"
            found.append(make_cause("init", f"initial values of {place}", *words, detail=detail))
    return _merged(found) + _twins(starts), widths


def _ratio(samples: Sequence[tuple[np.ndarray, np.ndarray]]) -> float | None:
    """How many times as wide B's values lie about zero; None where that is more than another shape explains."""
    ratios = [float(np.std(y) / np.std(x)) if np.ptp(x) and np.ptp(y) else 0.0 for x, y in samples]
    centred = all(abs(v.mean()) < 0.2 * np.std(v) for sample in samples for v in sample)
    return ratios[0] if centred and all(1 / MOST_WIDTH < ratio < MOST_WIDTH for ratio in ratios) else None


def _of_one_draw(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether values drawn under one seed are the same draws, stretched or shifted, which is not chance.

    Draws with the opposite sign have the same distribution wherever they lie about zero.
    """
    if x.size != y.size or x.size < 3 or np.ptp(x) == 0 or np.ptp(y) == 0 or np.allclose(x, y, rtol=1e-3, atol=1e-7):
        return False
    factor = float(np.dot(x - x.mean(), y - y.mean()) / np.dot(x - x.mean(), x - x.mean()))
    shift = float(y.mean() - factor * x.mean())
    straight = np.allclose(y, factor * x + shift, rtol=1e-3, atol=1e-4 * float(np.abs(y).max()))
    mirrored = abs(factor + 1) < 1e-3 and abs(shift) < 1e-3 * float(np.abs(y).max())
    return bool(straight and not mirrored)


def _differs(x: np.ndarray, y: np.ndarray, threshold: float) -> bool:
    # Under one seed most are equal as they stand, and sorting the weights of a large model takes seconds.
    if x.size != y.size or np.array_equal(x, y) or np.array_equal(np.sort(x), np.sort(y)):
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
    equal_a, equal_b = ([equal_groups(start.sides[k]) for start in starts] for k in (0, 1))
    partners: dict[int, set[int]] = defaultdict(set)
    for p, q in starts[0].transfer.relations:
        partners[id(p)].add(id(q))
        partners[id(q)].add(id(p))
    found = []
    for mine, theirs, words in (
        (equal_b, equal_a, ("independent values", "equal values")),
        (equal_a, equal_b, ("equal values", "independent values")),
    ):
        if not all(mine):
            continue
        known = [{id(v) for v in group} for group in theirs[0]]
        for group in mine[0]:
            if any(all(partners[id(v)] & other for v in group) for other in known):
                continue
            names = ", ".join(short_path(v) for v in group)
            detail = f"{names} start with the same values: they share one initialiser object or one seed"
            found.append(make_cause("init", f"initial values of {names}", *words, detail=detail))
    return found


def equal_groups(variables: list[Any]) -> list[list[Any]]:
    """Variables that hold the same values, together."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for variable in variables:
        if not is_float(variable):
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
    random = [
        (p, q) for p, q in zip(first, again, strict=True) if p is not q and np.ptp(values(p)) > 0 and not _is_regular(p)
    ]
    return bool(random) and all(np.array_equal(values(p), values(q)) for p, q in random)
