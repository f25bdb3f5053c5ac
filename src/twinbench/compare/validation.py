"""Compares the validation sets that come with two feeds."""

import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Epoch, Feed, as_classes
from twinbench.compare.matching import ENOUGH, Rows, share, standard
from twinbench.compare.report import Cause


def validation_causes(a: Feed, b: Feed, coverage: Coverage) -> list[Cause]:
    """Validation sets: how much of them is trained on, how large they are, and whether they are the same."""
    sets = [feed.held_out for feed in (a, b)]
    if sets[0] is None and sets[1] is None:
        return []
    leaks = [0.0 if held is None else leak(held, feed.training) for held, feed in zip(sets, (a, b), strict=True)]
    words = [
        "no validation set" if held is None else f"{held.samples:,} samples, {100 * leaked:.0f} % of them trained on"
        for held, leaked in zip(sets, leaks, strict=True)
    ]
    if abs(leaks[0] - leaks[1]) > 0.02:
        side = "A" if leaks[0] > leaks[1] else "B"
        detail = f"samples of {side}'s validation set are also trained on, so its score is that of remembered samples"
        fix = "Take samples for validation that are not trained on."
        return [make_cause("data", "validation set: leak from the training samples", *words, detail=detail, fix=fix)]
    fix = "Hold out the same samples on both sides."
    splits = [feed.validation_split for feed in (a, b)]
    if splits[0] != splits[1] and all(feed.validation is None for feed in (a, b)):
        words = [f"validation_split={split:g}" for split in splits]
        detail = "the share of the samples that is trained on differs"
        return [make_cause("data", "validation split", *words, detail=detail, fix=fix)]
    if sets[0] is None or sets[1] is None:
        coverage.asides.append("which samples they are scored on")
        return []
    given = all(feed.validation is not None for feed in (a, b))
    where, detail = _difference(sets[0], sets[1], coverage, given=given)
    return [make_cause("data", f"validation set: {where}", *words, detail=detail, fix=fix)] if where else []


def _difference(one: Epoch, other: Epoch, coverage: Coverage, *, given: bool) -> tuple[str, str]:
    """What differs between two validation sets, and how; nothing where they are the same or it is left to chance."""
    if not (one.inputs and other.inputs):
        return "", ""
    shared = min(share(one.inputs[0], other.inputs[0]), share(other.inputs[0], one.inputs[0]))
    if shared < ENOUGH and given and _share_standard(one, other) < ENOUGH:
        return "other samples", f"{100 * shared:.0f} % of the validation samples are in both"
    relabelled = _relabelled(one, other) if shared >= ENOUGH else 0
    if relabelled:
        return "labels", f"{relabelled:,} samples of the validation sets carry another label"
    if shared < 1:
        coverage.asides.append("which samples they are scored on")
    return "", ""


def leak(held: Epoch, training: Epoch) -> float:
    """The share of a validation set that is also trained on."""
    trained = set(training.digests)
    return sum(digest in trained for digest in held.digests) / max(1, held.samples)


def _relabelled(a: Epoch, b: Epoch) -> int:
    """How many samples of A's set are in B's, and none of them there with the same class."""
    labels = [as_classes(held.labels) if held.labels is not None else None for held in (a, b)]
    if labels[0] is None or labels[1] is None:
        return 0
    rows = Rows([a.inputs[0]]), Rows([b.inputs[0]])
    joined = rows[0].joined(labels[0], rows[1], labels[1]), rows[1].joined(labels[1], rows[0], labels[0])
    return int(np.sum((rows[0].partners(rows[1]) >= 0) & (joined[0].partners(joined[1]) < 0)))


def _share_standard(a: Epoch, b: Epoch) -> float:
    """How many samples two validation sets share but for their range."""
    if a.inputs[0].dtype.kind not in "fiub" or b.inputs[0].dtype.kind not in "fiub":
        return 0.0
    return share(standard(a.inputs[0]), standard(b.inputs[0]))
