"""Finds which numbers of B's weights are which numbers of A's, where no variable corresponds to one variable.

A `Dense(2)` is two `Dense(1)` joined; attention written out holds as matrices what `MultiHeadAttention` holds by heads;
after branches that are joined in another order the rows of a kernel are. In all of these each number of B's weights is
one number of A's. Which one is found from the functions alone, by colour refinement as for the isomorphism of graphs
(Weisfeiler and Leman, 1968): numbers of one colour hold one value, the gradients of random projections of the outputs
tell them apart, and what stays alike is told apart by its order of use. A proposal is accepted only if the functions
agree under it with random weights.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from twinbench.sameness.probes import compare_outputs, fitted, give_random_weights, is_float, kept
from twinbench.sameness.signature import call_model
from twinbench.sameness.transfer import Transfer, rearranged

if TYPE_CHECKING:
    from twinbench.sameness.subjects import Pair, Subject

LIMIT = 600_000
"""Above this many numbers only their order of use is tried."""

_SECONDS = 30.0
_ROUNDS = 80
_CANONICAL_ROUNDS = 5
_SCALES = (0.05, 0.4)
_QUIET_ROWS = [0, 1, -2, -1]  # of the probe inputs: those of ordinary size


class _UnlikeError(Exception):
    """No arrangement of the weights makes the two functions one."""


def match_numbers(
    pair: "Pair", guesses: Sequence[Transfer], sound: Sequence[Transfer], arrays: Sequence[np.ndarray]
) -> bool | None:
    """Look for an arrangement of A's weights in B under which the functions agree, and put it into the pair.

    Args:
        pair: Two models whose weights do not correspond, or do not fit as they are.
        guesses: Transfers to start from, most trusting first; what they leave open is looked for.
        sound: More of them, which hold no pair that an arrangement could contradict.
        arrays: Inputs to probe with.

    Returns:
        True where an arrangement was found. False where none exists, as outputs or gradients differ even with one
        number in all weights that have the same effect. None where none was found.
    """
    starts = list({tuple(id(v) for v in (*s.left_a, *s.left_b)): s for s in (*guesses, *sound)}.values())
    until, before = time.process_time() + _SECONDS, pair.transfer
    few = [array if pair.a.signature.batch else array[_QUIET_ROWS] for array in arrays]
    sides = _Side(pair.a, few), _Side(pair.b, fitted(few, pair.b))
    with kept(pair.a, pair.b):
        try:
            if before.complete and agrees(pair, arrays):
                return True
            for propose in (_by_use, _by_effect):
                for start in starts:
                    proposal = propose(sides, start, until) if _opened(sides, start) else None
                    if proposal is not None:
                        pair.transfer = proposal
                        if agrees(pair, arrays):
                            return True
                if any(_unlike(sides, start) for start in sound):
                    pair.transfer = before
                    return False
        except Exception:  # noqa: S110 - what cannot be probed here is said to be so when the models are compared
            pass
    pair.transfer = before
    return None


def agrees(pair: "Pair", arrays: Sequence[np.ndarray]) -> bool:
    """Tell whether the outputs of both models agree under the pair's transfer, with random weights."""
    give_random_weights(pair.transfer, 5)
    return compare_outputs(pair, arrays, training=False).equal


def _opened(sides: "tuple[_Side, _Side]", start: Transfer) -> bool:
    """Lay out what a transfer leaves open, with random weights elsewhere; whether as many numbers are open in both."""
    for side, variables in zip(sides, (start.left_a, start.left_b), strict=True):
        side.open(variables)
    if start.conflicts or sides[0].size != sides[1].size or not sides[0].size:
        return False
    give_random_weights(start, 5)
    return True


def _unlike(sides: "tuple[_Side, _Side]", start: Transfer) -> bool:
    """Whether outputs or gradients, in whatever order, differ with numbers that cannot be told apart otherwise."""
    if not _opened(sides, start) or sides[0].size > LIMIT:
        return False
    half = sides[0].size
    colours = np.zeros(2 * half, dtype="int64")
    generator = np.random.default_rng(4)
    for _ in range(_CANONICAL_ROUNDS):
        try:
            gradients, noise = _told_apart(sides, colours, generator)
        except _UnlikeError:
            return True
        for gradient, moved in zip(gradients, noise, strict=True):
            x, y = np.sort(gradient[:half]), np.sort(gradient[half:])
            tolerance = 64 * (moved[:half] + moved[half:]).max() + 1e-3 * np.abs(x).max()
            if np.isfinite(tolerance) and np.abs(x - y).max() > tolerance:
                return True
        before = colours.max()
        colours = _split(colours, gradients, noise)
        if colours.max() == before or _uneven(colours, half):
            return False
    return False


