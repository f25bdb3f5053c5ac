"""Where in the order of computation two models first differ: in inference, in training, back from the loss."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from twinbench.errors import first_cause, raise_if_memory_ran_out
from twinbench.sameness.alignment import Alignment, align
from twinbench.sameness.canonical import NodeValues, canonical_graph
from twinbench.sameness.evidence import Evidence
from twinbench.sameness.graph import Difference, Edge, Graph, place_of
from twinbench.sameness.localise import View, status_of, tensors, values_with_noise, views_of
from twinbench.sameness.probes import Comparison, compare_arrays, excite, fitted, kept
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.rungs import Rung
from twinbench.sameness.structure import structural_differences
from twinbench.sameness.subjects import Pair

Mode = Literal["inference", "training"]


@dataclass(frozen=True)
class Divergence:
    """How far two models agree in one mode, node by node.

    Attributes:
        mode: The mode in which both were called.
        values: What each pair of nodes (of A, of B) computes, compared.
        first: The first pair whose values differ in a way that reaches an output; None where there is none.
        place: The same in words.
        before: The nodes of A before it, nearest first, whose values B has too, in words.
        harmless: The differences of the graphs that no differing value leads from to an output.
        added: Differences that only the graphs in inference mode show, where own code does another thing there.
    """

    mode: Mode
    values: dict[tuple[int, int], Comparison] = field(default_factory=dict)
    first: tuple[int, int] | None = None
    place: str = ""
    before: tuple[str, ...] = ()
    harmless: tuple[Difference, ...] = ()
    added: tuple[Difference, ...] = ()

    def words(self) -> str:
        """Where the two part; nothing where their values agree to the end."""
        if self.first is None:
            return ""
        until = f"the two agree up to {' and '.join(self.before[:2])}" if self.before else "no value before agrees"
        return f"{until}; from {self.place} on they differ"


def divergence_noted(
    pair: Pair, probes: Sequence[Sequence[np.ndarray]], evidence: Evidence, *, only_first: bool = False
) -> list[str]:
    """Add to the evidence from where on values differ, in each mode in which the outputs were seen to differ.

    A single difference of the graphs, or one of models that only differ in inference, is added as harmless where no
    differing value leads from it to an output. Models that were not traced, or whose weights do not correspond, are
    not looked at.

    Args:
        pair: Two models.
        probes: Batches, one array for each of A's inputs; the first on which values differ decides.
        evidence: What the outputs showed.
        only_first: Whether one mode is enough, as for models where each takes seconds.

    Returns:
        Why it could not be looked for, in a sentence; nothing where it could.
    """
    try:
        with kept(pair.a, pair.b):
            _look(pair, probes, evidence, only_first)
    except Exception as error:
        raise_if_memory_ran_out(error)
        return [f"From which layer on the two differ could not be looked for: {first_cause(error)}"]
    return []


def _look(pair: Pair, probes: Sequence[Sequence[np.ndarray]], evidence: Evidence, only_first: bool) -> None:
    seen: list[tuple[Mode, Comparison | None]] = [("inference", evidence.inference), ("training", evidence.training)]
    modes = [mode for mode, result in seen if result is not None and not result.equal]
    traced = pair.a.graph is not None and pair.b.graph is not None
    if not traced or not pair.transfer.complete or evidence.noise in ("alike", "apart"):
        return
    for mode in modes[: 1 if only_first else 2]:
        for arrays in probes:
            excite(pair, arrays, 11)
            divergence = _compared(pair, arrays, mode)
            if divergence.first is not None:
                evidence.parted.append(divergence)
                break
    candidates = [d for d in pair.differences if d.effect == "function"]
    if evidence.parted and (len(candidates) == 1 or modes == ["inference"]):  # the others were looked at already
        evidence.harmless = [d for d in candidates if all(d in part.harmless for part in evidence.parted)]


def own_place(pair: Pair, arrays: Sequence[np.ndarray]) -> str:
    """From which layer on two models differ with the weights that each has now, as a sentence to add."""
    if pair.alignment is None or not arrays:
        return ""
    try:
        with kept(pair.a, pair.b):
            place = _compared(pair, arrays, "inference").words()
    except Exception as error:
        raise_if_memory_ran_out(error)
        return f" From which layer on their values differ could not be looked for: {first_cause(error)}"
    return f" In inference mode, each with its own weights, {place}." if place else ""


def _compared(pair: Pair, arrays: Sequence[np.ndarray], mode: Mode) -> Divergence:
    assert pair.a.graph is not None  # noqa: S101 - the callers have looked
    assert pair.b.graph is not None  # noqa: S101 - as above
    assert pair.alignment is not None  # noqa: S101 - as above
    try:
        return _along(pair, arrays, mode, (pair.a.graph, pair.b.graph), pair.alignment, pair.differences)
    except ValueError:  # own code does another thing in inference than in training, where the graphs are from
        if mode == "training":
            raise
    graphs = [canonical_graph(one.model, one.signature, training=False) for one in (pair.a, pair.b)]
    graphs[1].outputs = pair.b.outputs(graphs[1].outputs)
    alignment = align(*graphs)
    differences = structural_differences(graphs[0], graphs[1], alignment)
    divergence = _along(pair, arrays, mode, (graphs[0], graphs[1]), alignment, differences)
    if divergence.first is None:
        return Divergence(mode)
    known = {_words(d): d for d in pair.differences}
    harmless = tuple(known[_words(d)] for d in divergence.harmless if _words(d) in known)
    added = [d for d in differences if d not in divergence.harmless and _words(d) not in known]
    added = [replace(d, node_a=None, node_b=None) for d in added if d.effect == "function" and d.code != "masking"]
    return replace(divergence, values={}, harmless=harmless, added=tuple(added))


def _words(difference: Difference) -> tuple[str, str, str, str]:
    return difference.code, difference.where, difference.a, difference.b


def _along(  # noqa: PLR0917 - the last three belong together
    pair: Pair,
    arrays: Sequence[np.ndarray],
    mode: Mode,
    graphs: tuple[Graph, Graph],
    alignment: Alignment,
    differences: Sequence[Difference],
) -> Divergence:
    a, b, training = pair.a, pair.b, mode == "training"
    with without_noise(a.model, b.model) if training else nullcontext():
        left, noise = values_with_noise(a, graphs[0], arrays, training=training)
        with kept(b):
            right = NodeValues(b.model, b.signature, graphs[1], training=training)(tensors(fitted(arrays, b)))
    views = views_of(*graphs, left, right, noise)
    values = {
        (x, y): compare_arrays(
            [left[x, k] for k in outputs], [right[y, k] for k in outputs], [noise[x, k] for k in outputs]
        )
        for x, y in alignment.pairs
        if (outputs := _outputs(x, left) & _outputs(y, right))
    }
    apart = ((x, y) for x, y in sorted(values) if not values[x, y].equal and x not in views[0].agreeing)
    first = next(((x, y) for x, y in apart if views[0].harmful(x) and views[1].harmful(y)), None)
    if first is None:
        return Divergence(mode, values)
    candidates = [d for d in differences if d.effect == "function" and d.code != "masking"]
    return Divergence(
        mode,
        values,
        first,
        place_of(views[0].nodes[first[0]], views[1].nodes[first[1]]),
        _before(first[0], views, alignment),
        tuple(d for d in candidates if status_of(d, views) == "harmless"),
    )


def _outputs(index: int, values: dict[Edge, np.ndarray]) -> set[int]:
    return {output for node, output in values if node == index}


def _before(start: int, views: tuple[View, View], alignment: Alignment) -> tuple[str, ...]:
    """The nearest nodes before a node of A whose values both models have."""
    view, partners = views[0], alignment.to_b()
    waiting, seen, words = [parent for parent, _ in view.nodes[start].parents], {start}, []
    while waiting:
        index = waiting.pop(0)
        if index in seen:
            continue
        seen.add(index)
        node = view.nodes[index]
        if index in view.agreeing:
            unfinished = _goes_on(views[0], index) or (index in partners and _goes_on(views[1], partners[index]))
            words.append("the input" if node.kind == "input" else node.words() + " before its activation" * unfinished)
        else:
            waiting += [parent for parent, _ in node.parents]
    return tuple(dict.fromkeys(words))


def _goes_on(view: View, index: int) -> bool:
    """Whether a node's layer has an activation after it, which is a node of its own."""
    return any(view.nodes[child].part for child, _ in view.children[index])


