"""Matches the samples of two feeds by their values, and says how those that correspond differ: range, axes, labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from twinbench.compare.advice import make_cause
from twinbench.compare.batches import arranged
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed, as_classes
from twinbench.compare.matching import ENOUGH, TRIED, Rows, changes, share, standard, standardised
from twinbench.compare.report import Cause
from twinbench.sameness.graph import Graph
from twinbench.sameness.pairing import Pair

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
                side.append(_numbered(array))
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
        found += _unmatched_weights(a, b, coverage)
        return found or _strangers(a, b, shared, coverage, same=same), warnings, partners
    found += _label_causes(a, b, pair, rows=rows, partners=partners, coverage=coverage)
    shared = min(shared, float(np.mean(rows[1].partners(rows[0]) >= 0)))
    if shared < 1 and a.epoch.complete and b.epoch.complete:
        coverage.asides.append(f"which samples they hold ({100 * shared:.3g} % of them are in both)")
    return found, warnings, partners


def _finite_causes(a: Feed, b: Feed) -> list[Cause]:
    """Samples of one feed only that hold what is no number: a single one spoils all weights."""
    spoilt = []
    for feed in (a, b):
        arrays = [v for v in (*feed.epoch.inputs, *feed.epoch.targets) if v.dtype.kind == "f"]
        bad = [~np.isfinite(v).reshape(len(v), -1).all(axis=1) for v in arrays]
        spoilt.append(int(np.any(bad, axis=0).sum()) if bad else 0)
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


def _numbered(texts: np.ndarray) -> np.ndarray:
    """Texts as numbers: equal ones are equal."""
    flat = [
        float(int.from_bytes(str(text).encode()[:6].ljust(6), "big") % 999_983 + len(str(text)))
        for text in texts.ravel()
    ]
    return np.asarray(flat).reshape(texts.shape)


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
        f"fed {_shown(raw)}" + ("" if scaling.neutral else f", scaled in the model to {_shown(array)}")
        for raw, array, scaling in zip(fed, reached, scalings, strict=True)
    ]
    detail = "what reaches the first layer has another range"
    return make_cause(
        "preprocessing", f"range of {'the ' if place == 'inputs' else ''}{place} (scaling)", *words, detail=detail
    )


def _shown(array: np.ndarray) -> str:
    return f"{float(array.min()):.3g} to {float(array.max()):.3g}"


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


# -- labels --------------------------------------------------------------------------------------------------------


def _label_causes(
    a: Feed, b: Feed, pair: Pair, *, rows: list[Rows], partners: np.ndarray, coverage: Coverage
) -> list[Cause]:
    """Samples that both feeds hold and that carry other labels, or other weights, in one of them."""
    if len(a.epoch.targets) != len(b.epoch.targets):
        coverage.not_tested("feeds", f"they hold {len(a.epoch.targets)} and {len(b.epoch.targets)} labels a sample")
        return []
    chosen = np.flatnonzero(partners >= 0)
    _, counts = np.unique(partners[chosen], return_counts=True)
    if len(chosen) > 2 * len(counts):
        return []  # many equal samples: which label belongs to which is not known
    found = []
    for k, (mine, theirs) in enumerate(
        zip(pair.a.outputs(a.epoch.targets), pair.b.outputs(b.epoch.targets), strict=True)
    ):
        place = "labels of the samples" if len(a.epoch.targets) == 1 else f"labels of output {k}"
        x, y = _comparable(mine, theirs)
        if x is None or y is None:
            coverage.not_tested("feeds", f"the {place} have the forms {mine.shape[1:]} and {theirs.shape[1:]}")
            continue
        differ = _rows_differ(x[chosen], y[partners[chosen]])
        if differ.any():  # of equal samples with several labels, another may be meant
            labelled = rows[0].joined(x, rows[1], y), rows[1].joined(y, rows[0], x)
            differ &= labelled[0].partners(labelled[1])[chosen] < 0
        if not differ.any():
            continue
        pattern, what = _pattern(x, y, chosen, partners[chosen])
        detail = f"{int(differ.sum()):,} of {len(chosen):,} common samples carry another label: {what}"
        found.append(
            make_cause(
                "data", f"{place}{pattern}", "label by sample", "other labels for the same samples", detail=detail
            )
        )
    return found + _weight_causes(a, b, chosen, partners[chosen])


def _unmatched_weights(a: Feed, b: Feed, coverage: Coverage) -> list[Cause]:
    """Weights of samples that cannot be matched one by one: those of the classes, and whether there are others."""
    if a.class_weight != b.class_weight or (a.epoch.weights is None) != (b.epoch.weights is None):
        rows = np.arange(min(a.epoch.samples, b.epoch.samples))
        return _weight_causes(a, b, rows, rows)
    if a.epoch.weights is not None:
        coverage.not_tested("feeds", "sample weights, as the samples could not be matched")
    return []


def _weight_causes(a: Feed, b: Feed, rows: np.ndarray, others: np.ndarray) -> list[Cause]:
    """Samples that count otherwise in the loss, by weights of their own or of their classes."""
    names = list(dict.fromkeys([*a.weighing, *b.weighing]))
    if not names:
        return []
    weights = [feed.weights() for feed in (a, b)]
    if weights[0].shape[1:] != weights[1].shape[1:]:
        differ = np.ones(len(rows), bool)
    else:
        differ = _rows_differ(weights[0][rows], weights[1][others])
    if differ.mean() <= 0.01:
        return []
    words = [
        "every sample counts alike"
        if not feed.weighing
        else f"class_weight={feed.class_weight}"
        if feed.weighing == ["class_weight"]
        else f"{' and '.join(feed.weighing)}: {_shown(weight)}"
        for feed, weight in zip((a, b), weights, strict=True)
    ]
    detail = f"{int(differ.sum()):,} of {len(rows):,} common samples count otherwise in the loss"
    fix = "Give both the same weights."
    return [make_cause("data", f"weights of the samples ({', '.join(names)})", *words, detail=detail, fix=fix)]


def _comparable(mine: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Labels of two feeds in one form: class indices where both are classes, else numbers of one shape."""
    if mine.dtype.kind in "fiub" and theirs.dtype.kind in "fiub":
        if mine.shape[1:] != theirs.shape[1:]:
            classes = as_classes(mine), as_classes(theirs)
            if classes[0] is not None and classes[1] is not None:
                return classes
        flat = [v.reshape(len(v), -1).astype("float64") for v in (mine, theirs)]
        return (flat[0], flat[1]) if flat[0].shape[1] == flat[1].shape[1] else (None, None)
    return (_numbered(mine), _numbered(theirs)) if mine.shape[1:] == theirs.shape[1:] else (None, None)


