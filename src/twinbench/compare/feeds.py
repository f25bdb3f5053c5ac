"""Reads what a model is trained on: two epochs of its samples, and the other arguments of `fit`."""

import hashlib
import inspect
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

ARGUMENTS = tuple(name for name in inspect.signature(keras.Model.fit).parameters if name != "self")
"""The arguments of `fit`, which a dict may hold."""


@dataclass
class Epoch:
    """One pass over a feed, or its validation set."""

    inputs: list[np.ndarray] = field(default_factory=list)
    targets: list[np.ndarray] = field(default_factory=list)
    weights: np.ndarray | None = None
    batch_size: int | None = None
    digests: list[bytes] = field(default_factory=list)
    complete: bool = True
    first: Any = None

    @property
    def samples(self) -> int:
        """How many samples the pass held."""
        return len(self.digests)

    @property
    def distinct(self) -> int:
        """How many different samples it held."""
        return len(set(self.digests))

    @property
    def labels(self) -> np.ndarray | None:
        """The labels of the first output."""
        return self.targets[0] if self.targets else None

    def part(self, start: int, stop: int) -> "Epoch":
        """Some of the samples."""
        return Epoch(
            [array[start:stop] for array in self.inputs],
            [array[start:stop] for array in self.targets],
            None if self.weights is None else self.weights[start:stop],
            self.batch_size,
            self.digests[start:stop],
            self.complete,
        )


@dataclass
class Feed:
    """What is known of a feed after two passes."""

    letter: str
    epoch: Epoch
    again: Epoch | None = None
    kind: str = "stream"
    options: dict[str, Any] = field(default_factory=dict)
    validation: Epoch | None = None
    notes: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def validation_split(self) -> float:
        """The share that `fit` holds out from the end."""
        return float(self.options.get("validation_split") or 0.0)

    @property
    def training(self) -> Epoch:
        """The samples that are trained on: all but those that `validation_split` holds out."""
        return self.epoch.part(0, self._cut) if self.validation_split else self.epoch

    @property
    def held_out(self) -> Epoch | None:
        """The validation set, given or split off."""
        if self.validation is not None or not self.validation_split:
            return self.validation
        return self.epoch.part(self._cut, self.epoch.samples)

    @property
    def _cut(self) -> int:
        return int(np.floor(self.epoch.samples * (1 - self.validation_split)))

    @property
    def shuffled(self) -> bool | None:
        """Whether the second pass had another order; None where `fit` decides, or there was no second pass."""
        if self.again is None or not self.again.digests or not self.epoch.digests:
            return None
        return self.epoch.digests != self.again.digests

    @property
    def shuffled_by_fit(self) -> bool:
        """Whether `fit` shuffles what it is given."""
        return self.kind != "stream" and bool(self.options.get("shuffle", True))

    @property
    def redrawn(self) -> bool:
        """Whether the second pass held other samples than the first, as random augmentation makes them."""
        if self.again is None or not self.again.digests:
            return False
        size = min(self.again.samples, self.epoch.samples)
        return len(set(self.again.digests) & set(self.epoch.digests)) < 0.2 * size

    @property
    def weighing(self) -> list[str]:
        """The arguments of `fit` that weigh the samples of this feed."""
        given = {"class_weight": self.class_weight, "sample_weight": self.epoch.weights}
        return [name for name, weights in given.items() if weights is not None]

    @property
    def class_weight(self) -> dict[int, float] | None:
        """The weights of the classes, in their order."""
        given = self.options.get("class_weight")
        return {int(key): float(given[key]) for key in sorted(given)} if given else None

    def weights(self) -> np.ndarray:
        """How much each sample counts in the loss."""
        given = self.epoch.weights
        weights = np.ones(self.epoch.samples) if given is None else np.asarray(given, dtype="float64")
        classes = self.classes()
        if self.class_weight is not None and classes is not None and weights.ndim == 1:
            weights = weights * np.asarray([self.class_weight.get(int(label), 1.0) for label in classes])
        return weights

    def classes(self, k: int = 0) -> np.ndarray | None:
        """The labels of an output as class indices, where they are classes."""
        return as_classes(self.epoch.targets[k]) if k < len(self.epoch.targets) else None


