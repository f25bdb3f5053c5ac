"""Finds the samples of one feed again in another, as they are or after what people do to samples by mistake."""

from collections.abc import Callable, Iterator

import numpy as np

ENOUGH = 0.5
"""The share of samples that both feeds must hold for them to be compared one by one."""

TRIED = 2_000
"""How many samples of one feed are looked for in the other to tell whether they correspond."""

Change = Callable[[np.ndarray], np.ndarray]


class Rows:
    """The samples of a feed as two numbers each: projections on random directions, by which they are found again."""

    def __init__(self, arrays: list[np.ndarray]) -> None:
        generator = np.random.default_rng(3)
        self.keys = np.zeros((len(arrays[0]) if arrays else 0, 2))
        for array in arrays:
            self.keys += _projected(array, generator)
        self.tolerance = 1e-5 * max(float(self.keys.std()) if len(self.keys) else 0.0, 1e-12)

    def joined(self, labels: np.ndarray, like: "Rows", others: np.ndarray) -> "Rows":
        """The samples together with their labels, which weigh as much: for both feeds in the same measure.

        Args:
            labels: One row a sample.
            like: The samples of the other feed.
            others: Their labels.
        """
        extent = max(float(np.std(labels)), float(np.std(others)), 1e-12)
        joint = Rows([])
        size = max(self.tolerance, like.tolerance) * 1e5
        joint.keys = self.keys + size / extent * _projected(labels, np.random.default_rng(4))
        joint.tolerance = size * 2e-5
        return joint

    def partners(self, others: "Rows") -> np.ndarray:
        """For each row the index of an equal row of others, or -1."""
        found = np.full(len(self.keys), -1)
        if not len(others.keys):
            return found
        order = np.argsort(others.keys[:, 0], kind="stable")
        known = others.keys[order]
        tolerance = max(self.tolerance, others.tolerance)
        first = np.searchsorted(known[:, 0], self.keys[:, 0] - tolerance)
        for step in range(8):
            place = np.minimum(first + step, len(known) - 1)
            near = np.all(np.abs(known[place] - self.keys) <= tolerance, axis=1) & (found < 0)
            found[near] = order[place[near]]
        return found


def _projected(array: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The rows of an array on two random directions."""
    flat = array.reshape(len(array), -1)
    directions = generator.standard_normal((flat.shape[1], 2))
    parts = [flat[start : start + 4096].astype("float64") @ directions for start in range(0, len(flat), 4096)]
    return np.concatenate(parts) if parts else np.zeros((0, 2))


def changes(shape: tuple[int, ...]) -> Iterator[tuple[str, Change]]:
    """What people do to samples by mistake, in words; `shape` has the batch axis."""
    rank = len(shape)
    if rank >= 3 and shape[-1] == 3:
        yield "channels in the opposite order (RGB against BGR)", lambda x: x[..., ::-1]
    if rank == 4 and shape[1] == 3:
        yield "channels in the opposite order (RGB against BGR)", lambda x: x[:, ::-1]
    if rank >= 3:
        yield "two axes swapped (transposed)", lambda x: np.swapaxes(x, 1, 2)
    if rank == 4:
        yield "channels moved to the front", lambda x: np.moveaxis(x, -1, 1)
        yield "channels moved to the end", lambda x: np.moveaxis(x, 1, -1)
        yield "turned by 180 degrees", lambda x: x[:, ::-1, ::-1]
        yield "turned by 90 degrees", lambda x: np.rot90(x, 1, (1, 2))
        yield "turned by 270 degrees", lambda x: np.rot90(x, 3, (1, 2))
        yield "flipped left to right", lambda x: x[:, :, ::-1]
    if rank >= 2:
        yield "in the opposite order along the first axis", lambda x: x[:, ::-1]


def standard(array: np.ndarray, *, by_channel: bool = False) -> np.ndarray:
    """Values less their mean, divided by their standard deviation: over all, or channel by channel."""
    axes = tuple(range(array.ndim - 1)) if by_channel else None
    values = np.array(array, dtype="float64")
    values -= values.mean(axes)
    return values / np.maximum(values.std(axes), 1e-12)  # type: ignore[no-any-return]


def share(x: np.ndarray, y: np.ndarray) -> float:
    """How many rows of `x` are among those of `y`."""
    if x.shape[1:] != y.shape[1:] and np.prod(x.shape[1:]) != np.prod(y.shape[1:]):
        return 0.0
    return float(np.mean(Rows([x]).partners(Rows([y])) >= 0))


def standardised(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether the samples are the same up to one factor and offset."""
    return x.std() > 0 and y.std() > 0 and share(standard(x)[:TRIED], standard(y)) >= ENOUGH


def numbered(texts: np.ndarray) -> np.ndarray:
    """Texts as numbers: equal ones are equal."""
    flat = [
        float(int.from_bytes(str(text).encode()[:6].ljust(6), "big") % 999_983 + len(str(text)))
        for text in texts.ravel()
    ]
    return np.asarray(flat).reshape(texts.shape)


def extent(array: np.ndarray) -> str:
    """The smallest and the largest value, in words."""
    return f"{float(array.min()):.3g} to {float(array.max()):.3g}"
