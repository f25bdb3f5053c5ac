"""The ladder of sameness: eight tests of a variant against its reference, cheapest first.

The ninth rung, the same score over seeds, is not climbed here: it follows from the tables of trained runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from twinbench.audit.inputs import combined, input_ranges, probe_inputs
from twinbench.audit.pairing import Pair, Subject, count_parameters, pair, subject
from twinbench.audit.probes import (
    Comparison,
    all_variables,
    compare_arrays,
    compare_gradients,
    compare_outputs,
    kept,
    randomise,
)
from twinbench.audit.signature import Signature, call_model, signature_from_example
from twinbench.errors import first_cause, raise_if_memory_ran_out

Outcome = Literal["pass", "fail", "not applicable"]

NAMES = (
    "builds",
    "runs on a batch",
    "same graph",
    "same parameter count",
    "same initial weights",
    "same function",
    "same gradients",
    "same training",
)


@dataclass(frozen=True)
class Rung:
    """One test on the ladder: its number, what came out, the number behind it, and a sentence."""

    number: int
    name: str
    outcome: Outcome
    value: float | None
    sentence: str


def _rung(number: int, outcome: Outcome, value: float | None, sentence: str) -> Rung:
    return Rung(number, NAMES[number - 1], outcome, value, sentence)


def stopped(rungs: list[Rung], why: str) -> list[Rung]:
    """Fills the rungs that could not be reached."""
    missing = range(len(rungs) + 1, len(NAMES) + 1)
    return rungs + [_rung(number, "not applicable", None, why) for number in missing]


def climb(
    reference: Callable[[], keras.Model],
    variant: Callable[[], keras.Model],
    *,
    example: tuple[np.ndarray, np.ndarray],
    loss: str,
    seed: int,
    steps: int,
) -> list[Rung]:
    """Climbs rungs 1 to 8 with a variant against its reference.

    Args:
        reference: Builds the reference; called several times.
        variant: Builds the variant.
        example: Images, float32 of shape (n, height, width, channels) in [0, 1], and their integer labels of
            shape (n,), or the images again for a reconstruction.
        loss: A Keras loss by name; cross-entropies are taken on logits.
        seed: Seed under which both are built.
        steps: How many optimiser steps (Adam, rate 0.001) the eighth rung takes on parts of the example.

    Returns:
        Eight rungs. A builder that raises stops at rung 1, a failing batch at rung 2; what cannot be
        reached is not applicable.

    Raises:
        Exception: Whatever the reference raises while it is built or run: without it there is nothing to
        compare.
    """
    images, targets = example
    signature = signature_from_example(images)
    keras.utils.set_random_seed(seed)
    model = reference()
    one = subject(model, signature.as_called_by(model))
    try:
        keras.utils.set_random_seed(seed)
        model = variant()
    except Exception as error:  # any failure to build is the finding
        raise_if_memory_ran_out(error)
        return stopped([_rung(1, "fail", None, f"Building it raises {first_cause(error)}")], "it cannot be built")
    rungs = [_rung(1, "pass", None, "It builds.")]
    try:
        other = subject(model, signature.as_called_by(model))
        call_model(model, other.signature.pack([keras.ops.convert_to_tensor(images[:4])]), False)
    except Exception as error:  # any failure to run is the finding
        raise_if_memory_ran_out(error)
        failed = _rung(2, "fail", None, f"It runs on no batch: {first_cause(error)}")
        return stopped([*rungs, failed], "it cannot run on a batch")
    rungs.append(_rung(2, "pass", None, "It runs on a batch."))
    together = pair(one, other)
    rungs += [graph_rung(together), parameter_rung(together), initial_rung(together)]
    probes = _probe_arrays(together, signature)
    if not together.transfer.complete:
        why = _untransferable(together)
        rungs += [_rung(number, "fail", None, why) for number in (6,)]
        return stopped(rungs, "the weights cannot be carried across one to one")
    with kept(one, other):
        randomise(together.transfer.sources, seed)
        together.transfer.apply()
        rungs += [function_rung(together, probes), gradient_rung(together, probes)]
    batches = _batches(images, targets, steps)
    rungs.append(_training_rung(reference, variant, signature, batches, loss=loss, seed=seed))
    return rungs


def _probe_arrays(together: Pair, signature: Signature) -> list[np.ndarray]:
    ranges = combined(
        input_ranges(together.a.graph, together.a.model, signature),
        input_ranges(together.b.graph, together.b.model, signature),
    )
    return probe_inputs(signature, ranges)


def _untransferable(together: Pair) -> str:
    made = together.transfer
    if made.conflicts:
        return f"The weights do not correspond one to one: {made.conflicts[0]} is shared on one side only."
    names = [v.path for v in (*made.left_a, *made.left_b)]
    return f"The weights do not correspond: {names[0]} has no counterpart of its shape."


def graph_rung(together: Pair) -> Rung:
    """Rung 3: the canonical graphs."""
    if together.alignment is None:
        which = together.a if together.a.graph is None else together.b
        return _rung(3, "not applicable", None, f"A model could not be traced to a graph ({which.untraced}).")
    count = len(together.differences)
    if not count:
        return _rung(3, "pass", 0.0, "The canonical graphs are equal.")
    first = together.differences[0]
    more = f", and {count - 1} more" if count > 1 else ""
    return _rung(3, "fail", float(count), f"{first.where}: {first.a} against {first.b}{more}.")


def parameter_rung(together: Pair) -> Rung:
    """Rung 4: unique weights, counted after a call."""
    left, right = (count_parameters(one.model.weights) for one in (together.a, together.b))
    if left == right:
        return _rung(4, "pass", 0.0, f"Both have {left:,} parameters.")
    return _rung(4, "fail", float(right - left), f"{right:,} parameters instead of {left:,}.")


def initial_rung(together: Pair) -> Rung:
    """Rung 5: weights right after building under one seed; the number is the share of equal tensors."""
    if not together.transfer.complete:
        return _rung(5, "not applicable", None, "The weights do not correspond one to one.")
    carried = _carried(together)
    same = [np.array_equal(value, _values(q)) for q, value in carried]
    share = float(np.mean(same)) if same else 1.0
    if all(same):
        return _rung(5, "pass", 1.0, "Under the same seed all initial weights are bit-identical.")
    path = carried[same.index(False)][0].path
    return _rung(5, "fail", share, f"Under the same seed {same.count(False)} of {len(same)} weight tensors start "
                 f"with other values, {path} the first of them.")  # fmt: skip


def _carried(together: Pair) -> list[tuple[Any, np.ndarray]]:
    """B's floating-point variables with A's values for them."""
    carried = together.transfer.carried(_values)
    return [(q, value) for p, q, value in carried if "float" in keras.backend.standardize_dtype(p.dtype)]


def _values(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable))


def function_rung(together: Pair, arrays: Sequence[np.ndarray]) -> Rung:
    """Rung 6: with A's random weights in B, the same outputs in inference and in training mode."""
    results = {}
    for training in (False, True):
        try:
            results[training] = compare_outputs(together, arrays, training=training)
        except Exception as error:  # any failure to run is the finding
            raise_if_memory_ran_out(error)
            mode = "training" if training else "inference"
            return _rung(6, "fail", None, f"In {mode} mode a model raises {first_cause(error)}")
    return function_rung_of(results)