def _rows_differ(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    close = np.isclose(x, y, rtol=1e-4, atol=1e-6, equal_nan=True)
    differ: np.ndarray = ~close.reshape(len(close), -1).all(axis=1)
    return differ


def _pattern(x: np.ndarray, y: np.ndarray, rows: np.ndarray, others: np.ndarray) -> tuple[str, str]:
    """What the labels of common samples have to do with each other: for the place, and in words."""
    for step in (1, -1, 2, -2):
        inside = (rows + step >= 0) & (rows + step < len(x))
        if _rows_differ(x[rows[inside] + step], y[others[inside]]).mean() < 0.02:
            side = "next" if step > 0 else "previous"
            return ": shifted", f"a sample of B has the label of the {side} sample{'s' if abs(step) > 1 else ''} of A"
        if x.ndim == 2 and x.shape[1] > 3:
            first, second = (x[rows], y[others])
            first, second = (first[:, step:], second[:, :-step]) if step > 0 else (first[:, :step], second[:, -step:])
            if _rows_differ(first, second).mean() < 0.02:
                return (
                    ": shifted",
                    f"the labels of B are those of A, shifted by {abs(step)} step{'s' if abs(step) > 1 else ''}",
                )
    classes = as_classes(x), as_classes(y)
    if classes[0] is not None and classes[1] is not None:
        p, q = classes[0][rows], classes[1][others]
        if np.mean(q - p == np.median(q - p)) > 0.98:
            return ": off by one" if abs(
                np.median(q - p)
            ) == 1 else ": moved", f"B numbers the classes {int(np.median(q - p)):+d} from A"
        names = {label: np.bincount(np.maximum(q[p == label], 0)).argmax() for label in np.unique(p)}
        if (
            len(names) > 2
            and len(set(names.values())) == len(names)
            and np.mean([names[label] == other for label, other in zip(p, q, strict=True)]) > 0.98
        ):
            return ": permuted", "B numbers the classes in another order"
    else:
        p, q = x[rows].ravel(), y[others].ravel()
        if p.std() > 0 and q.std() > 0 and abs(np.corrcoef(p, q)[0, 1]) > 0.9999:
            return ": scaled", f"B's labels are {q.std() / p.std():.3g} times those of A, with another offset"
    return "", "inputs and labels are out of step"


def label_statistics(a: Feed, b: Feed) -> list[Cause]:
    """Numbers as labels that come from another distribution, where the samples do not correspond."""
    for mine, theirs in zip(a.epoch.targets, b.epoch.targets, strict=False):
        if as_classes(mine) is not None or mine.dtype.kind != "f" or theirs.dtype.kind != "f":
            continue
        if stats.ks_2samp(mine.ravel()[:20_000], theirs.ravel()[:20_000]).pvalue < 1e-9:
            words = [_shown(mine), _shown(theirs)]
            return [make_cause("data", "range of the labels", *words, detail="the labels are distributed otherwise")]
    return []
