"""Canonical nodes for the primitive TensorFlow operations between layers.

Arithmetic that has a layer of its own (sums, scaling, concatenation, activations, means, reshapes, a matrix
product with a variable) becomes the node which that layer would have become; anything else stays under its
own name.
"""

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from twinbench.sameness.forms import Builder, CanonicalForms, Origin, shape_of
from twinbench.sameness.graph import Edge, Node, Weight
from twinbench.sameness.settings import plain, positive_axis


@dataclass(frozen=True)
class Constant:
    """A value that does not depend on the inputs; None where it is only known when the model runs."""

    value: Any


@dataclass(frozen=True)
class Variable:
    """The value of a variable of the model."""

    variable: Any


Value = Edge | Constant | Variable


@dataclass
class _Site:
    """One operation under translation: its tensor and what is known of its sources."""

    tensor: Any
    values: list[Value]
    edges: list[Edge]
    held: list[Variable]
    shape: tuple[int | None, ...]
    origin: Origin

    @property
    def op(self) -> Any:
        return self.tensor.op

    def constant(self, position: int) -> Any:
        """The value of an operand that is known before the model runs, else None."""
        value = self.values[position]
        return value.value if isinstance(value, Constant) else None


_SAME = {"Identity", "IdentityN", "Snapshot", "EnsureShape", "PreventGradient", "CheckNumerics"}
_SHAPE_ONLY = {"Shape", "ShapeN", "Size", "Rank"}
_RESHAPES = {"Reshape", "Squeeze", "ExpandDims"}
_BODIES = {"cond", "body", "then_branch", "else_branch", "branches", "f"}
_RANDOM = ("Random", "Stateless", "Multinomial")
_REDUCTIONS = {"Mean": "mean", "Max": "max", "Sum": "sum", "Min": "min", "Prod": "product"}
_ACTIVATIONS = {
    "Relu": keras.activations.relu, "Relu6": keras.activations.relu6, "Elu": keras.activations.elu,
    "Selu": keras.activations.selu, "Sigmoid": keras.activations.sigmoid, "Tanh": keras.activations.tanh,
    "Softplus": keras.activations.softplus, "Softsign": keras.activations.softsign,
    "Softmax": keras.activations.softmax, "LogSoftmax": keras.activations.log_softmax,
}  # fmt: skip
_ARITHMETIC = {
    "Add": "add", "AddV2": "add", "AddN": "add", "BiasAdd": "add", "Mul": "multiply", "Sub": "subtract",
    "RealDiv": "divide", "Div": "divide", "Maximum": "maximum", "Minimum": "minimum", "Neg": "negative",
}  # fmt: skip
_IGNORED_ATTRIBUTES = {
    "T", "Tidx", "Tshape", "Tperm", "Tparams", "Tindices", "Taxis", "dtype", "N", "index_type", "grad_a", "grad_b",
    "Tpaddings", "Index", "DstT", "SrcT", "Truncate", "explicit_paddings", "use_cudnn_on_gpu", "Tlen", "batch_dims",
    "validate_shape", "Tsegmentids",
}  # fmt: skip


