"""Finds which numbers of B's weights are which numbers of A's, where no variable corresponds to one variable.

A `Dense(2)` is two `Dense(1)` joined; attention written out holds as matrices what `MultiHeadAttention` holds by heads;
after branches that are joined in another order the rows of a kernel are. In all of these each number of B's weights is
one number of A's. Which one is found from the functions alone, by colour refinement as for the isomorphism of graphs
(Weisfeiler and Leman, 1968): numbers of one colour hold one value, the gradients of random projections of the outputs
tell them apart, and what stays alike is told apart by its order of use. A proposal is accepted only if the functions
agree under it with random weights.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from twinbench.audit.probes import compare_outputs, fitted, kept, randomise
from twinbench.audit.signature import call_model
from twinbench.audit.transfer import Transfer, rearranged

if TYPE_CHECKING:
    from twinbench.audit.pairing import Pair, Subject

LIMIT = 600_000
"""Above this many numbers only their order of use is tried."""

_SECONDS = 20.0
_ROUNDS = 80
_SCALES = (0.05, 0.4)
_QUIET_ROWS = [0, 1, -2, -1]  # of the probe inputs: those of ordinary size


class _UnlikeError(Exception):
    """No arrangement of the weights makes the two functions one."""


def match_numbers(pair: Pair, trusted: Sequence[Transfer], arrays: Sequence[np.ndarray]) -> bool | None:
    """Looks for an arrangement of A's weights in B under which the functions agree, and puts it into the pair.

    Args:
        pair: Two traced models whose weights do not correspond, or do not fit as they are.
        trusted: Transfers to start from, most trusting first; what they leave open is looked for.
        arrays: Inputs to probe with.

    Returns:
        True where an arrangement was found. False where none exists: with one number in all weights that are open the
        outputs already differ. None where none was found.
    """
    begin, outcome, before = time.perf_counter(), None, pair.transfer
    with kept(pair.a, pair.b):
        for start in trusted:
            try:
                for proposal in _proposals(pair, start, arrays, begin + _SECONDS):
                    pair.transfer = proposal
                    if _agrees(pair, arrays):
                        return True
            except _UnlikeError:
                outcome = False
            except Exception:  # what cannot be probed here is said to be so when the models are compared
                outcome = None
    pair.transfer = before
    return outcome


def _agrees(pair: Pair, arrays: Sequence[np.ndarray]) -> bool:
    randomise(pair.transfer.sources, 5)
    pair.transfer.apply()
    return compare_outputs(pair, arrays, training=False).equal


def _proposals(pair: Pair, start: Transfer, arrays: Sequence[np.ndarray], until: float) -> Any:
    """Transfers that carry everything: by the order of use alone, then by what each number does."""
    if start.complete:
        yield start
        return
    few = [array if pair.a.signature.batch else array[_QUIET_ROWS] for array in arrays]
    sides = _Side(pair.a, start.left_a, few), _Side(pair.b, start.left_b, fitted(few, pair.b))
    if start.conflicts or sides[0].size != sides[1].size or not sides[0].size:
        return
    roles = _roles(sides)
    yield _transfer(start, sides, roles)
    if sides[0].size <= LIMIT:
        randomise(start.sources, 5)
        start.apply()
        yield _transfer(start, sides, _refined(sides, roles, until))


class _Side:
    """One model with the variables whose numbers are looked for, laid out one after the other."""

    def __init__(self, subject: Subject, variables: Sequence[Any], arrays: Sequence[np.ndarray]) -> None:
        self.subject = subject
        self.variables = list(variables)
        self.arrays = [keras.ops.convert_to_tensor(array) for array in arrays]
        self.sizes = [int(np.prod(tuple(v.shape), dtype="int64")) for v in self.variables]
        self.size = sum(self.sizes)
        self.probe: Callable[..., Any] = tf.function(self._probe, autograph=False) if subject.graph else self._probe

    def assign(self, numbers: np.ndarray) -> None:
        """Puts numbers into the variables, in their order."""
        for variable, part in zip(self.variables, np.split(numbers, np.cumsum(self.sizes)[:-1]), strict=True):
            variable.assign(part.reshape(tuple(variable.shape)).astype("float32"))

    def _probe(self, arrays: list[Any], seed: Any) -> tuple[Any, Any]:
        held = [variable.value for variable in self.variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for value in held:
                tape.watch(value)
            outputs = keras.tree.flatten(call_model(self.subject.model, self.subject.signature.pack(arrays), False))
            flat = [tf.reshape(tf.cast(o, "float32"), [tf.shape(o)[0], -1]) for o in self.subject.outputs(outputs)]
            joined = tf.concat(flat, axis=1)
            weights = tf.random.stateless_normal(tf.shape(joined), seed)
            total = tf.reduce_sum(joined * weights)
        gradients = tape.gradient(total, held, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return joined, tf.concat([tf.reshape(tf.convert_to_tensor(g), [-1]) for g in gradients], axis=0)

    def fingerprints(self, numbers: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Outputs at several scales of the numbers, gradients by number, and how far rounding moves these."""
        outputs, gradients, noise = [], [], []
        for scale in _SCALES:
            self.assign(scale * numbers)
            for seed in (1, 2):
                found, gradient = self.probe(self.arrays, tf.constant([seed, 0]))
                self.assign(scale * numbers * (1 + 2.0**-22))
                _, moved = self.probe(self.arrays, tf.constant([seed, 0]))
                self.assign(scale * numbers)
                gradients.append(np.asarray(gradient, dtype="float64"))
                noise.append(np.abs(np.asarray(moved, dtype="float64") - gradients[-1]))
            outputs.append(np.asarray(found, dtype="float64"))
        return outputs, np.stack(gradients), np.stack(noise)


