"""What one execution of a graph does, counted from the graph: the same every time and on every machine.

Counted are the operations on which the graph's results depend. One that only passes a tensor on, or reads a weight, is
none; what a function that the graph calls does inside is one.
"""

from collections import defaultdict
from typing import Any, Final

import tensorflow as tf

_PASSING: Final = frozenset({"Identity", "IdentityN", "PreventGradient", "StopGradient"})
_FREE: Final = _PASSING | {"Const", "NoOp", "Placeholder", "ReadVariableOp"}
_MB: Final = 2**20


def count_step(graph: Any) -> dict[str, float]:
    """Return the counts of a graph by quantity (`twinbench.measurement.columns.COUNTS`).

    Sizes are left out where the shape of a tensor is known only when it runs.
    """
    operations = _needed(graph)
    working = [operation for operation in operations if operation.type not in _FREE]
    counts = {"operations": float(len(working)), "flops": _count_flops(graph)}
    sizes = {tensor.ref(): _size(tensor) for operation in working for tensor in operation.outputs}
    known = {tensor: size for tensor, size in sizes.items() if size is not None}
    if len(known) == len(sizes):
        peak = _peak(operations, known, graph.outputs)
        counts |= {"tensor_mb": sum(known.values()) / _MB, "peak_tensor_mb": peak / _MB}
    return counts


def _needed(graph: Any) -> list[Any]:
    """Return the operations that the outputs depend on, in the graph's order."""
    needed: set[Any] = set()
    waiting = [tensor.op for tensor in graph.outputs]
    while waiting:
        operation = waiting.pop()
        if operation not in needed:
            needed.add(operation)
            waiting += [*(tensor.op for tensor in operation.inputs), *operation.control_inputs]
    return [operation for operation in graph.get_operations() if operation in needed]


def _size(tensor: Any) -> int | None:
    """Return the bytes of a tensor; 0 for a handle, None where its shape is not known yet."""
    if tensor.dtype in (tf.resource, tf.variant):
        return 0
    elements = tensor.shape.num_elements()
    return None if elements is None else elements * tensor.dtype.size


def _peak(operations: list[Any], sizes: dict[Any, int], outputs: list[Any]) -> int:
    """Return the most bytes held at once, each tensor from the operation that makes it to the last that reads it."""
    last: dict[Any, int] = {}
    for place, operation in enumerate(operations):
        last |= {_source(tensor).ref(): place for tensor in operation.inputs}
    last |= {_source(tensor).ref(): len(operations) for tensor in outputs}
    held = peak = 0
    let_go: defaultdict[int, int] = defaultdict(int)
    for place, operation in enumerate(operations):
        for tensor in operation.outputs:
            size = sizes.get(tensor.ref(), 0)
            held += size
            let_go[last.get(tensor.ref(), place)] += size
        peak = max(peak, held)
        held -= let_go[place]
    return peak


def _source(tensor: Any) -> Any:
    """Return the tensor that operations have only passed on."""
    while tensor.op.type in _PASSING and len(tensor.op.inputs) == 1:
        tensor = tensor.op.inputs[0]
    return tensor


def _count_flops(graph: Any) -> float:
    """Return the floating-point operations of one execution of a graph, by TensorFlow's own profiler.

    It counts the operations that it knows (convolutions, matrix products, element-wise ones and their gradients) by
    their shapes; the others count as none in every API.
    """
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    counted = profiler.profile(graph=graph, cmd="op", options=options.with_empty_output().build())
    return float(counted.total_float_ops)