def as_classes(labels: np.ndarray) -> np.ndarray | None:
    """Labels as class indices, where they are classes."""
    if not len(labels) or labels.dtype.kind not in "fiub":
        return None
    if labels.ndim == 2 and labels.shape[1] > 1 and np.all((labels == 0) | (labels == 1)):
        return labels.argmax(-1) if np.all(labels.sum(-1) == 1) else None
    flat = labels.reshape(len(labels), -1)
    if flat.shape[1] != 1 or not np.allclose(flat, np.round(flat)):
        return None
    return np.round(flat[:, 0]).astype("int64")


def read_feed(source: Callable[[], Any] | Any, name: str) -> Feed:
    """Read a feed twice.

    Args:
        source: A function that returns (or an object that is) batches: an iterable of (inputs, labels), arrays, a dict
            of `fit`'s arguments, a `tf.data.Dataset` or a `keras.utils.PyDataset`.
        name: What to call it in messages; its last letter is the side's.

    Raises:
        UsageError: It yields nothing, or something that is no batch.
    """
    call = isinstance(source, type) or (callable(source) and not hasattr(source, "__iter__"))
    given = source() if call else source
    feed = Feed(name[-1], Epoch())
    given = fit_arguments(given, feed)
    steps = feed.options.get("steps_per_epoch")
    feed.kind = "arrays" if _is_arrays(given) else "sequence" if isinstance(given, keras.utils.PyDataset) else "stream"
    feed.epoch = _epoch(given, name, feed.options.get("batch_size"), steps=steps)
    if not feed.epoch.digests:
        raise UsageError(f"The feed {name} yields no batch.")
    if not feed.epoch.complete:
        feed.unread.append(f"only the first {feed.epoch.samples:,} samples of the feed {name} were read")
    if feed.options.get("validation_data") is not None:
        held_out = feed.options["validation_data"]
        feed.validation = _epoch(
            held_out, f"{name} (validation_data)", None, steps=feed.options.get("validation_steps")
        )
        if not feed.validation.complete:
            feed.unread.append(f"only the first {feed.validation.samples:,} samples of validation_data were read")
    if feed.kind != "arrays":
        _read_again(feed, given, source if call else None, name, steps)
    return feed


def fit_arguments(given: Any, feed: Feed) -> Any:
    """Take the arguments of `fit` apart; return what it trains on."""
    if not isinstance(given, dict) or "x" not in given or ("y" not in given and set(given) - set(ARGUMENTS)):
        return given
    feed.options = {key: value for key, value in given.items() if key in ARGUMENTS and key not in ("x", "y")}
    feed.unread += [
        f"the key '{key}' of feed {feed.letter} is no argument of fit" for key in set(given) - set(ARGUMENTS)
    ]
    parts = [given["x"], given.get("y"), given.get("sample_weight")]
    if hasattr(given["x"], "shape") or isinstance(given["x"], list | tuple | dict):
        feed.options.setdefault("batch_size", 32)
        return tuple(parts[: 3 if parts[2] is not None else 2]) if parts[1] is not None else (parts[0],)
    return given["x"]


def _read_again(feed: Feed, given: Any, source: Callable[[], Any] | None, name: str, steps: int | None) -> None:
    """The second epoch: of the same object, or of a second call where the object is used up."""
    if isinstance(given, keras.utils.PyDataset):
        given.on_epoch_end()
    fresh = given
    if isinstance(given, Iterator):
        if source is None:
            feed.unread.append(f"whether the generator of feed {name} gives another order in the next epoch")
            return
        fresh = fit_arguments(source(), Feed(feed.letter, Epoch()))
        feed.notes.append(f"The feed {name} is a generator: its second epoch was read from a second call.")
    feed.again = _epoch(fresh, name, feed.options.get("batch_size"), steps=steps, limit=max(1, feed.epoch.samples))