def function_rung_of(results: dict[bool, Comparison]) -> Rung:
    """Rung 6 from the comparisons of outputs by mode (False: inference, True: training)."""
    for training, result in results.items():
        if not result.equal:
            mode = "training" if training else "inference"
            return _rung(6, "fail", result.relative, f"With the same weights the outputs in {mode} mode differ by "
                         f"{result.deviation:.3g} where values reach {result.scale:.3g}.")  # fmt: skip
    if all(result.bit_identical for result in results.values()):
        return _rung(6, "pass", 0.0, "With the same weights the outputs are bit-identical in both modes.")
    worst = max(result.relative for result in results.values())
    return _rung(6, "pass", worst, f"With the same weights the outputs agree within rounding (relative {worst:.1e}).")


def gradient_rung(together: Pair, arrays: Sequence[np.ndarray]) -> Rung:
    """Rung 7: the same gradients of every weight."""
    try:
        result, unequal = compare_gradients(together, arrays)
    except Exception as error:  # models without gradients exist
        raise_if_memory_ran_out(error)
        return _rung(7, "not applicable", None, f"Gradients could not be taken: {first_cause(error)}")
    return gradient_rung_of(result, unequal[0][1].path if unequal else "a weight")


def gradient_rung_of(result: Comparison, path: str = "a weight") -> Rung:
    """Rung 7 from the comparison of gradients and the path of a weight whose gradients differ."""
    if not result.equal:
        return _rung(7, "fail", result.relative, f"The gradients differ, that of {path} for one, by "
                     f"{result.deviation:.3g}.")  # fmt: skip
    if result.bit_identical:
        return _rung(7, "pass", 0.0, "All gradients are bit-identical.")
    return _rung(7, "pass", result.relative, f"The gradients agree within rounding (relative {result.relative:.1e}).")


