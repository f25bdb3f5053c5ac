"""The ladder in the benchmark: every selected variant against its reference, and the article's published examples."""

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from twinbench.architectures.catalogue import Architecture, Variant, architectures
from twinbench.architectures.contract import check_is_model, check_outputs
from twinbench.architectures.keras_settings import forget_models, settings_kept
from twinbench.architectures.recipe import recipe_of
from twinbench.data import LoadedDataset
from twinbench.errors import ANYTHING_RAISED
from twinbench.measurement.climbing import climb
from twinbench.measurement.published import functional_autoencoder, intended_autoencoder, sequential_autoencoder
from twinbench.sameness.rungs import Rung

logger = logging.getLogger(__name__)

PUBLISHED: Final[dict[str, Callable[[], Any]]] = {
    "sequential_c3a": sequential_autoencoder,
    "functional_c3b": functional_autoencoder,
}
_EXAMPLES = 64


def climb_all(
    variants: Sequence[Variant], data: LoadedDataset, *, steps: int, seed: int = 1
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the ladder's rungs 1 to 8 for every twin and lookalike.

    Args:
        variants: what a configuration selects.
        data: the images to climb with; the first of the training set.
        steps: training steps that rung 8 compares.
        seed: seed under which the models are built.
    """
    inputs = data.given("train", slice(_EXAMPLES))
    for variant in variants:
        if variant.kind in ("reference", "suspect"):
            continue
        architecture = architectures()[variant.architecture]
        logger.info("Climbing with %s/%s.", variant.architecture, variant.name)
        with settings_kept():
            targets, loss = _aim(architecture, data)
            rungs = climb(
                functools.partial(_build, architecture.reference, data),
                functools.partial(_build, variant, data),
                example=(inputs, targets),
                loss=loss,
                seed=seed,
                steps=steps,
            )
        yield from _rows(data.name, variant.architecture, variant.name, variant.kind, rungs)
        forget_models()


def _aim(architecture: Architecture, data: LoadedDataset) -> tuple[Any, str]:
    """What an architecture is trained towards on the first examples, and the loss of that."""
    labels = data.y_train[:_EXAMPLES]
    if architecture.task == "reconstruct":
        return data.given("train", slice(_EXAMPLES)), "mean_squared_error"
    if architecture.task == "regress":
        return labels, "mean_squared_error"
    if data.classes == 2 and not architecture.reference.packaged:
        with suppress(*ANYTHING_RAISED):  # which the climb tells
            outputs = _build(architecture.reference, data)(data.given("train", slice(2)), training=False)
            if outputs.shape[-1] == 1:
                return labels[:, np.newaxis].astype(np.float32), "binary_crossentropy"
    return labels, "sparse_categorical_crossentropy"


def climb_published(dataset: str, *, steps: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Yield the ladder's rows for the article's two examples, built as published (claims C3a and C3b).

    Args:
        dataset: name to put into the rows; the examples take 28 x 28 images, whatever the dataset has.
        steps: training steps that rung 8 would compare, were it reached.
        seed: seed under which the models are built.
    """
    images = np.random.default_rng(seed).random((_EXAMPLES, 28, 28, 1), np.float32)
    for name, build in PUBLISHED.items():
        rungs = climb(
            intended_autoencoder, build, example=(images, images), loss="mean_squared_error", seed=seed, steps=steps
        )
        yield from _rows(dataset, "published_autoencoder", name, "published", rungs)


def _build(variant: Variant, data: LoadedDataset) -> Any:
    recipe = recipe_of(variant)
    model = recipe.build(data.input_shape, data.classes)
    check_is_model(model)
    recipe.after_build(model)
    if variant.kind == "reference":  # the others must give what it gives
        check_outputs(model, recipe.task, data.given("train", slice(2)), data.classes)
    return model


def _rows(dataset: str, architecture: str, variant: str, kind: str, rungs: Sequence[Rung]) -> Iterator[dict[str, Any]]:
    for rung in rungs:
        yield {
            "dataset": dataset,
            "architecture": architecture,
            "variant": variant,
            "kind": kind,
            "rung": rung.number,
            "name": rung.name,
            "outcome": rung.outcome,
            "value": rung.value,
            "sentence": rung.sentence,
        }
