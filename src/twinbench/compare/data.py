"""Differences between two data feeds, and between the ranges of their values and what the models do to them."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from twinbench.compare.advice import make_cause
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import TAIL, Feed
from twinbench.compare.fitting import option_causes
from twinbench.compare.losses import resolved_losses
from twinbench.compare.report import Cause
from twinbench.compare.samples import sample_causes
from twinbench.compare.validation import validation_causes
from twinbench.sameness.subjects import Pair, Subject

REPEATED = 0.1
"""A feed repeats itself if its share of distinct samples is lower than the other's by more than this."""

FEWER = 0.01
"""A feed holds fewer samples if it lacks more than this share and more than one batch."""


def feed_causes(
    a: Feed, b: Feed, pair: Pair, coverage: Coverage, *, same: bool
) -> tuple[list[Cause], list[str], np.ndarray]:
    """All differences between two feeds that matter for training.

    Args:
        a: what A is trained on.
        b: what B is trained on.
        pair: the models.
        coverage: where is reported what could not be compared.
        same: whether the models were seen to compute the same.

    Returns:
        The causes, warnings, and for each sample of A the index of the one of B that corresponds, or -1.
    """
    warnings = [*a.notes, *b.notes]
    for reason in (*a.unread, *b.unread):
        coverage.not_tested("feeds", reason)
    matched, more, partners = sample_causes(a, b, pair, coverage, same=same)
    counts, labels = _counts(a, b), _labels(a, b)
    repeated = abs(_share(a) - _share(b)) > REPEATED
    found = list(counts if repeated or not labels else labels)  # the one follows from the other
    if any(cause.where.startswith("labels") for cause in matched):
        found = counts
    found += matched
    order, asides = _order(a, b)
    found += order
    coverage.asides += asides
    settings, notes = option_causes(a, b, coverage)
    found += validation_causes(a, b, coverage)
    return found + settings, warnings + more + notes, partners


def _share(feed: Feed) -> float:
    return feed.epoch.distinct / max(1, feed.epoch.samples)


def _counts(a: Feed, b: Feed) -> list[Cause]:
    words = [f"{feed.training.distinct:,} distinct of {feed.training.samples:,} samples" for feed in (a, b)]
    place = "distinct samples per epoch"
    if abs(_share(a) - _share(b)) > REPEATED:
        worse = "A" if _share(a) < _share(b) else "B"
        detail = f"{worse}'s feed repeats itself: many of its samples in one epoch are the same"
        return [make_cause("data", place, *words, detail=detail)]
    counts = sorted(feed.training.distinct for feed in (a, b))
    batch = max(feed.epoch.batch_size or 1 for feed in (a, b))
    split = a.validation_split != b.validation_split and a.epoch.distinct == b.epoch.distinct  # told by that
    fewer = counts[1] - counts[0] > max(FEWER * counts[1], batch) and not split
    if (fewer or (counts[0] < 0.9 * counts[1] and not split)) and all(feed.epoch.complete for feed in (a, b)):
        detail = "one epoch of one side holds fewer different samples"
        return [make_cause("data", f"{place}: number of samples", *words, detail=detail)]
    stuck = [repeats(feed) for feed in (a, b)]
    if stuck[0] != stuck[1]:
        detail = f"{'A' if stuck[0] else 'B'}'s feed repeats its first batch"
        return [make_cause("data", place, *words, detail=detail)]
    return []


def repeats(feed: Feed) -> bool:
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
    tails = [tail_of(feed) for feed in (a, b)]
    apart = [tail is not None and tail.apart for tail in tails]
    if apart[0] != apart[1]:
        words = ["" if tail is None else f"tail: {tail.words}" for tail in tails]
        side = "A" if apart[0] else "B"
        detail = (
            f"the end of {side}'s data holds only some of the classes: validation_split cuts them off, "
            "and batches follow the order of the classes"
        )
        found.append(make_cause("data", "label mix of the tail, order of the samples", *words, detail=detail))
    return found


@dataclass(frozen=True)
class Tail:
    """The end of a feed: whether its classes are mixed otherwise than in the whole, and how, in words."""

    apart: bool
    words: str


def tail_of(feed: Feed) -> Tail | None:
    """The part at the end of a feed that `validation_split` cuts off, or would; None where it has no classes."""
    classes = feed.classes()
    if classes is None or classes.min() < 0 or classes.max() >= 5000:
        return None
    count = int(classes.max()) + 1
    tail = classes[-max(1, int(len(classes) * (feed.validation_split or TAIL))) :]
    away = 0.5 * np.abs(_mix(tail, count) - _mix(classes, count)).sum()
    bound = max(0.25, 1.5 * np.sqrt(count / max(1, len(tail))))
    return Tail(bool(away > min(bound, 0.6)), _classes_in_words(_mix(tail, count)))


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


