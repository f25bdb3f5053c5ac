"""Turns the trace of a model into its canonical graph.

Equivalent spellings become one: an inline activation is split off its layer; layers that do nothing vanish;
`Flatten`, `Reshape` and expanding or squeezing of axes are one kind; `x / 255` and `Rescaling` are one
kind; pooling over the whole image is global pooling; a 1x1 convolution and `TimeDistributed(Dense)` are
`Dense`; `Bidirectional` is its two layers. What has no built-in name stays as the primitive operation that
it is.
"""

from collections import Counter
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from twinbench.sameness.forms import Builder
from twinbench.sameness.graph import Edge, Graph, Node, Weight
from twinbench.sameness.layers import LayerTranslator
from twinbench.sameness.operations import Constant, OperationTranslator, Value, Variable
from twinbench.sameness.signature import InputSignature, Signature, call_model, signature_of
from twinbench.sameness.trace import LayerCall, Patches, Trace, is_builtin, trace
from twinbench.sameness.unused import unused_layers


def canonical_graph(model: keras.Model, signature: Signature, *, training: bool = True) -> Graph:
    """The canonical graph of a built model as it runs in training (or inference) mode.

    Raises:
        Exception: Whatever the model raises when it is called symbolically with a batch axis of open length;
            a caller then treats the model as a function without a graph.
    """
    try:
        recorded = trace(model, signature, training=training, batch=signature.batch)
    except Exception:  # some models only accept a known batch size
        recorded = trace(model, signature, training=training, batch=2)
    graph = _Builder(recorded, signature).build()
    graph.unused = unused_layers(model, recorded, graph)
    graph.own_gradients = _own_gradients(model, recorded)
    return graph


def _own_gradients(model: keras.Model, recorded: Trace) -> list[str]:
    """The layers of the person's own in which a gradient is replaced, in the order in which they run."""
    own = {one.name: one for one in model._flatten_layers(recursive=True) if not is_builtin(type(one))}
    scopes = [
        part
        for op in recorded.graph.get_operations()
        if "_gradient_op_type" in op.node_def.attr and op.type == "IdentityN"
        for scope in op.name.split("/")[:-1]
        for part in (scope, scope.rpartition("_")[0])  # a scope that is entered twice gets a number
    ]
    return [f"{type(own[name]).__name__} '{name}'" for name in dict.fromkeys(scopes) if name in own]


_RECURRENT = {"LSTM", "GRU", "SimpleRNN"}


class NodeValues:
    """The values of a traced model's nodes, with the weights that it holds when they are asked for.

    Args:
        model: a model that was traced.
        signature: its inputs.
        graph: its canonical graph.
        patches: values that take the place of outputs of built-in layers, by the numbers in `calls`.
        training: the mode.

    Raises:
        ValueError: the model does another thing than when it was traced.
    """

    def __init__(
        self,
        model: keras.Model,
        signature: Signature,
        graph: Graph,
        patches: Patches | None = None,
        *,
        training: bool = True,
    ) -> None:
        self.signature = signature
        self.graph = graph
        self.edges: list[Edge] = []
        self.calls: dict[Edge, tuple[int, int]] = {}
        batch = signature.batch
        recorded = trace(model, signature, training=training, batch=batch, fetch=self._fetch, patches=patches)
        self.run = recorded.run

    def __call__(self, tensors: list[Any]) -> dict[Edge, np.ndarray]:
        """The values for one batch of each input, by node and output: float32 where they are computed so."""
        return dict(zip(self.edges, (_numbers(tensor) for tensor in self.run(*tensors)), strict=True))

    def _fetch(self, recorded: Trace) -> list[Any]:
        builder = _Builder(recorded, self.signature)
        with tf.init_scope():  # what is evaluated to read settings is no part of the model
            again = builder.build()
        if [node.kind for node in again.nodes] != [node.kind for node in self.graph.nodes]:
            raise ValueError("the model does not do the same thing twice")
        kept = {id(node) for node in again.nodes}
        place = {k: node.index for k, node in enumerate(builder.nodes) if id(node) in kept}
        tensors: dict[Edge, Any] = {}
        for name, value in builder.values.items():
            if not isinstance(value, tuple) or value[0] not in place:
                continue
            edge, tensor = (place[value[0]], value[1]), recorded.graph.get_tensor_by_name(name)
            if tensor.dtype.is_floating or tensor.dtype.is_integer or tensor.dtype.is_bool:
                tensors[edge] = tensor
            if name in builder.call_of:
                self.calls[edge] = builder.call_of[name]
        self.edges = list(tensors)
        return list(tensors.values())


