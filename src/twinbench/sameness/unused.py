"""Layers that a model owns or that were called on its tensors, and that its outputs do not depend on."""

from typing import Any

import keras

from twinbench.sameness.graph import Graph
from twinbench.sameness.trace import Trace, builtin_class


def unused_layers(model: keras.Model, recorded: Trace, graph: Graph) -> list[Any]:
    """Find built-in layers that were made for the model and have no effect on its outputs.

    Three kinds: called while the model ran but the result dropped; called on a functional model's tensors
    on a side path; and held as attributes but never called.
    """
    used = {id(node.layer) for node in graph.nodes if node.layer is not None}
    used |= {id(variable) for node in graph.nodes for variable in (w.variable for w in node.weights)}
    candidates: list[Any] = []
    candidates += [call.layer for call in recorded.calls]
    candidates += _side_paths(model)
    called = {id(layer) for layer in recorded.called}
    owned = list(model._flatten_layers(include_self=False, recursive=True))
    inner = {id(part) for layer in owned if _is_one_piece(layer) for part in layer._flatten_layers(include_self=False)}
    candidates += [layer for layer in owned if id(layer) not in called and id(layer) not in inner and not layer._layers]
    found: dict[int, Any] = {}
    for layer in candidates:
        if builtin_class(layer) is None or id(layer) in used or isinstance(layer, keras.layers.InputLayer):
            continue
        if any(id(variable) in used for variable in layer.weights) or _does_nothing(layer, called):
            continue
        found.setdefault(id(layer), layer)
    return list(found.values())


def _is_one_piece(layer: Any) -> bool:
    """Whether a layer runs Keras's own `call` and is no model: which of its parts that calls is up to Keras."""
    return builtin_class(layer) is not None and not isinstance(layer, keras.Model)


def _does_nothing(layer: Any, called: set[int]) -> bool:
    """Layers that leave no node even when they are used: without weights and called in the ordinary way."""
    return id(layer) in called and not layer.weights


def _side_paths(model: keras.Model) -> list[Any]:
    """Layers called on tensors of a functional model whose results lead to no output."""
    found: list[Any] = []
    for part in [model, *model._flatten_layers(include_self=False, recursive=True)]:
        operations = getattr(part, "operations", None)
        if operations is None:
            continue
        inside = {id(operation) for operation in operations}
        waiting = list(operations)
        reached = set(inside)
        mine = {id(node) for operation in operations for node in operation._inbound_nodes}
        while waiting:
            operation = waiting.pop()
            for node in operation._outbound_nodes:
                reader = node.operation
                if id(reader) in reached or id(node) in mine:
                    continue
                reached.add(id(reader))
                if isinstance(reader, keras.Model):
                    continue
                waiting.append(reader)
                if isinstance(reader, keras.layers.Layer):
                    found.append(reader)
    return found