def _roles(sides: tuple[_Side, _Side]) -> np.ndarray:
    """First colours, for A's numbers and then B's: by role (kernel, bias, ...) where both hold as many in each."""
    counts = []
    names = []
    for side in sides:
        roles = [str(getattr(v, "path", "")).split("/")[-1] for v in side.variables]
        names.append(np.repeat(np.asarray(roles, dtype=object), side.sizes))
        counts.append(Counter(dict.fromkeys(roles, 0)))
        for role, size in zip(roles, side.sizes, strict=True):
            counts[-1][role] += size
    if counts[0] != counts[1]:
        return np.zeros(2 * sides[0].size, dtype="int64")
    return np.unique(np.concatenate(names).astype(str), return_inverse=True)[1]


def _refined(sides: tuple[_Side, _Side], colours: np.ndarray, until: float) -> np.ndarray:
    """Colours told apart by what the numbers do, until each is one number of A and one of B.

    Raises:
        _UnlikeError: The functions differ, or the numbers of a colour are not as many in A as in B.
    """
    half = sides[0].size
    generator = np.random.default_rng(3)
    for _ in range(_ROUNDS):
        values = generator.uniform(0.5, 1.5, colours.max() + 1)[colours]
        left, right = sides[0].fingerprints(values[:half]), sides[1].fingerprints(values[half:])
        if any(not _alike(x, y) for x, y in zip(left[0], right[0], strict=True)):
            raise _UnlikeError
        gradients = np.concatenate([left[1], right[1]], axis=1)
        noise = np.concatenate([left[2], right[2]], axis=1)
        before = colours.max()
        colours = _split(colours, gradients, noise)
        counts = np.bincount(colours)
        if np.any(2 * np.bincount(colours[:half], minlength=len(counts)) != counts):
            raise _UnlikeError
        if counts.max() == 2 or time.perf_counter() > until:
            break
        if colours.max() == before:
            colours = _by_order(colours, np.abs(gradients).max(axis=0), half)
    return colours


def _alike(x: np.ndarray, y: np.ndarray) -> bool:
    return x.shape == y.shape and bool(np.allclose(x, y, rtol=1e-3, atol=1e-4 * float(np.abs(x).max(initial=1e-9))))


def _split(colours: np.ndarray, gradients: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Numbers of one colour whose gradients differ by more than rounding get colours of their own."""
    for gradient, moved in zip(gradients, noise, strict=True):
        largest = np.zeros(colours.max() + 1)
        np.maximum.at(largest, colours, moved)
        order = np.lexsort((gradient, colours))
        sorted_colours, sorted_gradient = colours[order], gradient[order]
        tolerance = 16 * largest[sorted_colours] + 2e-5 * np.abs(sorted_gradient)
        tolerance += 1e-9 * np.abs(gradient).max(initial=0.0)
        new = np.diff(sorted_colours) > 0
        new |= np.diff(sorted_gradient) > tolerance[1:]
        refined = np.empty_like(colours)
        refined[order] = np.concatenate([[0], np.cumsum(new)])
        colours = refined
    return colours


def _by_order(colours: np.ndarray, strength: np.ndarray, half: int) -> np.ndarray:
    """Tells the numbers of the smallest colour apart by their order of use; colours without any effect come last."""
    counts = np.bincount(colours)
    alive = np.zeros(len(counts), dtype=bool)
    np.logical_or.at(alive, colours, strength > 1e-9 * strength.max(initial=0.0))
    open_colours = np.flatnonzero((counts > 2) & alive)
    if not len(open_colours):
        open_colours = np.flatnonzero(counts > 2)
    chosen = open_colours[np.argmin(counts[open_colours])]
    members = np.flatnonzero(colours == chosen)
    refined = colours.copy()
    for part in (members[members < half], members[members >= half]):
        refined[part[1:]] = colours.max() + 1 + np.arange(len(part) - 1)
    return refined


def _transfer(start: Transfer, sides: tuple[_Side, _Side], colours: np.ndarray) -> Transfer:
    """The transfer that carries the numbers of each colour in their order of use."""
    half = sides[0].size
    order = np.empty(half, dtype="int64")
    order[np.argsort(colours[half:], kind="stable")] = np.argsort(colours[:half], kind="stable")
    return rearranged(start, sides[0].variables, sides[1].variables, order)