def _told_apart(
    sides: "tuple[_Side, _Side]", colours: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The gradients of A's numbers and then B's, one value for each colour, and how far rounding moves them.

    Raises:
        _UnlikeError: The outputs differ.
    """
    values = np.split(generator.uniform(0.5, 1.5, colours.max() + 1)[colours], 2)
    left, right = (side.fingerprints(part) for side, part in zip(sides, values, strict=True))
    if any(not _alike(x, y) for x, y in zip(left[0], right[0], strict=True)):
        raise _UnlikeError
    return np.concatenate([left[1], right[1]], axis=1), np.concatenate([left[2], right[2]], axis=1)


def _by_use(sides: "tuple[_Side, _Side]", start: Transfer, until: float) -> Transfer:
    """Carry what is open in its order of use."""
    return _transfer(start, sides, _roles(sides))


def _by_effect(sides: "tuple[_Side, _Side]", start: Transfer, until: float) -> Transfer | None:
    """Carry each open number to the one that does the same."""
    if sides[0].size > LIMIT or time.process_time() > until:
        return None
    try:
        return _transfer(start, sides, _refined(sides, _roles(sides), until))
    except _UnlikeError:
        return None


class _Side:
    """One model with the variables whose numbers are looked for, laid out one after the other."""

    def __init__(self, subject: "Subject", arrays: Sequence[np.ndarray]) -> None:
        self.subject = subject
        self.arrays = [keras.ops.convert_to_tensor(array) for array in arrays]
        self.everything = [v for v in subject.variables() if is_float(v)]
        self.probe: Callable[..., Any] = tf.function(self._probe, autograph=False) if subject.graph else self._probe
        self.open([])

    def open(self, variables: Sequence[Any]) -> None:
        """Take the variables whose numbers are open."""
        self.variables = list(variables)
        self.sizes = [int(np.prod(tuple(v.shape), dtype="int64")) for v in self.variables]
        self.size = sum(self.sizes)

    def assign(self, numbers: np.ndarray) -> None:
        """Put numbers into the variables, in their order."""
        for variable, part in zip(self.variables, np.split(numbers, np.cumsum(self.sizes)[:-1]), strict=True):
            variable.assign(part.reshape(tuple(variable.shape)).astype("float32"))

    def _probe(self, arrays: list[Any], seed: Any) -> tuple[Any, list[Any]]:
        held = [variable.value for variable in self.everything]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for value in held:
                tape.watch(value)
            outputs = keras.tree.flatten(call_model(self.subject.model, self.subject.signature.pack(arrays), False))
            flat = [tf.reshape(tf.cast(o, "float32"), [tf.shape(o)[0], -1]) for o in self.subject.outputs(outputs)]
            joined = tf.concat(flat, axis=1)
            total = tf.reduce_sum(joined * tf.random.stateless_normal(tf.shape(joined), seed))
        gradients = tape.gradient(total, held, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return joined, [tf.reshape(tf.convert_to_tensor(g), [-1]) for g in gradients]

    def _measured(self, numbers: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        self.assign(numbers)
        outputs, gradients = self.probe(self.arrays, tf.constant([seed, 0]))
        by_variable = {id(v): g for v, g in zip(self.everything, gradients, strict=True)}
        joined = np.concatenate([np.asarray(by_variable[id(v)], dtype="float64") for v in self.variables])
        return np.asarray(outputs, dtype="float64"), joined

    def fingerprints(self, numbers: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Outputs at several scales of the numbers, gradients by number, and how far rounding moves these."""
        outputs, gradients, noise = [], [], []
        for scale in _SCALES:
            for seed in (1, 2):
                output, gradient = self._measured(scale * numbers, seed)
                _, moved = self._measured(scale * numbers * (1 + 2.0**-22), seed)
                gradients.append(gradient)
                noise.append(np.abs(moved - gradient))
            outputs.append(output)
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
        gradients, noise = _told_apart(sides, colours, generator)
        before = colours.max()
        colours = _split(colours, gradients, noise)
        if _uneven(colours, half):
            raise _UnlikeError
        if np.bincount(colours).max() == 2 or time.process_time() > until:
            break
        if colours.max() == before:
            colours = _by_order(colours, np.abs(gradients).max(axis=0), half)
    return colours


def _uneven(colours: np.ndarray, half: int) -> bool:
    """Whether some colour is not that of as many numbers of A as of B."""
    counts = np.bincount(colours)
    return bool(np.any(2 * np.bincount(colours[:half], minlength=len(counts)) != counts))


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
    """Tell the numbers of the smallest colour apart by their order of use; colours without any effect come last."""
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
