"""Differences between two data feeds, and between the ranges of their values and what the models do to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from twinbench.audit.graph import Graph
from twinbench.audit.pairing import Pair
from twinbench.compare.advice import make_cause
from twinbench.compare.feeds import TAIL, Feed
from twinbench.compare.losses import resolved_losses
from twinbench.compare.report import Cause

RECONCILED = "The feeds have different ranges, and the models rescale them to the same one."
"""The warning which says that a rescaling in one model only is as it should be."""

REPEATED = 0.1
"""A feed repeats itself if its share of distinct samples is lower than the other's by more than this."""

RANGE_FACTOR = 3.0
"""Ranges of inputs that differ by less than this factor are one range."""


def feed_causes(a: Feed, b: Feed, pair: Pair) -> tuple[list[Cause], list[str]]:
    """All differences between two feeds that matter for training."""
    found: list[Cause] = []
    warnings = [*a.notes, *b.notes]
    counts, labels = _counts(a, b), _labels(a, b)
    repeated = abs(_share(a) - _share(b)) > REPEATED
    found += counts if repeated or not labels else labels  # the one follows from the other
    found += _pairing(a, b)
    found += _order(a, b)
    ranges, more = _ranges(a, b, pair)
    found += ranges
    warnings += more
    if a.epoch.batch_size and b.epoch.batch_size and a.epoch.batch_size != b.epoch.batch_size:
        words = [f"{feed.epoch.batch_size} samples" for feed in (a, b)]
        detail = "with the same number of epochs, a larger batch means fewer steps"
        found.append(
            make_cause(
                "training_loop",
                "batch size of the feed",
                *words,
                detail=detail,
                mend="Use the same batch size, or scale the learning rate and the number of epochs with it.",
            )
        )
    return found, warnings


def _share(feed: Feed) -> float:
    return feed.epoch.distinct / max(1, feed.epoch.samples)


def _counts(a: Feed, b: Feed) -> list[Cause]:
    words = [f"{feed.epoch.distinct:,} distinct of {feed.epoch.samples:,} samples" for feed in (a, b)]
    place = "distinct samples per epoch"
    if abs(_share(a) - _share(b)) > REPEATED:
        worse = "A" if _share(a) < _share(b) else "B"
        detail = f"{worse}'s feed repeats itself: many of its samples in one epoch are the same"
        return [make_cause("data", place, *words, detail=detail)]
    counts = sorted(feed.epoch.distinct for feed in (a, b))
    if counts[0] < 0.9 * counts[1] and all(feed.epoch.complete for feed in (a, b)):
        detail = "one epoch of one side holds fewer different samples"
        return [make_cause("data", f"{place}: number of samples", *words, detail=detail)]
    stuck = [_repeats(feed) for feed in (a, b)]
    if stuck[0] != stuck[1]:
        detail = f"{'A' if stuck[0] else 'B'}'s feed repeats its first batch"
        return [make_cause("data", place, *words, detail=detail)]
    return []


def _repeats(feed: Feed) -> bool:
    """Whether the second pass begins as the first did and then stays within its first batch."""
    size = feed.epoch.batch_size or 0
    return bool(size and feed.epoch.samples > 2 * size and len(set(feed.epoch.digests)) <= size)


