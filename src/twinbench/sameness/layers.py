"""Canonical nodes for built-in layers: what each computes, whichever way it is spelled."""

from typing import Any

import keras
import numpy as np

from twinbench.sameness.forms import CanonicalForms, Origin, Shape, shape_of, takes_mask
from twinbench.sameness.graph import TRAINING_ONLY, Edge, Node, Weight
from twinbench.sameness.settings import LayerSettings, plain, positive_axis, regularizer_identity, resolved
from twinbench.sameness.trace import WITH_ACTIVATION, LayerCall, builtin_class

MERGES = {
    "Add": ("add", False),
    "Multiply": ("multiply", False),
    "Average": ("average", False),
    "Maximum": ("maximum", False),
    "Minimum": ("minimum", False),
    "Subtract": ("subtract", True),
    "Concatenate": ("concatenate", True),
}
ACTIVATIONS = {"Activation", "ReLU", "LeakyReLU", "ELU", "Softmax"}
_PASS = {"Identity", "InputLayer", "ActivityRegularization"}
_RESHAPES = {"Flatten", "Reshape"}
_POOLS = {"AveragePooling", "MaxPooling"}
_GLOBAL = {"GlobalAveragePooling": "mean", "GlobalMaxPooling": "max"}


class LayerTranslator(CanonicalForms):
    """Emits the canonical nodes of one call of a built-in layer."""

    def translate(self, call: LayerCall, edges: list[Edge]) -> list[Edge]:
        """Emit the nodes of a call and return the edges of its outputs."""
        return self._layer(call.layer, call, edges, call.cls)

    def _layer(  # noqa: PLR0911 - one return per kind of layer
        self, layer: Any, call: LayerCall, edges: list[Edge], cls: type
    ) -> list[Edge]:
        name = cls.__name__
        shape = shape_of(call.outputs[0]) if call.outputs else ()
        rank = call.inputs[0].shape.rank if call.inputs else None
        if name in _PASS:
            return self._pass(layer, edges)
        if name in ACTIVATIONS:
            return [self._activation_layer(layer, name, call, edges)]
        if name in _RESHAPES:
            return [self.reshape(edges[0], shape, Origin(name, layer))]
        if name == "Permute":
            return [self.transpose(edges[0], (0, *layer.dims), shape, Origin(name, layer))]
        if name == "Rescaling":
            return [self.scale(edges[0], layer.scale, layer.offset, shape, Origin(name, layer))]
        if name == "TimeDistributed":
            return [self._time_distributed(layer, call, edges)]
        read = resolved(layer, cls, rank)
        if name in MERGES:
            return [self._merge(layer, name, read, edges, shape)]
        pooled = self._pooling(layer, name, call, edges, shape)
        if pooled is not None:
            return [pooled]
        return self._plain(layer, name, read=read, call=call, edges=edges, shape=shape)

    def _pass(self, layer: Any, edges: list[Edge]) -> list[Edge]:
        penalty = getattr(layer, "activity_regularizer", None)
        if penalty is not None and edges:
            self.builder.node(edges[0]).regularizers["activity"] = regularizer_identity(penalty)
        return edges[:1]

    def _plain(
        self, layer: Any, name: str, *, read: LayerSettings, call: LayerCall, edges: list[Edge], shape: Shape
    ) -> list[Edge]:
        settings = read.settings | {k: plain(v) for k, v in call.arguments.items()}
        edge = self.emit(
            read.kind,
            settings,
            edges,
            shape,
            Origin(name, layer),
            weights=weights_of(layer),
            seeds=seeds_of(layer),
            training=call.training,
            masked=call.masked and takes_mask(layer),
            regularizers=read.regularizers,
            raw=dict(read.settings),
        )
        node = self.builder.node(edge)
        _as_dense(node, layer, name)
        node.optional = name in TRAINING_ONLY and not float(getattr(layer, "rate", getattr(layer, "stddev", 1.0)))
        if name == "Normalization":
            node.settings |= {key: plain(_array(layer, key)) for key in ("mean", "variance")}
            node.weights = ()
        if name in WITH_ACTIVATION and getattr(layer, "activation", None) is not None:
            edge = self.activation(edge, layer.activation, shape, Origin("activation", layer), part=True)
        return [(edge[0], k) for k in range(max(1, len(call.outputs)))]

    def _merge(self, layer: Any, name: str, read: LayerSettings, edges: list[Edge], shape: Shape) -> Edge:
        kind, ordered = MERGES[name]
        settings = {"axis": read.settings["axis"]} if kind == "concatenate" else {}
        if kind == "concatenate":
            settings["axis"] = positive_axis(settings["axis"], len(shape) + 1)
        return self.emit(kind, settings, edges, shape, Origin(name, layer), ordered=ordered)

    def _pooling(self, layer: Any, name: str, call: LayerCall, edges: list[Edge], shape: Shape) -> Edge | None:
        prefix = name[:-2]
        spatial = int(name[-2]) if name[-2:] in ("1D", "2D", "3D") else 0
        if prefix in _GLOBAL:
            channels_last = layer.data_format == "channels_last"
            axes = tuple(range(1, 1 + spatial)) if channels_last else tuple(range(2, 2 + spatial))
            return self.reduce(edges[0], {"how": _GLOBAL[prefix], "axes": axes}, shape, Origin(name, layer), call)
        if prefix in _POOLS and set(layer.pool_size) == {1} and set(layer.strides) == {1}:
            return edges[0]
        return None

    def _activation_layer(self, layer: Any, name: str, call: LayerCall, edges: list[Edge]) -> Edge:
        shape = shape_of(call.outputs[0])
        function = layer.activation if name == "Activation" else _called(layer, name)
        extra: dict[str, Any] = {}
        if name == "Softmax":
            axis = positive_axis(plain(layer.axis), len(shape) + 1)
            if axis != len(shape):
                extra["axis"] = axis
        masked = call.masked and name == "Softmax"
        return self.activation(edges[0], function, shape, Origin(name, layer), extra, masked=masked)

    def _time_distributed(self, layer: Any, call: LayerCall, edges: list[Edge]) -> Edge:
        inner = layer.layer
        shape = shape_of(call.outputs[0])
        cls = builtin_class(inner)
        before = shape_of(call.inputs[0])
        if cls is None or cls.__name__ == "TimeDistributed":
            dtype = call.inputs[0].dtype.name
            if isinstance(inner, keras.Model):
                return self.builder.splice(inner, edges[0], before[1:], dtype)
            read = resolved(layer, type(layer), None)
            return self._plain(layer, "TimeDistributed", read=read, call=call, edges=edges, shape=shape)[0]
        first = len(self.builder.nodes)
        edge = self._layer(inner, call, edges, cls)[0]
        for node in self.builder.nodes[first:]:
            if node.kind not in ("Dense", "activation", "scale", "reshape", *TRAINING_ONLY):
                node.settings["over_time"] = True
        return edge


