"""The canonical graph of a model: one node per operation that matters, with every default resolved.

Names, nesting, inline or separate activations and layers that do nothing leave no trace in it, so two models
that compute the same thing in different words mostly have equal graphs.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

Edge = tuple[int, int]
"""A value: (index of the node that computes it, which of its outputs)."""


@dataclass(frozen=True)
class Weight:
    """One variable of a node under the role that it plays there (kernel, bias, gamma, ...)."""

    role: str
    variable: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the variable."""
        return tuple(int(axis) for axis in self.variable.shape)


@dataclass
class Node:
    """One operation: what it is, its resolved settings, what it reads, and the layer that it came from.

    `settings` decide what it computes, `regularizers` how it is trained. `training` is the mode in which the operation
    runs when the model is trained (None where it has no mode). An `optional` node does nothing as it stands (a reshape
    to the same shape, a dropout of rate zero): it counts only where the other model has the same layer doing something.
    """

    index: int
    kind: str
    settings: dict[str, Any]
    parents: list[Edge]
    ordered: bool = True
    weights: tuple[Weight, ...] = ()
    seeds: tuple[Any, ...] = ()
    layer: Any = None
    name: str = ""
    spelling: str = ""
    part: bool = False
    training: bool | None = None
    masked: bool = False
    shape: tuple[int | None, ...] | None = None
    regularizers: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)
    optional: bool = False

    @property
    def identity(self) -> tuple[int, ...]:
        """Which variables this node uses: nodes with equal identity share their weights."""
        return tuple(id(weight.variable) for weight in self.weights)

    def words(self) -> str:
        """The node in words: its class and the name that its owner gave it."""
        if self.kind == "activation":
            title = f"activation {self.settings.get('function', '?')}"
            return f"{title} of {self.name}" if self.part else f"{title} ({self.name})"
        if self.name:
            return f"{self.spelling or self.kind} '{self.name}'"
        return self.spelling or self.kind


class NodeList:
    """Nodes in the order in which they are emitted, each numbered by its place."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def emit(self, node: Node) -> Edge:
        """Add a node and return its first output."""
        node.index = len(self.nodes)
        self.nodes.append(node)
        return node.index, 0

    def node(self, edge: Edge) -> Node:
        """The node behind an edge."""
        return self.nodes[edge[0]]


@dataclass
class Graph:
    """The canonical graph of one model, its nodes in topological order."""

    nodes: list[Node]
    inputs: list[int]
    outputs: list[Edge]
    output_names: list[str]
    named_outputs: bool = False
    masked_outputs: list[bool] = field(default_factory=list)
    unused: list[Any] = field(default_factory=list)
    untracked: list[Any] = field(default_factory=list)
    own_gradients: list[str] = field(default_factory=list)

    def children(self) -> dict[int, list[tuple[int, int]]]:
        """For each node, who reads it: (index of the reader, position among the reader's parents)."""
        readers: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for node in self.nodes:
            for position, (parent, _) in enumerate(node.parents):
                readers[parent].append((node.index, position))
        return readers

    def by_index(self) -> dict[int, Node]:
        """The nodes by their index."""
        return {node.index: node for node in self.nodes}

    def variables(self) -> list[Any]:
        """Every variable that the outputs depend on, once, in the order in which it is first used."""
        seen: dict[int, Any] = {}
        for node in self.nodes:
            for weight in node.weights:
                seen.setdefault(id(weight.variable), weight.variable)
        return list(seen.values())
