"""Where two functions part: which differences of two graphs the values between the layers show to matter.

Two ways to write the same thing may differ in several places and cancel out, as a transposition and the one that undoes
it do. So the values of all nodes are compared with the same weights and inputs, wherever they stand. A difference from
which every way to the outputs leads through a value that both models have is harmless. What lies behind the first
value that differs is looked at after that value of A was put into B.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from twinbench.sameness.canonical import NodeValues
from twinbench.sameness.graph import Difference, Edge, Graph
from twinbench.sameness.probes import compare_arrays, fitted, give_random_weights, kept, largest, nudge, tolerated
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.subjects import Pair, Subject

Values = dict[Edge, np.ndarray]
_ATTEMPTS = 5


@dataclass
class View:
    """One graph: the nodes whose values both models have, those whose values are known, and the outputs that differ."""

    graph: Graph
    agreeing: set[int]
    known: set[int]
    ends: set[int]

    def __post_init__(self) -> None:
        self.children = self.graph.children()
        self.nodes = self.graph.by_index()

    def harmful(self, start: int) -> bool:
        """Whether a way from a node to an output meets no value that both models have."""
        return bool(self._ahead(start) & self.ends)

    def _ahead(self, start: int) -> set[int]:
        seen: set[int] = set()
        waiting = [start]
        while waiting:
            index = waiting.pop()
            if index in seen or (index in self.agreeing and index not in self.ends):
                continue
            seen.add(index)
            waiting += [child for child, _ in self.children[index]]
        return seen

    def first(self, start: int) -> bool:
        """Whether all known values from which a node is computed are values that both models have."""
        waiting = [parent for parent, _ in self.nodes[start].parents]
        while waiting:
            index = waiting.pop()
            if index in self.agreeing:
                continue
            if index in self.known:
                return False
            waiting += [parent for parent, _ in self.nodes[index].parents]
        return True


def harmless_differences(pair: Pair, arrays: Sequence[np.ndarray]) -> list[Difference]:
    """The differences of the function that were seen to change nothing, with the weights that the models hold.

    A mask is no value between the layers: differences of masks are left open.

    Args:
        pair: Two traced models, B holding A's weights, their noise silenced.
        arrays: One batch for each of A's inputs.

    Raises:
        Exception: Whatever a model raises when it is traced again.
    """
    a, b = pair.a, pair.b
    if a.graph is None or b.graph is None or pair.alignment is None:
        return []
    left, noise = values_with_noise(a, a.graph, arrays)
    fed = tensors(fitted(arrays, b))
    patches: dict[tuple[int, int], Any] = {}
    open_differences = [d for d in pair.differences if d.effect == "function" and d.code != "masking"]
    harmless: list[Difference] = []
    for _ in range(_ATTEMPTS):
        of_b = NodeValues(b.model, b.signature, b.graph, patches)
        with kept(b):
            right = of_b(fed)
        views = views_of(a.graph, b.graph, left, right, noise)
        deferred = []
        for difference in open_differences:
            status = status_of(difference, views)
            if status == "harmless":
                harmless.append(difference)
            elif status == "deferred":
                deferred.append(difference)
        added = _patches(pair, views, left, right, of_b) if deferred else {}
        if not added.keys() - patches.keys():
            break
        patches |= added
        open_differences = deferred
    return harmless


def values_before_open_weights(pair: Pair, arrays: Sequence[np.ndarray]) -> tuple[int, int]:
    """Compare operations that correspond and that no weight without a partner reaches, other weights being equal.

    Returns:
        How many of them have equal values, and how many there are.
    """
    a, b = pair.a, pair.b
    if a.graph is None or b.graph is None or pair.alignment is None:
        return 0, 0
    with kept(a, b), without_noise(a.model, b.model):
        give_random_weights(pair.transfer, 11)
        left, noise = values_with_noise(a, a.graph, arrays)
        right = NodeValues(b.model, b.signature, b.graph)(tensors(fitted(arrays, b)))
    matched = {id(variable) for couple in pair.transfer.relations for variable in couple}
    reached: list[set[int]] = []
    for graph in (a.graph, b.graph):
        reached.append(set(graph.inputs))  # they say nothing of what the models do
        behind: set[int] = set()
        for node in graph.nodes:
            if not matched.issuperset(node.identity) or behind & {parent for parent, _ in node.parents}:
                behind.add(node.index)
        reached[-1] |= behind
    pairs = [
        ((x, 0), (y, 0))
        for x, y in pair.alignment.pairs
        if x not in reached[0] and y not in reached[1] and (x, 0) in left and (y, 0) in right
    ]
    return sum(compare_arrays([left[x]], [right[y]], [noise[x]]).equal for x, y in pairs), len(pairs)


def values_with_noise(
    one: Subject, graph: Graph, arrays: Sequence[np.ndarray], *, training: bool = True
) -> tuple[Values, dict[Edge, float]]:
    """The values of a model's nodes, and what rounding does to each."""
    of_nodes, fed = NodeValues(one.model, one.signature, graph, training=training), tensors(arrays)
    with kept(one):
        values = of_nodes(fed)
    with kept(one):
        nudge(one.variables())
        nudged = of_nodes(fed)
    return values, {edge: float(np.nanmax(np.abs(values[edge] - nudged[edge]), initial=0.0)) for edge in values}


