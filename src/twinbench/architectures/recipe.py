"""A recipe: all that distinguishes one way of training a model from another, beside the numbers in the configuration.

A variant's recipe differs from the reference's in its builder alone; a suspect's differs in one deliberate fault.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from twinbench.architectures.catalogue import Variant, architectures
from twinbench.architectures.declaration import Builder
from twinbench.architectures.importing import adapted, inside
from twinbench.config.networks import Task

Loss = Literal[
    "crossentropy on logits",
    "crossentropy on probabilities",
    "binary crossentropy on logits",
    "binary crossentropy on probabilities",
    "mean squared error",
]
Feed = Literal["shuffled", "first batch repeated"]
Validation = Literal["stratified", "tail of the sorted images"]
Metric = Literal["accuracy", "explained variance", "categorical accuracy on integer labels"]


def unchanged(model: Any) -> None:
    """Leave a model as it was built."""


@dataclass(frozen=True)
class Recipe:
    """How to build, compile and feed a model.

    Attributes:
        build: `(input_shape, classes) -> keras.Model`.
        task: `classify`, `regress` or `reconstruct`.
        loss: the loss that is minimised. `crossentropy on probabilities` takes the model's output for probabilities,
            whatever it is.
        metric: what the person sees as the score while training; the recorded test score is always the true one.
        scale: factor on the pixel values (0..255) before they reach the model.
        learning_rate: the configured one, or the optimiser's own default.
        batch_factor: how many times the configured batch size.
        feed: in what way the training images are drawn.
        validation: how the validation images were held out.
        seed_offset: added to the run's seed.
        after_build: changes the built model before it is trained.
    """

    build: Builder
    task: Task
    loss: Loss
    metric: Metric
    scale: float = 1 / 255
    learning_rate: Literal["configured", "default"] = "configured"
    batch_factor: int = 1
    feed: Feed = "shuffled"
    validation: Validation = "stratified"
    seed_offset: int = 0
    after_build: Callable[[Any], None] = unchanged


def fitted(recipe: Recipe, model: Any, examples: Any) -> Recipe:
    """Return the recipe with the loss that fits the outputs of a person's own model: of logits, or of probabilities.

    Args:
        recipe: as it is for logits.
        model: a built model.
        examples: inputs of a few examples, an array or several by their names.
    """
    if recipe.task != "classify" or recipe.loss != "crossentropy on logits":
        return recipe
    outputs = np.asarray(model(examples, training=False), np.float64)
    if outputs.shape[-1] == 1:
        # What lies between 0 and 1 however large the inputs are went through a sigmoid.
        many = [examples, *(_times(factor, examples) for factor in (-100, 100))]
        within = [np.asarray(model(inputs, training=False), np.float64) for inputs in many]
        bounded = all((values >= 0).all() and (values <= 1).all() for values in within)
        bounded = bounded and not _exceeds(model, examples)
        return replace(
            recipe, loss="binary crossentropy on probabilities" if bounded else "binary crossentropy on logits"
        )
    probabilities = (outputs >= 0).all() and np.allclose(outputs.sum(axis=-1), 1, atol=1e-3)
    return replace(recipe, loss="crossentropy on probabilities") if probabilities else recipe


def _exceeds(model: Any, examples: Any) -> bool:
    """Whether outputs leave 0..1 where the weights are larger: of words and other whole numbers there are no others."""
    inputs = examples.values() if isinstance(examples, dict) else [examples]
    if all(array.dtype.kind == "f" for array in inputs):
        return False
    weights = [weight for weight in model.weights if np.asarray(weight).dtype.kind == "f"]
    kept = [np.asarray(weight) for weight in weights]
    try:
        for weight, value in zip(weights, kept, strict=True):
            weight.assign(100 * value)
        outputs = np.asarray(model(examples, training=False), np.float64)
    finally:
        for weight, value in zip(weights, kept, strict=True):
            weight.assign(value)
    return bool((outputs < 0).any() or (outputs > 1).any())


def _times(factor: int, inputs: Any) -> Any:
    """Inputs on another scale; whole numbers, which may be words, stay."""
    if isinstance(inputs, dict):
        return {name: _times(factor, array) for name, array in inputs.items()}
    return inputs * np.float32(factor) if inputs.dtype.kind == "f" else inputs


def recipe_of(variant: Variant) -> Recipe:
    """Import the variant's file (and so Keras) and return how it is trained."""
    from twinbench.architectures.keras_settings import import_with_settings

    packaged = variant.packaged
    module = import_with_settings(f"twinbench.architectures.{variant.path.stem}" if packaged else variant.path)
    if variant.kind == "suspect":
        architecture = architectures()[variant.architecture]
        untouched = recipe_of(architecture.reference)
        changed: Recipe = getattr(module, variant.name)(untouched)
        return changed
    task = architectures()[variant.architecture].task
    build = getattr(module, variant.function or variant.name)
    if variant.function:
        build = adapted(build)
    return Recipe(
        build=build if packaged else inside(variant.path, build),
        task=task,
        loss="crossentropy on logits" if task == "classify" else "mean squared error",
        metric="accuracy" if task == "classify" else "explained variance",
    )
