"""Matches the nodes of two canonical graphs: which layer of one is which layer of the other.

First the nodes whose whole past is equal are paired (a hash from the inputs), then those whose whole future
is (a hash from the outputs), and what is left between them by global sequence alignment (Needleman and
Wunsch, 1970) with a score for kind, settings and neighbours. Order among branches and names play no part.
"""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass

from twinbench.sameness.graph import Graph, Node

FAMILIES: dict[str, str] = {}
for _family, _kinds in {
    "merge": "add multiply average maximum minimum subtract concatenate divide Dot",
    "pooling": "reduce MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D",
    "recurrent": "LSTM GRU SimpleRNN",
    "product": "Dense Conv1D Conv2D Conv3D SeparableConv1D SeparableConv2D DepthwiseConv1D DepthwiseConv2D "
    "Conv1DTranspose Conv2DTranspose Conv3DTranspose LocallyConnected1D EinsumDense",
    "normalisation": "BatchNormalization LayerNormalization GroupNormalization UnitNormalization RMSNormalization",
    "noise": "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout GaussianNoise AlphaDropout",
    "shape": "reshape transpose",
    "attention": "Attention AdditiveAttention MultiHeadAttention GroupQueryAttention",
}.items():
    for _kind in _kinds.split():
        FAMILIES[_kind] = _family

_GAP = -2.0
_NEVER = -1e9


@dataclass(frozen=True)
class Alignment:
    """Pairs of node indices (of A, of B), the nodes of either side without a partner, and pairs in other places."""

    pairs: tuple[tuple[int, int], ...]
    only_a: tuple[int, ...]
    only_b: tuple[int, ...]
    moved: tuple[tuple[int, int], ...] = ()

    def to_b(self) -> dict[int, int]:
        """From a node of A to its partner in B."""
        return dict(self.pairs)


def settings_key(node: Node) -> Hashable:
    """What makes two nodes the same operation: kind and settings; names of activations do not count."""
    settings = node.settings
    if node.kind == "activation" and settings.get("values"):
        settings = {k: v for k, v in settings.items() if k != "function"}
    return node.kind, tuple(sorted((k, _named(v)) for k, v in settings.items()))


