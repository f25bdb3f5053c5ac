"""Why a training cannot be repeated: it is run twice for a few steps, and the first number that differs is named.

Two runs under one seed, as `fit` runs them; then two runs with every layer watched, without a seed of ours where the
first two were the same. A run imports the person's file anew, so that what its code seeds, or does not, counts.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from twinbench.compare.check.report import Repeat
from twinbench.compare.feeds import Epoch, Feed, fit_arguments
from twinbench.compare.imported import Places
from twinbench.compare.sides import Side, both_sides
from twinbench.compare.surroundings import restored
from twinbench.sameness.graph import TRAINING_ONLY
from twinbench.sameness.keeping import as_it_was
from twinbench.sameness.trace import is_builtin

STEPS = 4
"""How many steps are taken."""

_SEED = "Call keras.utils.set_random_seed(1) first of all, before anything is built or shuffled."


@dataclass(frozen=True)
class Event:
    """Something that was seen in a run: the step, the kind of thing, its name, and what it held."""

    step: int
    kind: str
    name: str
    digest: bytes
    about: str = ""


class _EnoughError(Exception):
    """All steps were taken."""


def explain_repeats(model: Any, source: Any, feed: Feed, name: str) -> Repeat:
    """Say whether a training can be repeated, and if not, why.

    Args:
        model: As in `twinbench.check`.
        source: The feed, as in `twinbench.check`.
        feed: The same, read.
        name: What to call the model.
    """

    def run(seed: int, *, watched: bool = False) -> list[Event]:
        return _run(model, source, name, seed, watched=watched)

    seeded = _first_difference(run(1), run(1))
    if seeded is not None:
        watched = _first_difference(run(1, watched=True), run(1, watched=True))
        return _unrepeatable(watched or seeded, feed, run, alone_in_graph=watched is None)
    first = _first_difference(run(secrets.randbits(31), watched=True), run(secrets.randbits(31), watched=True))
    if first is None:
        sentence = f"It repeats: two runs of {STEPS} steps were the same bit for bit, in one process."
        return Repeat("repeats", STEPS, sentence=sentence)
    source_words, place = _source(first, feed)
    sentence = (
        f"It repeats under one seed ({STEPS} steps, bit for bit, in one process), and your code sets none: "
        f"without one, the first difference is {place}."
    )
    return Repeat("repeats when seeded", STEPS, source_words, first.step, first.name, sentence, _SEED)


def _unrepeatable(first: Event, feed: Feed, run: Callable[..., list[Event]], *, alone_in_graph: bool) -> Repeat:
    source, place = _source(first, feed)
    fix = {
        "unseeded initial weights": "Give the initialiser a seed, or draw with keras.random and a fixed seed.",
        "order of the samples": "Draw the order from a generator with a fixed seed: np.random.default_rng(1).",
        "samples that are drawn anew": "Draw the changes of the samples from a generator with a fixed seed.",
        "dropout or noise": "Give the layer a fixed seed.",
    }.get(source, "Draw random numbers with keras.random and a fixed seed; take nothing from the time or the system.")
    if source.startswith("an operation") or alone_in_graph:
        tf.config.experimental.enable_op_determinism()  # `restored` takes it back
        steady = _first_difference(run(1), run(1)) is None
        source = "an operation that is not deterministic" if steady else "code of your own"
        fix = "Call tf.config.experimental.enable_op_determinism()." if steady else fix
    when = f"in step {first.step}" if first.step else "before the first step"
    sentence = f"It does not repeat, even under one seed: {when} {place} differs. The source: {source}."
    return Repeat("does not repeat", STEPS, source, first.step, first.name, sentence, fix)


def _source(first: Event, feed: Feed) -> tuple[str, str]:
    """What makes two runs differ, from the first thing that does, and that thing in words."""
    if first.kind == "weights" and first.step == 0:
        return "unseeded initial weights", f"the initial value of {first.name}{first.about}"
    if first.kind == "batch":
        return "samples that are drawn anew" if feed.redrawn else "order of the samples", "the batch that is fed"
    if first.kind == "layer":
        if first.about in TRAINING_ONLY:
            return "dropout or noise", f"the output of {first.about} '{first.name}'"
        if not first.about.startswith("own "):
            return "an operation that is not deterministic", f"the output of {first.about} '{first.name}'"
        return f"code of your own: {first.about[4:]} '{first.name}'", f"the output of '{first.name}'"
    return "code of your own: loss, training step or optimizer", f"the update of {first.name}"


def _first_difference(one: Sequence[Event], other: Sequence[Event]) -> Event | None:
    for first, second in zip(one, other, strict=False):
        if first != second:
            return first
    return None if len(one) == len(other) else (one[len(other) :] or other[len(one) :])[0]


def _run(model: Any, source: Any, name: str, seed: int, *, watched: bool) -> list[Event]:
    """Import, build and train from the beginning for some steps, and say what was seen on the way."""
    events: list[Event] = []
    with restored(), ExitStack() as stack:
        keras.utils.set_random_seed(seed)
        places = Places()
        side = both_sides(model, model, (name, name), places)[0]
        stack.enter_context(side.home.entered())
        built = _model(side)
        if side.kind == "model":
            stack.enter_context(as_it_was(built))
        given = places.named(source)[0] if isinstance(source, str) else source
        if isinstance(given, type) or (callable(given) and not hasattr(given, "__iter__")):
            given = given()
        arguments = _arguments(given)
        if watched:
            stack.enter_context(_watched(built, events))
        with suppress(_EnoughError):
            built.fit(**arguments, epochs=STEPS, verbose=0, callbacks=[_Weights(events, watched=watched)])
    return events


def _model(side: Side) -> keras.Model:
    return side.source() if side.kind == "builder" else side.model()


def _arguments(given: Any) -> dict[str, Any]:
    """The arguments of `fit` that a feed stands for, but for those that say how long to train."""
    feed = Feed("A", Epoch())
    data = fit_arguments(given, feed)
    kept = {k: v for k, v in feed.options.items() if k in ("batch_size", "shuffle", "class_weight")}
    if isinstance(data, tuple | list) and 1 <= len(data) <= 3 and all(hasattr(part, "shape") for part in data[:1]):
        return dict(zip(("x", "y", "sample_weight"), data, strict=False)) | kept
    if isinstance(data, list):  # of batches
        data = iter(data * STEPS)
    return {"x": data} | {k: v for k, v in kept.items() if k == "class_weight"}


class _Weights(keras.callbacks.Callback):  # type: ignore[misc] # keras is untyped
    """Notes all weights before the first step and after each, and stops after the last."""

    def __init__(self, events: list[Event], *, watched: bool) -> None:
        super().__init__()
        self.events, self.watched, self.taken = events, watched, 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Note the initial weights."""
        if not self.taken and not self.watched:
            self.events += _weights(self.model, 0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note what a step made of the weights."""
        self.taken += 1
        self.events += _weights(self.model, self.taken)
        if self.taken == STEPS:
            raise _EnoughError


def _weights(model: keras.Model, step: int) -> list[Event]:
    owners = {
        id(v): layer
        for layer in model._flatten_layers(include_self=True, recursive=True)
        for v in (*layer._trainable_variables, *layer._non_trainable_variables)
    }
    return [
        Event(step, "weights", v.path, _digest(v), _initialiser(owners.get(id(v)), v) if not step else "")
        for v in model.variables
        if "seed_generator" not in v.path
    ]


def _initialiser(layer: Any, variable: Any) -> str:
    role = variable.path.split("/")[-1]
    made_by = getattr(layer, f"{role}_initializer", None)
    return f" ({type(made_by).__name__} of {type(layer).__name__} '{layer.name}')" if made_by is not None else ""


@contextmanager
def _watched(model: keras.Model, events: list[Event]) -> Iterator[None]:
    """Run the steps of a model one operation at a time, and note every batch and the output of every layer."""
    step, original, call = model.train_step, model.run_eagerly, keras.layers.Layer.__call__
    taken = 0

    def watched_step(data: Any) -> Any:
        nonlocal taken
        if not taken:
            events.extend(_weights(model, 0))
        taken += 1
        parts = [part for part in keras.tree.flatten(data) if part is not None]
        events.append(Event(taken, "batch", "batch", b"".join(_digest(part) for part in parts)))
        return step(data)

    def watched_call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        outputs = call(layer, *args, **kwargs)
        tensors = [t for t in keras.tree.flatten(outputs) if hasattr(t, "numpy")]
        if taken and tensors:
            about = type(layer).__name__ if is_builtin(type(layer)) else f"own {type(layer).__name__}"
            events.append(Event(taken, "layer", layer.name, b"".join(_digest(t) for t in tensors), about))
        return outputs

    model.train_step, model.run_eagerly = watched_step, True
    keras.layers.Layer.__call__ = watched_call
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = call
        del model.train_step
        model.run_eagerly = original


def _digest(value: Any) -> bytes:
    array = np.asarray(keras.ops.convert_to_numpy(value))
    return hashlib.blake2b(array.tobytes() if array.dtype != object else repr(array).encode(), digest_size=12).digest()
