"""Prepares a model that is going to be saved: inputs to run it on, and values that no initialiser gives."""

from contextlib import suppress
from typing import Any

import keras
import numpy as np

from twinbench.sameness.inputs import input_ranges, placeholder_inputs, probe_inputs
from twinbench.sameness.signature import call_model, signature_from_shapes, signature_of
from twinbench.sameness.subjects import subject
from twinbench.sameness.trace import is_builtin


def inputs_for(model: keras.Model, input_shape: Any) -> list[np.ndarray] | None:
    """Inputs to run a model on; None where it does not know its own. Builds the model, if it is not built yet."""
    signature = signature_of(model)
    if signature is None and input_shape is not None:
        shapes = [input_shape] if all(axis is None or isinstance(axis, int) for axis in input_shape) else input_shape
        signature = signature_from_shapes([tuple(shape) for shape in shapes])
    if signature is None:
        return None
    try:
        one = subject(model, signature)
        return probe_inputs(signature, input_ranges(one.graph, model, signature))
    except Exception:  # then what it computes is not compared apart; that it cannot be run is told by the comparison
        return placeholder_inputs(signature)


def mark(model: keras.Model) -> None:
    """Give weights, running statistics and the optimiser's state values that no initialiser gives."""
    generator = np.random.default_rng(5)

    def move(variable: Any) -> None:
        if keras.backend.is_float_dtype(variable.dtype):
            value = np.asarray(keras.ops.convert_to_numpy(variable), dtype="float64")
            variable.assign(value + 0.02 * (1 + np.abs(value)) * generator.uniform(0.5, 1.5, value.shape))

    for layer in model._flatten_layers(include_self=True, recursive=True):
        plain = is_builtin(type(layer)) and not hasattr(layer, "finalize_state")
        for variable in (*layer._trainable_variables, *(layer._non_trainable_variables if plain else ())):
            move(variable)
    optimizer = getattr(model, "optimizer", None)
    with suppress(Exception):  # an optimiser of the person's own that cannot be built here goes as it is
        if optimizer is not None:
            if not optimizer.built:
                optimizer.build(model.trainable_variables)
            for variable in optimizer.variables:
                if variable.path.endswith("iteration") or variable.path.endswith("iterations"):
                    variable.assign(3)
                elif variable is not getattr(optimizer, "_learning_rate", None):
                    move(variable)


def outputs_of_model(model: keras.Model, arrays: list[np.ndarray]) -> list[np.ndarray] | None:
    """The outputs in inference mode; None where they cannot be had."""
    signature = signature_of(model)
    if signature is None:
        return None
    try:
        packed = signature.pack([keras.ops.convert_to_tensor(array) for array in arrays])
        outputs = keras.tree.flatten(call_model(model, packed, training=False))
        return [np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(one, "float32"))) for one in outputs]
    except Exception:
        return None
