"""The settings of a built-in layer with every default resolved and every equivalent spelling made one.

A layer's `get_config` mixes what it computes with how it starts, how it is held back and how fast it runs.
Here these are told apart, and strings, objects and dicts that mean the same become equal values.
"""

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from twinbench.sameness.own_code import identity, is_own

_NOT_ARCHITECTURE = {
    "name", "trainable", "dtype", "seed", "use_cudnn", "unroll", "implementation", "build_config", "activation",
    "batch_input_shape", "registered_name", "autocast", "lora_rank", "lora_alpha", "quantization_mode",
    "quantization_config", "gptq_unquantized_kernel", "synchronized", "zero_output_for_mask", "flash_attention",
    "sparse", "ragged", "batch_shape", "optional", "return_state", "renorm_clipping", "batch_size",
}  # fmt: skip
"""What does not change the function computed, or is read from the graph itself."""

_RECURRENT_CELLS = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN"}

# The last rows show a limit far out, such as a ReLU's largest value.
_PROBE = np.array(
    [
        [-30.0, -7.5, -3.2, -1.0, -0.9],
        [-0.3, -0.01, 0.0, 0.02, 0.4],
        [0.8, 1.0, 2.7, 6.5, 40.0],
        [-300.0, -80.0, 80.0, 300.0, 1000.0],
        [-30000.0, -4000.0, 4000.0, 30000.0, 500000.0],
    ],
    dtype="float32",
)
_DIGITS = 5


@dataclass
class LayerSettings:
    """What a layer computes, apart from how its weights start and are held back."""

    kind: str
    settings: dict[str, Any]
    regularizers: dict[str, Any] = field(default_factory=dict)


def resolved(layer: Any, cls: type, rank: int | None) -> LayerSettings:
    """Read a built-in layer.

    Args:
        layer: The layer.
        cls: The built-in class whose `call` it runs.
        rank: Rank of its first input, batch axis included, to make negative axes positive.
    """
    kind = cls.__name__
    try:
        config = dict(layer.get_config())
    except Exception:  # a person's own `get_config` may fail in any way
        config = {k: v for k, v in vars(layer).items() if isinstance(v, bool | int | float | str) and k[0] != "_"}
    if kind == "RNN":
        kind, config = _unwrap_recurrent(layer, config)
    kept = LayerSettings(kind, {})
    for key, value in config.items():
        if key.endswith("_regularizer"):
            penalty = regularizer_identity(_object(layer, key, value))
            if penalty is not None:
                kept.regularizers[key.removesuffix("_regularizer")] = penalty
        elif key not in _NOT_ARCHITECTURE and not key.endswith(("_initializer", "_constraint")):
            kept.settings[key] = plain(value)
    if "axis" in kept.settings and rank is not None:
        kept.settings["axis"] = positive_axis(kept.settings["axis"], rank)
    recurrent = ("activation", "recurrent_activation")
    for key in recurrent:
        if kind in ("LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D") and config.get(key):
            kept.settings[key] = activation_identity(_activation(config[key]))
    return kept


def _unwrap_recurrent(layer: Any, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    cell = getattr(layer, "cell", None)
    kind = _RECURRENT_CELLS.get(type(cell).__name__)
    if kind is None or type(cell).__module__.split(".")[0] != "keras":
        config.pop("cell", None)
        return f"RNN({type(cell).__name__})", config
    assert cell is not None  # noqa: S101 - it has a known class
    merged = {**cell.get_config(), **{k: v for k, v in config.items() if k != "cell"}}
    return kind, merged


def _object(layer: Any, key: str, value: Any) -> Any:
    """The live object behind a configured value, where the layer keeps it."""
    live = getattr(layer, key, None)
    if live is None:
        live = getattr(getattr(layer, "cell", None), key, None)
    return value if live is None else live


def plain(value: Any) -> Any:  # noqa: PLR0911 - one return per kind of value
    """A configuration value as hashable plain data, without names, seeds and module paths."""
    if isinstance(value, dict):
        if "class_name" in value:
            inner = value.get("config")
            return (str(value["class_name"]), plain(inner if isinstance(inner, dict) else {"": inner}))
        kept = {k: plain(v) for k, v in value.items() if k not in ("name", "seed", "dtype", "trainable")}
        return tuple(sorted(kept.items(), key=lambda item: str(item[0])))
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return tuple(np.ravel(value).tolist()) if value.size < 64 else ("array", value.shape, hash(value.tobytes()))
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    name = getattr(value, "__name__", None) or type(value).__name__
    own = callable(value) and is_own(value if hasattr(value, "__code__") else type(value))
    return (name, ("own code", hash(repr(identity(value))))) if own else name


def positive_axis(axis: Any, rank: int) -> Any:
    """Axes counted from the front; a list of one axis is that axis."""
    if isinstance(axis, tuple):
        axes = tuple(sorted(a + rank if a < 0 else a for a in axis))
        return axes[0] if len(axes) == 1 else axes
    if isinstance(axis, int):
        return axis + rank if axis < 0 else axis
    return axis


def regularizer_identity(regularizer: Any) -> Any:
    """What a regulariser adds to the loss; one with all factors zero is none."""
    if isinstance(regularizer, dict | str):
        try:
            regularizer = keras.regularizers.get(regularizer)
        except Exception:  # unknown regularisers are compared by their configuration
            return plain(regularizer)
    if regularizer is None:
        return None
    if isinstance(regularizer, keras.regularizers.L1 | keras.regularizers.L2 | keras.regularizers.L1L2):
        factors = tuple(round(float(np.asarray(getattr(regularizer, f, 0.0))), 12) for f in ("l1", "l2"))
        return None if factors == (0.0, 0.0) else ("L1L2", *factors)
    try:
        return (type(regularizer).__name__, plain(regularizer.get_config()))
    except Exception:  # a person's own regulariser may lack a configuration
        return getattr(regularizer, "__name__", None) or type(regularizer).__name__


def _activation(value: Any) -> Any:
    try:
        return keras.activations.get(value)
    except Exception:  # unknown activations are compared by their configuration
        return value


def activation_name(function: Any) -> str:
    """The name of an activation: that of the function, or of the layer used as one."""
    name = getattr(function, "__name__", None) or getattr(function, "name", None) or type(function).__name__
    return "silu" if name == "swish" else str(name)


def activation_identity(function: Any) -> tuple[str, tuple[float, ...]]:
    """An activation by what it does to known numbers, so that every spelling of one function is equal.

    Returns:
        The name to show, and the values of the function on a fixed 5 by 5 table (softmax-like functions work
        along the last axis). Where the function cannot be evaluated the name alone identifies it.
    """
    name = activation_name(function)
    if callable(function):
        try:
            values = np.asarray(keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(_PROBE))))
            if values.shape == _PROBE.shape:
                # What is no number stands as one, for it must equal itself.
                small = np.nan_to_num(np.round(values.astype("float64").ravel(), 4), nan=1e300, posinf=1e301)
                return name, tuple(float(f"{value:.{_DIGITS}g}") for value in small)
        except Exception:  # a person's own function may fail in any way
            return name, ()
    return name, ()


def is_linear(identity: tuple[str, tuple[float, ...]]) -> bool:
    """Whether an activation returns what it was given."""
    return bool(identity[1]) and np.allclose(identity[1], _PROBE.ravel(), rtol=1e-4, atol=1e-4)
