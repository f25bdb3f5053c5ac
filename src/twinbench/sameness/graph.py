"""The canonical graph of a model, one node per operation that matters, and what a difference of two such graphs is.

Names, nesting, inline or separate activations and layers that do nothing leave no trace in it, so two models
that compute the same thing in different words mostly have equal graphs.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal

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


Effect = Literal["function", "training", "start"]
"""Whether a difference changes what is computed, only how it is trained, or only where training starts."""


@dataclass(frozen=True)
class Difference:
    """One difference between two models: its code, the place in words, and both sides of it."""

    code: str
    where: str
    a: str
    b: str
    detail: str
    effect: Effect = "function"
    node_a: int | None = None
    node_b: int | None = None


TRAINING_ONLY = {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
                  "GaussianNoise", "AlphaDropout"}  # fmt: skip
"""Layers that do nothing in inference."""


def place_of(x: Node, y: Node) -> str:
    """Two matched nodes in words, once where the words are the same."""
    mine, theirs = x.words(), y.words()
    return mine if mine == theirs else f"{mine} / {theirs}"


def source_of(node: Node, graph: Graph) -> str:
    """In words what a node reads first."""
    nodes = graph.by_index()
    return nodes[node.parents[0][0]].words() if node.parents else "the input"