def with_places(rungs: Sequence[Rung], evidence: Evidence, pair: Pair) -> list[Rung]:
    """The rungs of function and gradients, saying where the models part."""
    modes: dict[str, list[str]] = {}
    for part in evidence.parted:
        modes.setdefault(part.words(), []).append(part.mode)
    forwards = " ".join(f"In {' and '.join(words)} mode {place}." for place, words in modes.items())
    places = {6: forwards, 7: _backwards(pair, evidence) if evidence.same_function else ""}
    return [
        replace(rung, sentence=f"{rung.sentence} {place}")
        if (place := places.get(rung.number)) and rung.outcome == "fail"
        else rung
        for rung in rungs
    ]


def _backwards(pair: Pair, evidence: Evidence) -> str:
    """From where on, going back from the loss, gradients differ, in words; nothing where they were seen to agree."""
    if pair.b.graph is None or evidence.gradients is None or evidence.gradients.equal:
        return ""
    unequal = set(evidence.unequal)
    agreed = ""
    for node in reversed(pair.b.graph.nodes):
        paths = {str(getattr(weight.variable, "path", "")) for weight in node.weights}
        if paths & unequal:
            until = f"the gradients agree down to {agreed}, and " if agreed else "the gradients "
            return f"Going back from the loss, {until}differ from {node.words()} on."
        agreed = node.words() if paths else agreed
    return ""
