"""One compiled training step as Keras makes it, and how long it takes beside others.

A step is the forward pass, the loss and the backward pass in one TensorFlow function on a batch in memory. Left out is
what no API touches: feeding images, and the optimiser's update, which is the same code on the same weights.
"""

import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, TypeVar

import keras
import numpy as np
import tensorflow as tf

from twinbench.architectures.catalogue import Variant
from twinbench.architectures.contract import UnfitModelError
from twinbench.architectures.keras_settings import settings_kept
from twinbench.architectures.recipe import fitted, recipe_of
from twinbench.data import LoadedDataset
from twinbench.planning.devices import device_type
from twinbench.training.program import make_loss

Batch = tuple[Any, Any]
Step = Callable[[Any, Any], Any]
Key = TypeVar("Key", bound=Hashable)

# A timing is the fastest of so many stretches of steps (as `timeit` advises: noise only ever adds).
_STRETCHES: Final = 16
_STRETCH_SECONDS: Final = 0.003


def batch_of(data: LoadedDataset, size: int) -> Batch:
    """Return training inputs as a model gets them, of so many examples, and labels: int32 (size,) where classes."""
    chosen = np.resize(np.arange(len(data.y_train)), size)
    labels = data.y_train[chosen]
    inputs = tf.nest.map_structure(tf.constant, data.given("train", chosen))
    return inputs, tf.constant(labels if data.of_numbers else labels.astype(np.int32))


@settings_kept()
def trace_step(variant: Variant, batch: Batch, data: LoadedDataset) -> tuple[Step, Any]:
    """Construct a model and trace its training step, and return the step and its graph."""
    recipe = recipe_of(variant)
    keras.utils.set_random_seed(0)
    model = recipe.build(data.input_shape, data.classes)
    if not model.built:
        model(data.given("train", slice(1)))  # as `fit` does for a model that does not know its input yet
    if not variant.packaged:
        recipe = fitted(recipe, model, data.given("train", slice(8)))
    loss_of = make_loss(recipe.loss)
    weights = [weight.value for weight in model.trainable_variables]

    def training_step(images: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = tf.cast(model(images, training=True), tf.float32)
            loss = loss_of(images if recipe.task == "reconstruct" else labels, outputs)
        gradients = [gradient for gradient in tape.gradient(loss, weights) if gradient is not None]
        if not gradients:
            raise UnfitModelError("the loss depends on no weight that could be trained.")
        return gradients

    step = tf.function(training_step)
    return step, step.get_concrete_function(*batch).graph


def time_steps(
    steps: Mapping[Key, Step],
    batch: Batch,
    guard: Callable[[Key], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> dict[Key, float]:
    """Return the milliseconds of each step: the fastest of several stretches, which take turns.

    Processor time on a CPU; on a GPU, where the processor only waits, the clock's.

    Args:
        steps: what is timed.
        batch: what they are called with.
        guard: is entered for each call of a step; one whose failure it takes is timed no further, and left out.
    """
    # What other processes do to the clock on the wall they do much less to the CPU time of this one.
    clock = time.process_time if device_type() == "cpu" else time.perf_counter

    def seconds(step: Step, count: int) -> float:
        began = clock()
        for _ in range(count):
            gradients = step(*batch)
        # On a GPU the step is done only when someone looks; the gradient of a table of words is of some rows alone.
        getattr(gradients[0], "values", gradients[0]).numpy()
        return clock() - began

    def round_of(running: Iterable[Key], count: int) -> dict[Key, float]:
        times = {}
        for key in running:
            with guard(key):
                times[key] = seconds(steps[key], count)
        return times

    fastest = round_of(steps, 1)
    count = max(1, round(_STRETCH_SECONDS / max(min(fastest.values(), default=1.0), 1e-6)))
    fastest = dict.fromkeys(fastest, float("inf"))
    for _ in range(_STRETCHES):
        fastest = {key: min(fastest[key], 1000 * spent / count) for key, spent in round_of(fastest, count).items()}
    return fastest
