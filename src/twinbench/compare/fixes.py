"""Makes the changes that fix causes on a copy of B, and compares again: nobody has to believe a diagnosis."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import keras

from twinbench.compare.changing import Change, New, built, takes
from twinbench.compare.conclusion import headline
from twinbench.compare.page.rows import tells
from twinbench.compare.report import Cause, Fix, Report
from twinbench.compare.sides import Side
from twinbench.compare.weights import penalised
from twinbench.sameness.graph import Difference, Graph, Node, place_of
from twinbench.sameness.subjects import Pair

_MOST_ALONE = 4
"""Of so many causes it is tried whether one alone is enough."""
_SAME = ("identical", "equivalent")
_COMPILED = {"compile.loss": "loss", "compile.optimizer": "optimizer", "compile.metric": "metrics"}


def add_fixes(report: Report, pair: Pair, sides: tuple[Side, Side], again: Callable[[Side, Side], Report]) -> None:
    """Try the changes that fix the causes, and put the cause first whose change alone is enough.

    Args:
        report: What the comparison said; its fixes, causes and sentence are set.
        pair: Its models.
        sides: Its sides.
        again: Compares two sides as they were compared before.
    """
    report.fixes = verified(report, pair, sides, again)
    enough = [fix.causes[0] for fix in report.fixes if fix.outcome == "verified" and len(fix.causes) == 1]
    if not enough or enough[0] == 1:
        return
    first = enough[0]
    moved = {k: 1 if k == first else k + (k < first) for k in range(1, len(report.causes) + 1)}
    before = headline(report.causes[0])
    report.causes.insert(0, report.causes.pop(first - 1))
    report.sentence = report.sentence.replace(before, headline(report.causes[0]), 1)
    report.fixes = [replace(fix, causes=tuple(sorted(moved[k] for k in fix.causes))) for fix in report.fixes]
    if report.view is not None:
        report.view.renumber(moved)


def verified(report: Report, pair: Pair, sides: tuple[Side, Side], again: Callable[[Side, Side], Report]) -> list[Fix]:
    """What the changes that fix the causes do together, or one of them alone where that is enough.

    Args:
        report: What the comparison said.
        pair: Its models.
        sides: Its sides.
        again: Compares two sides as they were compared before.
    """
    blamed = [(k, cause) for k, cause in enumerate(report.causes, start=1) if cause.explains_lower_score]
    if not blamed:
        return []
    if sides[1].kind != "builder" or sides[1].shared:
        return [Fix(tuple(k for k, _ in blamed), "not tried", "B is no function that builds a new model each time", ())]
    changes = {k: _change(cause, pair, sides[1]) for k, cause in blamed}
    fixes = [
        Fix((k,), "not tried", "this change cannot be made on a copy", ())
        for k, change in changes.items()
        if not change
    ]
    known = {k: change for k, change in changes.items() if change is not None}
    if not known:
        return fixes
    together = _tried(tuple(known), list(known.values()), sides, again)
    if together.outcome != "verified":
        return [together, *fixes]
    enough = together
    for k, change in known.items() if 1 < len(known) <= _MOST_ALONE else ():
        alone = _tried((k,), [change], sides, again)
        if alone.outcome == "verified":
            enough = alone
            break
    if len(enough.causes) < len(blamed):
        enough = replace(enough, sentence=f"{enough.sentence}; the other differences follow from it, or cancel")
    return [enough]


def _tried(
    group: tuple[int, ...], changes: Sequence[Change], sides: tuple[Side, Side], again: Callable[[Side, Side], Report]
) -> Fix:
    lines = tuple(line for change in changes for line in change.words)
    a = Side(sides[0].name, sides[0].kind, sides[0].source, sides[0].home, of=sides[0].of)
    b = Side(sides[1].name, "builder", functools.partial(built, sides[1].source, changes), sides[1].home)
    report = again(a, b)
    subject = "this one change" if len(group) == 1 else f"these {len(group)} changes together"
    if report.verdict in _SAME:
        return Fix(group, "verified", f"with {subject} they are {report.verdict} (verified on a copy of B)", lines)
    if report.verdict == "cannot_tell":
        return Fix(group, "not tried", "the change could not be made on a copy of B", ())
    left = [cause for cause in report.causes if cause.explains_lower_score]
    if not left:
        sentence = f"with {subject} no difference is left that was found, and something was not tested"
        return Fix(group, "no difference left", sentence, lines)
    more = f", and {len(left) - 1} more" if len(left) > 1 else ""
    return Fix(group, "not enough", f"{subject} alone is not enough: {left[0].where}{more} is left", lines)


# What is changed for a cause.


def _change(cause: Cause, pair: Pair, side: Side) -> Change | None:
    """The change of B that fixes a cause; None where none is known."""
    if cause.code in _COMPILED:
        return _compilation(_COMPILED[cause.code], pair)
    if cause.code == "mode.trainable":
        return _flags(pair, side)
    if pair.alignment is None or pair.a.graph is None or pair.b.graph is None:
        return None
    known = _Places(pair.a.graph, pair.b.graph, pair.alignment.to_b(), side)
    if cause.code == "regularization":
        return _penalties(cause, pair, known)
    change = Change()
    if cause.where.endswith(": training argument"):
        _modes(change, cause, known)
    elif not all(known.fixed(change, difference) for difference in pair.differences if tells(cause, difference)):
        return None
    return change if change.words else None


def _compilation(part: str, pair: Pair) -> Change | None:
    """What A is compiled with."""
    if not (pair.a.model.compiled and pair.b.model.compiled):
        return None
    try:
        return Change(compiled={part: pair.a.model.get_compile_config()[part]}, words=[f"compile B with A's {part}"])
    except Exception:  # a person's own objects may not be written down
        return None


def _flags(pair: Pair, side: Side) -> Change | None:
    """Every layer of B is trained where its partner in A is."""
    change = Change()
    trained = {id(v) for v in pair.a.model.trainable_variables}
    wanted = {id(q): id(p) in trained for p, q in pair.transfer.relations}
    acting = {id(v) for v in pair.b.model.trainable_variables}
    for layer in pair.b.model._flatten_layers(include_self=True, recursive=True):
        own = [v for v in layer._trainable_variables if "seed_generator" not in v.path]
        if not own:
            continue
        if id(layer) not in side.made:
            return None
        flags = {wanted.get(id(v), id(v) in acting) for v in own}
        if len(flags) > 1:
            return None
        change.trainable[side.made[id(layer)].number] = flag = flags.pop()
        if flag != all(id(v) in acting for v in own):
            change.words.append(_line(side, layer, f"trainable={flag}"))
    return change if change.words else None


def _penalties(cause: Cause, pair: Pair, known: "_Places") -> Change | None:
    """The regularisers and constraints of A, as arguments of the layers of B."""
    change = Change()
    owners = {id(w.variable): (node, w.role.split("/")[-1]) for node in known.b.nodes for w in node.weights}
    for p, q, kind, shown in penalised(pair):
        if shown != (cause.a, cause.b) or kind not in cause.where or id(q) not in owners:
            continue
        node, role = owners[id(q)]
        names = (f"{role}_{kind}", f"{role.removesuffix('_kernel')}_{kind}")
        name = next((name for name in names if takes(node.layer, name)), None)
        if name is None or not known.set(change, node, name, getattr(p, kind, None)):
            return None
    for x, y in known.couples() if cause.where.startswith("activity") else ():
        if f"{x.words()} / {y.words()}" in cause.where:
            penalty = getattr(x.layer, "activity_regularizer", None)
            if not known.set(change, y, "activity_regularizer", penalty):
                return None
    return change if change.words else None


def _modes(change: Change, cause: Cause, known: "_Places") -> None:
    """The mode in which A calls a layer: its own, or that of the model."""
    usual = (cause.a, cause.b) == ("inference mode", "training mode") or "whatever" in cause.b
    value = None if usual else "whatever" not in cause.a
    for x, y in known.couples():
        if place_of(x, y) in cause.where and (number := known.number(y)) is not None:
            change.calls[number] = {"training": value}
            words = "call it without `training`" if usual else f"call it with training={value}"
            change.words.append(_line(known.side, y.layer, words))


class _Places:
    """Where in B's function what differs is to be changed."""

    def __init__(self, a: Graph, b: Graph, to_b: dict[int, int], side: Side) -> None:
        self.a, self.b, self.to_b, self.side = a, b, to_b, side
        self.nodes_a, self.nodes_b, self.children = a.by_index(), b.by_index(), a.children()

    def couples(self) -> list[tuple[Node, Node]]:
        """The nodes that correspond."""
        return [(self.nodes_a[x], self.nodes_b[y]) for x, y in self.to_b.items()]

    def number(self, node: Node | None) -> int | None:
        """The number of the layer of a node of B; None where B's function did not make it."""
        known = node is not None and node.layer is not None and id(node.layer) in self.side.made
        return self.side.made[id(node.layer)].number if known and node is not None else None

    def set(self, change: Change, node: Node, name: str, value: Any) -> bool:
        """Add an argument of the constructor of a node's layer; says whether it takes that."""
        layer = node.layer
        if not takes(layer, name):
            layer = getattr(layer, "cell", None)
        if not takes(layer, name) or id(layer) not in self.side.made:
            return False
        change.arguments.setdefault(self.side.made[id(layer)].number, {})[name] = value
        change.words.append(_line(self.side, node.layer, f"{name}={_shown(value)}"))
        return True

    def fixed(self, change: Change, difference: Difference) -> bool:
        """Add what one difference needs to a change; says whether that is known."""
        x = self.nodes_a[difference.node_a] if difference.node_a is not None else None
        y = self.nodes_b[difference.node_b] if difference.node_b is not None else None
        if x is None or y is None or difference.where.startswith("place of "):
            return (y is None or self._left_out(change, y)) and (x is None or self._put_in(change, x))
        if difference.where.startswith("input of "):
            return self._connected(change, x, y)
        name = difference.where.rpartition(": ")[2]
        if "activation" in (x.kind, y.kind) or name == "kind of layer":
            return self._exchanged(change, x, y)
        if x.layer is None or type(x.layer) is not type(y.layer):
            return False
        owner = x.layer if takes(x.layer, name) else getattr(x.layer, "cell", x.layer)
        return self.set(change, y, name, owner.get_config().get(name))

    def _exchanged(self, change: Change, x: Node, y: Node) -> bool:
        """Another layer, or activation, in the place of B's."""
        number = self.number(y)
        if x.kind == y.kind == "activation" and y.part:
            return self.set(change, y, "activation", self._activation(x))
        if number is None or x.layer is None or y.part:
            return False
        change.replaced[number] = New(keras.layers.Activation(self._activation(x)) if x.part else x.layer)
        words = f"put {'the activation' if x.part else type(x.layer).__name__} here, as in A"
        change.words.append(_line(self.side, y.layer, words))
        return True

    def _activation(self, x: Node) -> Any:
        """What computes an activation of A: a function, or a layer of its own."""
        return getattr(x.layer, "activation", None) or (
            x.settings["function"] if x.part or x.layer is None else type(x.layer).from_config(x.layer.get_config())
        )

    def _left_out(self, change: Change, y: Node) -> bool:
        """What only B has."""
        number = self.number(y)
        if y.kind == "activation" and y.part and takes(y.layer, "activation"):
            return self.set(change, y, "activation", None)
        if number is None or y.part:
            return False
        to_a = {j: i for i, j in self.to_b.items()}
        readers = [self.nodes_a[to_a[k]] for k, _ in self.b.children()[y.index] if k in to_a]
        read = {parent for reader in readers for parent, _ in reader.parents}
        kept = [k for k, (parent, _) in enumerate(y.parents) if to_a.get(parent, -1) in read]
        if len(y.parents) > 1 and len(kept) != 1:
            return False
        change.skipped[number] = kept[0] if len(y.parents) > 1 else 0
        change.words.append(_line(self.side, y.layer, "leave this layer out"))
        return True

    def _put_in(self, change: Change, x: Node) -> bool:
        """What only A has: in front of the one layer that reads it, else behind what it reads."""
        before = self._matched(x.parents[0][0]) if x.parents else None
        if x.kind == "activation" and before is not None and not before.part and takes(before.layer, "activation"):
            return self.set(change, before, "activation", self._activation(x))
        reads = [self.number(self._matched(parent)) for parent, _ in x.parents] if len(x.parents) > 1 else []
        if x.layer is None or x.part or None in reads:
            return False
        new = New(x.layer, x.index, tuple(number for number in reads if number is not None))
        readers = self._readers(x)
        reader = self.number(readers[0]) if len(readers) == 1 else None
        anchor = self.number(before)
        if reader is not None and len(readers[0].parents) == 1 and not readers[0].part:
            change.ahead.setdefault(reader, []).append(new)
            words, layer = f"put {type(x.layer).__name__} in front of this layer, as in A", readers[0].layer
        elif anchor is not None and before is not None:
            anchor = max([anchor, *new.reads])
            change.behind.setdefault(anchor, []).append(new)
            words, layer = f"add {type(x.layer).__name__} behind this layer, as in A", before.layer
        else:
            return False
        change.words.append(_line(self.side, layer, words))
        return True

    def _matched(self, index: int) -> Node | None:
        """The node of B for a node of A, or for what that stands behind where B has none."""
        while index not in self.to_b and len(self.nodes_a[index].parents) == 1:
            index = self.nodes_a[index].parents[0][0]
        return self.nodes_b.get(self.to_b.get(index, -1))

    def _readers(self, x: Node) -> list[Node]:
        """The nodes of B whose partners read a node of A, directly or through what B lacks."""
        readers: dict[int, Node] = {}
        for child, _ in self.children[x.index]:
            for node in [self.nodes_b[self.to_b[child]]] if child in self.to_b else self._readers(self.nodes_a[child]):
                readers[node.index] = node
        return list(readers.values())

    def _connected(self, change: Change, x: Node, y: Node) -> bool:
        """A layer that reads from elsewhere."""
        number, reads = self.number(y), [self.number(self._matched(parent)) for parent, _ in x.parents]
        if number is None or None in reads or y.part:
            return False
        change.reads[number] = tuple(read for read in reads if read is not None)
        names = " and ".join(self.nodes_b[self.to_b[p]].words() if p in self.to_b else "A's" for p, _ in x.parents)
        change.words.append(_line(self.side, y.layer, f"let it read {names}"))
        return True


def _shown(value: Any) -> str:
    """A value as a person writes it."""
    if isinstance(value, keras.layers.Layer) or not hasattr(value, "get_config"):
        return (
            type(value).__name__ if isinstance(value, keras.layers.Layer) else repr(getattr(value, "__name__", value))
        )
    settings = (f"{k}={v:.6g}" if isinstance(v, float) else f"{k}={v!r}" for k, v in value.get_config().items())
    return f"{type(value).__name__}({', '.join(settings)})"


def _line(side: Side, layer: Any, words: str) -> str:
    line = side.line_of(layer)
    return f"{line.words()}  {line.text}   <- {words}" if line else f"{type(layer).__name__} '{layer.name}': {words}"
