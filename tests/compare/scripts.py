"""A recipe of the benchmark as the script that a person would write: a function that builds a model, and a feed."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from twinbench.architectures.recipe import Recipe

BATCH = 32
RATE = 0.002


def script(recipe: Recipe, seed: int = 1) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The builder (which fixes the seed, as the benchmark does) and the feed of a recipe, on the 8x8 digits."""

    def build() -> Any:
        import keras

        keras.utils.set_random_seed(seed + recipe.seed_offset)
        model = recipe.build((8, 8, 1), 10)
        recipe.after_build(model)
        loss = {
            "crossentropy on logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "crossentropy on probabilities": keras.losses.SparseCategoricalCrossentropy(),
            "mean squared error": keras.losses.MeanSquaredError(),
        }[recipe.loss]
        metric = {
            "accuracy": keras.metrics.SparseCategoricalAccuracy,
            "explained variance": keras.metrics.R2Score,
            "categorical accuracy on integer labels": keras.metrics.CategoricalAccuracy,
        }[recipe.metric]
        rate = RATE if recipe.learning_rate == "configured" else 0.001
        model.compile(keras.optimizers.Adam(rate), loss, metrics=[metric(name="accuracy")])
        return model

    def feed() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        images, labels = load_digits(return_X_y=True)
        images = (images.reshape(-1, 8, 8, 1) * (255 / 16) * recipe.scale).astype("float32")
        rows = np.arange(len(images))
        if recipe.validation == "tail of the sorted images":
            rows = np.argsort(labels, kind="stable")
        rows = rows[: int(0.9 * len(rows))]
        size = BATCH * recipe.batch_factor
        order = np.random.default_rng().permutation(rows)
        for start in range(0, len(order), size):
            chosen = order[:size] if recipe.feed == "first batch repeated" else order[start : start + size]
            yield images[chosen], (labels if recipe.task == "classify" else images)[chosen]

    return build, feed
