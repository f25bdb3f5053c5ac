"""Probes two models as functions: outputs, updates of running statistics, and gradients, with honest tolerances.

Weights are random, so that no bias is zero and no normalisation is neutral. What counts as equal is
measured: the first model is evaluated again with its batch reversed and with every weight moved by one part
in 2^23, and deviations within a small multiple of what that does are rounding, not difference.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from twinbench.sameness.keeping import state_as_it_was
from twinbench.sameness.randomness import start_drawing_again, without_noise
from twinbench.sameness.signature import call_model

if TYPE_CHECKING:
    from twinbench.sameness.subjects import Pair, Subject
    from twinbench.sameness.transfer import Transfer

ROUNDING_MULTIPLE = 64.0
"""How many times the measured effect of rounding still counts as rounding."""

_STEP = 2.0**-23


@dataclass(frozen=True)
class Comparison:
    """Two lists of arrays compared: largest deviation, what rounding explains of it, and the scale of the values."""

    deviation: float
    tolerance: float
    scale: float
    bit_identical: bool
    worst: int = 0

    @property
    def equal(self) -> bool:
        """Whether rounding explains the deviation."""
        return self.bit_identical or self.deviation <= self.tolerance

    @property
    def relative(self) -> float:
        """The deviation as a part of the largest value."""
        return self.deviation / self.scale if self.scale > 0 else self.deviation


def compare_arrays(left: Sequence[np.ndarray], right: Sequence[np.ndarray], noise: Sequence[float]) -> Comparison:
    """Compare arrays pairwise; the pair that exceeds its tolerance most decides."""
    worst = Comparison(0.0, 0.0, 0.0, bit_identical=True)
    excess = -np.inf
    identical = len(left) == len(right)
    for k, (one, other) in enumerate(zip(left, right, strict=False)):
        if one.size == other.size and one.shape != other.shape:
            other = other.reshape(one.shape)  # noqa: PLW2901 - a trailing axis of length one does not matter
        if one.shape != other.shape:
            return Comparison(float("inf"), 0.0, 1.0, bit_identical=False, worst=k)
        same = np.array_equal(one, other, equal_nan=True)
        identical &= same
        scale = largest(one)
        tolerance = tolerated(noise[k], scale)
        deviation = 0.0 if same else _deviation(one, other)
        if deviation - tolerance > excess:
            excess = deviation - tolerance
            worst = Comparison(deviation, tolerance, scale, bit_identical=False, worst=k)
    if len(left) != len(right):
        return Comparison(float("inf"), 0.0, 1.0, bit_identical=False)
    return Comparison(worst.deviation, worst.tolerance, worst.scale, identical, worst.worst)


def tolerated(noise: float, scale: float) -> float:
    """How large a deviation counts as rounding."""
    return ROUNDING_MULTIPLE * noise + 1e-6 * scale + 1e-12


def largest(array: np.ndarray) -> float:
    """The largest finite number of an array, by its amount."""
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size else 0.0


def _deviation(one: np.ndarray, other: np.ndarray) -> float:
    finite = np.isfinite(one) & np.isfinite(other)
    if not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return float("inf")
    return float(np.abs(one[finite] - other[finite]).max()) if finite.any() else 0.0


QUIET = 1e-3
"""How much smaller signals are in the quiet probe, in which small constants like an epsilon show."""


def give_random_weights(transfer: "Transfer", seed: int, *, quiet: bool = False) -> None:
    """Give both models the same random weights, which keep signals of ordinary size, or small.

    Kernels are normal with the variance of Glorot and Bengio (2010); scales and variances lie between 0.5
    and 1.5; everything else is normal with standard deviation 0.2. When `quiet`, all but kernels are smaller.
    """
    generator = np.random.default_rng(seed)
    for variable in transfer.sources:
        if not is_float(variable):
            continue
        shape = tuple(int(axis) for axis in variable.shape)
        name = str(getattr(variable, "path", getattr(variable, "name", ""))).split("/")[-1]
        if "variance" in name or "gamma" in name or name == "scale":
            values = generator.uniform(0.5, 1.5, shape)
        elif len(shape) >= 2:
            receptive = float(np.prod(shape[:-2])) if len(shape) > 2 else 1.0
            spread = np.sqrt(2.0 / (receptive * (shape[-2] + shape[-1])))
            values = generator.standard_normal(shape) * (0.5 if "embedding" in name else spread)
        else:
            values = 0.2 * generator.standard_normal(shape)
        if quiet and (len(shape) < 2 or "embedding" in name):
            values *= QUIET**2 if "variance" in name else QUIET
        variable.assign(values.astype("float32"))
    transfer.apply()


def excite(pair: "Pair", arrays: Sequence[np.ndarray], seed: int) -> None:
    """Give both models random weights that tell most inputs apart: behind dead ReLUs any two models agree."""

    def draw(seed: int) -> int:
        give_random_weights(pair.transfer, seed)
        with kept(pair.a, only_state=True):  # a call moves A's own state on, and not B's
            return min(_distinct(output) for output in outputs_of(pair.a, arrays, training=False))

    told: dict[int, int] = {}
    for tried in range(seed, seed + 6):
        told[tried] = draw(tried)
        if told[tried] >= max(map(_distinct, arrays)):
            return
    draw(max(told, key=told.__getitem__))


def _distinct(array: np.ndarray) -> int:
    """How many different rows an array has."""
    rows = array.reshape(len(array), -1)
    if rows.dtype.kind not in "fiub":
        return len({tuple(row) for row in rows})
    return len({row.tobytes() for row in np.round(rows / (largest(rows) or 1.0), 5) + 0.0})


@contextmanager
def kept(*subjects: "Subject", only_state: bool = False) -> Iterator[None]:
    """Restore every variable of the models afterwards; with `only_state` those that a mere call can change."""
    saved = [
        (v, np.array(keras.ops.convert_to_numpy(v)))
        for one in subjects
        for v in all_variables(one)
        if not (only_state and v.trainable)
    ]
    with ExitStack() as stack:
        for one in subjects:
            stack.enter_context(state_as_it_was(one.model, all_variables(one)))
        for variable, value in saved:
            stack.callback(variable.assign, value)
        yield


def all_variables(one: "Subject") -> list[Any]:
    """Every variable that can change while a model runs."""
    known = {id(v): v for v in one.model.variables}
    if one.graph is not None:
        known |= {id(v): v for v in one.graph.untracked}
    return list(known.values())


# -- the probes ----------------------------------------------------------------------------------------------------


def outputs_of(one: "Subject", arrays: Sequence[np.ndarray], training: bool) -> list[np.ndarray]:
    """Call a model on one array per input and return its outputs as a flat list of float64 arrays."""
    start_drawing_again()
    packed = one.signature.pack([keras.ops.convert_to_tensor(array) for array in arrays])
    outputs = one.outputs(keras.tree.flatten(call_model(one.model, packed, training)))
    return [np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(o, "float32")), dtype="float64") for o in outputs]


def fitted(arrays: Sequence[np.ndarray], one: "Subject") -> list[np.ndarray]:
    """The same numbers in the shapes and dtypes that another model takes."""
    fitting = []
    for array, spec in zip(arrays, one.signature.inputs, strict=True):
        shape = spec.concrete() if None not in spec.shape else array.shape[1:]
        if array.shape[1:] != shape and np.prod(array.shape[1:]) == np.prod(shape):
            array = array.reshape((array.shape[0], *shape))  # noqa: PLW2901 - the next lines use the new shape
        fits = spec.dtype in (str(array.dtype), "string") or "float" in spec.dtype
        fitting.append(array if fits else array.astype(spec.dtype))
    return fitting


def nudge(variables: Sequence[Any]) -> None:
    """Move every number of every variable by one part in 2^23, up or down at random."""
    generator = np.random.default_rng(1)
    for variable in variables:
        if is_float(variable):
            value = keras.ops.convert_to_numpy(variable).astype("float64")
            variable.assign((value * (1 + _STEP * generator.choice([-1.0, 1.0], value.shape))).astype("float32"))


def _noise(one: "Subject", arrays: Sequence[np.ndarray], base: list[np.ndarray], training: bool) -> list[float]:
    with kept(one):
        nudge(one.variables())
        nudged = outputs_of(one, arrays, training)
    noise = [_deviation(b, n) for b, n in zip(base, nudged, strict=True)]
    if draws_at_random(one, arrays, base, training):
        return noise  # each sample of a batch gets noise of its own, whatever the order of the batch
    with kept(one, only_state=True):
        turned = outputs_of(one, [array[::-1] for array in arrays], training)
    reversed_batch = [o[::-1] if o.ndim else o for o in turned]
    changes = [_deviation(b, r) if b.shape == r.shape else 0.0 for b, r in zip(base, reversed_batch, strict=True)]
    return [max(pair) for pair in zip(noise, changes, strict=True)]


def draws_at_random(one: "Subject", arrays: Sequence[np.ndarray], base: list[np.ndarray], training: bool) -> bool:
    """Whether a model gives other outputs when its random numbers start elsewhere."""
    with kept(one, only_state=True), without_noise(one.model, seed=1):
        again = outputs_of(one, arrays, training)
    return any(not np.array_equal(x, y, equal_nan=True) for x, y in zip(base, again, strict=True))


def compare_outputs(pair: "Pair", arrays: Sequence[np.ndarray], *, training: bool) -> Comparison:
    """The outputs of both models on the same inputs, with B holding A's weights already."""
    return _compared(pair, arrays, training)[0]