def tensors(arrays: Sequence[np.ndarray]) -> list[Any]:
    """Arrays as tensors."""
    return [keras.ops.convert_to_tensor(array) for array in arrays]


def views_of(a: Graph, b: Graph, left: Values, right: Values, noise: dict[Edge, float]) -> tuple[View, View]:
    """Both graphs with what their values show."""
    by_shape: dict[tuple[int, ...], list[tuple[Edge, float]]] = defaultdict(list)
    for edge, value in right.items():
        by_shape[_squeezed(value)].append((edge, largest(value)))
    same: tuple[set[Edge], set[Edge]] = set(), set()
    for edge, value in left.items():
        if value.size > 1 and np.ptp(value) == 0:
            continue
        reach = largest(value)
        for other, other_reach in by_shape[_squeezed(value)]:
            if abs(reach - other_reach) > tolerated(noise[edge], reach):
                continue  # spares the comparison of all numbers
            if compare_arrays([value], [right[other]], [noise[edge]]).equal:
                same[0].add(edge)
                same[1].add(other)
    outputs = [
        (x, y)
        for x, y in zip(a.outputs, b.outputs, strict=False)
        if x not in left or y not in right or not compare_arrays([left[x]], [right[y]], [noise[x]]).equal
    ]
    ends = [{edges[side][0] for edges in outputs} for side in (0, 1)]
    views = []
    for graph, values, agreeing, apart_at in ((a, left, same[0], ends[0]), (b, right, same[1], ends[1])):
        apart = {index for index, output in values if (index, output) not in agreeing}
        views.append(View(graph, {index for index, _ in agreeing} - apart, {index for index, _ in values}, apart_at))
    return views[0], views[1]


def _squeezed(value: np.ndarray) -> tuple[int, ...]:
    return tuple(axis for axis in value.shape if axis != 1)


def status_of(difference: Difference, views: tuple[View, View]) -> str:
    """What the values say of a difference: it is harmless, to blame, or deferred, as another one lies before it."""
    places = [(v, n) for v, n in zip(views, (difference.node_a, difference.node_b), strict=True) if n is not None]
    places = [(view, index) for view, index in places if view.harmful(index)]
    if not places:
        return "harmless"
    return "blamed" if any(view.first(index) for view, index in places) else "deferred"


def _patches(
    pair: Pair,
    views: tuple[View, View],
    left: dict[Edge, np.ndarray],
    right: dict[Edge, np.ndarray],
    of_b: NodeValues,
) -> dict[tuple[int, int], Any]:
    """A's values for the first nodes of B that differ and matter, by the calls that compute them."""
    assert pair.alignment is not None  # noqa: S101 - the caller has looked
    patches = {}
    for x, y in pair.alignment.pairs:
        edge_a, edge_b = (x, 0), (y, 0)
        if y in views[1].agreeing or edge_b not in of_b.calls or edge_a not in left or edge_b not in right:
            continue
        if not (views[0].first(x) or views[1].first(y)) or left[edge_a].shape != right[edge_b].shape:
            continue
        patches[of_b.calls[edge_b]] = left[edge_a]
    return patches
