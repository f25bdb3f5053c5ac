"""Both graphs as the rows of a side-by-side view: each layer beside its partner, or beside a gap."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from twinbench.compare.attribution import TOLD_BY_SIDE
from twinbench.compare.report import Cause
from twinbench.compare.sides import Side
from twinbench.sameness.evidence import Evidence
from twinbench.sameness.graph import Difference, Graph, Node
from twinbench.sameness.structure import show
from twinbench.sameness.subjects import Pair, count_parameters

_LONGEST = 90
CONTEXT = 1
"""How many equal rows stay unfolded beside one that is not."""
_FEWEST = 3
"""Fewer equal rows than these are not folded."""


@dataclass(frozen=True)
class Cell:
    """A layer or operation of one side: what it is, its shape and parameters, and the line that made it."""

    title: str
    shape: str
    parameters: int
    line: str
    text: str
    settings: dict[str, str]


@dataclass(frozen=True)
class Row:
    """A layer of each side, or a gap, and what is known of the two.

    Attributes:
        a: The layer of A; None where it has none.
        b: That of B.
        changed: The settings that differ, with the value on each side.
        causes: The numbers of the causes in the report that name this place.
        notes: How far the values that the two compute agree, by mode, in words.
        first: The modes in which their values are the first that differ.
        quiet: Whether an absence changes nothing: a layer that does nothing, or an activation told with its layer.
    """

    a: Cell | None
    b: Cell | None
    changed: tuple[tuple[str, str, str], ...] = ()
    causes: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    quiet: bool = False

    @property
    def status(self) -> Literal["equal", "cause", "harmless"]:
        """What the row is: equal, named by a cause, or different without being blamed."""
        if self.causes:
            return "cause"
        different = self.changed or ((self.a is None or self.b is None) and not self.quiet)
        return "harmless" if different else "equal"

    @property
    def settings(self) -> list[tuple[str, str, str]]:
        """Every setting with its value on each side; empty where a side does not have it."""
        left, right = (cell.settings if cell else {} for cell in (self.a, self.b))
        return [(name, left.get(name, ""), right.get(name, "")) for name in dict.fromkeys((*left, *right))]


def side_by_side(pair: Pair, sides: tuple[Side, Side], evidence: Evidence, causes: Sequence[Cause]) -> list[Row]:
    """The rows of two traced models in the order of computation; none where a model could not be traced."""
    if pair.alignment is None or pair.a.graph is None or pair.b.graph is None:
        return []
    a, b = pair.a.graph.by_index(), pair.b.graph.by_index()
    of_places: dict[tuple[int | None, int | None], list[Difference]] = defaultdict(list)
    for difference in pair.differences:
        of_places[difference.node_a, difference.node_b].append(difference)
    rows = []
    for x, y in _places(pair, pair.a.graph, pair.b.graph):
        cells = (_cell(a[x], sides[0]) if x is not None else None, _cell(b[y], sides[1]) if y is not None else None)
        differences = of_places[x, y]
        numbers = [k for k, cause in enumerate(causes, start=1) if any(tells(cause, d) for d in differences)]
        names = {node.layer.name for node in (*([a[x]] if x is not None else []), *([b[y]] if y is not None else []))
                 if node.layer is not None and not node.part}  # fmt: skip
        numbers += [k for k, cause in enumerate(causes, 1) if k not in numbers and _names(cause, pair) & names]
        modes = [
            (part.mode, part.values.get((x, y)), part.first == (x, y))
            for part in evidence.parted
            if x is not None and y is not None
        ]
        rows.append(
            Row(
                *cells,
                changed=tuple(_changed(cells, differences)),
                causes=tuple(numbers),
                notes=tuple(_note(mode, result) for mode, result, _ in modes if result is not None),
                first=tuple(mode for mode, _, first in modes if first),
                quiet=any(node is not None and node.optional for node in (a.get(x), b.get(y))),  # type: ignore[arg-type]
            )
        )
    return rows


def folded(rows: Sequence[Row]) -> Iterator[tuple[bool, int, Sequence[Row]]]:
    """Stretches of rows: whether it is to be folded, the number of its first row, and its rows."""
    plain = [row.status == "equal" and not row.first for row in rows]
    near = [not all(plain[max(0, k - CONTEXT) : k + CONTEXT + 1]) or k in (0, len(rows) - 1) for k in range(len(rows))]
    start = 0
    while start < len(rows):
        stop = start
        while stop < len(rows) and near[stop] == near[start]:
            stop += 1
        yield not near[start] and stop - start >= _FEWEST, start, rows[start:stop]
        start = stop


def _places(pair: Pair, a: Graph, b: Graph) -> Iterator[tuple[int | None, int | None]]:
    """Pairs of nodes in A's order, and in between what only B has, where B has it."""
    assert pair.alignment is not None  # noqa: S101 - the caller has looked
    to_b = pair.alignment.to_b()
    only_b = list(pair.alignment.only_b)
    for node in a.nodes:
        partner = to_b.get(node.index)
        while only_b and partner is not None and only_b[0] < partner:
            yield None, only_b.pop(0)
        yield node.index, partner
    for index in only_b:
        yield None, index


