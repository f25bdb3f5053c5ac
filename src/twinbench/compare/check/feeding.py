"""What looks wrong in what a model is fed: its range, repetitions, order, and validation set."""

import numpy as np

from twinbench.compare.batches import arranged
from twinbench.compare.check.report import Finding, found
from twinbench.compare.coverage import Coverage
from twinbench.compare.data import repeats, sortedness, tail_of
from twinbench.compare.feeds import Feed
from twinbench.compare.matching import extent
from twinbench.compare.samples import input_scaling, not_finite
from twinbench.compare.validation import leak
from twinbench.sameness.graph import Graph
from twinbench.sameness.subjects import Subject

LARGE = 20.0
"""What reaches the first weights is unscaled where its root mean square is above this; they are made for about 1."""

SORTED = 0.9
"""Above this share of neighbours with equal labels, beyond chance, a feed is sorted by class."""

LEAK = 0.02

_TAKE_ANY_RANGE = {"BatchNormalization", "LayerNormalization", "Normalization", "GroupNormalization", "Embedding",
                   "UnitNormalization", "RMSNormalization", "Discretization", "IntegerLookup", "Hashing",
                   "CategoryEncoding", "StringLookup", "TextVectorization"}  # fmt: skip

_MAY_SCALE = {"Div", "RealDiv", "Sub", "Mul", "Log", "Log1p", "Tanh", "Sigmoid"}
"""Operations of the person's own, after which the range is not known."""


def feed_findings(feed: Feed, one: Subject, held: set[int], coverage: Coverage) -> list[Finding]:
    """Everything that looks wrong in a feed.

    Args:
        feed: What the model is trained on.
        one: The model.
        held: The weights that the model comes with, by identity; what they were trained on may have any range.
        coverage: Where is reported what could not be looked at.
    """
    for reason in feed.unread:
        coverage.not_tested("feed", reason)
    return [*_values(feed), *_ranges(feed, one, held), *_repetitions(feed), *_order(feed), *_validation(feed)]


def _values(feed: Feed) -> list[Finding]:
    spoilt = not_finite(feed)
    if not spoilt:
        return []
    what = f"{spoilt:,} of {feed.epoch.samples:,} samples hold NaN or infinity: one is enough to make all weights NaN"
    return [found("data", "values that are not finite", what, "Remove or fill in these values.")]


def _ranges(feed: Feed, one: Subject, held: set[int]) -> list[Finding]:
    findings = []
    for k, array in enumerate(arranged(feed, one)):
        if array.dtype.kind not in "fiu" or one.graph is None or _takes_any_range(one.graph, k, held):
            continue
        reached = input_scaling(one.graph, k).applied(array[:5000])
        size = float(np.sqrt(np.mean(np.square(reached[np.isfinite(reached)])))) if reached.size else 0.0
        if size > LARGE:
            what = f"what reaches the first weights is {extent(reached)}; they are made for values of about 1"
            fix = "Scale the inputs: layers.Rescaling(1 / 255) for images, layers.Normalization for columns of a table."
            place = "range of the inputs" if len(feed.epoch.inputs) == 1 else f"range of input {k}"
            findings.append(found("preprocessing", place, what, fix))
    return findings


def _takes_any_range(graph: Graph, position: int, held: set[int]) -> bool:
    """Whether the first weights behind an input are made for values of any range, or were trained on these."""
    if position >= len(graph.inputs):
        return True
    nodes, children = graph.by_index(), graph.children()
    waiting, seen = [graph.inputs[position]], set()
    while waiting:
        for child, _ in children[waiting.pop()]:
            node = nodes[child]
            loaded = bool(node.identity) and set(node.identity) <= held
            if node.kind in _TAKE_ANY_RANGE or loaded or node.kind in ("GatherV2", "ResourceGather", "OneHot"):
                continue
            if node.weights:
                return False
            if node.kind in _MAY_SCALE:
                continue
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return True


def _repetitions(feed: Feed) -> list[Finding]:
    epoch = feed.epoch
    if repeats(feed):
        what = f"of {epoch.samples:,} samples in an epoch only {epoch.distinct:,} are different: one batch, repeated"
        fix = "Let the generator go on where it stopped, and `__getitem__` use its index."
        return [found("data", "distinct samples per epoch", what, fix)]
    if epoch.samples >= 2 * epoch.distinct and epoch.distinct > 1:
        what = (
            f"an epoch holds each of {epoch.distinct:,} samples {epoch.samples / epoch.distinct:.2g} times on average"
        )
        fix = "Take `repeat` out of the feed, unless samples are meant to be drawn more than once."
        return [found("data", "distinct samples per epoch", what, fix, warning=False)]
    return []


def _order(feed: Feed) -> list[Finding]:
    if feed.shuffled_by_fit or feed.shuffled:
        return []
    run = sortedness(feed.classes())
    if run is not None and run > SORTED:
        what = "the samples come sorted by class, and nothing shuffles them: every batch holds one class"
        fix = "Shuffle the samples before they are cut into batches."
        return [found("data", "order of the samples", what, fix)]
    if feed.shuffled is False and len(set(feed.epoch.digests)) > (feed.epoch.batch_size or 1):
        what = "the samples come in the same order, in the same batches, in every epoch"
        return [found("data", "order of the samples", what, "Shuffle them anew in every epoch.", warning=False)]
    return []


def _validation(feed: Feed) -> list[Finding]:
    findings = []
    tail = tail_of(feed)
    if feed.validation_split and feed.validation is None and tail is not None and tail.apart:
        what = (
            f"validation_split={feed.validation_split:g} holds out the end of samples that are sorted: {tail.words} "
            "is validated on, and hardly trained on"
        )
        findings.append(found("data", "validation set: the tail of sorted samples", what, "Shuffle the samples first."))
    held = feed.held_out
    leaked = 0.0 if held is None or not held.samples else leak(held, feed.training)
    if held is not None and leaked > LEAK:
        what = f"{100 * leaked:.0f} % of {held.samples:,} validation samples are also trained on"
        fix = "Take samples for validation that are not trained on."
        why = "The validation score is that of remembered samples."
        findings.append(found("data", "validation set: leak from the training samples", what, fix, why=why))
    return findings
