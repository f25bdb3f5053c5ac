"""The ladder of sameness: eight tests of a variant against its reference, cheapest first.

The ninth rung, the same score over seeds, is not climbed here: it follows from the tables of trained runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from twinbench.errors import ANYTHING_RAISED, first_cause, raise_if_memory_ran_out
from twinbench.sameness.pairing import Pair, count_parameters
from twinbench.sameness.probes import (
    Comparison,
    compare_gradients,
    compare_outputs,
)
from twinbench.sameness.signature import call_model

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


def make_rung(number: int, outcome: Outcome, value: float | None, sentence: str) -> Rung:
    """Returns a rung with its name."""
    return Rung(number, NAMES[number - 1], outcome, value, sentence)


def stopped(rungs: list[Rung], why: str) -> list[Rung]:
    """Fills the rungs that could not be reached."""
    missing = range(len(rungs) + 1, len(NAMES) + 1)
    return rungs + [make_rung(number, "not applicable", None, why) for number in missing]


def graph_rung(together: Pair) -> Rung:
    """Rung 3: the canonical graphs."""
    if together.alignment is None:
        which = together.a if together.a.graph is None else together.b
        return make_rung(3, "not applicable", None, f"A model could not be traced to a graph ({which.untraced}).")
    count = len(together.differences)
    if not count:
        return make_rung(3, "pass", 0.0, "The canonical graphs are equal.")
    first = together.differences[0]
    more = f", and {count - 1} more" if count > 1 else ""
    return make_rung(3, "fail", float(count), f"{first.where}: {first.a} against {first.b}{more}.")


def parameter_rung(together: Pair) -> Rung:
    """Rung 4: unique weights, counted after a call."""
    left, right = (count_parameters(one.model.weights) for one in (together.a, together.b))
    if left == right:
        return make_rung(4, "pass", 0.0, f"Both have {left:,} parameters.")
    return make_rung(4, "fail", float(right - left), f"{right:,} parameters instead of {left:,}.")


def initial_rung(together: Pair) -> Rung:
    """Rung 5: weights right after building under one seed; the number is the share of equal tensors."""
    if not together.transfer.complete:
        return make_rung(5, "not applicable", None, "The weights do not correspond one to one.")
    carried = carried_over(together)
    same = [np.array_equal(value, values_of(q)) for q, value in carried]
    share = float(np.mean(same)) if same else 1.0
    if all(same):
        return make_rung(5, "pass", 1.0, "Under the same seed all initial weights are bit-identical.")
    path = carried[same.index(False)][0].path
    return make_rung(5, "fail", share, f"Under the same seed {same.count(False)} of {len(same)} weight tensors start "
                 f"with other values, {path} the first of them.")  # fmt: skip


def carried_over(together: Pair) -> list[tuple[Any, np.ndarray]]:
    """B's floating-point variables with A's values for them."""
    carried = together.transfer.carried(values_of)
    return [(q, value) for p, q, value in carried if "float" in keras.backend.standardize_dtype(p.dtype)]


def values_of(variable: Any) -> np.ndarray:
    """Returns the values of a variable."""
    return np.asarray(keras.ops.convert_to_numpy(variable))


def function_rung(together: Pair, arrays: Sequence[np.ndarray]) -> Rung:
    """Rung 6: with A's random weights in B, the same outputs in inference and in training mode."""
    results = {}
    for training in (False, True):
        try:
            results[training] = compare_outputs(together, arrays, training=training)
        except ANYTHING_RAISED as error:
            raise_if_memory_ran_out(error)
            mode = "training" if training else "inference"
            outcome, who = _who_raises(together, arrays, training)
            return make_rung(6, outcome, None, f"In {mode} mode {who} raises {first_cause(error)}")
    return function_rung_of(results)


def _who_raises(together: Pair, arrays: Sequence[np.ndarray], training: bool) -> tuple[Outcome, str]:
    try:
        call_model(together.a.model, together.a.signature.pack(list(arrays)), training)
    except ANYTHING_RAISED:
        return "not applicable", "the reference"
    return "fail", "it"


def function_rung_of(results: dict[bool, Comparison]) -> Rung:
    """Rung 6 from the comparisons of outputs by mode (False: inference, True: training)."""
    for training, result in results.items():
        if not result.equal:
            mode = "training" if training else "inference"
            return make_rung(6, "fail", result.relative, f"With the same weights the outputs in {mode} mode differ by "
                         f"{result.deviation:.3g} where values reach {result.scale:.3g}.")  # fmt: skip
    if all(result.bit_identical for result in results.values()):
        return make_rung(6, "pass", 0.0, "With the same weights the outputs are bit-identical in both modes.")
    worst = max(result.relative for result in results.values())
    return make_rung(
        6, "pass", worst, f"With the same weights the outputs agree within rounding (relative {worst:.1e})."
    )


def gradient_rung(together: Pair, arrays: Sequence[np.ndarray]) -> Rung:
    """Rung 7: the same gradients of every weight."""
    try:
        result, unequal = compare_gradients(together, arrays)
    except ANYTHING_RAISED as error:  # models without gradients exist
        raise_if_memory_ran_out(error)
        return make_rung(7, "not applicable", None, f"Gradients could not be taken: {first_cause(error)}")
    return gradient_rung_of(result, unequal[0][1].path if unequal else "a weight")


def gradient_rung_of(result: Comparison, path: str = "a weight") -> Rung:
    """Rung 7 from the comparison of gradients and the path of a weight whose gradients differ."""
    if not result.equal:
        return make_rung(7, "fail", result.relative, f"The gradients differ, that of {path} for one, by "
                     f"{result.deviation:.3g}.")  # fmt: skip
    if result.bit_identical:
        return make_rung(7, "pass", 0.0, "All gradients are bit-identical.")
    return make_rung(
        7, "pass", result.relative, f"The gradients agree within rounding (relative {result.relative:.1e})."
    )