def _order(a: Feed, b: Feed) -> tuple[list[Cause], list[str]]:
    """Differences in the order of the samples, and the order as a source of chance where it differs harmlessly."""
    place = "order of the samples"
    fixed = [not feed.shuffled_by_fit for feed in (a, b)]
    runs = [sortedness(feed.classes()) if keeps else 0.0 for feed, keeps in zip((a, b), fixed, strict=True)]
    known = [run for run in runs if run is not None]
    if len(known) == 2 and (known[0] > 0.9) != (known[1] > 0.9) and min(known) < 0.6:
        words = ["sorted by class" if run > 0.9 else "mixed" for run in known]
        detail = "batches of one side hold one class each, so every step unlearns the one before"
        return [make_cause("data", place, *words, detail=detail)], []
    if a.kind == b.kind == "arrays" and fixed[0] != fixed[1]:
        words = ["the same order in every epoch" if keeps else "another order in every epoch" for keeps in fixed]
        return [make_cause("data", f"{place}: shuffle of fit", *words, detail="fit shuffles one side only")], []
    if a.shuffled is not None and b.shuffled is not None and a.shuffled != b.shuffled:
        if any(feed.shuffled_by_fit for feed in (a, b)):
            return [], ["the order of the samples"]
        words = [
            "another order in every epoch" if feed.shuffled else "the same order in every epoch" for feed in (a, b)
        ]
        detail = "one side sees the same batches in every epoch"
        return [make_cause("data", f"{place}: shuffling", *words, detail=detail)], []
    shuffles = [feed.shuffled_by_fit or bool(feed.shuffled) for feed in (a, b)]
    kept = not any(shuffles) and a.epoch.digests != b.epoch.digests
    return [], ["the order of the samples"] if kept or shuffles[0] != shuffles[1] else []


def sortedness(classes: np.ndarray | None) -> float | None:
    """The share of neighbours with equal labels, set against what chance gives."""
    if classes is None or len(classes) < 20:
        return None
    counts = np.bincount(classes - classes.min())
    chance = float(((counts / len(classes)) ** 2).sum())
    if chance > 0.9:
        return None
    return float((np.mean(classes[1:] == classes[:-1]) - chance) / (1 - chance))


def label_causes(feed: Feed | None, pair: Pair, side: str) -> list[Cause]:
    """Labels whose form does not fit the loss of the side that is fed with them."""
    misfit = None if feed is None else label_misfit(feed, pair.a if side == "A" else pair.b)
    if misfit is None:
        return []
    words, detail = misfit
    values = (words, "fits") if side == "A" else ("fits", words)
    return [make_cause("compile.loss", "label rank against output rank", *values, detail=f"{side}'s {detail}")]


def label_misfit(feed: Feed, one: Subject) -> tuple[str, str] | None:
    """What is wrong with labels whose form does not fit the loss: both forms, and what comes of it."""
    losses = resolved_losses(one.model)
    if feed.epoch.labels is None or not losses or len(losses) != 1 or one.graph is None:
        return None
    nodes = one.graph.by_index()
    shape = nodes[one.graph.outputs[0][0]].shape
    if shape is None:
        return None
    rank, wanted, given = len(shape) + 1, losses[0].labels, feed.epoch.labels
    sparse = given.ndim == rank - 1 or (given.ndim == rank and given.shape[-1] == 1)
    other = "class indices" if sparse else "one-hot"
    if shape and shape[-1] not in (1, None) and wanted in ("class indices", "one-hot") and wanted != other:
        return (
            f"labels of shape {given.shape[1:]} ({other}), {losses[0].words()} wants {wanted}",
            f"labels are {other}, but the loss wants {wanted}",
        )
    if wanted == "numbers" and given.ndim != rank and not (given.ndim == rank - 1 and shape[-1:] == (1,)):
        return f"labels of rank {given.ndim}, outputs of rank {rank}", "labels are broadcast against the outputs"
    axes = zip(given.shape[1:], shape, strict=False)
    if wanted == "numbers" and given.ndim == rank and any(x != y and 1 in (x, y) for x, y in axes if y is not None):
        return (
            f"labels of shape {given.shape[1:]}, outputs of shape {shape}",
            "labels are broadcast against the outputs",
        )
    return None
