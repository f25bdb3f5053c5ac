"""What tells two matched graphs apart, in words: settings, missing layers, wiring, sharing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal

from twinbench.audit.alignment import FAMILIES, Alignment, settings_key
from twinbench.audit.graph import Graph, Node

Effect = Literal["function", "training", "start"]
"""Whether a difference changes what is computed, only how it is trained, or only where training starts."""


@dataclass(frozen=True)
class Difference:
    """One difference between two models: its code, the place in words, and both sides of it."""

    code: str
    where: str
    a: str
    b: str
    detail: str
    effect: Effect = "function"
    node_a: int | None = None
    node_b: int | None = None


_TRAINING_ONLY = {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
                  "GaussianNoise", "AlphaDropout"}  # fmt: skip
_TRAINING_SETTINGS = {
    "rate",
    "stddev",
    "noise_shape",
    "momentum",
    "dropout",
    "recurrent_dropout",
    "renorm_momentum",
}
_MERGES = {kind for kind, family in FAMILIES.items() if family == "merge"}
_NEAR_INPUT = {"input", "scale", "Normalization", "reshape", "transpose", "cast", "Cast"}
_PREPROCESSING = {
    "scale", "Normalization", "Resizing", "CenterCrop", "RandomFlip", "RandomRotation", "RandomZoom", "RandomCrop",
    "RandomTranslation", "RandomContrast", "RandomBrightness", "Discretization", "CategoryEncoding", "Hashing",
    "StringLookup", "IntegerLookup", "TextVectorization", "RandomHeight", "RandomWidth", "RandomGrayscale",
}  # fmt: skip


def structural_differences(a: Graph, b: Graph, alignment: Alignment) -> list[Difference]:
    """All differences between two matched graphs that names, nesting and no-op layers do not explain."""
    nodes_a, nodes_b = a.by_index(), b.by_index()
    found: list[Difference] = []
    for index_a, index_b in alignment.pairs:
        found += _of_pair(nodes_a[index_a], nodes_b[index_b], a, b)
    found += _missing(a, b, alignment)
    found += _wiring(a, b, alignment, {index for d in found for index in (d.node_a,) if index is not None})
    found += _sharing(a, b, alignment)
    return found


def _place(x: Node, y: Node) -> str:
    mine, theirs = x.words(), y.words()
    return mine if mine == theirs else f"{mine} / {theirs}"


def show(value: Any) -> str:
    """A setting as a person writes it."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], tuple):
        return value[0]
    return repr(value)


def _of_pair(x: Node, y: Node, a: Graph, b: Graph) -> list[Difference]:
    common: dict[str, Any] = {"node_a": x.index, "node_b": y.index}
    if x.kind == "input":
        return []
    if settings_key(x) == settings_key(y):
        return _modes(x, y)
    if x.kind == "activation" and y.kind == "activation":
        return [
            Difference(
                "arch.activation",
                f"activation of {_owner(x, a)} / {_owner(y, b)}" if _owner(x, a) != _owner(y, b) else
                f"activation of {_owner(x, a)}",
                _function(x),
                _function(y),
                "the two layers apply different activations",
                **common,
            )
        ]  # fmt: skip
    if x.kind != y.kind and x.spelling != y.spelling:
        code = "arch.wiring" if x.kind in _MERGES else "arch.hyperparameter"
        if FAMILIES.get(x.kind) == "shape":
            code = "arch.layer_missing"
        return [
            Difference(
                code,
                f"{_place(x, y)}: kind of layer",
                x.spelling or x.kind,
                y.spelling or y.kind,
                f"A has {x.words()} where B has {y.words()}",
                "training" if {x.kind, y.kind} <= _TRAINING_ONLY else "function",
                **common,
            )
        ]
    left, right = (x.raw, y.raw) if x.raw and y.raw else (x.settings, y.settings)
    if left == right and x.kind == y.kind:
        left, right = x.settings, y.settings
    found = []
    for key in sorted(set(left) | set(right)):
        mine, theirs = left.get(key), right.get(key)
        if _equal(mine, theirs):
            continue
        found.append(
            Difference(
                _setting_code(x, key, a),
                f"{_place(x, y)}: {key}",
                f"{key}={show(mine)}",
                f"{key}={show(theirs)}",
                f"the setting {key} differs",
                "training" if key in _TRAINING_SETTINGS else "function",
                **common,
            )
        )
    return [*found, *_modes(x, y)]


def _function(node: Node) -> str:
    """An activation as a person writes it, with its axis where that is not the last."""
    axis = node.settings.get("axis")
    return str(node.settings["function"]) + ("" if axis is None else f"(axis={axis})")