def _numbers(tensor: Any) -> np.ndarray:
    """The values of a tensor; those of a large model in float32 are not copied."""
    return np.asarray(tensor, dtype="float32" if tensor.dtype == tf.float32 else "float64")


class _Builder(Builder):
    """Walks back from the outputs of a trace and emits canonical nodes."""

    def __init__(self, recorded: Trace, signature: Signature) -> None:
        super().__init__()
        self.trace = recorded
        self.signature = signature
        self.values: dict[str, Value] = {}
        self.call_of = {t.name: (k, i) for k, call in enumerate(recorded.calls) for i, t in enumerate(call.outputs)}
        self.layers = LayerTranslator(self)
        self.operations = OperationTranslator(self, self.values, recorded.variables)

    def splice(self, inner: Any, edge: Edge, shape: tuple[int | None, ...], dtype: str) -> Edge:
        known = signature_of(inner)
        spec = known if known and len(known.inputs) == 1 else Signature((InputSignature("step", shape, dtype),))
        sub = canonical_graph(inner, spec)
        moved: dict[int, Edge] = {sub.inputs[0]: edge}
        for node in sub.nodes:
            if node.index in moved:
                continue
            old = node.index
            node.parents = [(moved[p][0], k if moved[p][1] == 0 else moved[p][1]) for p, k in node.parents]
            if node.kind not in ("Dense", "activation", "scale", "Dropout"):
                node.settings = {**node.settings, "over_time": True}
            moved[old] = self.emit(node)
        parent, output = sub.outputs[0]
        return moved[parent][0], output

    # -- the walk ------------------------------------------------------------------------------------------

    def build(self) -> Graph:
        inputs = []
        for k, (tensor, spec) in enumerate(zip(self.trace.inputs, self.signature.inputs, strict=True)):
            node = Node(0, "input", {"position": k}, [], name=spec.name, shape=spec.shape)
            self.values[tensor.name] = self.emit(node)
            inputs.append(len(self.nodes) - 1)
        for tensor in self.trace.outputs:
            self._visit(tensor)
        outputs = []
        for tensor in self.trace.outputs:
            value = self.values[tensor.name]
            if isinstance(value, Constant | Variable):
                weights = (Weight("value", value.variable),) if isinstance(value, Variable) else ()
                value = self.emit(Node(0, "constant output", {}, [], weights=weights))
            outputs.append(value)
        return _pruned(self.nodes, inputs, outputs, self.trace)

    def _visit(self, target: Any) -> None:
        """Compute the value of a tensor, its ancestors first, without recursion."""
        stack = [target]
        while stack:
            tensor = stack[-1]
            if tensor.name in self.values:
                stack.pop()
                continue
            sources = self._sources(tensor)
            missing = [source for source in sources if source.name not in self.values]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            self._translate(tensor)

    def _sources(self, tensor: Any) -> list[Any]:
        if tensor.name in self.call_of:
            call: LayerCall = self.trace.calls[self.call_of[tensor.name][0]]
            return call.inputs
        return self.operations.sources(tensor)

    def _translate(self, tensor: Any) -> None:
        if tensor.name in self.call_of:
            call = self.trace.calls[self.call_of[tensor.name][0]]
            edges = [self.operations.as_edge(t, self.values[t.name]) for t in call.inputs]
            for output, value in zip(call.outputs, self.layers.translate(call, edges), strict=False):
                self.values[output.name] = value
            last = self.values[call.outputs[0].name] if call.outputs else None
            if call.before_activation is not None and isinstance(last, tuple) and self.node(last).part:
                self.values[call.before_activation.name] = self.node(last).parents[0]
            if tensor.name not in self.values:  # more outputs than the translation knows
                first = self.values[call.outputs[0].name]
                assert isinstance(first, tuple)  # noqa: S101 - layer translations yield edges
                self.values[tensor.name] = (first[0], self.call_of[tensor.name][1])
            return
        self.values[tensor.name] = self.operations.translate(tensor)


