"""Matches the samples of two feeds by their values, and says how the inputs of those that correspond differ."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.batches import arranged
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed
from twinbench.compare.matching import ENOUGH, TRIED, Rows, changes, extent, numbered, share, standard, standardised
from twinbench.compare.report import Cause
from twinbench.compare.targets import label_causes, label_statistics, unmatched_weights
from twinbench.sameness.graph import Graph
from twinbench.sameness.subjects import Pair

RECONCILED = "The feeds differ in range or arrangement, and what the models do to them makes up for it."
"""The warning which says that a rescaling in one model only is as it should be."""

RANGE_FACTOR, RANGE_SHIFT = 1.5, 0.6
"""Where samples do not correspond, inputs are of another range if the standard deviation differs by more than this
factor, or the mean by more than this many standard deviations."""


@dataclass(frozen=True)
class Scaling:
    """What a model does to one of its inputs before anything else: `factor * x + offset`, along the last axis."""

    factor: Any = 1.0
    offset: Any = 0.0

    def applied(self, array: np.ndarray) -> np.ndarray:
        """What reaches the first layer."""
        values: np.ndarray = np.asarray(array, dtype="float64") * self.factor + self.offset
        return values

    @property
    def neutral(self) -> bool:
        """Whether it does nothing."""
        return bool(np.all(np.asarray(self.factor) == 1) and np.all(np.asarray(self.offset) == 0))


def input_scaling(graph: Graph | None, position: int) -> Scaling:
    """The scaling that a model applies to one of its inputs before anything else."""
    scaling = Scaling()
    if graph is None or position >= len(graph.inputs):
        return scaling
    nodes = graph.by_index()
    children = graph.children()
    here = graph.inputs[position]
    while len(children[here]) == 1:
        here = children[here][0][0]
        node = nodes[here]
        if node.kind == "scale":
            factor, offset = (np.asarray(node.settings[key], dtype="float64") for key in ("factor", "offset"))
        elif node.kind == "Normalization":
            factor = 1 / np.maximum(np.sqrt(np.asarray(node.settings["variance"], dtype="float64")), 1e-7)
            offset = -np.asarray(node.settings["mean"], dtype="float64") * factor
        elif node.kind in ("reshape", "transpose") and np.ndim(scaling.factor) == np.ndim(scaling.offset) == 0:
            continue
        else:
            break
        factor, offset = (np.squeeze(v) if np.size(v) == 1 else v for v in (factor, offset))
        scaling = Scaling(scaling.factor * factor, scaling.offset * factor + offset)
    return scaling


def sample_causes(
    a: Feed, b: Feed, pair: Pair, coverage: Coverage, *, same: bool
) -> tuple[list[Cause], list[str], np.ndarray]:
    """Differences between the samples of two feeds as they reach the first layers.

    Returns:
        The causes, warnings, and for each sample of A the index of the one of B that corresponds, or -1.
    """
    if len(a.epoch.inputs) != len(b.epoch.inputs):
        coverage.not_tested("feeds", f"they hold {len(a.epoch.inputs)} and {len(b.epoch.inputs)} inputs")
        return [], [], np.full(a.epoch.samples, -1)
    found = _finite_causes(a, b)
    warnings: list[str] = []
    effective: list[list[np.ndarray]] = [[], []]
    for k, arrays in enumerate(zip(arranged(a, pair.a), arranged(b, pair.b), strict=True)):
        if any(array.dtype.kind not in "fiub" for array in arrays):
            for side, array in zip(effective, arrays, strict=True):
                side.append(numbered(array))
            continue
        scalings = [input_scaling(one.graph, k) for one in (pair.a, pair.b)]
        reached = [_scaled(scaling, array) for scaling, array in zip(scalings, arrays, strict=True)]
        place = "inputs" if len(a.epoch.inputs) == 1 else f"input {k}"
        cause, changed = _input_cause(place, arrays, reached, scalings)
        if cause is not None:
            found.append(cause)
        elif any(not s.neutral for s in scalings) and _other_range(arrays[0], arrays[1]):
            warnings.append(RECONCILED)
        for side, array in zip(effective, changed, strict=True):
            side.append(array)
    rows = [Rows(side) for side in effective]
    partners = rows[0].partners(rows[1])
    shared = float(np.mean(partners >= 0)) if len(partners) else 0.0
    if shared < ENOUGH:
        found += unmatched_weights(a, b, coverage)
        return found or _strangers(a, b, shared, coverage, same=same), warnings, partners
    found += label_causes(a, b, pair, rows=rows, partners=partners, coverage=coverage)
    shared = min(shared, float(np.mean(rows[1].partners(rows[0]) >= 0)))
    if shared < 1 and a.epoch.complete and b.epoch.complete:
        coverage.asides.append(f"which samples they hold ({100 * shared:.3g} % of them are in both)")
    return found, warnings, partners


def not_finite(feed: Feed) -> int:
    """How many samples of a feed hold what is no number."""
    arrays = [v for v in (*feed.epoch.inputs, *feed.epoch.targets) if v.dtype.kind == "f"]
    bad = [~np.isfinite(v).reshape(len(v), -1).all(axis=1) for v in arrays]
    return int(np.any(bad, axis=0).sum()) if bad else 0


def _finite_causes(a: Feed, b: Feed) -> list[Cause]:
    """Samples of one feed only that hold what is no number: a single one spoils all weights."""
    spoilt = [not_finite(feed) for feed in (a, b)]
    if bool(spoilt[0]) == bool(spoilt[1]):
        return []
    words = [f"{count:,} samples with values that are not finite" if count else "all finite" for count in spoilt]
    detail = "NaN or infinity in one sample makes the loss, and with it every weight, NaN"
    fix = "Remove or fill in these values."
    return [make_cause("data", "values that are not finite (NaN, infinity)", *words, detail=detail, fix=fix)]


def _scaled(scaling: Scaling, array: np.ndarray) -> np.ndarray:
    if scaling.neutral:
        return array
    try:
        return scaling.applied(array).astype("float32")
    except ValueError:  # a scaling along an axis that the feed does not have
        return array


def _input_cause(
    place: str, fed: tuple[np.ndarray, np.ndarray], reached: list[np.ndarray], scalings: list[Scaling]
) -> tuple[Cause | None, list[np.ndarray]]:
    """What differs between the values of one input, and both arrays with that difference taken away."""
    x, y = reached
    if share(x[:TRIED], y) >= ENOUGH:
        return None, reached
    if standardised(x, y):
        return _range_cause(place, fed, reached, scalings), [standard(v) for v in reached]
    moved = _moved(x, y)
    if moved is not None:
        words, changed = moved
        if not words:
            return _range_cause(place, fed, reached, scalings), changed
        return _arrangement_cause(place, words, f"the samples are the same, in B {words}"), changed
    swapped = _channel_statistics(x, y)
    if swapped:
        detail = "the averages of the channels are those of A in the opposite order"
        return _arrangement_cause(place, "channels in the opposite order (RGB against BGR)", detail), reached
    return (_range_cause(place, fed, reached, scalings) if _other_range(x, y) else None), reached


def _moved(x: np.ndarray, y: np.ndarray) -> tuple[str, list[np.ndarray]] | None:
    """What was done to the samples of B, in words (none: channels scaled apart), and both arrays without it."""
    plain = [standard(x), standard(y)]
    for words, change in changes(y.shape):
        for first, second in ((x, y), (plain[0], plain[1])):
            changed = change(second)
            if changed.shape[1:] == x.shape[1:] and share(first[:TRIED], changed) >= ENOUGH:
                return words, [first, changed]
    if x.ndim < 3 or x.shape[1:] != y.shape[1:]:
        return None
    channels = [standard(x, by_channel=True), standard(y, by_channel=True)]
    return ("", channels) if share(channels[0][:TRIED], channels[1]) >= ENOUGH else None


def _arrangement_cause(place: str, words: str, detail: str) -> Cause:
    return make_cause(
        "preprocessing",
        f"{place}: {words}",
        "as they are",
        words,
        detail=detail,
        why="The network reads its inputs in another arrangement than its weights are made for.",
        fix="Arrange the inputs in the same way on both sides.",
    )


def _channel_statistics(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether the channels' averages fit in the opposite order, and do not as they stand."""
    if x.ndim < 3 or x.shape[-1] != 3 or y.shape[-1] != 3 or min(len(x), len(y)) < 20:
        return False
    means = [v.reshape(len(v), -1, 3).astype("float64").mean(1) for v in (x, y)]
    error = np.sqrt(sum(m.var(0) / len(m) for m in means)) + 1e-12
    direct = np.abs(means[0].mean(0) - means[1].mean(0)) / error
    turned = np.abs(means[0].mean(0) - means[1].mean(0)[::-1]) / error
    return bool(direct.max() > 8 and turned.max() < 4)