def _mix(classes: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(np.clip(classes, 0, count - 1), minlength=count) / max(1, len(classes))


def _labels(a: Feed, b: Feed) -> list[Cause]:
    found: list[Cause] = []
    mine, theirs = a.classes(), b.classes()
    if mine is None or theirs is None:
        return found
    count = int(max(mine.max(), theirs.max())) + 1
    if count > 5000 or mine.min() < 0 or theirs.min() < 0:
        return found
    whole = [_mix(c, count) for c in (mine, theirs)]
    table = np.array([np.bincount(c, minlength=count) for c in (mine, theirs)])
    table = table[:, table.sum(axis=0) > 0]
    distance = 0.5 * np.abs(whole[0] - whole[1]).sum()
    unlikely = table.shape[1] > 1 and stats.chi2_contingency(table).pvalue < 1e-6
    if distance > 0.02 and unlikely:
        words = [_classes_in_words(mix) for mix in whole]
        detail = "the classes are mixed in other proportions" + _absent(whole)
        found.append(make_cause("data", "label mix (classes of the samples)", *words, detail=detail))
        return found
    tails = [c[-max(1, int(len(c) * (feed.epoch.validation_split or TAIL))) :] for c, feed in ((mine, a), (theirs, b))]
    away = [0.5 * np.abs(_mix(tail, count) - mix).sum() for tail, mix in zip(tails, whole, strict=True)]
    bounds = [max(0.25, 1.5 * np.sqrt(count / max(1, len(tail)))) for tail in tails]
    sorted_tail = [x > min(bound, 0.6) for x, bound in zip(away, bounds, strict=True)]
    if sorted_tail[0] != sorted_tail[1]:
        words = [f"tail: {_classes_in_words(_mix(tail, count))}" for tail in tails]
        side = "A" if sorted_tail[0] else "B"
        detail = (
            f"the end of {side}'s data holds only some of the classes: validation_split cuts them off, "
            "and batches follow the order of the classes"
        )
        found.append(make_cause("data", "label mix of the tail, order of the samples", *words, detail=detail))
    return found


def _absent(whole: list[np.ndarray]) -> str:
    """Which classes one side lacks: the trace of a tail cut off sorted data."""
    for name, mine, theirs in (("A", whole[0], whole[1]), ("B", whole[1], whole[0])):
        gone = np.flatnonzero((mine == 0) & (theirs > 0))
        if len(gone):
            return f": {name} has no class {', '.join(map(str, gone[:8]))}, as when the tail of sorted data is cut off"
    return ""


def _classes_in_words(mix: np.ndarray) -> str:
    present = np.flatnonzero(mix > 0)
    if len(present) <= 6:
        return ", ".join(f"class {k}: {100 * mix[k]:.0f} %" for k in present)
    return f"{len(present)} classes, from {100 * mix[present].min():.0f} to {100 * mix[present].max():.0f} %"


def _pairing(a: Feed, b: Feed) -> list[Cause]:
    """Samples that both feeds hold and that carry other labels in one of them."""
    labels = [feed.classes() for feed in (a, b)]
    if labels[0] is None or labels[1] is None:
        return []
    mine = dict(zip(a.epoch.digests, labels[0].tolist(), strict=False))
    theirs = dict(zip(b.epoch.digests, labels[1].tolist(), strict=False))
    common = mine.keys() & theirs.keys()
    if len(common) < 20:
        return []
    other = sum(mine[key] != theirs[key] for key in common)
    if other <= 0.05 * len(common):
        return []
    detail = f"{other:,} of {len(common):,} common samples carry another label: inputs and labels are out of step"
    return [
        make_cause(
            "data", "labels of the samples", "label by sample", "other labels for the same samples", detail=detail
        )
    ]


def _order(a: Feed, b: Feed) -> list[Cause]:
    runs = [_sortedness(feed.classes()) for feed in (a, b)]
    known = [run for run in runs if run is not None]
    if len(known) == 2 and (known[0] > 0.9) != (known[1] > 0.9) and min(known) < 0.6:
        words = ["sorted by class" if run > 0.9 else "mixed" for run in known]
        detail = "batches of one side hold one class each, so every step unlearns the one before"
        return [make_cause("data", "order of the samples", *words, detail=detail)]
    if a.shuffled is not None and b.shuffled is not None and a.shuffled != b.shuffled:
        words = [
            "another order in every epoch" if feed.shuffled else "the same order in every epoch" for feed in (a, b)
        ]
        detail = "one side sees the same batches in every epoch"
        return [make_cause("data", "order of the samples: shuffling", *words, detail=detail)]
    return []


def _sortedness(classes: np.ndarray | None) -> float | None:
    """The share of neighbours with equal labels, set against what chance gives."""
    if classes is None or len(classes) < 20:
        return None
    counts = np.bincount(classes - classes.min())
    chance = float(((counts / len(classes)) ** 2).sum())
    if chance > 0.9:
        return None
    return float((np.mean(classes[1:] == classes[:-1]) - chance) / (1 - chance))


def input_scaling(graph: Graph | None, position: int) -> tuple[float, float]:
    """Factor and offset that a model applies to one of its inputs before anything else; (1, 0) where it does not."""
    if graph is None or position >= len(graph.inputs):
        return 1.0, 0.0
    nodes = graph.by_index()
    waiting = [graph.inputs[position]]
    children = graph.children()
    while waiting:
        for child, _ in children[waiting.pop()]:
            node = nodes[child]
            if node.kind == "scale":
                return float(np.mean(node.settings["factor"])), float(np.mean(node.settings["offset"]))
            if node.kind == "Normalization":
                return float("nan"), 0.0
            if node.kind in ("reshape", "transpose"):
                waiting.append(child)
    return 1.0, 0.0


def _ranges(a: Feed, b: Feed, pair: Pair) -> tuple[list[Cause], list[str]]:
    found: list[Cause] = []
    warnings: list[str] = []
    for k, (x, y) in enumerate(zip(a.epoch.inputs, b.epoch.inputs, strict=False)):
        if x.dtype.kind not in "fiu" or y.dtype.kind not in "fiu" or not x.size or not y.size:
            continue
        scaled = [input_scaling(one.graph, k) for one in (pair.a, pair.b)]
        if any(np.isnan(factor) for factor, _ in scaled):
            continue
        raw = [_range(array) for array in (x, y)]
        seen = [tuple(factor * v + offset for v in r) for r, (factor, offset) in zip(raw, scaled, strict=True)]
        if not _other_range(*seen):
            if _other_range(*raw):
                warnings.append(RECONCILED)
            continue
        words = [
            f"fed {_show_range(r)}" + ("" if s == (1.0, 0.0) else f", scaled in the model to {_show_range(e)}")
            for r, s, e in zip(raw, scaled, seen, strict=True)
        ]
        place = "range of the inputs" if len(a.epoch.inputs) == 1 else f"range of input {k}"
        detail = "what reaches the first layer has another range"
        found.append(make_cause("preprocessing", f"{place} (scaling)", *words, detail=detail))
    return found, warnings


def _range(array: np.ndarray) -> tuple[float, float, float, float]:
    values = np.asarray(array[:5000], dtype="float64")
    return float(values.min()), float(values.max()), float(values.mean()), float(values.std())


def _other_range(x: tuple[float, ...], y: tuple[float, ...]) -> bool:
    widths = [max(v[3], 1e-12) for v in (x, y)]
    ratio = max(widths) / min(widths)
    shift = abs(x[2] - y[2]) / max(widths)
    return ratio > RANGE_FACTOR or (shift > 1.0 and ratio > 1.5) or shift > 2.0


def _show_range(values: tuple[float, ...]) -> str:
    return f"{values[0]:.3g} to {values[1]:.3g}"


def label_causes(feed: Feed | None, pair: Pair, side: str) -> list[Cause]:
    """Labels whose form does not fit the loss of the side that is fed with them."""
    one = pair.a if side == "A" else pair.b
    if feed is None or feed.epoch.labels is None:
        return []
    losses = resolved_losses(one.model)
    if not losses or len(losses) != 1 or one.graph is None:
        return []
    nodes = one.graph.by_index()
    shape = nodes[one.graph.outputs[0][0]].shape
    if shape is None:
        return []
    rank, wanted, given = len(shape) + 1, losses[0].labels, feed.epoch.labels
    sparse = given.ndim == rank - 1 or (given.ndim == rank and given.shape[-1] == 1)
    other = "class indices" if sparse else "one-hot"
    if shape and shape[-1] not in (1, None) and wanted in ("class indices", "one-hot") and wanted != other:
        words = [f"labels of shape {given.shape[1:]} ({other})", f"{losses[0].words()} wants {wanted}"]
        values: tuple[Any, Any] = (", ".join(words), "fits")
        if side == "B":
            values = values[::-1]
        detail = f"{side}'s labels are {other}, but its loss wants {wanted}"
        return [make_cause("compile.loss", "label rank against output rank", *values, detail=detail)]
    if wanted == "numbers" and given.ndim != rank and not (given.ndim == rank - 1 and shape[-1:] == (1,)):
        values = (f"labels of rank {given.ndim}, outputs of rank {rank}", "fits")
        if side == "B":
            values = values[::-1]
        detail = f"{side}'s labels are broadcast against its outputs"
        return [make_cause("compile.loss", "label rank against output rank", *values, detail=detail)]
    return []
