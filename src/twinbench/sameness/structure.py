"""What tells two matched graphs apart, in words: settings, missing layers, wiring, sharing."""

from collections import defaultdict
from typing import Any

from twinbench.sameness.alignment import FAMILIES, Alignment, settings_key
from twinbench.sameness.graph import TRAINING_ONLY, Difference, Graph, Node, place_of, source_of
from twinbench.sameness.wiring import wiring_differences

_TRAINING_SETTINGS = {
    "rate",
    "stddev",
    "noise_shape",
    "momentum",
    "dropout",
    "recurrent_dropout",
    "stateful",
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
    found += wiring_differences(a, b, alignment, {index for d in found for index in (d.node_a,) if index is not None})
    found += _sharing(a, b, alignment)
    return found


def show(value: Any) -> str:
    """A setting as a person writes it."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], tuple):
        return f"{value[0]} (own code)" if value[1][:1] == ("own code",) else value[0]
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
                f"{place_of(x, y)}: kind of layer",
                x.spelling or x.kind,
                y.spelling or y.kind,
                f"A has {x.words()} where B has {y.words()}",
                "training" if {x.kind, y.kind} <= TRAINING_ONLY else "function",
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
                f"{place_of(x, y)}: {key}",
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
    modes = "training mode", "inference mode, whatever the model does"
    found = other_mode(x, y, modes, "while the model is trained, one side runs this layer as in inference")
    if x.masked != y.masked:
        words = ["receives a mask" if node.masked else "receives no mask" for node in (x, y)]
        detail = "padding is ignored on one side and treated as data on the other"
        found.append(
            Difference("masking", f"{place_of(x, y)}: mask", words[0], words[1], detail, "function", x.index, y.index)
        )
    return found


def other_mode(x: Node, y: Node, modes: tuple[str, str], detail: str) -> list[Difference]:
    """A layer of dropout, noise or normalisation that runs in one mode (training, inference) on one side only."""
    if bool(x.training) == bool(y.training) or x.kind not in {*TRAINING_ONLY, "BatchNormalization"}:
        return []
    words = [modes[0] if node.training else modes[1] for node in (x, y)]
    place = f"{place_of(x, y)}: training argument"
    return [Difference("mode.bn_dropout", place, words[0], words[1], detail, "training", x.index, y.index)]


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


def _absence(node: Node, graph: Graph, other: Graph, alignment: Alignment, side: str) -> Difference:
    here, there = side.upper(), "B" if side == "a" else "A"
    present, absent = node.words(), "nothing in its place"
    code, effect = "arch.layer_missing", "function"
    where = f"{node.words()}, after {source_of(node, graph)}"
    detail = f"{here} has {node.words()} after {source_of(node, graph)}; {there} has nothing in its place"
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
    elif node.kind in TRAINING_ONLY:
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
