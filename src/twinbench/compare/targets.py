"""Compares what two feeds say of samples that correspond: their labels, and how much each counts in the loss."""

import numpy as np
from scipy import stats

from twinbench.compare.advice import make_cause
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed, as_classes
from twinbench.compare.matching import Rows, extent, numbered
from twinbench.compare.report import Cause
from twinbench.sameness.subjects import Pair


def label_causes(
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


def unmatched_weights(a: Feed, b: Feed, coverage: Coverage) -> list[Cause]:
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
        else f"{' and '.join(feed.weighing)}: {extent(weight)}"
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
    return (numbered(mine), numbered(theirs)) if mine.shape[1:] == theirs.shape[1:] else (None, None)


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
            words = [extent(mine), extent(theirs)]
            return [make_cause("data", "range of the labels", *words, detail="the labels are distributed otherwise")]
    return []