class OperationTranslator(CanonicalForms):
    """Emits the canonical node of one TensorFlow operation.

    Args:
        builder: the graph under construction.
        values: what is known by the name of its tensor.
        variables: the variables of the trace by the name of the tensor that reads them.
    """

    def __init__(self, builder: Builder, values: dict[str, Value], variables: dict[str, Any]) -> None:
        super().__init__(builder)
        self.values = values
        self.variables = variables

    def sources(self, tensor: Any) -> list[Any]:
        """The tensors that must be known before this one can be translated."""
        op = tensor.op
        if op.type in _SHAPE_ONLY or op.type in ("Const", "Placeholder", "ReadVariableOp"):
            return []
        if op.type in _RESHAPES or op.type in _SAME:
            return [op.inputs[0]]
        return list(op.inputs)

    def translate(self, tensor: Any) -> Value:  # noqa: PLR0911 - one return per kind of source
        """The value of a tensor whose sources are known."""
        op = tensor.op
        if op.type in _SHAPE_ONLY:
            return Constant(tf.get_static_value(tensor))
        if op.type == "Const":
            return Constant(tf.get_static_value(tensor))
        if op.type == "ReadVariableOp":
            return self._variable(op.inputs[0])
        if op.type == "Placeholder":
            return self._variable(tensor)
        values = [self.values[source.name] for source in self.sources(tensor)]
        edges = [value for value in values if isinstance(value, tuple)]
        held = [value for value in values if isinstance(value, Variable)]
        if not edges and not held and not op.type.startswith(_RANDOM):
            return Constant(_folded(tensor, [value.value for value in values if isinstance(value, Constant)]))
        if op.type in _SAME:
            return values[0]
        if op.type == "Cast":
            whole = tensor.dtype.is_integer or tensor.dtype.is_bool
            if not (whole and op.inputs[0].dtype.is_floating):
                return values[0]
        if not edges and held and op.type in (*_RESHAPES, "Transpose"):
            return values[0]
        origin = Origin(f"operation {op.type}", scope=_owner(op.name))
        site = _Site(tensor, values, edges, held, shape_of(tensor), origin)
        return self._special(site) or self._anything(site)

    def as_edge(self, tensor: Any, value: Value) -> Edge:
        """A value as an edge: constants and variables that a layer reads become nodes."""
        if isinstance(value, tuple):
            return value
        if isinstance(value, Variable):
            weights = (Weight(value.variable.path.split("/")[-1], value.variable),)
            return self.builder.emit(
                Node(0, "variable", {}, [], weights=weights, name=value.variable.path, shape=shape_of(tensor))
            )
        settings = {"value": _digest(value.value)}
        return self.builder.emit(Node(0, "constant", settings, [], shape=shape_of(tensor)))

    def _variable(self, resource: Any) -> Value:
        variable = self.variables.get(resource.name)
        return Constant(None) if variable is None else Variable(variable)

    # -- what each operation is ----------------------------------------------------------------------------

    def _special(self, site: _Site) -> Value | None:  # noqa: PLR0911 - one return per kind of operation
        """The operations that a layer could have been."""
        if not site.edges:
            return None
        kind, edge = site.op.type, site.edges[0]
        if kind in _RESHAPES:
            return self._reshape(site)
        if kind == "Transpose" and site.constant(1) is not None:
            order = tuple(int(axis) for axis in site.constant(1))
            return self.transpose(edge, order, site.shape, site.origin)
        if kind in _ACTIVATIONS or kind == "LeakyRelu":
            return self.activation(edge, _activation(site.op), site.shape, site.origin)
        if kind in _ARITHMETIC:
            return self._arithmetic(site, _ARITHMETIC[kind])
        if kind == "ConcatV2" and len(site.edges) == len(site.values) - 1 and site.constant(-1) is not None:
            axis = positive_axis(int(site.constant(-1)), len(site.shape) + 1)
            return self.emit("concatenate", {"axis": axis}, site.edges, site.shape, site.origin)
        if kind in _REDUCTIONS and site.constant(1) is not None:
            return self._reduction(site)
        return self._matrix_product(site) if kind in ("MatMul", "BatchMatMulV2") else None

    def _reduction(self, site: _Site) -> Value | None:
        rank = site.op.inputs[0].shape.rank
        axes = tuple(sorted(int(axis) % rank for axis in np.ravel(site.constant(1)))) if rank else ()
        if not axes or 0 in axes:
            return None
        return self.reduce(site.edges[0], {"how": _REDUCTIONS[site.op.type], "axes": axes}, site.shape, site.origin)

    def _arithmetic(self, site: _Site, kind: str) -> Value | None:
        edge = site.edges[0]
        if kind == "negative":
            return self.scale(edge, -1.0, 0.0, site.shape, site.origin)
        if len(site.edges) == len(site.values):
            ordered = kind in ("subtract", "divide")
            return self.emit(kind, {}, site.edges, site.shape, site.origin, ordered=ordered)
        if kind == "add" and len(site.held) == 1 and len(site.edges) == 1:
            return self._bias(site)
        if site.held or len(site.values) != 2:
            return None
        first = isinstance(site.values[0], tuple)
        constant = site.constant(1 if first else 0)
        return None if constant is None or np.size(constant) > 64 else self._by_constant(site, kind, constant, first)

    def _by_constant(self, site: _Site, kind: str, constant: Any, first: bool) -> Value | None:
        """Arithmetic with a number, which is a scaling or a limit."""
        edge, known = site.edges[0], np.asarray(constant, dtype="float64")
        if kind in ("maximum", "minimum"):
            limit = getattr(keras.ops, kind)
            if known.size > 1:
                return None
            return self.activation(edge, lambda x: limit(x, float(known)), site.shape, site.origin)
        if kind == "divide" and not first:
            return None
        if kind == "divide":
            kind, known = "multiply", 1.0 / known
        factor, offset = {
            "add": (1.0, known),
            "multiply": (known, 0.0),
            "subtract": (1.0, -known) if first else (-1.0, known),
        }[kind]
        return self.scale(edge, factor, offset, site.shape, site.origin)

    def _bias(self, site: _Site) -> Value:
        """Add a variable: the bias of the product just before it, where that is read by nothing else."""
        edge, variable = site.edges[0], site.held[0].variable
        node = self.builder.node(edge)
        product = next(t for t in site.op.inputs if isinstance(self.values[t.name], tuple))
        bare = node.kind == "Dense" and node.layer is None and not node.settings["use_bias"]
        if bare and len(product.consumers()) == 1 and len(variable.shape) == 1:
            node.settings["use_bias"] = True
            node.weights = (*node.weights, Weight("bias", variable))
            return edge
        weights = (Weight(_role(variable), variable),)
        return self.emit("add weight", {}, [edge], site.shape, site.origin, weights=weights)

    def _matrix_product(self, site: _Site) -> Value | None:
        """A product with a variable on the right is a dense layer; leading axes flattened for it are put back."""
        if len(site.edges) != 1 or len(site.held) != 1 or not isinstance(site.values[0], tuple):
            return None
        op, edge, shape, variable = site.op, site.edges[0], site.shape, site.held[0].variable
        flags = [name for name in ("transpose_a", "transpose_b", "adj_x", "adj_y") if name in op.node_def.attr]
        if any(op.get_attr(name) for name in flags) or len(variable.shape) != 2:
            return None
        parent = self.builder.node(edge)
        if parent.kind == "reshape" and parent.layer is None and parent.parents:
            before = self.builder.node(parent.parents[0])
            if before.shape and before.shape[-1] == variable.shape[0] and len(before.shape) > 1:
                edge = parent.parents[0]
                shape = (*before.shape[:-1], int(variable.shape[1]))
        settings = {"units": int(variable.shape[1]), "use_bias": False}
        origin = replace(site.origin, spelling="matrix product")
        return self.emit("Dense", settings, [edge], shape, origin, weights=(Weight("kernel", variable),))

    def _reshape(self, site: _Site) -> Value:
        parent = self.builder.node(site.edges[0])
        if parent.shape == site.shape and parent.layer is None and parent.kind == "Dense":
            return site.edges[0]
        return self.reshape(site.edges[0], site.shape, site.origin)

    def _anything(self, site: _Site) -> Edge:
        """An operation that no layer stands for, under its own name."""
        op = site.op
        settings: dict[str, Any] = {}
        functions: dict[str, Any] = {}
        for name in op.node_def.attr:
            if name not in _IGNORED_ATTRIBUTES and name[0] != "_":
                value = op.get_attr(name)
                if name in _BODIES:
                    functions[name] = value
                elif not hasattr(value, "SerializeToString") and not hasattr(value, "name"):
                    settings[name] = plain(value)
        settings |= {f"function {name}": _digest_of_function(op, value) for name, value in functions.items()}
        for position, value in enumerate(site.values):
            if isinstance(value, Constant) and value.value is not None:
                settings[f"operand {position}"] = _digest(value.value)
        seeds = tuple(value.variable for value in site.held if is_seed(value.variable))
        weights = tuple(Weight(_role(v.variable), v.variable) for v in site.held if not is_seed(v.variable))
        index, _ = self.emit(op.type, settings, site.edges, site.shape, site.origin, weights=weights, seeds=seeds)
        for output in op.outputs:
            self.values[output.name] = (index, output.value_index)
        return index, site.tensor.value_index