def _range_cause(
    place: str, fed: tuple[np.ndarray, np.ndarray], reached: list[np.ndarray], scalings: list[Scaling]
) -> Cause:
    words = [
        f"fed {extent(raw)}" + ("" if scaling.neutral else f", scaled in the model to {extent(array)}")
        for raw, array, scaling in zip(fed, reached, scalings, strict=True)
    ]
    detail = "what reaches the first layer has another range"
    return make_cause(
        "preprocessing", f"range of {'the ' if place == 'inputs' else ''}{place} (scaling)", *words, detail=detail
    )


def _other_range(x: np.ndarray, y: np.ndarray) -> bool:
    values = [np.asarray(v[:5000], dtype="float64") for v in (x, y)]
    if not all(v.size for v in values):
        return False
    widths = [max(float(v.std()), 1e-12) for v in values]
    shift = abs(float(values[0].mean() - values[1].mean())) / max(widths)
    return max(widths) / min(widths) > RANGE_FACTOR or shift > RANGE_SHIFT


def _strangers(a: Feed, b: Feed, shared: float, coverage: Coverage, *, same: bool) -> list[Cause]:
    """Feeds that hold few samples in common."""
    labels = label_statistics(a, b)
    drawn = [feed.letter for feed in (a, b) if feed.redrawn]
    if drawn or not (a.epoch.complete and b.epoch.complete):
        why = (
            f"the samples of {' and '.join(drawn)} are drawn anew in every epoch"
            if drawn
            else "they were not read to the end"
        )
        coverage.not_tested("feeds", f"{why}, so only their statistics were compared")
        return labels
    if not same:
        coverage.not_tested("feeds", "what reaches the first layers could not be matched sample by sample")
        return labels
    words = [f"{feed.epoch.distinct:,} distinct samples" for feed in (a, b)]
    detail = f"{100 * shared:.0f} % of A's samples are among B's: they are other samples, or changed in another way"
    return [make_cause("data", "samples that both feeds hold", *words, detail=detail)]
