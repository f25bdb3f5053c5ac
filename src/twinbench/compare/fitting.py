"""Compares the arguments of `fit` that come with two feeds: epochs, steps, callbacks."""

from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed
from twinbench.compare.labels import same_code
from twinbench.compare.report import Cause

_COUNTS = ("epochs", "initial_epoch", "steps_per_epoch")
_ELSEWHERE = {"batch_size", "shuffle", "sample_weight", "validation_data", "validation_split", "class_weight"}
_WITHOUT_EFFECT = {"verbose", "validation_batch_size", "validation_steps", "validation_freq"}
_ONLOOKERS = (
    keras.callbacks.History,
    keras.callbacks.ProgbarLogger,
    keras.callbacks.CSVLogger,
    keras.callbacks.TensorBoard,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.BackupAndRestore,
)
"""Callbacks that write something down and change nothing."""


def option_causes(a: Feed, b: Feed, coverage: Coverage) -> tuple[list[Cause], list[str]]:
    """Differences between the arguments of `fit` of two feeds, and warnings."""
    found: list[Cause] = []
    if a.epoch.batch_size and b.epoch.batch_size and a.epoch.batch_size != b.epoch.batch_size:
        words = [f"{feed.epoch.batch_size} samples" for feed in (a, b)]
        detail = "with the same number of epochs, a larger batch means fewer steps"
        fix = "Use the same batch size, or scale the learning rate and the number of epochs with it."
        found.append(make_cause("training_loop", "batch size of the feed", *words, detail=detail, fix=fix))
    for name in _COUNTS:
        values = [feed.options.get(name) for feed in (a, b)]
        if None in values and values != [None, None]:
            coverage.not_tested("feeds", f"{name} is given for {'B' if values[0] is None else 'A'} only")
        elif values[0] != values[1]:
            words = [f"{name}={value}" for value in values]
            fix = f"Give both the same {name}."
            found.append(make_cause("training_loop", f"{name} of fit", *words, detail=f"{name} differs", fix=fix))
    found += _callbacks(a, b, coverage)
    known = {*_COUNTS, *_ELSEWHERE, *_WITHOUT_EFFECT, "callbacks"}
    for feed in (a, b):
        for key in set(feed.options) - known:
            coverage.not_tested("feeds", f"the key '{key}' of feed {feed.letter} was not compared")
    return found, []


def _callbacks(a: Feed, b: Feed, coverage: Coverage) -> list[Cause]:
    """Callbacks of one side that the other lacks, or that are set otherwise."""
    sides = []
    for feed in (a, b):
        given = feed.options.get("callbacks") or []
        given = given if isinstance(given, list | tuple) else [given]
        sides.append([callback for callback in given if not isinstance(callback, _ONLOOKERS)])
    mine, theirs = sides
    rest = list(theirs)
    lone = []
    for callback in mine:
        partner = next((other for other in rest if type(other) is type(callback)), None)
        if partner is None:
            lone.append((callback, None))
            continue
        rest.remove(partner)
        if not _same_callback(callback, partner):
            lone.append((callback, partner))
    found = []
    for first, second in [*lone, *((None, other) for other in rest)]:
        if first is not None and second is not None and not _builtin(first) and not _plain_differ(first, second):
            coverage.not_tested("feeds", f"the callback {type(first).__name__} holds what cannot be compared")
            continue
        words = ["no such callback" if callback is None else _shown(callback) for callback in (first, second)]
        name = type(first if first is not None else second).__name__
        detail = f"the callback {name} acts on one side only" if None in (first, second) else f"{name} is set otherwise"
        fix = "Give both the same callbacks."
        found.append(make_cause("training_loop", f"callback {name} of fit", *words, detail=detail, fix=fix))
    return found


def _builtin(callback: Any) -> bool:
    return type(callback).__module__.split(".")[0] == "keras"


def _plain(callback: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(callback).items()
        if isinstance(value, bool | int | float | str) and name not in ("verbose", "_supports_tf_logs")
    }


def _plain_differ(x: Any, y: Any) -> bool:
    return _plain(x) != _plain(y)


def _same_callback(x: Any, y: Any) -> bool:
    if _plain_differ(x, y):
        return False
    schedules = [getattr(callback, "schedule", None) for callback in (x, y)]
    if all(callable(schedule) for schedule in schedules):
        return _rates(schedules[0]) == _rates(schedules[1])
    if _builtin(x) and type(x).__name__ != "LambdaCallback":
        return True
    others = [
        {k: v for k, v in vars(c).items() if k not in _plain(c) and k not in ("_model", "params")} for c in (x, y)
    ]
    return others[0].keys() == others[1].keys() and all(
        value is others[1][name] or same_code(value, others[1][name]) or _equal(value, others[1][name])
        for name, value in others[0].items()
    )


def _equal(x: Any, y: Any) -> bool:
    try:
        return bool(np.all(np.asarray(x == y)))
    except Exception:
        return False


def _rates(schedule: Any) -> list[float]:
    rates = []
    for epoch in (*range(200), 500, 1000):
        for rate in (0.01, 1e-4):
            try:
                rates.append(round(float(schedule(epoch, rate)), 12))
            except TypeError:
                rates.append(round(float(schedule(epoch)), 12))
    return rates


def _shown(callback: Any) -> str:
    settings = ", ".join(f"{k}={v}" for k, v in sorted(_plain(callback).items()) if not k.startswith("_"))
    return f"{type(callback).__name__}({settings[:120]})"