def _activation(op: Any) -> Any:
    if op.type == "LeakyRelu":
        return keras.layers.LeakyReLU(negative_slope=round(float(op.get_attr("alpha")), 7)).call
    return _ACTIVATIONS[op.type]


def _folded(tensor: Any, operands: list[Any]) -> Any:
    """The value of an operation on known numbers, as the axes of a transposition are computed; None if unknown."""
    known = tf.get_static_value(tensor)
    if known is not None or not operands or any(operand is None for operand in operands):
        return known
    arithmetic: dict[str, Any] = {
        "Sub": np.subtract,
        "AddV2": np.add,
        "Add": np.add,
        "Mul": np.multiply,
        "Range": np.arange,
    }
    kind = tensor.op.type
    if kind in arithmetic:
        return arithmetic[kind](*operands)
    if kind == "Pack":
        return np.stack(operands, axis=tensor.op.get_attr("axis"))
    if kind == "ConcatV2":
        return np.concatenate([np.atleast_1d(operand) for operand in operands[:-1]], axis=int(operands[-1]))
    return None


def _digest_of_function(op: Any, value: Any) -> tuple[int, ...]:
    """What the body of a loop or branch does, by its operations and constants."""
    digests = []
    for body in value if isinstance(value, list) else [value]:
        definition = op.graph._get_function(body.name).definition
        steps = [(node.op, node.attr["value"].SerializeToString()) for node in definition.node_def]
        digests.append(hash(tuple(steps)))
    return tuple(digests)


def is_seed(variable: Any) -> bool:
    """Whether a variable is the state of a random generator."""
    return "seed_generator" in str(getattr(variable, "path", ""))


def _role(variable: Any) -> str:
    return str(getattr(variable, "path", getattr(variable, "name", "weight"))).split("/")[-1]


def _owner(name: str) -> str:
    """The layer in whose scope an operation ran, from the operation's scoped name."""
    parts = name.split("/")
    return parts[-2] if len(parts) > 2 else ""


def _digest(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind == "f" and array.size < 4096:
        array = np.asarray([float(f"{v:.6g}") for v in np.ravel(array)]).reshape(array.shape)
    return plain(array.tolist() if array.size < 16 else array)
