"""Compares the weights that two sides come with: those of saved files, live models, and functions that load some.

Everything that a model holds counts: weights, moving statistics, means and variances, vocabularies, boundaries.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.report import Cause, Stored
from twinbench.compare.sides import Side
from twinbench.sameness.evidence import short_path
from twinbench.sameness.probes import compare_outputs, values_of
from twinbench.sameness.subjects import Pair, Subject

_LOOKUPS = ("StringLookup", "IntegerLookup", "Discretization")

ROUNDING = 1e-6
"""Up to this part of a tensor's largest value, a deviation is what another file format or machine leaves."""


def compare_stored(sides: tuple[Side, Side], pair: Pair, arrays: Sequence[np.ndarray]) -> Stored | None:
    """Compare what both sides hold; None where neither comes with weights.

    Args:
        sides: The sides, whose models hold what they came with.
        pair: Both models and the match of their weights.
        arrays: Inputs to probe both models with; empty where they cannot be probed.
    """
    held = [_held(side, one) for side, one in zip(sides, (pair.a, pair.b), strict=True)]
    if not any(side.comes_with_weights for side in sides):
        return None
    both, fresh, rounding = [], {"A": False, "B": False}, 0.0
    different: list[tuple[float, str]] = []
    sources: dict[int, set[int]] = defaultdict(set)
    for p, q in pair.transfer.relations:
        sources[id(q)].add(id(p))
    for p, q, value in pair.transfer.carried(values_of):
        deviation, exceeds = _deviation(value, values_of(q))
        rounding = rounding if exceeds else max(rounding, deviation)
        if sources[id(q)] <= held[0] and id(q) in held[1]:
            both.append((p, q))
            different += [(deviation, short_path(p))] if exceeds else []
        elif exceeds and (sources[id(q)] & held[0] or id(q) in held[1]):
            fresh["B" if sources[id(q)] & held[0] else "A"] = True
    tables = _table_differences(pair) if all(side.comes_with_weights for side in sides) else []
    if different and not tables and _exchanged(both, pair, arrays):
        different = []
    places = [place for _, place in sorted(different, reverse=True)] + [place for place, _, _ in tables]
    paired = {source for group in sources.values() for source in group} | set(sources)
    alone = any(
        id(v) in ids and id(v) not in paired
        for ids, one in zip(held, (pair.a, pair.b), strict=True)
        for v in one.variables()
    )
    return Stored(
        compared=len(both) + len(tables),
        differ=len(places),
        largest=max(different)[0] if different else (rounding or None),
        where=places[0] if places else "",
        everything=len(both) == len(sources),
        not_compared=_not_compared(fresh, alone=alone),
    )


def _held(side: Side, one: Subject) -> set[int]:
    held = set(side.held)
    if side.kind in ("model", "weights", "file") and one.graph is not None:
        held |= {id(variable) for variable in one.graph.untracked}
    return held


def _not_compared(fresh: dict[str, bool], *, alone: bool) -> str:
    for letter, holder in (("A", "B"), ("B", "A")):
        if fresh[letter]:
            return f"the weights that {holder} comes with were compared with nothing: {letter} starts from fresh ones"
    return "some of the weights that one side comes with have no counterpart on the other" if alone else ""


def _deviation(one: np.ndarray, other: np.ndarray) -> tuple[float, bool]:
    """The largest deviation of two arrays, and whether it exceeds rounding."""
    if np.array_equal(one, other):
        return 0.0, False
    left, right = (np.asarray(array, dtype="float64") for array in (one, other))
    finite = np.isfinite(left)
    if not np.array_equal(finite, np.isfinite(right)):
        return float("inf"), True
    size = float(np.abs(left[finite] - right[finite]).max(initial=0.0))
    return size, size > ROUNDING * float(np.abs(left[finite]).max(initial=0.0))


def _exchanged(couples: Sequence[tuple[Any, Any]], pair: Pair, arrays: Sequence[np.ndarray]) -> bool:
    """Whether both hold the same tensors in another order, as parallel branches have it, and compute the same."""
    contents = [
        sorted((tuple(v.shape), values_of(v).tobytes()) for v in column) for column in zip(*couples, strict=True)
    ]
    if contents[0] != contents[1] or not arrays:
        return False
    try:
        return compare_outputs(pair, arrays, training=False).equal
    except Exception:  # then nothing shows that they are the same
        return False


def table_causes(sides: tuple[Side, Side], pair: Pair) -> list[Cause]:
    """Other vocabularies or boundaries as causes, where a side is a function that makes its model anew."""
    if all(side.comes_with_weights for side in sides):
        return []
    detail = "the same input becomes another number"
    return [make_cause("preprocessing", place, *words, detail=detail) for place, *words in _table_differences(pair)]


@contextmanager
def equal_tables(pair: Pair) -> Iterator[None]:
    """Give B the vocabularies and boundaries of A for a while, so that only what else differs is seen."""
    with ExitStack() as stack:
        for mine, theirs in _tables(pair):
            table, other = _table(mine), _table(theirs)
            if table != other:
                with suppress(Exception):  # a table that does not fit stays, and shows as another function
                    _set_table(theirs, table)
                    stack.callback(_set_table, theirs, other)
        yield


def _table_differences(pair: Pair) -> list[tuple[str, str, str]]:
    """Vocabularies and boundaries that differ: the layer, and from where on each side's table is another."""
    differences = []
    for mine, theirs in _tables(pair):
        table, other = _table(mine), _table(theirs)
        if table != other:
            word = "boundaries" if isinstance(mine, keras.layers.Discretization) else "vocabulary"
            place = f"{word} of {type(mine).__name__} '{mine.name}'"
            differences.append((place, _shown(table, other), _shown(other, table)))
    return differences


def _tables(pair: Pair) -> list[tuple[Any, Any]]:
    """The layers of both models that look values up in a table, in their order."""
    layers = [
        [layer for layer in one.model._flatten_layers(recursive=True) if type(layer).__name__ in _LOOKUPS]
        for one in (pair.a, pair.b)
    ]
    if len(layers[0]) != len(layers[1]):
        return []  # another number of such layers is told as a difference of the networks
    return list(zip(*layers, strict=True))


def _table(layer: Any) -> list[Any]:
    if isinstance(layer, keras.layers.Discretization):
        return [float(edge) for edge in layer.bin_boundaries or ()]
    return list(layer.get_vocabulary())


def _set_table(layer: Any, table: list[Any]) -> None:
    if isinstance(layer, keras.layers.Discretization):
        layer.bin_boundaries = table
    else:
        layer.set_vocabulary(table)


def _shown(table: list[Any], other: list[Any]) -> str:
    start = next((k for k, (x, y) in enumerate(zip(table, other, strict=False)) if x != y), min(len(table), len(other)))
    entries = ", ".join(str(entry) for entry in table[start : start + 4])
    return f"{len(table)} entries" + (f", from number {start} on: {entries}" if entries else "")
