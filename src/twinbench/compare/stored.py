"""Compares the weights that two sides come with: those of saved files, live models, and functions that load some.

Everything that a model holds counts: weights, moving statistics, means and variances, vocabularies, boundaries.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.holdings import Fit, Stored
from twinbench.compare.report import Cause
from twinbench.compare.sides import Side
from twinbench.errors import raise_if_memory_ran_out
from twinbench.sameness.held import Held, compare_optimizer_state, compare_tensors
from twinbench.sameness.probes import Comparison as Compared
from twinbench.sameness.probes import compare_outputs, values_of
from twinbench.sameness.subjects import Pair, Subject

_LOOKUPS = ("StringLookup", "IntegerLookup", "Discretization")


def compare_stored(sides: tuple[Side, Side], pair: Pair, arrays: Sequence[np.ndarray]) -> Stored | None:
    """Compare what both sides hold; None where neither comes with weights.

    Args:
        sides: The sides, whose models hold what they came with.
        pair: Both models and the match of their weights.
        arrays: Inputs to probe both models with; empty where they cannot be probed.
    """
    if not any(side.comes_with_weights for side in sides):
        return None
    both = all(side.comes_with_weights for side in sides)
    ids = [_held(side, one) for side, one in zip(sides, (pair.a, pair.b), strict=True)]
    held = compare_tensors(pair, ids)
    if both:
        held += [
            Held("table", place, place, "differs", note=f"{a} in A, {b} in B")
            for place, a, b in _table_differences(pair)
        ]
    outputs = _own_outputs(pair, arrays) if both else None
    if outputs is not None and outputs.equal and _exchanged(held, pair):
        held = [replace(one, status="equal", note="held in another place, to the same effect") if one.differs else one
                for one in held]  # fmt: skip
    if both:
        held += compare_optimizer_state(pair)
    return Stored(
        held=tuple(held),
        everything=all(id(p) in ids[0] and id(q) in ids[1] for p, q in pair.transfer.relations),
        not_compared=_not_compared(held),
        outputs=outputs,
        checkpoint=next((side.fit for side in sides if side.fit is not None), None),
    )


def _held(side: Side, one: Subject) -> set[int]:
    held = set(side.held)
    if side.kind in ("model", "weights", "file") and one.graph is not None:
        held |= {id(variable) for variable in one.graph.untracked}
    return held


def _own_outputs(pair: Pair, arrays: Sequence[np.ndarray]) -> Compared | None:
    """The outputs in inference mode of both models, each with what it holds; None where they cannot be had."""
    if not arrays:
        return None
    try:
        return compare_outputs(pair, arrays, training=False)
    except Exception as error:
        raise_if_memory_ran_out(error)
        return None


def _not_compared(held: Sequence[Held]) -> str:
    for letter, holder in (("A", "B"), ("B", "A")):
        if any(one.status == "not compared" and one.note.startswith(letter) for one in held):
            return f"the weights that {holder} comes with were compared with nothing: {letter} starts from fresh ones"
    alone = any(one.status == "missing" for one in held)
    return "some of the weights that one side comes with have no counterpart on the other" if alone else ""


def _exchanged(held: Sequence[Held], pair: Pair) -> bool:
    """Whether both hold the same tensors in another order, as parallel branches have it."""
    if any((one.differs and one.kind == "table") or one.status in ("missing", "not compared") for one in held):
        return False
    couples = list(zip(*pair.transfer.relations, strict=True))
    contents = [sorted((tuple(v.shape), values_of(v).tobytes()) for v in column) for column in couples]
    return len(contents) == 2 and contents[0] == contents[1]


def table_causes(sides: tuple[Side, Side], pair: Pair) -> list[Cause]:
    """Other vocabularies or boundaries as causes, where a side is a function that makes its model anew."""
    if all(side.comes_with_weights for side in sides):
        return []
    detail = "the same input becomes another number"
    return [make_cause("preprocessing", place, *words, detail=detail) for place, *words in _table_differences(pair)]


def misfit_causes(fit: Fit, letter: str) -> list[Cause]:
    """What of a file of weights does not fit the other side's model; `letter` is the side of the file."""
    seen = []
    if fit.reshaped:
        name, stored, wanted = fit.reshaped[0]
        detail = "the layer has another size, kernel or number of inputs"
        seen.append(("arch.hyperparameter", f"{len(fit.reshaped)} of another shape: {name}", stored, wanted, detail))
    if fit.lost:
        where = f"{len(fit.lost)} without a place in the model: {fit.lost[0]}"
        seen.append(("arch.layer_missing", where, "in the file", "missing", "the numbers would be lost"))
    if fit.unfilled:
        where = f"{len(fit.unfilled)} that the file does not hold: {fit.unfilled[0]}"
        seen.append(("arch.layer_missing", where, "missing", "in the model", "they would stay at initial values"))
    fix = "Build the model from which the file was saved; skip_mismatch=True would leave weights at initial values."
    return [
        make_cause(code, f"tensors: {where}", *(words if letter == "A" else words[::-1]), detail=detail, fix=fix)
        for code, where, *words, detail in seen
    ]


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
