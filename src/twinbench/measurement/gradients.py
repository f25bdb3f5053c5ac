"""The table `gradients`: how large the gradient and the update of each layer are, by variant and number of blocks.

Every architecture whose builders take `blocks` is measured at the configured depths: its reference and the variants
written with Sequential, which the claim is about. All start from the same weights, drawn by the reference's own
initialisers, and see the same batches, so that a difference between two rows is one of wiring.
"""

import contextlib
import functools
import inspect
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from twinbench.architectures.catalogue import Variant, architectures
from twinbench.architectures.contract import UnfitModelError
from twinbench.architectures.keras_settings import forget_models, settings_kept
from twinbench.architectures.recipe import Recipe, recipe_of
from twinbench.config import Configuration, Training
from twinbench.data import load
from twinbench.errors import ANYTHING_RAISED
from twinbench.measurement.columns import GRADIENTS
from twinbench.measurement.failures import Failures
from twinbench.planning.plan import selected_variants
from twinbench.training.building import State, read_state, write_state
from twinbench.training.feed import DatasetTensors, Feed
from twinbench.training.program import make_loss, make_optimizer
from twinbench.training.runtime import start_tensorflow
from twinbench.training.seeds import streams

logger = logging.getLogger(__name__)

STEPS: Final = (0, 1, 5)
# Enough for an interval of a ratio; the configured seeds come first, and more are added where they are fewer.
SEEDS: Final = 5


@dataclass(frozen=True)
class _Layer:
    """One layer's weights in the flat vector of all trainable weights."""

    path: str
    start: int
    stop: int


def measure_gradients(configuration: Configuration, npz: Path) -> pd.DataFrame:
    """Measure the gradients of every selected architecture that can be built at several depths.

    Args:
        configuration: the resolved configuration.
        npz: the prepared dataset, with its manifest beside it.

    Returns:
        The table `GRADIENTS`; no rows where no such architecture is selected.

    Raises:
        TwinbenchError: the dataset cannot be used.
    """
    start_tensorflow(configuration.training)
    tensors = DatasetTensors(load(npz))
    seeds = _seeds(configuration)
    rows: list[dict[str, Any]] = []
    for architecture, group in groupby(selected_variants(configuration), key=lambda variant: variant.architecture):
        measured = (variant for variant in group if variant.kind != "suspect" and _is_measured(variant))
        shown = list(measured) if tensors.data.plain else []
        failures = Failures()
        failures.check(shown, tensors.data)
        training = architectures()[architecture].training(configuration.training)
        for depth in configuration.measurements.gradient_depths if shown else ():
            logger.info("Measuring the gradients of %s with %d blocks.", architecture, depth)
            with _without_rewriting():
                rows += _measure_depth(shown, depth, tensors, training, seeds=seeds, failures=Failures(failures))
            forget_models()
    return GRADIENTS.frame(rows)


def takes_blocks(recipe: Recipe) -> bool:
    """Return whether a recipe's builder can be asked for a number of blocks."""
    return "blocks" in inspect.signature(recipe.build).parameters


def _is_measured(variant: Variant) -> bool:
    if variant.kind != "reference" and not variant.name.startswith("sequential"):
        return False
    try:
        return takes_blocks(recipe_of(variant))
    except ANYTHING_RAISED:  # its file cannot be imported, which its row is to say
        return True


def _seeds(configuration: Configuration) -> list[int]:
    configured = configuration.seed_list
    more = (seed for seed in range(1, configured[0] + SEEDS + len(configured)) if seed not in configured)
    return [*configured, *more][:SEEDS]


@contextlib.contextmanager
def _without_rewriting() -> Iterator[None]:
    """Keep TensorFlow from rewriting graphs that run a few times: at 30 blocks it would take most of the time."""
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options(
            {"disable_meta_optimizer": before.get("disable_meta_optimizer", False)}
        )


