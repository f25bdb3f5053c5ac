"""The canonical forms that layers and plain operations share: merges, reductions, activations, shapes, scaling.

However something is spelled, as a layer or as an operation between layers, it becomes the same node here; chains become
one node, and what changes nothing becomes none.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
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
        """Inline the graph of a model that is applied to every time step of an edge."""


def shape_of(tensor: Any) -> Shape:
    """The static shape of a tensor without its batch axis; empty where even the rank is unknown."""
    return () if tensor.shape.rank is None else tuple(tensor.shape.as_list()[1:])


@dataclass(frozen=True)
class Origin:
    """Where an operation comes from: how it was written, its layer, or the layer in whose scope it ran."""

    spelling: str
    layer: Any = None
    scope: str = ""


class CanonicalForms:
    """Emits the nodes of the shared forms into a graph under construction."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def emit(
        self, kind: str, settings: dict[str, Any], parents: list[Edge], shape: Shape, origin: Origin, **more: Any
    ) -> Edge:
        """Emit a node; `more` are further fields of it."""
        name = origin.scope if origin.layer is None else origin.layer.name
        named = {"layer": origin.layer, "name": name, "spelling": origin.spelling, "shape": shape}
        return self.builder.emit(Node(0, kind, settings, parents, **named, **more))

    def reduce(
        self, edge: Edge, settings: dict[str, Any], shape: Shape, origin: Origin, call: LayerCall | None = None
    ) -> Edge:
        """Emit a reduction (`how`) over whole `axes`; kept axes of length one become a reshape."""
        before = self.builder.node(edge).shape
        layer = origin.layer
        raw = resolved(layer, type(layer), None).settings if layer is not None else {}
        bare = tuple(n for k, n in enumerate(before or (), start=1) if k not in settings["axes"])
        masked = bool(call and call.masked and takes_mask(layer))
        reduced = self.emit("reduce", settings, [edge], bare, origin, masked=masked, raw=raw)
        return reduced if len(shape) == len(bare) else self.reshape(reduced, shape, origin)

    def activation(
        self, edge: Edge, function: Any, shape: Shape, origin: Origin, extra: dict[str, Any] | None = None, **more: Any
    ) -> Edge:
        """Emit an activation, unless it is linear; `extra` are settings that its function does not show."""
        identity = activation_identity(function)
        if is_linear(identity) and not extra:
            return edge
        settings = {"function": identity[0], "values": identity[1], **(extra or {})}
        return self.emit("activation", settings, [edge], shape, origin, **more)

    def reshape(self, edge: Edge, shape: Shape, origin: Origin) -> Edge:
        """Emit a change of shape that keeps the order of the values; chains of them become one."""
        parent = self.builder.node(edge)
        while parent.kind == "reshape":
            edge = parent.parents[0]
            parent = self.builder.node(edge)
        same = parent.shape is not None and parent.shape == shape and None not in shape[1:]
        if same and origin.layer is None:
            return edge
        to: Any = "flat" if len(shape) == 1 else shape
        return self.emit("reshape", {"to": to}, [edge], shape, origin, optional=same)

    def transpose(self, edge: Edge, order: tuple[int, ...], shape: Shape, origin: Origin) -> Edge:
        """Emit a permutation of axes, unless it leaves them as they are."""
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
        return self.emit("transpose", {"order": order}, [edge], shape, origin)

    def scale(self, edge: Edge, factor: Any, offset: Any, shape: Shape, origin: Origin) -> Edge:
        """Emit `factor * x + offset`; chains of them become one, and the neutral one vanishes."""
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
        return self.emit("scale", settings, [edge], shape, origin)


def takes_mask(layer: Any) -> bool:
    """Whether a layer computes something else when a mask reaches it."""
    names = getattr(layer, "_call_signature", None)
    return names is not None and any(name.endswith("mask") for name in names.parameters)


def _significant(values: np.ndarray) -> np.ndarray:
    """Round to six significant digits, so that float32 and float64 spellings of a constant are equal."""
    flat = [float(f"{value:.6g}") for value in np.ravel(values)]
    return np.asarray(flat).reshape(values.shape)
