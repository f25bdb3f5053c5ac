"""What surrounds the two models, in words beside each other: how they are compiled, started and fed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import keras

from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed
from twinbench.compare.losses import resolved_losses
from twinbench.compare.report import Cause
from twinbench.compare.sides import Side
from twinbench.sameness.subjects import count_parameters

_LEFT_OUT = {"name", "loss_scale_factor", "global_clipnorm", "clipnorm", "clipvalue", "ema_overwrite_frequency"}


@dataclass(frozen=True)
class Part:
    """One subject that surrounds the models, on both sides, and what came of its test."""

    subject: str
    a: str
    b: str
    outcome: str
    causes: tuple[int, ...] = ()


def surroundings(
    models: tuple[keras.Model, keras.Model],
    sides: tuple[Side, Side],
    feeds: tuple[Feed | None, Feed | None],
    causes: Sequence[Cause],
    coverage: Coverage,
) -> list[Part]:
    """Losses, optimisers, metrics, weights and feeds of both sides."""
    words: dict[str, tuple[str, tuple[str, ...], list[str]]] = {
        "Loss": ("loss", ("compile.loss",), [_words(_loss, model) for model in models]),
        "Optimizer": ("optimizer", ("compile.optimizer",), [_words(_optimizer, model) for model in models]),
        "Metrics": ("metrics", ("compile.metric",), [_words(_metrics, model) for model in models]),
        "Trainable flags": (
            "trainable weights",
            ("mode.trainable",),
            [_words(_trained, model) for model in models],
        ),
        "Penalties": ("penalties", ("regularization",), [_words(_penalties, model) for model in models]),
        "Initial weights": ("initial weights", ("init",), [_START[side.kind] for side in sides]),
        "Fed with": ("feeds", ("data", "preprocessing"), [_words(_fed, feed) for feed in feeds]),
    }
    outcomes = {test.subject: test for test in coverage.tests()}
    parts = []
    for title, (subject, codes, (first, second)) in words.items():
        numbers = tuple(k for k, cause in enumerate(causes, start=1) if cause.code in codes)
        test = outcomes[subject]
        reason = f": {test.reason}" if test.reason and test.outcome != "tested" else ""
        outcome = (
            "different" if numbers else "no difference found" if test.outcome == "tested" else f"{test.outcome}{reason}"
        )
        parts.append(Part(title, first, second, outcome, numbers))
    return parts


_START = {
    "builder": "drawn anew on each build, but for what the function loads",
    "model": "those of the live model",
    "file": "those in the file",
    "weights": "those in the file",
}


def _words(describe: Callable[[Any], str], thing: Any) -> str:
    """What is known of a thing; a person's own objects may fail in any way when they are asked."""
    with suppress(Exception):
        return describe(thing)
    return "cannot be described"


def _loss(model: Any) -> str:
    losses = resolved_losses(model)
    return "; ".join(loss.words() for loss in losses) if losses else "not compiled"


def _optimizer(model: Any) -> str:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return "not compiled"
    shown = {k: v for k, v in optimizer.get_config().items() if k not in _LEFT_OUT and v not in (None, False)}
    settings = ", ".join(f"{k}={v:.6g}" if isinstance(v, float) else f"{k}={v}" for k, v in shown.items())
    return f"{type(optimizer).__name__}({settings})"


def _metrics(model: Any) -> str:
    if not getattr(model, "compiled", False):
        return "not compiled"
    given = model._compile_metrics
    names = [metric if isinstance(metric, str) else getattr(metric, "name", None) or getattr(metric, "__name__", "own")
             for metric in keras.tree.flatten([given._user_metrics, given._user_weighted_metrics] if given else [])
             if metric is not None]  # fmt: skip
    return ", ".join(map(str, names)) or "none"


def _trained(model: Any) -> str:
    return f"{count_parameters(model.trainable_variables):,} of {count_parameters(model.weights):,} numbers are trained"


def _penalties(model: Any) -> str:
    count = len(model.losses)
    return f"{count} added to the loss" if count else "none"


def _fed(feed: Any) -> str:
    if feed is None:
        return "not given"
    epoch = feed.epoch
    size = f", batches of {epoch.batch_size}" if epoch.batch_size else ""
    parts = [f"{epoch.samples:,} samples, {epoch.distinct:,} of them distinct{size}"]
    parts += [
        f"values from {array.min():.3g} to {array.max():.3g}"
        for array in epoch.inputs[:2]
        if array.dtype.kind in "fiu" and array.size
    ]
    if feed.validation is not None:
        parts.append(f"{feed.validation.samples:,} for validation")
    return "; ".join(parts)
