"""Looks at the data that two models are fed: how much of it, in what order, with which labels, in which range."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from twinbench.errors import UsageError

MAX_SAMPLES = 60_000
MAX_SECONDS = 20.0
"""A feed is read until one of its epochs ends, or until one of these."""

TAIL = 0.1
"""The part at the end of an epoch whose label mix is compared with the whole: what `validation_split` cuts off."""


@dataclass
class Epoch:
    """One pass over a feed."""

    inputs: list[np.ndarray]
    labels: np.ndarray | None
    batch_size: int | None
    digests: list[bytes]
    complete: bool
    validation_split: float = 0.0
    first: Any = None
    first_labels: Any = None

    @property
    def samples(self) -> int:
        """How many samples the pass held."""
        return len(self.digests)

    @property
    def distinct(self) -> int:
        """How many different samples it held."""
        return len(set(self.digests))


@dataclass
class Feed:
    """What is known of a feed after two passes."""

    epoch: Epoch
    again: Epoch | None
    notes: list[str] = field(default_factory=list)

    @property
    def shuffled(self) -> bool | None:
        """Whether the second pass had another order; None where there was no second pass."""
        if self.again is None or not self.again.digests or not self.epoch.digests:
            return None
        return self.epoch.digests != self.again.digests

    def classes(self) -> np.ndarray | None:
        """The labels as class indices, where they are classes."""
        labels = self.epoch.labels
        if labels is None or not len(labels):
            return None
        if labels.ndim == 2 and labels.shape[1] > 1 and np.all((labels == 0) | (labels == 1)):
            return labels.argmax(-1) if np.all(labels.sum(-1) == 1) else None
        flat = labels.reshape(len(labels), -1)
        if flat.shape[1] != 1 or not np.allclose(flat, np.round(flat)):
            return None
        return np.round(flat[:, 0]).astype("int64")


def read_feed(source: Callable[[], Any] | Any, name: str) -> Feed:
    """Reads a feed twice.

    Args:
        source: A function that returns (or an object that is) batches: an iterable of (inputs, labels), a pair of
            arrays, a dict of `fit`'s arguments, a `tf.data.Dataset` or a `keras.utils.PyDataset`.
        name: What to call it in messages.

    Raises:
        UsageError: It yields nothing, or something that is no batch.
    """
    made = source() if isinstance(source, type) or (callable(source) and not hasattr(source, "__iter__")) else source
    first = _epoch(made, name)
    if not first.digests:
        raise UsageError(f"The feed {name} yields no batch.")
    notes = [] if first.complete else [f"Only the first {first.samples:,} samples of the feed {name} were read."]
    fresh = made if not isinstance(made, Iterator) else (source() if callable(source) else None)
    again = None
    if fresh is not None and not isinstance(made, tuple | dict):
        again = _epoch(fresh, name, limit=max(1, first.samples))
        if isinstance(made, Iterator):
            notes.append(f"The feed {name} is a generator: its second epoch was read from a second call.")
    return Feed(first, again, notes)


def _epoch(made: Any, name: str, limit: int = MAX_SAMPLES) -> Epoch:
    split = 0.0
    batch_size: int | None = None
    if isinstance(made, dict) and "x" in made:
        split = float(made.get("validation_split") or 0.0)
        batch_size = int(made["batch_size"]) if made.get("batch_size") else None
        made = made["x"] if made.get("y") is None else (made["x"], made["y"])
    if _is_arrays(made):
        inputs, labels = made
        return _gathered([(inputs, labels)], batch_size, complete=True, split=split)
    batches: list[tuple[Any, Any]] = []
    start, seen, complete = time.monotonic(), 0, True
    for batch in _batches(made, name):
        batches.append(batch)
        size = _rows(batch[0])
        seen += size
        if seen >= limit or time.monotonic() - start > MAX_SECONDS:
            complete = seen >= limit and limit != MAX_SAMPLES
            break
    if not batches:
        return Epoch([], None, None, [], complete=True)
    return _gathered(batches, batch_size or _rows(batches[0][0]), complete=complete, split=split)


def _is_arrays(made: Any) -> bool:
    if not isinstance(made, tuple | list) or len(made) != 2:
        return False
    x, y = made
    flat = keras.tree.flatten(x)
    return all(hasattr(part, "shape") and len(part.shape) for part in flat) and hasattr(y, "shape")


def _batches(made: Any, name: str) -> Iterator[tuple[Any, Any]]:
    iterable: Iterable[Any]
    if isinstance(made, keras.utils.PyDataset):
        iterable = (made[k] for k in range(len(made)))
    elif hasattr(made, "as_numpy_iterator"):
        iterable = made.as_numpy_iterator()
    elif isinstance(made, Iterable):
        iterable = made
    else:
        raise UsageError(f"The feed {name} gives {type(made).__name__}; it must give batches of (inputs, labels).")
    for item in iterable:
        if isinstance(item, tuple | list) and len(item) >= 2:
            yield item[0], item[1]
        elif hasattr(item, "shape") or isinstance(item, dict):
            yield item, None
        else:
            raise UsageError(f"The feed {name} yields {type(item).__name__}; it must yield (inputs, labels).")


def _rows(inputs: Any) -> int:
    return len(np.asarray(keras.tree.flatten(inputs)[0]))


def _gathered(batches: list[tuple[Any, Any]], batch_size: int | None, *, complete: bool, split: float) -> Epoch:
    parts = [[np.asarray(part) for part in keras.tree.flatten(x)] for x, _ in batches]
    inputs = [np.concatenate([part[k] for part in parts]) for k in range(len(parts[0]))]
    held = [np.asarray(keras.tree.flatten(y)[0]) for _, y in batches if y is not None]
    labels = np.concatenate(held) if held and all(part.ndim for part in held) else None
    digests = [_digest([part[row] for part in inputs]) for row in range(len(inputs[0]))]
    first, first_labels = batches[0]
    return Epoch(inputs, labels, batch_size, digests, complete, split, first, first_labels)


def _digest(parts: list[np.ndarray]) -> bytes:
    return hashlib.blake2b(b"".join(np.ascontiguousarray(p).tobytes() for p in parts), digest_size=12).digest()