def _called(layer: Any, name: str) -> Any:
    def function(x: Any) -> Any:
        return keras.layers.Softmax()(x) if name == "Softmax" else layer.call(x)

    function.__name__ = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Softmax": "softmax"}[name]
    if name == "LeakyReLU":
        function.__name__ = f"leaky_relu(negative_slope={float(layer.negative_slope):g})"
    if name == "ReLU" and (layer.max_value is not None or layer.negative_slope or layer.threshold):
        function.__name__ = (
            f"relu(max_value={layer.max_value}, negative_slope={layer.negative_slope:g}, threshold={layer.threshold:g})"
        )
    return function


def _as_dense(node: Node, layer: Any, name: str) -> None:
    """A convolution that looks at one position, or an einsum over the last axis, is a dense layer."""
    if name in ("Conv1D", "Conv2D", "Conv3D"):
        ones = {*layer.kernel_size, *layer.strides, *layer.dilation_rate, layer.groups}
        if ones == {1} and layer.data_format == "channels_last":
            node.kind = "Dense"
            node.settings = {"units": layer.filters, "use_bias": layer.use_bias}
    elif name == "EinsumDense":
        left, _, out = layer.equation.replace(" ", "").replace("->", ",").partition(",")
        kernel, _, out = out.partition(",")
        mixed = len(kernel) == 2 and left[-1:] == kernel[0] and left[:-1] + kernel[1] == out.replace("...", "")
        bias = str(layer.bias_axes or "")
        if mixed and bias in ("", kernel[-1]):
            node.kind = "Dense"
            node.settings = {"units": (node.shape or (0,))[-1], "use_bias": bool(bias)}
    elif name == "Dense":
        node.settings = {"units": layer.units, "use_bias": layer.use_bias}


def weights_of(layer: Any) -> tuple[Weight, ...]:
    """The variables of a layer with the role of each: the last parts of its path that tell them apart."""
    variables = list(layer.weights)
    short = [v.path.split("/")[-1] for v in variables]
    if len(set(short)) < len(short):
        short = ["/".join(v.path.split("/")[-2:]) for v in variables]
    return tuple(Weight(role, variable) for role, variable in zip(short, variables, strict=True))


def seeds_of(layer: Any) -> tuple[Any, ...]:
    """The states of the random generators that a layer draws from."""
    known = {id(variable) for variable in layer.weights}
    return tuple(v for v in layer.variables if id(v) not in known and "seed_generator" in v.path)


def _array(layer: Any, name: str) -> Any:
    value = getattr(layer, name, None)
    return None if value is None else np.round(np.asarray(keras.ops.convert_to_numpy(value)), 6)
