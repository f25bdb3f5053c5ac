"""Build a model under a seed, and read what it is made of: its state, its parameters, its weights' digest."""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from twinbench.architectures.contract import check_is_model, check_outputs
from twinbench.architectures.recipe import Recipe
from twinbench.data import LoadedDataset
from twinbench.training.seeds import Seeds

State = list[NDArray[Any]]


@dataclass(frozen=True)
class Parameters:
    """How many parameters a model has.

    Attributes:
        unique: each weight once, counted after the model was called.
        trainable: of these, the ones that training changes.
        per_call: a layer's weights once for every call of it, as someone counts who adds up a drawing.
        keras_count: what `count_params()` says of the model as its builder returns it; None where it refuses, and 0
            for a model that has not been called and does not know its weights yet.
    """

    unique: int
    trainable: int
    per_call: int
    keras_count: int | None


def build_model(recipe: Recipe, data: LoadedDataset, seeds: Seeds) -> tuple[Any, Parameters]:
    """Build a recipe's model with the initial weights and the layer randomness that the seeds determine.

    Returns:
        The model, called so that its weights exist, and its parameters.

    Raises:
        UnfitModelError: it is not a model for the recipe's task.
        Exception: whatever the builder raises.
    """
    _seed_keras(seeds.init)
    model = recipe.build(data.input_shape, data.classes)
    check_is_model(model)
    keras_count = _keras_count(model)
    per_call = _call_counting(model, data.given("train", slice(1)))
    recipe.after_build(model)
    check_outputs(model, recipe.task, data.given("train", slice(2)), data.classes)
    seed_layers(model, seeds.dropout)
    parameters = Parameters(
        unique=_size(model.weights),
        trainable=_size(model.trainable_weights),
        per_call=per_call,
        keras_count=keras_count,
    )
    return model, parameters


def _seed_keras(seed: int) -> None:
    """Seed what Keras draws from: as `keras.utils.set_random_seed`, but for TensorFlow's own global seed.

    Keras draws nothing from that one, and to set it makes TensorFlow prepare every compiled function anew.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 # the generator that a builder's own NumPy code would draw from


def seed_layers(model: Any, seed: int) -> None:
    """Seed the random generators inside the layers (dropout, noise), the k-th of them by the k-th number drawn."""
    draw = np.random.Generator(np.random.PCG64(seed))
    for variable in model.variables:
        if variable.path.endswith("seed_generator_state"):
            variable.assign(draw.integers(0, 2**31, size=variable.shape).astype(variable.dtype))


def read_state(model: Any) -> State:
    """Copy every variable of a model (weights, moving statistics, the layers' random generators) or program."""
    return [np.asarray(variable) for variable in model.variables]


def write_state(variables: Any, state: State) -> None:
    """Put copied values back."""
    for variable, value in zip(variables, state, strict=True):
        variable.assign(value)


def match_weights(model: Any, reference: Any) -> bool:
    """Give a model the weights of its reference, layer by layer: the k-th of equal shapes gets those of the k-th.

    Returns:
        Whether every layer of both has a partner; where one has none, a lookalike keeps its own initial weights.
    """
    offered: dict[tuple[Any, ...], list[State]] = {}
    for layer in _by_layer(reference):
        offered.setdefault(_shapes(layer), []).append([np.asarray(weight) for weight in layer])
    values = {shapes: iter(states) for shapes, states in offered.items()}
    partners = [(layer, next(values.get(_shapes(layer), iter(())), None)) for layer in _by_layer(model)]
    if any(state is None for _, state in partners) or any(next(rest, None) for rest in values.values()):
        return False
    for layer, state in partners:
        write_state(layer, state or [])
    return True


def weights_sha256(model: Any) -> str:
    """Return a digest of a model's weights that does not depend on the order in which an API lists them.

    It is the SHA-256 of the sorted SHA-256s of all weights, each over its shape, dtype and bytes.
    """
    digests = []
    for weight in model.weights:
        value = np.ascontiguousarray(weight)
        digests.append(hashlib.sha256(f"{value.shape}{value.dtype.str}".encode() + value.tobytes()).hexdigest())
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _by_layer(model: Any) -> list[list[Any]]:
    """The weights of a model, one list for each layer that holds some."""
    return [list(weights) for _, weights in groupby(model.weights, key=lambda weight: weight.path.rpartition("/")[0])]


def _shapes(weights: list[Any]) -> tuple[Any, ...]:
    return tuple((weight.path.rpartition("/")[2], *weight.shape) for weight in weights)


def _keras_count(model: Any) -> int | None:
    try:
        return int(model.count_params())
    except ValueError:
        return None


def _call_counting(model: Any, example: Any) -> int:
    """Call the model on one example and count each layer's own weights once for every call of the layer."""
    model(example, training=False)  # a model that is built by its first call calls its layers once more for it
    calls: Counter[int] = Counter()
    called: dict[int, Any] = {}
    original = keras.layers.Layer.__call__

    def counting(layer: Any, *args: Any, **kwargs: Any) -> Any:
        calls[id(layer)] += 1
        called[id(layer)] = layer
        return original(layer, *args, **kwargs)

    keras.layers.Layer.__call__ = counting
    try:
        model(example, training=False)
    finally:
        keras.layers.Layer.__call__ = original
    return sum(calls[identity] * _own_size(layer) for identity, layer in called.items())


def _own_size(layer: Any) -> int:
    inner = {id(weight) for sub in layer._flatten_layers(include_self=False) for weight in sub.weights}
    return _size(weight for weight in layer.weights if id(weight) not in inner)


def _size(weights: Any) -> int:
    return sum(int(np.prod(weight.shape)) for weight in weights)
