"""Follows a change in the order of concatenated parts through a network, to the weights that absorb it.

`Concatenate([x, y])` and `Concatenate([y, x])` before a dense layer compute the same functions: the rows of the kernel
are in another order, which training does not notice. This finds the order in which A's weights go into B.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from twinbench.audit.alignment import Alignment, representatives
from twinbench.audit.graph import Graph, Node

Layout = np.ndarray | None
"""Entry i of B's last axis is entry `layout[i]` of A's; None where they are equal."""

_MIXING = {"Dense", "Conv1D", "Conv2D", "Conv3D", "LSTM", "GRU", "SimpleRNN"}
_PER_CHANNEL = {"BatchNormalization", "LayerNormalization", "PReLU"}
_CARRYING = {
    "activation", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "UpSampling1D", "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D", "Masking", "add", "multiply", "average",
    "maximum", "minimum", "subtract",
}  # fmt: skip


def permutations(a: Graph, b: Graph, alignment: Alignment) -> dict[int, tuple[int, np.ndarray]]:
    """Orders that make A's weights fit B.

    Returns:
        For the identity of a variable of B, an axis and the order of A's values along it; empty where the graphs do not
        differ by order alone, or where the order reaches an output.
    """
    nodes_a, nodes_b = a.by_index(), b.by_index()
    to_b, to_a = alignment.to_b(), alignment.to_a()
    if any(not nodes_a[k].optional for k in alignment.only_a) or any(not nodes_b[k].optional for k in alignment.only_b):
        return {}
    layouts: dict[int, Layout] = {}
    found: dict[int, tuple[int, np.ndarray]] = {}
    stands_a, stands_b = representatives(a), representatives(b)
    for x in a.nodes:
        if x.optional or x.index not in to_b:
            continue
        y = nodes_b[to_b[x.index]]
        here = replace(x, parents=[(stands_a[parent], k) for parent, k in x.parents])
        there = replace(y, parents=[(stands_b[parent], k) for parent, k in y.parents])
        try:
            layouts[y.index] = _layout(here, there, nodes_a, to_a, layouts, found)
        except _NotByOrderError:
            return {}
    if any(layouts.get(stands_b[index]) is not None for index, _ in b.outputs):
        return {}
    return found


class _NotByOrderError(Exception):
    """The graphs differ by more than the order of what is concatenated."""


def _layout(  # noqa: PLR0911, PLR0917 - one return per kind of node; the state of one walk
    x: Node,
    y: Node,
    nodes_a: dict[int, Node],
    to_a: dict[int, int],
    layouts: dict[int, Layout],
    found: dict[int, tuple[int, np.ndarray]],
) -> Layout:
    if any(parent not in layouts for parent, _ in y.parents):
        raise _NotByOrderError
    mine = [layouts[parent] for parent, _ in y.parents]
    if x.kind == "concatenate" and x.settings == y.settings:
        return _concatenated(x, y, nodes_a, to_a, layouts)
    if all(layout is None for layout in mine):
        return None
    first = next(layout for layout in mine if layout is not None)
    if x.kind in _MIXING and len(mine) == 1:
        kernel = next(w.variable for w in y.weights if w.role.split("/")[-1] == "kernel")
        _store(found, kernel, len(kernel.shape) - 2, first)
        return None
    if x.kind in _PER_CHANNEL and x.shape and x.settings.get("axis") in (len(x.shape), None):
        for weight in y.weights:
            _store(found, weight.variable, 0, first)
        return first
    if x.kind in _CARRYING and _alike(mine):
        return first
    if x.kind == "scale" and np.size(x.settings["factor"]) == np.size(x.settings["offset"]) == 1:
        return first
    before = nodes_a[x.parents[0][0]].shape if x.parents else None
    if x.kind == "reduce" and before and max(x.settings["axes"]) < len(before):
        return first
    if x.kind == "reshape" and x.settings["to"] == "flat" and before and None not in before:
        size = int(np.prod([axis or 1 for axis in before]))
        return np.arange(size).reshape([axis or 1 for axis in before])[..., first].ravel()
    raise _NotByOrderError


def _alike(layouts: list[Layout]) -> bool:
    return all(
        layout is not None and layouts[0] is not None and np.array_equal(layout, layouts[0]) for layout in layouts
    )


def _store(found: dict[int, tuple[int, np.ndarray]], variable: object, axis: int, order: np.ndarray) -> None:
    known = found.get(id(variable))
    if known is not None and not np.array_equal(known[1], order):
        raise _NotByOrderError
    found[id(variable)] = axis, order


def _concatenated(
    x: Node, y: Node, nodes_a: dict[int, Node], to_a: dict[int, int], layouts: dict[int, Layout]
) -> Layout:
    sources = [parent for parent, _ in x.parents]
    widths = [nodes_a[parent].shape for parent in sources]
    if any(shape is None or shape[-1:] == (None,) or not shape for shape in widths):
        raise _NotByOrderError
    sizes = [int(shape[-1] or 0) for shape in widths if shape]
    if x.settings.get("axis") != len(widths[0] or ()):
        if [to_a.get(parent) for parent, _ in y.parents] == sources and _plain(layouts[p] for p, _ in y.parents):
            return None
        raise _NotByOrderError
    starts = np.concatenate([[0], np.cumsum(sizes)])
    waiting = list(range(len(sources)))
    parts = []
    for parent, _ in y.parents:
        place = next((k for k in waiting if sources[k] == to_a.get(parent)), None)
        if place is None:
            raise _NotByOrderError
        waiting.remove(place)
        inner = layouts[parent]
        parts.append(starts[place] + (np.arange(sizes[place]) if inner is None else inner))
    order = np.concatenate(parts)
    return None if np.array_equal(order, np.arange(len(order))) else order


def _plain(layouts: Iterable[Layout]) -> bool:
    return all(layout is None for layout in layouts)