def compare_training(
    pair: "Pair", arrays: Sequence[np.ndarray], *, silenced: bool = True
) -> tuple[Comparison, Comparison, list[tuple[Any, Any]]]:
    """One call of both models in training mode.

    Args:
        pair: The models, B with A's weights.
        arrays: One batch for each input.
        silenced: Whether Keras's own noise is silenced; if not, it is drawn as that of a person's own layers.

    Returns:
        The comparison of the outputs, that of the running statistics after the call, and the pairs of variables (of A,
        of B) that were changed differently.
    """
    outputs, statistics, left, right = _compared(pair, arrays, True, silenced=silenced)
    noise = [1e-7 * max(1.0, largest(values)) for values in left]
    unequal = [
        statistics[k] for k in range(len(statistics)) if not compare_arrays([left[k]], [right[k]], [noise[k]]).equal
    ]
    return outputs, compare_arrays(left, right, noise), unequal


def _compared(
    pair: "Pair", arrays: Sequence[np.ndarray], training: bool, *, silenced: bool = True
) -> tuple[Comparison, list[tuple[Any, Any]], list[np.ndarray], list[np.ndarray]]:
    """Outputs compared, and the running statistics of A (arranged as in B) and of B after the call."""
    with without_noise(pair.a.model, pair.b.model, silenced=silenced):
        with kept(pair.a, only_state=True):
            left = outputs_of(pair.a, arrays, training)
            after = list(pair.transfer.carried(numbers, lambda p, q: not (p.trainable and q.trainable)))
        with kept(pair.b, only_state=True):
            right = outputs_of(pair.b, fitted(arrays, pair.b), training)
            after_b = [numbers(q).ravel() for _, q, _ in after]
        noise = [0.0] * len(left)
        if not compare_arrays(left, right, noise).bit_identical:
            noise = _finite(_noise(pair.a, arrays, left, training))
    outputs = compare_arrays(left, right, noise)
    return outputs, [(p, q) for p, q, _ in after], [value.ravel() for _, _, value in after], after_b