def _epoch(
    given: Any, name: str, batch_size: int | None, *, steps: int | None = None, limit: int = MAX_SAMPLES
) -> Epoch:
    if _is_arrays(given):
        return _gathered([_parts(given)], batch_size, complete=True)
    batches: list[tuple[Any, Any, Any]] = []
    start, seen, complete = time.monotonic(), 0, True
    for batch in _batches(given, name):
        batches.append(batch)
        seen += _rows(batch[0])
        if steps is not None and len(batches) >= steps:
            break
        if seen >= limit or time.monotonic() - start > MAX_SECONDS:
            complete = seen >= limit and limit != MAX_SAMPLES
            break
    if not batches:
        return Epoch()
    return _gathered(batches, batch_size or _rows(batches[0][0]), complete=complete)


def _parts(item: Any) -> tuple[Any, Any, Any]:
    """Inputs, labels and sample weights of a batch; None for what it does not hold."""
    parts = [*item, None, None]
    return parts[0], parts[1], parts[2]


def _is_arrays(given: Any) -> bool:
    if not isinstance(given, tuple | list) or not 1 <= len(given) <= 3:
        return False
    if isinstance(given, list) and not (len(given) > 1 and hasattr(given[1], "shape")):
        return False  # a list of batches
    flat = keras.tree.flatten(list(given[:2]))
    if not all(hasattr(part, "shape") and len(part.shape) for part in flat if part is not None) or not flat:
        return False
    return len({len(part) for part in flat if part is not None}) == 1


def _batches(given: Any, name: str) -> Iterator[tuple[Any, Any, Any]]:
    iterable: Iterable[Any]
    if isinstance(given, keras.utils.PyDataset):
        iterable = (given[k] for k in range(given.num_batches or len(given)))
    elif hasattr(given, "as_numpy_iterator"):
        iterable = given.as_numpy_iterator()
    elif hasattr(given, "shape") and len(given.shape) > 1:
        iterable = [given]
    elif isinstance(given, Iterable):
        iterable = given
    else:
        raise UsageError(f"The feed {name} gives {type(given).__name__}; it must give batches of (inputs, labels).")
    for item in iterable:
        if isinstance(item, tuple | list) and item:
            yield _parts(item)
        elif hasattr(item, "shape") or isinstance(item, dict):
            yield item, None, None
        else:
            raise UsageError(f"The feed {name} yields {type(item).__name__}; it must yield (inputs, labels).")


def _rows(inputs: Any) -> int:
    return len(np.asarray(keras.tree.flatten(inputs)[0]))


def _gathered(batches: list[tuple[Any, Any, Any]], batch_size: int | None, *, complete: bool) -> Epoch:
    inputs, targets, weights = (_joined([batch[k] for batch in batches]) for k in range(3))
    digests = [_digest([part[row] for part in inputs]) for row in range(len(inputs[0]))]
    return Epoch(inputs, targets, weights[0] if weights else None, batch_size, digests, complete, first=batches[0][0])


def _joined(values: list[Any]) -> list[np.ndarray]:
    """The arrays of all batches put together, one for each leaf of the structure."""
    if any(value is None for value in values):
        return []
    parts = [[np.asarray(leaf) for leaf in keras.tree.flatten(value)] for value in values]
    if any(array.ndim == 0 for array in parts[0]):
        return []
    return [np.concatenate([part[k] for part in parts]) for k in range(len(parts[0]))]


def _digest(parts: list[np.ndarray]) -> bytes:
    """What identifies a sample; equal values of another dtype are equal."""
    plain = [np.ascontiguousarray(p, dtype="float32" if p.dtype.kind in "fiub" else None) for p in parts]
    return hashlib.blake2b(b"".join(p.tobytes() for p in plain), digest_size=12).digest()
