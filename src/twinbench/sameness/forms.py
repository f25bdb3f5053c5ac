"""The canonical forms that layers and plain operations share: merges, reductions, activations, shapes, scaling.

However something is spelled, as a layer or as an operation between layers, it becomes the same node here; chains become
one node, and what changes nothing becomes none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from twinbench.sameness.graph import Edge, Node, NodeList
from twinbench.sameness.settings import activation_identity, is_linear, plain, resolved
from twinbench.sameness.trace import LayerCall

Shape = tuple[int | None, ...]


class Builder(NodeList, ABC):
    """A graph under construction."""

    @abstractmethod
    def splice(self, inner: Any, edge: Edge, shape: Shape, dtype: str) -> Edge:
        """Inlines the graph of a model that is applied to every time step of an edge."""


def shape_of(tensor: Any) -> Shape:
    """The static shape of a tensor without its batch axis; empty where even the rank is unknown."""
    return () if tensor.shape.rank is None else tuple(tensor.shape.as_list()[1:])


class CanonicalForms:
    """Emits the nodes of the shared forms into a graph under construction."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def merge(
        self,
        kind: str,
        edges: list[Edge],
        settings: dict[str, Any],
        shape: Shape,
        *,
        ordered: bool,
        layer: Any = None,
        spelling: str = "",
        name: str = "",
    ) -> Edge:
        """Emits a merge of several edges."""
        return self.builder.emit(
            Node(
                0,
                kind,
                settings,
                edges,
                ordered=ordered,
                layer=layer,
                name=layer.name if layer is not None else name,
                spelling=spelling,
                shape=shape,
            )
        )

    def reduce(
        self,
        edge: Edge,
        how: str,
        axes: tuple[int, ...],
        shape: Shape,
        *,
        layer: Any = None,
        spelling: str = "",
        name: str = "",
        call: LayerCall | None = None,
    ) -> Edge:
        """Emits a reduction over whole axes; kept axes of length one become a reshape."""
        before = self.builder.node(edge).shape
        settings = {"how": how, "axes": axes}
        raw = resolved(layer, type(layer), None).settings if layer is not None else {}
        bare = tuple(n for k, n in enumerate(before or (), start=1) if k not in axes)
        reduced = self.builder.emit(
            Node(
                0,
                "reduce",
                settings,
                [edge],
                layer=layer,
                name=layer.name if layer is not None else name,
                spelling=spelling,
                masked=bool(call and call.masked and takes_mask(layer)),
                shape=bare,
                raw=raw,
            )
        )
        return reduced if len(shape) == len(bare) else self.reshape(reduced, shape, layer=layer, spelling=spelling)

    def activation(
        self,
        edge: Edge,
        function: Any,
        shape: Shape,
        *,
        layer: Any = None,
        part: bool = False,
        name: str = "",
        spelling: str = "",
        extra: dict[str, Any] | None = None,
        masked: bool = False,
    ) -> Edge:
        """Emits an activation, unless it is linear."""
        identity = activation_identity(function)
        if is_linear(identity) and not extra:
            return edge
        settings = {"function": identity[0], "values": identity[1], **(extra or {})}
        return self.builder.emit(
            Node(
                0,
                "activation",
                settings,
                [edge],
                layer=layer,
                part=part,
                name=layer.name if layer is not None else name,
                spelling=spelling or "activation",
                shape=shape,
                masked=masked,
            )
        )

    def reshape(self, edge: Edge, shape: Shape, *, layer: Any = None, spelling: str = "", name: str = "") -> Edge:
        """Emits a change of shape that keeps the order of the values; chains of them become one."""
        parent = self.builder.node(edge)
        while parent.kind == "reshape":
            edge = parent.parents[0]
            parent = self.builder.node(edge)
        same = parent.shape is not None and parent.shape == shape and None not in shape[1:]
        if same and layer is None:
            return edge
        to: Any = "flat" if len(shape) == 1 else shape
        title = layer.name if layer is not None else name
        node = Node(0, "reshape", {"to": to}, [edge], layer=layer, name=title, spelling=spelling, shape=shape)
        node.optional = same
        return self.builder.emit(node)

    def transpose(
        self,
        edge: Edge,
        order: tuple[int, ...],
        shape: Shape,
        *,
        layer: Any = None,
        spelling: str = "",
        name: str = "",
    ) -> Edge:
        """Emits a permutation of axes, unless it leaves them as they are."""
        if order == tuple(range(len(order))):
            return edge
        parent = self.builder.node(edge)
        if parent.kind == "activation":
            turned = self.builder.node(parent.parents[0])
            if turned.kind == "transpose" and tuple(np.argsort(turned.settings["order"])) == order:
                axis = turned.settings["order"][-1]
                softmax = "softmax" in str(parent.settings["function"])
                settings = parent.settings | ({"axis": axis} if softmax else {})
                start = turned.parents[0]
                return self.builder.emit(Node(0, "activation", settings, [start], name=parent.name, shape=shape))
        title = layer.name if layer is not None else name
        return self.builder.emit(
            Node(
                0,
                "transpose",
                {"order": order},
                [edge],
                layer=layer,
                name=title,
                spelling=spelling,
                shape=shape,
            )
        )

    def scale(
        self,
        edge: Edge,
        factor: Any,
        offset: Any,
        shape: Shape,
        *,
        layer: Any = None,
        spelling: str = "",
        name: str = "",
    ) -> Edge:
        """Emits `factor * x + offset`; chains of them become one, and the neutral one vanishes."""
        factor = np.asarray(factor, dtype="float64")
        offset = np.asarray(offset, dtype="float64")
        parent = self.builder.node(edge)
        if parent.kind == "scale":
            inner_factor, inner_offset = (np.asarray(parent.settings[k]) for k in ("factor", "offset"))
            factor, offset = factor * inner_factor, factor * inner_offset + offset
            edge = parent.parents[0]
        factor, offset = (_significant(part) for part in (factor, offset))
        if np.all(factor == 1) and np.all(offset == 0):
            return edge
        settings = {"factor": plain(factor.tolist()), "offset": plain(offset.tolist())}
        title = layer.name if layer is not None else name
        return self.builder.emit(
            Node(
                0,
                "scale",
                settings,
                [edge],
                layer=layer,
                name=title,
                spelling=spelling or "scaling",
                shape=shape,
            )
        )


def takes_mask(layer: Any) -> bool:
    """Whether a layer computes something else when a mask reaches it."""
    names = getattr(layer, "_call_signature", None)
    return names is not None and any(name.endswith("mask") for name in names.parameters)


def _significant(values: np.ndarray) -> np.ndarray:
    """Rounds to six significant digits, so that float32 and float64 spellings of a constant are equal."""
    flat = [float(f"{value:.6g}") for value in np.ravel(values)]
    return np.asarray(flat).reshape(values.shape)
