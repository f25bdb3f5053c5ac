"""Compares the validation sets that come with two feeds."""

from __future__ import annotations

from twinbench.compare.advice import make_cause
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Epoch, Feed
from twinbench.compare.matching import ENOUGH, share, standard
from twinbench.compare.report import Cause


def validation_causes(a: Feed, b: Feed, coverage: Coverage) -> list[Cause]:
    """Validation sets: how much of them is trained on, how large they are, and whether they are the same."""
    sets = [feed.held_out for feed in (a, b)]
    if sets[0] is None and sets[1] is None:
        return []
    leaks = [0.0 if held is None else _leak(held, feed.training) for held, feed in zip(sets, (a, b), strict=True)]
    words = [
        "no validation set" if held is None else f"{held.samples:,} samples, {100 * leak:.0f} % of them trained on"
        for held, leak in zip(sets, leaks, strict=True)
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
    shared = share(sets[0].inputs[0], sets[1].inputs[0]) if sets[0].inputs and sets[1].inputs else 0.0
    if shared < ENOUGH and all(feed.validation is not None for feed in (a, b)) and _share_standard(*sets) < ENOUGH:
        detail = f"{100 * shared:.0f} % of A's validation samples are among B's"
        return [make_cause("data", "validation set: other samples", *words, detail=detail, fix=fix)]
    if shared < 0.99:
        coverage.asides.append("which samples they are scored on")
    return []


def _leak(held: Epoch, training: Epoch) -> float:
    trained = set(training.digests)
    return sum(digest in trained for digest in held.digests) / max(1, held.samples)


def _share_standard(a: Epoch | None, b: Epoch | None) -> float:
    """How many samples two validation sets share but for their range."""
    if a is None or b is None or a.inputs[0].dtype.kind not in "fiub" or b.inputs[0].dtype.kind not in "fiub":
        return 0.0
    return share(standard(a.inputs[0]), standard(b.inputs[0]))