def _named(value: object) -> Hashable:
    """Activation identities inside settings count by their values."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], tuple):
        return value[1] or value[0]
    return value if isinstance(value, Hashable) else repr(value)


def representatives(graph: Graph) -> dict[int, int]:
    """For each node the one that stands for it: itself, or for an optional node the one that it passes on."""
    found: dict[int, int] = {}
    for node in graph.nodes:
        found[node.index] = found[node.parents[0][0]] if node.optional and node.parents else node.index
    return found


def past_hashes(graph: Graph) -> dict[int, int]:
    """For each node that does something a hash of all that leads to it."""
    stands = representatives(graph)
    found: dict[int, int] = {}
    for node in graph.nodes:
        if stands[node.index] != node.index:
            continue
        parents = [(found[stands[parent]], output) for parent, output in node.parents]
        found[node.index] = hash((settings_key(node), tuple(parents if node.ordered else sorted(parents))))
    return found


def future_hashes(graph: Graph) -> dict[int, int]:
    """For each node that does something a hash of all that follows from it."""
    stands = representatives(graph)
    children = graph.children()
    nodes = graph.by_index()
    ends: dict[int, list[int]] = defaultdict(list)
    for position, (index, output) in enumerate(graph.outputs):
        ends[index].append(hash((position, output)))
    readers: dict[int, list[int]] = {}
    found: dict[int, int] = {}
    for node in reversed(graph.nodes):
        mine: list[int] = list(ends[node.index])
        for child, position in children[node.index]:
            if child in found:
                mine.append(hash((found[child], position if nodes[child].ordered else -1)))
            else:
                mine += readers[child]
        readers[node.index] = mine
        if stands[node.index] == node.index:
            found[node.index] = hash((settings_key(node), tuple(sorted(mine))))
    return found


def align(a: Graph, b: Graph) -> Alignment:
    """Pairs the nodes of two graphs."""
    to_b: dict[int, int] = {}
    past = past_hashes(a), past_hashes(b)
    future = future_hashes(a), future_hashes(b)
    whole_a = {k: (past[0][k], future[0][k]) for k in past[0]}
    whole_b = {k: (past[1][k], future[1][k]) for k in past[1]}
    _pair_equal(a, b, whole_a, whole_b, to_b)
    _pair_equal(a, b, past[0], past[1], to_b)
    _pair_equal(a, b, future[0], future[1], to_b)
    for index_a, index_b in zip(a.inputs, b.inputs, strict=False):
        if index_a not in to_b and index_b not in to_b.values():
            to_b[index_a] = index_b
    _pair_between(a, b, to_b)
    moved = _pair_leftovers(a, b, to_b)
    taken = set(to_b.values())
    return Alignment(
        pairs=tuple(sorted(to_b.items())),
        only_a=tuple(node.index for node in a.nodes if node.index not in to_b),
        only_b=tuple(node.index for node in b.nodes if node.index not in taken),
        moved=tuple(moved),
    )


def _pair_equal(a: Graph, b: Graph, keys_a: dict, keys_b: dict, to_b: dict[int, int]) -> None:  # type: ignore[type-arg]
    taken = set(to_b.values())
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for node in b.nodes:
        if node.index not in taken and node.index in keys_b:
            waiting[keys_b[node.index]].append(node.index)
    for node in a.nodes:
        if node.index not in to_b and node.index in keys_a and waiting[keys_a[node.index]]:
            to_b[node.index] = waiting[keys_a[node.index]].pop(0)


def _pair_between(a: Graph, b: Graph, to_b: dict[int, int]) -> None:
    taken = set(to_b.values())
    rest_a = [node for node in a.nodes if node.index not in to_b]
    rest_b = [node for node in b.nodes if node.index not in taken]
    rows, columns = len(rest_a), len(rest_b)
    if not rows or not columns or rows * columns > 4_000_000:
        return
    scores = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(1, rows + 1):
        scores[i][0] = i * _GAP
    for j in range(1, columns + 1):
        scores[0][j] = j * _GAP
    children = a.children(), b.children()
    match = [[similarity(x, y, to_b, children) for y in rest_b] for x in rest_a]
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            scores[i][j] = max(
                scores[i - 1][j - 1] + match[i - 1][j - 1], scores[i - 1][j] + _GAP, scores[i][j - 1] + _GAP
            )
    i, j = rows, columns
    while i and j:
        if scores[i][j] == scores[i - 1][j - 1] + match[i - 1][j - 1]:
            to_b[rest_a[i - 1].index] = rest_b[j - 1].index
            i, j = i - 1, j - 1
        elif scores[i][j] == scores[i - 1][j] + _GAP:
            i -= 1
        else:
            j -= 1


def _pair_leftovers(a: Graph, b: Graph, to_b: dict[int, int]) -> list[tuple[int, int]]:
    """Pairs what sequence order kept apart: equal operations in branches that were written in another order."""
    taken = set(to_b.values())
    rest_b = [node for node in b.nodes if node.index not in taken]
    moved = []
    for node in a.nodes:
        if node.index in to_b:
            continue
        if node.optional:
            continue
        alike = (other for other in rest_b if settings_key(other) == settings_key(node) and not other.optional)
        partner = next(alike, None)
        if partner is not None:
            to_b[node.index] = partner.index
            rest_b.remove(partner)
            moved.append((node.index, partner.index))
    return moved


def similarity(
    x: Node,
    y: Node,
    to_b: dict[int, int],
    children: tuple[dict[int, list[tuple[int, int]]], dict[int, list[tuple[int, int]]]],
) -> float:
    """How much two nodes look like the same layer: about 10 for equal ones, negative for strangers."""
    if x.kind != y.kind:
        family = FAMILIES.get(x.kind)
        if x.spelling == y.spelling and x.spelling and not x.spelling.startswith("operation"):
            score = 2.0
        elif family is not None and family == FAMILIES.get(y.kind):
            score = 0.5
        else:
            return _NEVER
    elif (x.kind == "input") or (x.part != y.part and x.kind == "activation"):
        score = 2.0
    else:
        score = 3.0
    keys = set(x.settings) | set(y.settings)
    same = sum(_named(x.settings.get(k)) == _named(y.settings.get(k)) for k in keys)
    score += 3.0 * same / len(keys) if keys else 3.0
    if [w.shape for w in x.weights] == [w.shape for w in y.weights]:
        score += 1.0 if x.weights else 0.5
    if any(to_b.get(parent) == other for parent, _ in x.parents for other, _ in y.parents):
        score += 1.5
    readers_y = {child for child, _ in children[1][y.index]}
    if any(to_b.get(child) in readers_y for child, _ in children[0][x.index]):
        score += 1.5
    if x.name == y.name and x.name:
        score += 0.25
    return score
