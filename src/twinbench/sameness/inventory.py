"""The layers of a model that cannot be traced, in the order in which one real call uses them.

Python that branches on the values of tensors runs only eagerly. What flows between layers is not known then, but which
layers run, with which settings and in which mode, is: enough to name what differs and to carry weights across.
"""

from typing import Any

import keras

from twinbench.sameness.forms import Builder
from twinbench.sameness.graph import Edge, Graph, Node
from twinbench.sameness.inputs import placeholder_inputs
from twinbench.sameness.layers import LayerTranslator
from twinbench.sameness.signature import Signature
from twinbench.sameness.trace import record_eagerly


class _Chain(Builder):
    """Takes the nodes of each call; a model applied to every time step is passed over."""

    def splice(self, inner: Any, edge: Edge, shape: tuple[int | None, ...], dtype: str) -> Edge:
        return edge


def inventory(model: keras.Model, signature: Signature) -> Graph:
    """A chain of the built-in layers that a call in training mode uses; operations between them are left out."""
    chain = _Chain()
    translator = LayerTranslator(chain)
    last = chain.emit(Node(0, "input", {"position": 0}, [], name="input"))
    for call in record_eagerly(model, signature, placeholder_inputs(signature)):
        translated = translator.translate(call, [last] * max(1, len(call.inputs)))
        last = (translated[0][0], 0)
    for node in chain.nodes:
        node.parents = node.parents[:1]
    return Graph(chain.nodes, [0], [last], ["output"])
