"""What matched nodes read from other places: wiring, the order of layers, and which of several outputs is used."""

from twinbench.sameness.alignment import Alignment
from twinbench.sameness.graph import TRAINING_ONLY, Difference, Effect, Graph, Node, place_of, source_of


def wiring_differences(a: Graph, b: Graph, alignment: Alignment, changed: set[int]) -> list[Difference]:
    """Matched nodes that read from nodes which are not each other's partners."""
    to_b = alignment.to_b()
    nodes_a, nodes_b = a.by_index(), b.by_index()
    moved = [(i, j) for i, j in alignment.moved if _in_another_place(nodes_a[i], nodes_b[j], to_b)]
    lonely_a = set(alignment.only_a) | {i for i, _ in moved}
    lonely_b = set(alignment.only_b) | {j for _, j in moved}
    found = [
        _move(nodes_a[i], nodes_b[j], a, b)
        for i, j in moved
        if not _commutes(nodes_a[i], nodes_b[j], nodes_a, nodes_b, to_b)
    ]
    for index_a, index_b in alignment.pairs:
        x, y = nodes_a[index_a], nodes_b[index_b]
        if x.kind == "input" or (index_a, index_b) in moved:
            continue
        if x.ordered and len(x.parents) == len(y.parents):
            found += [
                _another_output(
                    f"input {place} of {place_of(x, y)}", nodes_a[p], nodes_b[q], (k, m), (index_a, index_b)
                )
                for place, ((p, k), (q, m)) in enumerate(zip(x.parents, y.parents, strict=True))
                if to_b.get(p) == q and k != m
            ]
        sources_a = [_contracted(p, nodes_a, lonely_a) for p, _ in x.parents]
        sources_b = [_contracted(p, nodes_b, lonely_b) for p, _ in y.parents]
        if len(sources_a) != len(sources_b) or not _same_sources(sources_a, sources_b, to_b, x.ordered):
            if (
                any(
                    _touches_missing(node, nodes, lonely)
                    for node, nodes, lonely in ((x, nodes_a, lonely_a), (y, nodes_b, lonely_b))
                )
                and len(sources_a) == len(sources_b) == 1
            ):
                continue  # fmt: skip
            words = [
                " and ".join(nodes[parent].words() for parent, _ in node.parents)
                for node, nodes in ((x, nodes_a), (y, nodes_b))
            ]
            detail = "the same layer is fed from somewhere else"
            if x.kind == "concatenate" and sorted(words[0].split(" and ")) == sorted(words[1].split(" and ")):
                detail = "the same parts are joined in another order"
            found.append(
                Difference(
                    "arch.wiring", f"input of {place_of(x, y)}", f"reads {words[0]}", f"reads {words[1]}", detail,
                    node_a=x.index, node_b=y.index,
                )
            )  # fmt: skip
    for position, ((end_a, k), (end_b, m)) in enumerate(zip(a.outputs, b.outputs, strict=False)):
        source_a = _contracted(end_a, nodes_a, lonely_a)
        source_b = _contracted(end_b, nodes_b, lonely_b)
        if to_b.get(end_a) == end_b and k != m:
            place = f"output {position} ({a.output_names[position]})"
            found.append(_another_output(place, nodes_a[end_a], nodes_b[end_b], (k, m), (end_a, end_b)))
        elif not _same_sources([source_a], [source_b], to_b, True) and not (lonely_a or lonely_b):
            words = [nodes_a[end_a].words(), nodes_b[end_b].words()]
            where = f"output {position} ({a.output_names[position]})"
            detail = "the output is taken from another layer"
            found.append(Difference("arch.wiring", where, words[0], words[1], detail, node_a=end_a, node_b=end_b))
    return found


_OUTPUTS = {
    "LSTM": ("its output", "state h", "state c"),
    "GRU": ("its output", "its state"),
    "SimpleRNN": ("its output", "its state"),
    "MultiHeadAttention": ("its output", "attention scores"),
    "TopKV2": ("values", "indices"),
}


def _another_output(where: str, x: Node, y: Node, outputs: tuple[int, int], indices: tuple[int, int]) -> Difference:
    """Two matched nodes that read from partners, but not the same of several outputs."""
    words = []
    for node, k in zip((x, y), outputs, strict=True):
        names = _OUTPUTS.get(node.kind, ())
        words.append(f"uses output {k} ({names[k]})" if k < len(names) else f"uses output {k}")
    title = f"{where}: which output of {place_of(x, y)}"
    detail = "the layer gives several tensors, and another of them is used"
    return Difference("arch.wiring", title, words[0], words[1], detail, "function", *indices)


def _in_another_place(x: Node, y: Node, to_b: dict[int, int]) -> bool:
    """Whether a pair that was matched by its settings alone reads from nodes that are not partners."""
    if len(x.parents) != 1 or len(y.parents) != 1:
        return False
    return to_b.get(x.parents[0][0]) != y.parents[0][0]


def _commutes(x: Node, y: Node, nodes_a: dict[int, Node], nodes_b: dict[int, Node], to_b: dict[int, int]) -> bool:
    """Whether a dropout layer only changed places with an activation, which makes no difference."""
    if x.kind not in TRAINING_ONLY:
        return False
    ends = [_before_activations(node, nodes) for node, nodes in ((x, nodes_a), (y, nodes_b))]
    return to_b.get(ends[0]) == ends[1]


def _before_activations(node: Node, nodes: dict[int, Node]) -> int:
    index = node.parents[0][0]
    while nodes[index].kind == "activation" or nodes[index].kind in TRAINING_ONLY:
        index = nodes[index].parents[0][0]
    return index


def _move(x: Node, y: Node, a: Graph, b: Graph) -> Difference:
    first, second = (f"after {source_of(node, graph)}" for node, graph in ((x, a), (y, b)))
    detail = "the same layer stands in another place, so the order of operations differs"
    effect: Effect = "training" if x.kind in TRAINING_ONLY else "function"
    return Difference("arch.wiring", f"place of {place_of(x, y)}", first, second, detail, effect, x.index, y.index)


def _touches_missing(node: Node, nodes: dict[int, Node], lonely: set[int]) -> bool:
    return any(parent in lonely for parent, _ in node.parents)


def _contracted(index: int, nodes: dict[int, Node], lonely: set[int]) -> frozenset[int]:
    """The matched nodes that a node stands for: itself, or the ones before it where it has no partner."""
    if index not in lonely:
        return frozenset({index})
    found: set[int] = set()
    for parent, _ in nodes[index].parents:
        found |= _contracted(parent, nodes, lonely)
    return frozenset(found)


def _same_sources(left: list[frozenset[int]], right: list[frozenset[int]], to_b: dict[int, int], ordered: bool) -> bool:
    moved = [frozenset(to_b[k] for k in source if k in to_b) for source in left]
    if ordered:
        return moved == right
    return sorted(map(sorted, moved)) == sorted(map(sorted, right))
