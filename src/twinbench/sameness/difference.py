"""One difference between two matched graphs, and the words that name its place."""

from dataclasses import dataclass
from typing import Literal

from twinbench.sameness.graph import Graph, Node

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