def _loss(name: str) -> keras.losses.Loss:
    losses = {
        "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
        "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
        "binary_crossentropy": keras.losses.BinaryCrossentropy,
    }
    return losses[name](from_logits=True) if name in losses else keras.losses.get(name)


def train(one: Subject, batches: Sequence[tuple[np.ndarray, np.ndarray]], loss: str) -> list[np.ndarray]:
    """Trains a model with Adam on given batches and returns its floating-point variables afterwards."""
    one.model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=_loss(loss))
    for images, targets in batches:
        one.model.train_on_batch(images, targets)
    return [_values(v) for v in one.variables()]


def _batches(images: np.ndarray, targets: np.ndarray, steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cuts the example into as many batches of at most 32 as there are steps, starting over at its end."""
    size = max(1, min(32, len(images) // max(1, min(steps, 4))))
    starts = [k * size % max(1, len(images) - size + 1) for k in range(steps)]
    return [(images[k : k + size], targets[k : k + size]) for k in starts]


def _training_rung(
    reference: Callable[[], keras.Model],
    variant: Callable[[], keras.Model],
    signature: Signature,
    batches: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    loss: str,
    seed: int,
) -> Rung:
    """Rung 8: from the same initial weights, on the same batches, to bit-identical weights."""
    steps = len(batches)
    keras.utils.set_random_seed(seed)
    first = reference()
    one = subject(first, signature.as_called_by(first))
    keras.utils.set_random_seed(seed)
    second = variant()
    other = subject(second, signature.as_called_by(second))
    together = pair(one, other)
    together.transfer.apply()
    start = [_values(v) for v in all_variables(one)]
    try:
        train(one, batches, loss)
        train(other, batches, loss)
    except Exception as error:  # a model that cannot be trained is the finding
        raise_if_memory_ran_out(error)
        return _rung(8, "fail", None, f"Training raises {first_cause(error)}")
    carried = _carried(together)
    result = compare_arrays([value for _, value in carried], [_values(q) for q, _ in carried], [0.0] * len(carried))
    if result.bit_identical:
        return _rung(8, "pass", 0.0, f"After {steps} steps on the same batches all weights are bit-identical.")
    again = _repeat(one, start, batches, loss)
    sources = together.transfer.sources
    noise = compare_arrays([_values(p) for p in sources], again(sources), [0.0] * len(sources))
    extra = "" if noise.bit_identical else (
        f"; the reference itself moves by {noise.deviation:.1e} when the same training is repeated"
    )  # fmt: skip
    return _rung(8, "fail", result.relative, f"After {steps} steps the weights differ by at most "
                 f"{result.deviation:.2g}{extra}.")  # fmt: skip


def _repeat(
    one: Subject, start: list[np.ndarray], batches: Sequence[tuple[np.ndarray, np.ndarray]], loss: str
) -> Callable[[list[Any]], list[np.ndarray]]:
    """Trains the reference once more from the same start, to see how far it repeats itself."""

    def again(sources: list[Any]) -> list[np.ndarray]:
        end = [_values(p) for p in sources]
        for variable, value in zip(all_variables(one), start, strict=True):
            variable.assign(value)
        train(one, batches, loss)
        repeated = [_values(p) for p in sources]
        for p, value in zip(sources, end, strict=True):
            p.assign(value)
        return repeated

    return again