def _cell(node: Node, side: Side) -> Cell:
    line = side.line_of(node.layer) if node.layer is not None else None
    shape = "" if node.shape is None else " x ".join("any" if axis is None else str(axis) for axis in node.shape) or "1"
    values = {k: v for k, v in (node.raw or node.settings).items() if k != "values"}
    settings = {name: _short(show(value)) for name, value in sorted(values.items())}
    if node.kind == "input":
        settings = {}
    for name, penalty in node.regularizers.items():
        settings[f"{name}_regularizer"] = _short(show(penalty))
    weights = [weight.variable for weight in node.weights]
    if node.layer is not None and not node.part:
        settings["dtype"] = str(getattr(getattr(node.layer, "dtype_policy", None), "name", ""))
        if weights:
            settings["trainable"] = str(all(v.trainable for v in node.layer.weights if "moving_" not in v.path))
    return Cell(
        "the input" if node.kind == "input" and not node.name else node.words(),
        shape,
        count_parameters(weights),
        line.words() if line else "",
        line.text if line else "",
        settings,
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _changed(
    cells: tuple[Cell | None, Cell | None], differences: Sequence[Difference]
) -> Iterator[tuple[str, str, str]]:
    """What differs, as name and both values: what the differences say, and what the settings show beside."""
    told = set()
    for d in differences:
        name = d.where.rpartition(": ")[2] if ": " in d.where else d.code.rpartition(".")[2].replace("_", " ")
        told.add(name)
        yield name, d.a.removeprefix(f"{name}="), d.b.removeprefix(f"{name}=")
    left, right = (cell.settings if cell else {} for cell in cells)
    for name in ("trainable", "dtype"):
        if name not in told and name in left and name in right and left[name] != right[name]:
            yield name, left[name], right[name]


def _note(mode: str, result: Any) -> str:
    if result.bit_identical:
        return f"in {mode} mode both compute the same, bit for bit"
    if not np.isfinite(result.deviation):
        return f"in {mode} mode what they compute has another shape, or other numbers are finite"
    words = "agree within rounding: they deviate" if result.equal else "differ"
    return f"in {mode} mode their values {words} by {result.deviation:.3g} where values reach {result.scale:.3g}"


def tells(cause: Cause, difference: Difference) -> bool:
    """Whether a cause tells a difference, alone or with others alike."""
    if cause.code != difference.code:
        return False
    alike = (cause.a, cause.b) == (difference.a, difference.b)
    exactly = alike and cause.where == difference.where
    if cause.code.endswith(TOLD_BY_SIDE):
        alike = cause.detail[:1] == difference.detail[:1]
    several = " more place" in cause.where and (alike or difference.where.split(":")[0] in cause.where)
    return exactly or several


def _names(cause: Cause, pair: Pair) -> set[str]:
    """The layers that a cause names which is no difference of the graphs."""
    if any(tells(cause, difference) for difference in pair.differences):
        return set()
    return set(re.findall(r"'([^']+)'", cause.where)) | set(re.findall(r"([\w.-]+)/[\w.-]+", cause.where))
