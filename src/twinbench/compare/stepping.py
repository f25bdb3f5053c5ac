"""Takes steps of training with a person's own function `step(model, x, y)`, or as `fit` does, and records them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.optimizers import base_optimizer

from twinbench.compare.batches import ROWS
from twinbench.compare.imported import Places
from twinbench.compare.surroundings import Home
from twinbench.errors import UsageError
from twinbench.sameness.graph import TRAINING_ONLY
from twinbench.sameness.keeping import everything_as_it_was
from twinbench.sameness.probes import kept, numbers
from twinbench.sameness.randomness import noise_of, without_noise
from twinbench.sameness.signature import inside
from twinbench.sameness.subjects import Pair

STEPS = 3
"""How many steps are taken from the same weights: an optimizer's state shows from the second on."""

_LARGE = 1e6


@dataclass(frozen=True)
class Step:
    """A training step of the person's own: `step(model, x, y)`, which may return the loss."""

    name: str
    function: Callable[..., Any]
    home: Home

    def state(self) -> list[Any]:
        """What the function can change beside the model: optimizers, metrics and the like that it refers to."""
        function = getattr(self.function, "python_function", self.function)
        known = [*getattr(function, "__globals__", {}).values()]
        known += [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
        kinds = (keras.optimizers.Optimizer, keras.metrics.Metric, keras.losses.Loss, tf.Variable, keras.Variable)
        return [value for value in known if isinstance(value, kinds)]


def load_step(source: Any, letter: str, places: Places) -> Step | None:
    """A step from a function, or from its place as text.

    Raises:
        UsageError: It is no function.
    """
    if source is None:
        return None
    value, home = places.named(source) if isinstance(source, str) else (source, Home())
    if not callable(value):
        raise UsageError(f"The step of {letter} is {type(value).__name__}; name a function step(model, x, y).")
    return Step(source if isinstance(source, str) else getattr(value, "__name__", "step"), value, home)


@dataclass(frozen=True)
class Changes:
    """What is changed about a step of the person's own, to see whether that explains how it differs."""

    training: bool = False
    labels: bool = False
    optimizer: Any = None
    enlarged: bool = False


@dataclass
class Record:
    """What steps did; arrays by variable of the model.

    Attributes:
        loss: What the first step returned, or `fit` reported for it.
        gradients: What the first step handed to the optimizer.
        clipped: The same after the optimizer's own clipping.
        moved: How far every variable moved in all steps.
        modes: Whether layers that act in training only ran in training mode, by name.
        optimizer: The optimizer that was used.
    """

    loss: float | None = None
    gradients: dict[int, np.ndarray] = field(default_factory=dict)
    clipped: dict[int, np.ndarray] = field(default_factory=dict)
    moved: dict[int, np.ndarray] = field(default_factory=dict)
    modes: dict[str, bool] = field(default_factory=dict)
    optimizer: Any = None


def take_steps(pair: Pair, k: int, step: Step | None, batch: dict[str, Any], changes: Changes = Changes()) -> Record:
    """Take steps with one side from A's weights, and put everything back.

    Args:
        pair: The models.
        k: Which side: 0 for A, 1 for B.
        step: Its step; None for that of `fit`.
        batch: The arguments of `fit` (x and y) for it.
        changes: What to change about a step of the person's own.
    """
    one = (pair.a, pair.b)[k]
    model, record = one.model, Record()
    with ExitStack() as stack:
        stack.enter_context(kept(pair.a, pair.b))
        stack.enter_context(everything_as_it_was(model, *(step.state() if step else ())))
        stack.enter_context(_modes(model, record, forced=changes.training))
        stack.enter_context(without_noise(model))
        stack.enter_context(_eagerly())
        stack.enter_context(_applied(record, changes.optimizer))
        if changes.enlarged:
            stack.enter_context(_enlarged())
        stack.enter_context(inside(model))
        pair.transfer.apply()
        if getattr(model, "optimizer", None) is not None:
            model.optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
        before = {id(v): numbers(v) for v in model.variables}
        keras.utils.set_random_seed(7)
        if step is None:
            model.run_eagerly, model.train_function = True, None
            history = model.fit(**batch, batch_size=ROWS, epochs=STEPS, shuffle=False, verbose=0).history
            record.loss = float(history["loss"][0])
        else:
            stack.enter_context(step.home.visible())
            x = keras.tree.map_structure(tf.convert_to_tensor, batch["x"])
            y = keras.tree.map_structure(tf.convert_to_tensor, batch["y"])
            if changes.labels:
                y = _shaped(y, model(x))
            for number in range(STEPS):
                returned = step.function(model, x, y)
                if not number:
                    record.loss = _number(returned)
        record.moved = {id(v): numbers(v) - before[id(v)] for v in model.variables if id(v) in before}
    return record


def _number(returned: Any) -> float | None:
    """The loss that a step returns: a number, or what is called so, or comes first."""
    if isinstance(returned, dict):
        returned = returned.get("loss")
    elif isinstance(returned, tuple | list) and returned:
        returned = returned[0]
    try:
        value = np.asarray(keras.ops.convert_to_numpy(returned), dtype="float64")
    except (TypeError, ValueError):
        return None
    return float(value) if value.size == 1 else None


def _shaped(labels: Any, outputs: Any) -> Any:
    """Labels in the rank of the outputs, where a last axis of length one is missing, or one too many."""
    if keras.tree.is_nested(labels) or keras.tree.is_nested(outputs):
        return labels
    if len(labels.shape) == len(outputs.shape) - 1 and outputs.shape[-1] == 1:
        return labels[..., None]
    return labels[..., 0] if len(labels.shape) == len(outputs.shape) + 1 and labels.shape[-1] == 1 else labels


def variable_of(variable: Any) -> int:
    """What identifies a variable, whether Keras's or TensorFlow's own behind it."""
    return id(getattr(variable, "_value", variable))


@contextmanager
def _eagerly() -> Iterator[None]:
    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(eagerly)


@contextmanager
def _enlarged() -> Iterator[None]:
    """Let gradients be so large that whatever clips them does."""
    original = tf.GradientTape.gradient

    def gradient(*args: Any, **kwargs: Any) -> Any:
        gradients = original(*args, **kwargs)
        return keras.tree.map_structure(lambda g: None if g is None else _LARGE * tf.convert_to_tensor(g), gradients)

    tf.GradientTape.gradient = gradient
    try:
        yield
    finally:
        tf.GradientTape.gradient = original


@contextmanager
def _applied(record: Record, substitute: Any) -> Iterator[None]:
    """Record the gradients that an optimizer gets in the first step; let another optimizer take its place."""
    original = base_optimizer.BaseOptimizer.apply
    nested = False

    def apply(optimizer: Any, grads: Any, trainable_variables: Any = None) -> Any:
        nonlocal nested
        if nested:
            return original(optimizer, grads, trainable_variables)
        grads = list(grads)
        used = optimizer if substitute is None else substitute
        variables = list(trainable_variables or used._trainable_variables)
        record.optimizer = optimizer if record.optimizer is None else record.optimizer
        known = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        clipped = used._clip_gradients([tf.convert_to_tensor(g) for g, _ in known])
        for (gradient, variable), shown in zip(known, clipped, strict=True):
            for held, value in ((record.gradients, gradient), (record.clipped, shown)):
                held.setdefault(variable_of(variable), np.asarray(tf.convert_to_tensor(value), dtype="float64"))
        nested = True
        try:
            return original(used, grads, variables)
        finally:
            nested = False

    base_optimizer.BaseOptimizer.apply = apply
    try:
        yield
    finally:
        base_optimizer.BaseOptimizer.apply = original


def acting_in_training(model: keras.Model) -> list[Any]:
    """The layers of a model that act in training only, or otherwise than in inference."""
    noisy = {id(holder) for holder, _, _ in noise_of(model)}
    return [
        layer
        for layer in model._flatten_layers(include_self=False, recursive=True)
        if (isinstance(layer, keras.layers.BatchNormalization) and layer.trainable)
        or (id(layer) in noisy and (type(layer).__name__ in TRAINING_ONLY or hasattr(layer, "cell")))
        or (hasattr(layer, "cell") and id(layer.cell) in noisy)
    ]


@contextmanager
def _modes(model: keras.Model, record: Record, *, forced: bool) -> Iterator[None]:
    """Record in which mode layers run; with `forced`, the model is called in training mode whatever is asked for."""
    original = keras.layers.Layer.__call__
    acting = acting_in_training(model)

    def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if layer is model and forced:
            kwargs["training"] = True
        return original(layer, *args, **kwargs)

    def noting(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **kwargs: Any) -> Any:
            mode = bool(kwargs.get("training"))
            record.modes[layer.name] = record.modes.get(layer.name, False) or mode
            return call(*args, **kwargs)

        return noted

    for layer in acting:
        layer.call = noting(layer, layer.call)
    keras.layers.Layer.__call__ = called
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = original
        for layer in acting:
            del layer.call
