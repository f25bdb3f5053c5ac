"""Differences between numbers of two graphs that showed no effect on a probe, and might on another."""

from twinbench.sameness.difference import Difference
from twinbench.sameness.evidence import Evidence
from twinbench.sameness.subjects import Pair


def without_witness(pair: Pair, evidence: Evidence) -> list[str]:
    """Differences that no probe can dismiss, where none showed an effect: limits, factors and the like.

    A layer's size or padding acts on every input or on none; a number may act only on inputs that were not tried.
    """
    places = []
    for difference in pair.differences:
        dismissed = evidence.same_throughout or difference in evidence.harmless
        if difference.effect == "function" and dismissed and _is_number(difference):
            places.append(f"{difference.where}: {difference.a} in A and {difference.b} in B, without effect on a probe")
    return places


def _is_number(difference: Difference) -> bool:
    """Whether two numbers differ that are no counts, two activations, or what own code compares or calls."""
    if difference.node_a is None or difference.node_b is None:
        return False
    if difference.code == "arch.activation":
        return True
    if "(own code)" in difference.a + difference.b or ": operand " in difference.where:
        return True
    try:
        numbers = [float(value.partition("=")[2]) for value in (difference.a, difference.b)]
    except ValueError:
        return False
    return not all(number.is_integer() and abs(number) < 1e4 for number in numbers)