def values_of(variable: Any) -> np.ndarray:
    """The values of a variable."""
    return np.asarray(keras.ops.convert_to_numpy(variable))


def numbers(variable: Any) -> np.ndarray:
    """A variable's values as float64."""
    return np.asarray(keras.ops.convert_to_numpy(variable), dtype="float64")


def _finite(noise: list[float]) -> list[float]:
    return [value if np.isfinite(value) else 0.0 for value in noise]


def gradients_of(one: "Subject", arrays: Sequence[np.ndarray], variables: Sequence[Any]) -> list[np.ndarray]:
    """Gradients of a fixed random projection of the outputs, in training mode, by variable (zeros where none)."""
    start_drawing_again()
    packed = one.signature.pack([keras.ops.convert_to_tensor(array) for array in arrays])
    held = [getattr(variable, "value", variable) for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for value in held:
            tape.watch(value)
        outputs = one.outputs(keras.tree.flatten(call_model(one.model, packed, True)))
        generator = np.random.default_rng(2)
        total = tf.constant(0.0)
        for output in outputs:
            size = int(np.prod(output.shape))
            weights = generator.standard_normal(size).astype("float32")
            total += tf.reduce_sum(tf.reshape(tf.cast(output, "float32"), [-1]) * weights) / output.shape[0]
    gradients = tape.gradient(total, held)
    return [
        np.zeros(tuple(v.shape)) if g is None else np.asarray(tf.convert_to_tensor(g), dtype="float64")
        for g, v in zip(gradients, variables, strict=True)
    ]


def compare_gradients(
    pair: "Pair", arrays: Sequence[np.ndarray], fed: Sequence[np.ndarray] | None = None, *, silenced: bool = True
) -> tuple[Comparison, list[tuple[Any, Any]]]:
    """Gradients of both models, on the same arrays or what B is fed, with respect to the weights that correspond.

    Keras's own noise is silenced, or drawn as that of a person's own layers.

    Returns:
        The comparison, and the pairs of variables whose gradients differ.
    """
    sources = [p for p in pair.transfer.sources if is_float(p)]
    with ExitStack() as stack:
        stack.enter_context(kept(pair.a, pair.b, only_state=True))
        stack.enter_context(without_noise(pair.a.model, pair.b.model, silenced=silenced))
        with kept(pair.a, only_state=True):
            left, carried = _carried_gradients(pair, arrays, sources)
        right = gradients_of(pair.b, fed or fitted(arrays, pair.b), [q for _, q, _ in carried])
        noise = [0.0] * len(carried)
        if not compare_arrays([g for _, _, g in carried], right, noise).bit_identical:
            with kept(pair.a):
                nudge(pair.a.variables())
                _, nudged = _carried_gradients(pair, arrays, sources)
            extent = max((largest(g) for g in left), default=0.0)
            noise = _finite(
                [_deviation(x, y) + 1e-7 * extent for (*_, x), (*_, y) in zip(carried, nudged, strict=True)]
            )
    expected = [g for _, _, g in carried]
    unequal = [(p, q) for k, (p, q, g) in enumerate(carried) if not compare_arrays([g], [right[k]], [noise[k]]).equal]
    return compare_arrays(expected, right, noise), unequal


def _carried_gradients(
    pair: "Pair", arrays: Sequence[np.ndarray], sources: list[Any]
) -> tuple[list[np.ndarray], list[tuple[Any, Any, np.ndarray]]]:
    """A's gradients, and the same as B holds its weights."""
    gradients = gradients_of(pair.a, arrays, sources)
    by_source = {id(p): g for p, g in zip(sources, gradients, strict=True)}
    zeros = {id(p): np.zeros(tuple(p.shape)) for p in pair.transfer.sources if not is_float(p)}
    return gradients, [c for c in pair.transfer.carried(lambda p: (by_source | zeros)[id(p)]) if is_float(c[0])]


def is_float(variable: Any) -> bool:
    """Whether a variable holds floating-point numbers."""
    return "float" in keras.backend.standardize_dtype(variable.dtype)
