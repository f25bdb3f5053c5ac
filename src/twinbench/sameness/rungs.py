"""The ladder of sameness: eight tests of one model against another, cheapest first, and what evidence says of each.

The eighth is climbed where models are trained, by the benchmark and by `compare --data`. The ninth rung, the same score
over seeds, follows from the tables of trained runs.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from twinbench.sameness.evidence import Evidence
from twinbench.sameness.probes import is_float, values_of
from twinbench.sameness.subjects import Pair, count_parameters

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
    """Return a rung with its name."""
    return Rung(number, NAMES[number - 1], outcome, value, sentence)


def stopped(rungs: list[Rung], why: str) -> list[Rung]:
    """Fill the rungs that could not be reached."""
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
    return [(q, value) for p, q, value in carried if is_float(p)]


def function_rungs(evidence: Evidence, together: Pair, names: tuple[str, str] = ("A", "B")) -> list[Rung]:
    """Rungs 6 and 7: with A's random weights in B, the same outputs in both modes, and the same gradients.

    A rung fails where the two were seen to differ, or B alone raises; what could not be held against A is not
    applicable.
    """
    return [_function_rung(evidence, together, names), _gradient_rung(evidence)]


def _function_rung(  # noqa: PLR0911 - one return per outcome
    evidence: Evidence, together: Pair, names: tuple[str, str]
) -> Rung:
    if evidence.unlike:
        return make_rung(6, "fail", None, f"{evidence.unlike[0].upper()}{evidence.unlike[1:]}.")
    if not evidence.transferable:
        transfer = together.transfer
        missing = [v.path for v in (*transfer.left_a, *transfer.left_b)] or transfer.conflicts or ["a weight"]
        return make_rung(6, "not applicable", None, f"The weights could not be matched one to one ({missing[0]}).")
    if evidence.raised is not None:
        mode, side, error = evidence.raised.mode, evidence.raised.side, evidence.raised.error
        return make_rung(6, "fail" if side else "not applicable", None, f"In {mode} mode {names[side]} raises {error}")
    results = {"inference": evidence.inference, "training": evidence.training}
    known = {mode: result for mode, result in results.items() if result is not None}
    for mode, result in known.items():
        if not result.equal:
            sentence = (
                f"With the same weights the outputs in {mode} mode differ by {result.deviation:.3g} where values "
            )
            return make_rung(6, "fail", result.relative, f"{sentence}reach {result.scale:.3g}.")
    if not known:
        return make_rung(6, "not applicable", None, "The outputs could not be compared.")
    if all(result.bit_identical for result in known.values()):
        return make_rung(6, "pass", 0.0, "With the same weights the outputs are bit-identical in both modes.")
    worst = max(result.relative for result in known.values())
    sentence = f"With the same weights the outputs agree within rounding (relative {worst:.1e})."
    return make_rung(6, "pass", worst, sentence)


def _gradient_rung(evidence: Evidence) -> Rung:
    result = evidence.gradients
    if result is None:  # models without gradients exist
        why = f"Gradients could not be taken: {evidence.no_gradients}" if evidence.no_gradients else ""
        return make_rung(7, "not applicable", None, why or "The gradients were not compared.")
    if not result.equal:
        path = evidence.unequal[0] if evidence.unequal else "a weight"
        sentence = f"The gradients differ, that of {path} for one, by {result.deviation:.3g}."
        return make_rung(7, "fail", result.relative, sentence)
    if result.bit_identical:
        return make_rung(7, "pass", 0.0, "All gradients are bit-identical.")
    sentence = f"The gradients agree within rounding (relative {result.relative:.1e})."
    return make_rung(7, "pass", result.relative, sentence)
