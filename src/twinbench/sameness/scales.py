"""Probes own code with inputs of every size, and says which of its conditions no input decided both ways.

An own layer may do something else beyond a limit that ordinary inputs do not reach. Two layers of Keras cannot, so this
is only done where the graphs differ in operations that a person wrote.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from twinbench.sameness.canonical import NodeValues
from twinbench.sameness.graph import Graph, Node
from twinbench.sameness.localise import tensors
from twinbench.sameness.probes import Comparison, compare_outputs, fitted, kept
from twinbench.sameness.subjects import LARGE, Pair, count_parameters

SCALES = (1e-6, 1e-3, 10.0, 100.0, 1e3, 1e5)
"""Sizes of the inputs beside the ordinary ones; each is compared on its own, so that small values count."""

_CLEAR = 1e-3
"""Part of the largest value by which outputs must differ, as far from ordinary sizes rounding is not."""

_OVERFLOW = 1e4
"""What overflows only beyond this is left alone: nobody feeds it."""

CONDITIONS = {"Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual"}
"""Operations that decide: their operands act on some inputs, and on others not at all."""

Arrays = Sequence[np.ndarray]


def written_otherwise(pair: Pair) -> list[tuple[int, Node]]:
    """The operations of a person's own in which two graphs differ, each with its side (0 for A, 1 for B)."""
    if pair.alignment is None or pair.a.graph is None or pair.b.graph is None or not pair.differences:
        return []
    lonely = pair.alignment.only_a, pair.alignment.only_b
    places = [{*indices} for indices in lonely]
    for difference in pair.differences:
        for side, index in enumerate((difference.node_a, difference.node_b)):
            places[side] |= set() if index is None else {index}
    return [
        (side, node)
        for side, graph in enumerate((pair.a.graph, pair.b.graph))
        for node in graph.nodes
        if node.index in places[side] and node.layer is None and node.kind not in ("input", "variable", "constant")
    ]


def of_every_size(pair: Pair, arrays: Arrays, fed: Sequence[Arrays]) -> Iterator[Arrays]:
    """The ordinary inputs, zeros, what the models are fed, and inputs of every other size and either sign."""
    yield arrays
    yield from fed
    if not any(array.dtype.kind == "f" for array in arrays):
        return
    generator = np.random.default_rng(8)
    yield [np.zeros_like(array) if array.dtype.kind == "f" else array for array in arrays]
    for scale in SCALES[2::2] if _is_large(pair) else SCALES:
        yield [_scaled(array, generator, scale) for array in arrays]


def _is_large(pair: Pair) -> bool:
    return count_parameters(pair.a.variables()) > LARGE


def _scaled(array: np.ndarray, generator: np.random.Generator, scale: float) -> np.ndarray:
    """Numbers of one size: a third of the rows of both signs, a third positive, a third negative."""
    if array.dtype.kind != "f":
        return array
    drawn = scale * generator.standard_normal(array.shape)
    drawn[1::3], drawn[2::3] = np.abs(drawn[1::3]), -np.abs(drawn[2::3])
    return drawn.astype(array.dtype)


def compare_every_size(
    pair: Pair, arrays: Arrays, fed: Sequence[Arrays], modes: Sequence[bool]
) -> tuple[Comparison, bool, Arrays] | str:
    """Compare outputs on inputs of every size.

    Returns:
        The first comparison that differs, whether in training mode, and the inputs. Else in words from which inputs on
        one side alone gives numbers; nothing where that is not so up to a thousand.
    """
    overflow = ""
    modes = modes[:1] if _is_large(pair) else modes
    for probe in islice(of_every_size(pair, arrays, fed), 1, None):  # the ordinary ones were compared
        for training in modes:
            result = compare_outputs(pair, probe, training=training)
            size = max((float(np.abs(array).max(initial=0.0)) for array in probe if array.dtype.kind == "f"), default=0)
            if np.isinf(result.deviation) and size < _OVERFLOW and not overflow:
                overflow = f"on inputs up to {size:,.3g} only one side gives finite numbers"
            if not result.equal and np.isfinite(result.deviation) and result.relative > _CLEAR:
                return result, training, probe
    return overflow


def undecided(pair: Pair, arrays: Arrays, fed: Sequence[Arrays]) -> list[str]:
    """Conditions of own code that were true, or false, on every input that was tried, in words."""
    nodes = [(side, node) for side, node in written_otherwise(pair) if node.kind in CONDITIONS]
    words = []
    for side, one in enumerate((pair.a, pair.b)):
        if one.graph is None:
            continue
        random = _random(one.graph)
        mine = [node for k, node in nodes if k == side and node.index not in random]
        if not mine:
            continue
        seen: dict[int, set[bool]] = {node.index: set() for node in mine}
        values_of = NodeValues(one.model, one.signature, one.graph)
        for probe in of_every_size(pair, arrays, fed):
            with kept(one):
                values = values_of(tensors(fitted(probe, one) if side else probe))
            for node in mine:
                seen[node.index] |= {bool(value) for value in np.unique(values.get((node.index, 0), np.zeros(0)))}
        words += [_words(node, one.graph, "AB"[side], seen[node.index]) for node in mine if len(seen[node.index]) < 2]
    return words


def _random(graph: Graph) -> set[int]:
    """The nodes that depend on random numbers: what these decide, they decide both ways."""
    found: set[int] = set()
    for node in graph.nodes:
        if node.seeds or "Random" in node.kind or found & {parent for parent, _ in node.parents}:
            found.add(node.index)
    return found


def _words(node: Node, graph: Graph, letter: str, seen: set[bool]) -> str:
    limits = [str(value) for name, value in node.settings.items() if name.startswith("operand")]
    came = f"was {str(*seen).lower()} on every input that was tried" if seen else "could not be followed"
    limit = f" with {', '.join(limits)}" if limits else ""
    return f"in {letter} the condition {node.kind}{limit} of '{node.name or 'own code'}' {came}"
