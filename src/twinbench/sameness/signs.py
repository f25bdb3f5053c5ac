"""Finds kernels that one model uses with the opposite sign, where the sign is undone later.

Such a model trains as the other does from weights of the opposite sign, which most initialisers draw as often.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from twinbench.sameness.correspondence import agrees
from twinbench.sameness.graph import Graph
from twinbench.sameness.probes import is_float, kept

if TYPE_CHECKING:
    from twinbench.sameness.subjects import Pair

_MOST = 6
"""How many weights are tried in all combinations."""

_REACH = 3
"""How many nodes may lie between a weight and the operation that changes its sign."""


def match_signs(pair: "Pair", arrays: Sequence[np.ndarray]) -> None:
    """Puts signs into the pair's transfer where the functions agree with these, and not without."""
    candidates = _candidates(pair)
    if not candidates or not pair.transfer.complete:
        return
    before = pair.transfer
    with kept(pair.a, pair.b):
        try:
            if agrees(pair, arrays):
                return
            for count in range(1, len(candidates) + 1):
                for chosen in combinations(candidates, count):
                    pair.transfer = replace(before, negated=frozenset(id(q) for q in chosen))
                    if agrees(pair, arrays):
                        return
        except Exception:  # noqa: S110 - what cannot be probed here is said to be so when the models are compared
            pass
    pair.transfer = before


def _candidates(pair: "Pair") -> list[Any]:
    """The weights of B near an operation that changes a sign on one side only."""
    if pair.alignment is None or pair.a.graph is None or pair.b.graph is None:
        return []
    near: set[int] = set()
    for graph, lonely, side in (
        (pair.a.graph, pair.alignment.only_a, 0),
        (pair.b.graph, pair.alignment.only_b, 1),
    ):
        differing = {d.node_b if side else d.node_a for d in pair.differences} | set(lonely)
        near |= {id(v) for v in _around(graph, differing)}
    found = [q for p, q in pair.transfer.pairs if {id(p), id(q)} & near and p.trainable and is_float(p)]
    return found if len(found) <= _MOST else []


def _around(graph: Graph, differing: set[int | None]) -> list[Any]:
    """The weights that are used a few nodes before or behind the nodes among these that change a sign."""
    nodes, children = graph.by_index(), graph.children()
    places = {node.index for node in graph.nodes if node.index in differing and _changes_sign(node)}
    for _ in range(_REACH):
        places |= {parent for index in places for parent, _ in nodes[index].parents}
        places |= {child for index in places for child, _ in children[index]}
    return [weight.variable for index in places for weight in nodes[index].weights]


def _changes_sign(node: Any) -> bool:
    """Whether a node negates, subtracts, or computes with a negative number."""
    known = [v for name, v in node.settings.items() if name == "factor" or name.startswith("operand")]
    numbers = [np.ravel(value) for value in known if isinstance(value, int | float | tuple)]
    negative = any(array.dtype.kind in "if" and bool((array < 0).any()) for array in numbers)
    return negative or node.kind in ("Neg", "subtract", "Sub")
