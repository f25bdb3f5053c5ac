"""Records how a model computes: which layers ran, in which mode, and every operation between them.

The model is called once inside a TensorFlow function graph while `Layer.__call__` reports each built-in
layer. Whatever the model's style (sequential, functional, subclassed, with `keras.ops` or plain `tf`
functions), what comes out is the same: a data flow of built-in layers and primitive operations. Nothing is
computed.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from twinbench.sameness.signature import Signature, call_model

_CONTAINERS = {"Model", "Functional", "Sequential", "Bidirectional", "Lambda", "Pipeline", "Layer"}

WITH_ACTIVATION = {
    "Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
    "SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D",
}  # fmt: skip


@dataclass
class LayerCall:
    """One call of a built-in layer: the tensors it read and wrote, its mode, and whether a mask reached it."""

    layer: Any
    inputs: list[Any]
    outputs: list[Any]
    training: bool | None
    masked: bool
    arguments: dict[str, Any]
    cls: type
    before_activation: Any = None


@dataclass
class Trace:
    """Everything that one symbolic call of a model did."""

    calls: list[LayerCall]
    inputs: list[Any]
    outputs: list[Any]
    output_names: list[str]
    named_outputs: bool
    masked_outputs: list[bool]
    variables: dict[str, Any]
    called: list[Any]
    tracked: list[Any]
    graph: Any
    run: Any = None


@dataclass
class _Recorder:
    graph: Any = None
    eager: bool = False
    hidden: int = 0
    modes: list[bool | None] = field(default_factory=list)
    calls: list[LayerCall] = field(default_factory=list)
    called: list[Any] = field(default_factory=list)
    patches: dict[tuple[int, int], Any] = field(default_factory=dict)


def is_builtin(cls: type) -> bool:
    """Whether a class is defined by Keras itself."""
    return cls.__module__.split(".")[0] == "keras"


def builtin_class(layer: Any) -> type | None:
    """The built-in class whose `call` a layer runs; None for containers and for layers with a `call` of their own."""
    for cls in type(layer).__mro__:
        if "call" in vars(cls) or "__call__" in vars(cls):
            if not is_builtin(cls):
                return None
            if cls.__name__ in _CONTAINERS:
                return None
            return next((c for c in type(layer).__mro__ if is_builtin(c)), cls)
    return None


Fetch = Callable[["Trace"], list[Any]]
Patches = dict[tuple[int, int], Any]
"""By number of the call of a built-in layer and of its output: the value to go on with."""


def trace(
    model: keras.Model,
    signature: Signature,
    *,
    training: bool,
    batch: int | None = None,
    fetch: Fetch | None = None,
    patches: Patches | None = None,
) -> Trace:
    """Call a built model symbolically and return what happened.

    Args:
        model: A model whose variables all exist (it was called once before).
        signature: Its inputs; free axes stay free.
        training: The mode in which it is called.
        batch: The length of the batch axis; None leaves it open.
        fetch: Names tensors of the trace whose values `Trace.run` computes.
        patches: Values that take the place of outputs of built-in layers.
    """
    recorder = _Recorder(patches=patches or {})
    specs = [tf.TensorSpec((batch, *spec.shape), spec.dtype) for spec in signature.inputs]
    traces: list[Trace] = []

    def body(*tensors: Any) -> Any:
        recorder.graph = tf.compat.v1.get_default_graph()
        outputs = call_model(model, signature.pack(tensors), training)
        traces.append(_assembled(model, recorder, list(tensors), outputs))
        return traces[0].outputs if fetch is None else fetch(traces[0])

    with _reporting(recorder), _reporting_bases(recorder, model):
        concrete = tf.function(body, autograph=False).get_concrete_function(*specs)
    traces[0].run = concrete
    return traces[0]


def _assembled(model: keras.Model, recorder: _Recorder, inputs: list[Any], outputs: Any) -> Trace:
    flat = keras.tree.flatten(outputs)
    handles = {id(external): internal for external, internal in recorder.graph.captures}
    variables: dict[str, Any] = {}
    for variable in model.variables:
        handle = getattr(getattr(variable, "value", None), "handle", None)
        if id(handle) in handles:
            variables[handles[id(handle)].name] = variable
    known = {id(getattr(v.value, "handle", None)) for v in model.variables}
    for variable in recorder.graph.variables:
        if id(variable.handle) not in known and id(variable.handle) in handles:
            variables[handles[id(variable.handle)].name] = variable
    return Trace(
        calls=recorder.calls,
        inputs=inputs,
        outputs=flat,
        output_names=_output_names(outputs, model),
        named_outputs=isinstance(outputs, dict),
        masked_outputs=[getattr(tensor, "_keras_mask", None) is not None for tensor in flat],
        variables=variables,
        called=recorder.called,
        tracked=list(model.variables),
        graph=recorder.graph,
    )


def record_eagerly(model: keras.Model, signature: Signature, arrays: list[Any]) -> list[LayerCall]:
    """Call a model on real arrays in training mode and return the calls of built-in layers, in order."""
    recorder = _Recorder(eager=True)
    packed = signature.pack([keras.ops.convert_to_tensor(array) for array in arrays])
    with _reporting(recorder):
        call_model(model, packed, True)
    return recorder.calls


def _output_names(outputs: Any, model: keras.Model) -> list[str]:
    if isinstance(outputs, dict):
        return [".".join(str(part) for part in path) for path, _ in keras.tree.flatten_with_path(outputs)]
    names = getattr(model, "output_names", None)
    count = len(keras.tree.flatten(outputs))
    if names and len(names) == count:
        return [str(name) for name in names]
    return [f"output {k}" for k in range(count)]


@contextmanager
def _reporting(recorder: _Recorder) -> Iterator[None]:
    original = keras.layers.Layer.__call__

    def reporting_call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if tf.executing_eagerly() != recorder.eager or recorder.hidden:
            return original(layer, *args, **kwargs)
        return _record(recorder, original, layer, args, kwargs)

    keras.layers.Layer.__call__ = reporting_call
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = original


@contextmanager
def _reporting_bases(recorder: _Recorder, model: keras.Model) -> Iterator[None]:
    """Report `super().call(...)` of layers that extend a built-in layer and override its `call`."""
    bases = {base for layer in model._flatten_layers() if (base := extended_class(layer)) is not None}
    originals = {base: vars(base)["call"] for base in bases}
    for base, original in originals.items():

        def reporting(layer: Any, *args: Any, _cls: type = base, _original: Any = original, **kwargs: Any) -> Any:
            if tf.executing_eagerly() or recorder.hidden or extended_class(layer) is not _cls:
                return _original(layer, *args, **kwargs)
            bound = inspect.signature(_original).bind(layer, *args, **kwargs).arguments
            mode = bool(bound.get("training")) if "training" in inspect.signature(_original).parameters else None
            recorder.hidden += 1
            try:
                outputs = _original(layer, *args, **kwargs)
            finally:
                recorder.hidden -= 1
            return _note(recorder, _cls, layer, args, kwargs, outputs=outputs, mode=mode)

        base.call = reporting  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for base, original in originals.items():
            base.call = original  # type: ignore[attr-defined]


def extended_class(layer: Any) -> type | None:
    """The built-in layer class that a layer extends while it overrides `call`; None where there is none."""
    if builtin_class(layer) is not None:
        return None
    for cls in type(layer).__mro__:
        if is_builtin(cls) and "call" in vars(cls):
            return None if cls.__name__ in _CONTAINERS else cls
    return None


def _record(recorder: _Recorder, original: Any, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    cls = builtin_class(layer)
    mode = _mode(layer, args, kwargs, recorder.modes[-1] if recorder.modes else None)
    recorder.modes.append(mode)
    recorder.called.append(layer)
    recorder.hidden += cls is not None
    inline = None
    if cls is not None and cls.__name__ in WITH_ACTIVATION and not recorder.eager:
        inline, vars(layer)["activation"] = layer.activation, None  # applied below, so that both values are known
    try:
        outputs = original(layer, *args, **kwargs)
    finally:
        recorder.hidden -= cls is not None
        recorder.modes.pop()
        if inline is not None:
            vars(layer)["activation"] = inline
    if cls is None:
        return outputs
    mode = mode if getattr(layer, "_call_has_training_arg", False) else None
    if inline is None:
        return _note(recorder, cls, layer, args, kwargs, outputs=outputs, mode=mode)
    before = _fresh(outputs)
    outputs = _note(recorder, cls, layer, args, kwargs, outputs=_activated(inline, before), mode=mode)
    if recorder.calls and recorder.calls[-1].layer is layer:
        recorder.calls[-1].before_activation = before
    return outputs


def _activated(function: Any, tensor: Any) -> Any:
    outputs = _fresh(function(tensor))
    mask = getattr(tensor, "_keras_mask", None)
    if mask is not None:
        outputs._keras_mask = mask
    return outputs


def _note(
    recorder: _Recorder,
    cls: type,
    layer: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    outputs: Any,
    mode: bool | None,
) -> Any:
    """Write a call down and return its outputs as tensors of their own."""
    if not recorder.eager and tf.compat.v1.get_default_graph() is not recorder.graph:
        return outputs
    others = {k: v for k, v in kwargs.items() if k not in ("mask", "training")}
    inputs = [t for t in keras.tree.flatten((args, others)) if _is_tensor(t)]
    number = len(recorder.calls)
    for (call, output), value in recorder.patches.items():
        if call == number:
            flat = keras.tree.flatten(outputs)
            flat[output] = _patched(flat[output], value)
            outputs = keras.tree.pack_sequence_as(outputs, flat)
    outputs = keras.tree.map_structure(_fresh, outputs)
    masked = kwargs.get("mask") is not None or any(getattr(t, "_keras_mask", None) is not None for t in inputs)
    recorder.calls.append(
        LayerCall(
            layer=layer,
            inputs=inputs,
            outputs=[t for t in keras.tree.flatten(outputs) if _is_tensor(t)],
            training=mode,
            masked=masked,
            arguments={k: v for k, v in others.items() if isinstance(v, bool | int | float | str)},
            cls=cls,
        )
    )
    return outputs


def _mode(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outer: bool | None) -> bool | None:
    """The mode in which a layer will run, by Keras's own order: argument, outer call, default."""
    given = kwargs.get("training")
    try:
        signature = layer._call_signature
        if given is None and len(args) > 1:
            given = signature.bind_partial(*args).arguments.get("training")
        if given is not None:
            return bool(given)
        if outer is not None:
            return outer
        default = signature.parameters["training"].default if "training" in signature.parameters else None
    except (AttributeError, TypeError, ValueError):
        return outer
    return bool(default) if default not in (None, inspect.Parameter.empty) else None


def _is_tensor(value: Any) -> bool:
    return isinstance(value, tf.Tensor)


def _patched(tensor: Any, value: Any) -> Any:
    """Another value in the place of a tensor, its mask kept."""
    patched = tf.cast(tf.constant(value), tensor.dtype)
    mask = getattr(tensor, "_keras_mask", None)
    if mask is not None:
        patched._keras_mask = mask
    return patched


def _fresh(tensor: Any) -> Any:
    """A tensor of its own for every layer output, so that a layer which returns its input can be told apart."""
    if not _is_tensor(tensor):
        return tensor
    fresh = tf.identity(tensor)
    mask = getattr(tensor, "_keras_mask", None)
    if mask is not None:
        fresh._keras_mask = mask
    return fresh