def _measure_depth(
    variants: Sequence[Variant],
    depth: int,
    tensors: DatasetTensors,
    training: Training,
    *,
    seeds: Sequence[int],
    failures: Failures,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    initial: dict[int, State] = {}
    for variant in variants:
        row = {
            "dataset": tensors.data.name,
            "architecture": variant.architecture,
            "variant": variant.name,
            "kind": variant.kind,
            "depth": depth,
        }
        if variant in failures.without_reference_none([*variants[:1], variant]):
            with failures.of(variant), settings_kept():
                probe = _Probe(variant, depth, tensors, training)
                rows += [{**row, **norms} for seed in seeds for norms in probe.norms(initial, seed)]
        if variant in failures:
            rows.append({**row, "reason": failures[variant]})
    return rows


class _Probe:
    """One model whose gradients are taken; compiled once, whatever the number of seeds."""

    def __init__(self, variant: Variant, depth: int, tensors: DatasetTensors, training: Training) -> None:
        recipe = recipe_of(variant)
        recipe = replace(recipe, build=functools.partial(recipe.build, blocks=depth))
        data = tensors.data
        keras.utils.set_random_seed(0)
        self._model = recipe.build(data.input_shape, data.classes)
        if not self._model.built:
            self._model(np.zeros((1, *data.input_shape), np.float32), training=False)
        self._fresh = read_state(self._model)
        self._weights = self._model.trainable_variables
        if not self._weights:
            raise UnfitModelError("the model has no weight that could be trained.")
        self._layers = _layers(self._weights)
        self._recipe, self._training, self._tensors = recipe, training, tensors
        self._feed = Feed(tensors, recipe, training)
        self._loss = make_loss(recipe.loss)
        self._gradients = tf.function(self._flat_gradients)

    def norms(self, initial: dict[int, State], seed: int) -> Iterator[dict[str, Any]]:
        """Yield the measured columns of the table; the first to be measured draws the initial weights of the others."""
        initial.setdefault(seed, self.draw(streams(seed, self._training.vary).init))
        for step, layer_index, layer, gradient, update in self.measure(initial[seed], seed):
            yield {
                "seed": seed,
                "step": step,
                "layer": layer,
                "layer_index": layer_index,
                "gradient_norm": gradient,
                "update_norm": update,
            }

    def draw(self, seed: int) -> State:
        """Return new initial values for the trainable weights, drawn by the initialisers of the model's layers."""
        numbers = np.random.Generator(np.random.PCG64(seed))
        write_state(self._model.variables, self._fresh)
        for layer in self._model._flatten_layers():
            for name, initializer in sorted(vars(layer).items()):
                if not (name.endswith("_initializer") and isinstance(initializer, keras.initializers.Initializer)):
                    continue
                weight = getattr(layer, name.removesuffix("_initializer"), None)
                settings = initializer.get_config()
                if weight is not None and "seed" in settings:
                    settings["seed"] = int(numbers.integers(2**31))
                    weight.assign(type(initializer).from_config(settings)(weight.shape, weight.dtype))
        return [np.asarray(weight) for weight in self._weights]

    def measure(self, initial: State, seed: int) -> Iterator[tuple[int, int, str, float, float]]:
        """Train a few steps and yield step, layer index, layer path, gradient norm and update norm."""
        write_state(self._model.variables, self._fresh)
        if [value.shape for value in initial] != [weight.shape for weight in self._weights]:
            initial = self.draw(streams(seed, self._training.vary).init)
        # The optimisers on offer work on each weight by itself, so one flat variable gets the same update as many
        # small ones, at a hundredth of the operations.
        flat = keras.Variable(np.concatenate([value.ravel() for value in initial]))
        optimizer = make_optimizer(self._recipe, self._training)
        order = self._feed.order(streams(seed, self._training.vary).order, 1)
        size = self._training.batch_size
        for step in range(max(STEPS) + 1):
            self._write(np.asarray(flat))
            batch = np.resize(order, max(len(order), size * (max(STEPS) + 1)))[step * size : (step + 1) * size]
            gradient = self._gradients(tf.constant(batch))
            before = np.asarray(flat)
            optimizer.apply([gradient], [flat])
            if step in STEPS:
                update = np.asarray(flat) - before
                slopes = np.asarray(gradient)
                for index, layer in enumerate(self._layers):
                    part = slice(layer.start, layer.stop)
                    yield step, index, layer.path, _norm(slopes[part]), _norm(update[part])

    def _write(self, flat: NDArray[Any]) -> None:
        start = 0
        for weight in self._weights:
            size = int(np.prod(weight.shape))
            weight.assign(flat[start : start + size].reshape(weight.shape))
            start += size

    def _flat_gradients(self, indices: Any) -> Any:
        images = tf.cast(tf.gather(self._tensors.train.pixels, indices), tf.float32) * self._recipe.scale
        targets = images if self._recipe.task == "reconstruct" else tf.gather(self._tensors.train.labels, indices)
        with tf.GradientTape() as tape:
            loss = self._loss(targets, tf.cast(self._model(images, training=True), tf.float32))
        gradients = tape.gradient(
            loss, [weight.value for weight in self._weights], unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients], 0)


def _layers(weights: Sequence[Any]) -> list[_Layer]:
    """Group weights by the layer that owns them, in the order of the model, which is that of its depth."""
    layers: list[_Layer] = []
    start = 0
    for weight in weights:
        path = weight.path.rpartition("/")[0]
        stop = start + int(np.prod(weight.shape))
        if layers and layers[-1].path == path:
            layers[-1] = replace(layers[-1], stop=stop)
        else:
            layers.append(_Layer(path, start, stop))
        start = stop
    return layers


def _norm(values: NDArray[Any]) -> float:
    return float(np.linalg.norm(values.astype(np.float64)))