def _fold_chains(nodes: list[Node], order: list[int]) -> None:
    """Draw a sum into the sum that alone reads it, and likewise products, for `x + y + z` is `Add([x, y, z])`."""
    readers = Counter(parent for index in order for parent, _ in nodes[index].parents)
    for index in order:
        node = nodes[index]
        if node.kind not in ("add", "multiply") or node.weights:
            continue
        flat: list[Edge] = []
        for edge in node.parents:
            parent = nodes[edge[0]]
            folds = parent.kind == node.kind and not parent.weights and readers[edge[0]] == 1
            flat += parent.parents if folds else [edge]
        node.parents = flat


def _fold_last_steps(nodes: list[Node], order: list[int], outputs: list[Edge]) -> None:
    """Let a recurrent layer whose last step alone is read return the last step, as `return_sequences=False` does."""
    readers = Counter([parent for index in order for parent, _ in nodes[index].parents] + [k for k, _ in outputs])
    for index in order:
        node = nodes[index]
        if node.kind != "StridedSlice" or not _is_last_step(node.settings):
            continue
        parent, output = node.parents[0]
        layer = nodes[parent]
        if output or readers[parent] > 1 or not layer.settings.get("return_sequences") or layer.kind not in _RECURRENT:
            continue
        node.optional = True
        layer.settings = {**layer.settings, "return_sequences": False}
        layer.raw = {**layer.raw, "return_sequences": False} if layer.raw else layer.raw


def _is_last_step(settings: dict[str, Any]) -> bool:
    """Whether a slice takes position -1 of the second axis and all of the others, as `x[:, -1]` does."""
    begin, strides = settings.get("operand 1"), settings.get("operand 3")
    if not isinstance(begin, tuple) or not isinstance(strides, tuple) or len(begin) < 2 or set(strides) != {1}:
        return False
    others = sum(1 << axis for axis in range(len(begin)) if axis != 1)
    whole = all(settings.get(mask, 0) & others == others for mask in ("begin_mask", "end_mask"))
    plain = not (settings.get("new_axis_mask") or settings.get("ellipsis_mask")) and settings["shrink_axis_mask"] == 2
    return begin[1] == -1 and whole and plain


def _reachable(nodes: list[Node], inputs: list[int], outputs: list[Edge]) -> list[int]:
    """The nodes that the outputs depend on, depth first, after all inputs."""
    order: list[int] = list(inputs)
    seen = set(order)
    for start, _ in outputs:
        stack: list[tuple[int, bool]] = [(start, False)]
        while stack:
            index, done = stack.pop()
            if done:
                order.append(index)
                continue
            if index in seen:
                continue
            seen.add(index)
            stack.append((index, True))
            stack.extend((parent, False) for parent, _ in reversed(nodes[index].parents))
    return order


def _pruned(nodes: list[Node], inputs: list[int], outputs: list[Edge], recorded: Trace) -> Graph:
    """Keep what the outputs depend on (and all inputs), numbered depth first from the outputs."""
    _fold_chains(nodes, _reachable(nodes, inputs, outputs))
    _fold_last_steps(nodes, _reachable(nodes, inputs, outputs), outputs)
    order = _reachable(nodes, inputs, outputs)
    number = {old: new for new, old in enumerate(order)}
    kept = []
    for old in order:
        node = nodes[old]
        node.index = number[old]
        node.parents = [(number[parent], output) for parent, output in node.parents]
        kept.append(node)
    tracked = {id(variable) for variable in recorded.tracked}
    used = {id(w.variable): w.variable for node in kept for w in node.weights}
    return Graph(
        nodes=kept,
        inputs=[number[k] for k in inputs],
        outputs=[(number[k], output) for k, output in outputs],
        output_names=recorded.output_names,
        named_outputs=recorded.named_outputs,
        masked_outputs=recorded.masked_outputs,
        untracked=[variable for key, variable in used.items() if key not in tracked],
    )


def ensure_built(model: keras.Model, signature: Signature, arrays: list[Any]) -> None:
    """Call a model once on real arrays, in inference mode, so that every variable exists."""
    call_model(model, signature.pack([keras.ops.convert_to_tensor(array) for array in arrays]), False)