def _equal(mine: Any, theirs: Any) -> bool:
    if (
        isinstance(mine, tuple)
        and isinstance(theirs, tuple)
        and show(mine)
        and len(mine) == len(theirs) == 2
        and (isinstance(mine[1], tuple) and isinstance(theirs[1], tuple) and mine[1] and isinstance(mine[0], str))
    ):
        return mine[1] == theirs[1]
    return bool(mine == theirs)


def _setting_code(node: Node, key: str, graph: Graph) -> str:
    if key in ("mask_zero", "mask_value"):
        return "masking"
    if key in ("activation", "recurrent_activation"):
        return "arch.activation"
    if node.kind in _PREPROCESSING and near_input(node, graph):
        return "preprocessing"
    return "arch.hyperparameter"


def _modes(x: Node, y: Node) -> list[Difference]:
    """Layers that run in another mode while the model trains, or that a mask reaches on one side only."""
    found = []
    moody = x.kind in _TRAINING_ONLY or x.kind == "BatchNormalization"
    if moody and bool(x.training) != bool(y.training):
        words = ["training mode" if node.training else "inference mode, whatever the model does" for node in (x, y)]
        detail = "while the model is trained, one side runs this layer as in inference"
        place = f"{_place(x, y)}: training argument"
        found.append(Difference("mode.bn_dropout", place, words[0], words[1], detail, "training", x.index, y.index))
    if x.masked != y.masked:
        words = ["receives a mask" if node.masked else "receives no mask" for node in (x, y)]
        detail = "padding is ignored on one side and treated as data on the other"
        found.append(
            Difference("masking", f"{_place(x, y)}: mask", words[0], words[1], detail, "function", x.index, y.index)
        )
    return found


def _owner(node: Node, graph: Graph) -> str:
    """The layer that an activation acts on: its own, or the one before it."""
    if node.part and node.layer is not None:
        return f"{type(node.layer).__name__} '{node.layer.name}'"
    if node.parents:
        before = graph.by_index()[node.parents[0][0]]
        return before.words() if before.kind != "activation" else _owner(before, graph)
    return node.words()


def near_input(node: Node, graph: Graph) -> bool:
    """Whether nothing but preprocessing lies between a node and the inputs."""
    nodes = graph.by_index()
    waiting = [parent for parent, _ in node.parents]
    while waiting:
        parent = nodes[waiting.pop()]
        if parent.kind not in _NEAR_INPUT and parent.kind not in _PREPROCESSING:
            return False
        waiting += [p for p, _ in parent.parents]
    return True


def _missing(a: Graph, b: Graph, alignment: Alignment) -> list[Difference]:
    found: list[Difference] = []
    for graph, other, lonely, side in ((a, b, alignment.only_a, "a"), (b, a, alignment.only_b, "b")):
        nodes = graph.by_index()
        owners = {id(nodes[k].layer) for k in lonely if not nodes[k].part and nodes[k].layer is not None}
        for index in lonely:
            node = nodes[index]
            if node.optional or (node.part and id(node.layer) in owners):
                continue  # the activation of a layer that is itself missing
            found.append(_absence(node, graph, other, alignment, side))
    return found


def _neighbour(node: Node, graph: Graph) -> str:
    nodes = graph.by_index()
    return nodes[node.parents[0][0]].words() if node.parents else "the input"


def _absence(node: Node, graph: Graph, other: Graph, alignment: Alignment, side: str) -> Difference:
    here, there = side.upper(), "B" if side == "a" else "A"
    present, absent = node.words(), "nothing in its place"
    code, effect = "arch.layer_missing", "function"
    where = f"{node.words()}, after {_neighbour(node, graph)}"
    detail = f"{here} has {node.words()} after {_neighbour(node, graph)}; {there} has nothing in its place"
    if node.kind == "activation":
        code = "arch.activation"
        owner = _owner(node, graph)
        where = f"activation of {owner}"
        present, absent = str(node.settings["function"]), "linear"
        detail = f"{here} applies {present} to {owner}; {there} leaves it linear"
    elif node.kind == "Masking":
        code = "masking"
    elif node.kind in _PREPROCESSING and near_input(node, graph):
        code = "preprocessing"
        shown = ", ".join(f"{k}={show(v)}" for k, v in node.settings.items())
        present = f"{node.words()} ({shown})"
        detail = f"{here} preprocesses its input inside the model, {there} does not"
    elif node.kind in _MERGES:
        code = "arch.wiring"
        sources = " and ".join(graph.by_index()[parent].words() for parent, _ in node.parents[:4])
        where = f"{node.words()}: what it joins"
        present, absent = f"joins {sources}", "no such connection"
        detail = f"{here} joins {sources}; {there} has no such connection"
    elif node.kind in _TRAINING_ONLY:
        effect = "training"
    for layer in other.unused:
        if node.layer is not None and type(layer) is type(node.layer):
            code = "arch.disconnected"
            where = f"{type(layer).__name__} '{layer.name}'"
            present, absent = (
                f"{node.words()} is part of the model",
                f"'{layer.name}' was made, but no output uses it",
            )
            detail = f"{there} has {type(layer).__name__} '{layer.name}', but its result is dropped on the way"
            break
    values = (present, absent) if side == "a" else (absent, present)
    indices = (node.index, None) if side == "a" else (None, node.index)
    return Difference(code, where, values[0], values[1], detail, effect, *indices)  # type: ignore[arg-type]


def _wiring(a: Graph, b: Graph, alignment: Alignment, changed: set[int]) -> list[Difference]:
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
                _another_output(f"input {place} of {_place(x, y)}", nodes_a[p], nodes_b[q], (k, m), (index_a, index_b))
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
                    "arch.wiring", f"input of {_place(x, y)}", f"reads {words[0]}", f"reads {words[1]}", detail,
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
    title = f"{where}: which output of {_place(x, y)}"
    detail = "the layer gives several tensors, and another of them is used"
    return Difference("arch.wiring", title, *words, detail, node_a=indices[0], node_b=indices[1])


def _in_another_place(x: Node, y: Node, to_b: dict[int, int]) -> bool:
    """Whether a pair that was matched by its settings alone reads from nodes that are not partners."""
    if len(x.parents) != 1 or len(y.parents) != 1:
        return False
    return to_b.get(x.parents[0][0]) != y.parents[0][0]


def _commutes(x: Node, y: Node, nodes_a: dict[int, Node], nodes_b: dict[int, Node], to_b: dict[int, int]) -> bool:
    """Whether a dropout layer only changed places with an activation, which makes no difference."""
    if x.kind not in _TRAINING_ONLY:
        return False
    ends = [_before_activations(node, nodes) for node, nodes in ((x, nodes_a), (y, nodes_b))]
    return to_b.get(ends[0]) == ends[1]


def _before_activations(node: Node, nodes: dict[int, Node]) -> int:
    index = node.parents[0][0]
    while nodes[index].kind == "activation" or nodes[index].kind in _TRAINING_ONLY:
        index = nodes[index].parents[0][0]
    return index


def _move(x: Node, y: Node, a: Graph, b: Graph) -> Difference:
    first, second = (f"after {_neighbour(node, graph)}" for node, graph in ((x, a), (y, b)))
    detail = "the same layer stands in another place, so the order of operations differs"
    effect: Effect = "training" if x.kind in _TRAINING_ONLY else "function"
    return Difference("arch.wiring", f"place of {_place(x, y)}", first, second, detail, effect, x.index, y.index)


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


def _sharing(a: Graph, b: Graph, alignment: Alignment) -> list[Difference]:
    """Layers that are one in one model and several in the other."""
    nodes_a, nodes_b = a.by_index(), b.by_index()
    found = []
    seen: set[frozenset[int]] = set()
    for first, second in ((nodes_a, nodes_b), (nodes_b, nodes_a)):
        pairs = alignment.pairs if first is nodes_a else [(y, x) for x, y in alignment.pairs]
        groups: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
        for x, y in pairs:
            if first[x].weights:
                groups[first[x].identity].append((x, y))
        for members in groups.values():
            partners = {second[y].identity for _, y in members}
            if len(members) < 2 or len(partners) < 2:
                continue
            key = frozenset(y for _, y in members)
            if key in seen:
                continue
            seen.add(key)
            shared = first[members[0][0]].words()
            separate = ", ".join(dict.fromkeys(second[y].words() for _, y in members))
            one = f"one {shared}, used {len(members)} times"
            many = f"{len(partners)} separate layers: {separate}"
            values = (one, many) if first is nodes_a else (many, one)
            detail = "one side reuses a layer (and its weights), the other has a layer for each place"
            ends = members[0] if first is nodes_a else members[0][::-1]
            found.append(Difference("arch.shared_layer", f"{shared} / {separate}", *values, detail,
                                    node_a=ends[0], node_b=ends[1]))  # fmt: skip
    return found
