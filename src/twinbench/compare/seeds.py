"""Trains both sides under several seeds and says how far apart they, and equal models, land."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from scipy import stats

from twinbench.audit.signature import signature_of
from twinbench.compare.losses import resolved_losses
from twinbench.compare.noise import standard_error
from twinbench.compare.sides import Side
from twinbench.config import Dataset
from twinbench.data import LoadedDataset, load, prepare
from twinbench.errors import UsageError

BATCH_SIZE = 32
LEARNING_RATE = 0.001
"""Adam's rate for a side that is not compiled; a compiled one keeps its own optimiser and loss."""

IMAGES_TO_SEE = 60_000
MOST_EPOCHS = 30
"""Each side sees about so many images in all, in at most so many epochs: enough to show what seeds do."""


def train_both(sides: tuple[Side, Side], data: str, seeds: int) -> dict[str, Any]:
    """Trains both sides with plain `fit` under the same seeds, on the same examples, and scores them on the test set.

    Args:
        sides: Two builders.
        data: A dataset as the configuration names it (`digits`, `mnist`, a path to an `.npz`); a prepared one in
            `results/data/` is taken as it is.
        seeds: How many seeds, from 1.

    Returns:
        For JSON: `data`, `epochs`, `accuracy` (points, by side, in the order of the seeds), `difference` (B minus A:
        mean, standard deviation, 95 % t interval), `between_seeds` (standard deviations), `binomial_se`, `sentence`.

    Raises:
        UsageError: A side is no builder, or cannot take the dataset's images.
        DataError: The dataset cannot be had.
    """
    for one in sides:
        one.must_rebuild()
    examples = _examples(data)
    epochs = max(1, min(MOST_EPOCHS, IMAGES_TO_SEE // len(examples.x_train)))
    scores = [[_score(one, examples, seed, epochs) for seed in range(1, seeds + 1)] for one in sides]
    first, second = (np.asarray(side) for side in scores)
    return _summary(first, second, data, epochs, len(examples.y_test))


def _summary(first: np.ndarray, second: np.ndarray, data: str, epochs: int, tested: int) -> dict[str, Any]:
    gaps = second - first
    spread = float(gaps.std(ddof=1))
    error = spread / np.sqrt(len(gaps))
    half = float(stats.t.ppf(0.975, len(gaps) - 1) * error) if error > 0 else 0.0
    mean = float(gaps.mean())
    within = [float(side.std(ddof=1)) for side in (first, second)]
    binomial = standard_error(float(np.clip(first.mean() / 100, 0.001, 0.999)), tested)
    interval = f"{mean:+.2f} points (95 % interval {mean - half:+.2f} to {mean + half:+.2f})"
    if not gaps.any():
        finding = "Every seed gave both exactly the same score"
    elif abs(mean) <= half:
        finding = f"B against A: {interval}, which is no difference that these seeds can show"
    else:
        finding = f"B against A: {interval}"
    sentence = (
        f"On {data}, trained {epochs} epochs under {len(gaps)} seeds: A scores {first.mean():.2f} and B "
        f"{second.mean():.2f} points on average. {finding}. One and the same model lands {within[0]:.2f} points "
        f"(standard deviation) apart from seed to seed, and {tested:,} test images alone allow {binomial:.2f}."
    )
    return {
        "data": data,
        "epochs": epochs,
        "accuracy": {"a": first.round(4).tolist(), "b": second.round(4).tolist()},
        "difference": {"mean": mean, "standard_deviation": spread, "ci_low": mean - half, "ci_high": mean + half},
        "between_seeds": {"a": within[0], "b": within[1]},
        "binomial_se": binomial,
        "sentence": sentence,
    }


def _examples(data: str) -> LoadedDataset:
    ready = Path("results/data") / f"{data}.npz"
    if ready.is_file() and ready.with_suffix(".json").is_file():
        return load(ready)
    with tempfile.TemporaryDirectory() as folder:
        npz = Path(folder) / "data.npz"
        prepare(Dataset.model_validate(data), npz, npz.with_suffix(".json"))
        return load(npz)


def _score(one: Side, examples: LoadedDataset, seed: int, epochs: int) -> float:
    """Test accuracy in points of one side trained under one seed."""
    model = one.model(seed=seed)
    images, tests = (_fitted(model, part, one.name) for part in (examples.x_train, examples.x_test))
    if not model.compiled:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(LEARNING_RATE), loss)
    losses = resolved_losses(model)
    labels = examples.y_train
    if losses and losses[0].labels != "class indices":
        labels = np.eye(examples.classes, dtype="float32")[labels]
    keras.utils.set_random_seed(seed)
    model.fit(images, labels, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)
    predicted = np.asarray(model.predict(tests, batch_size=1000, verbose=0))
    if predicted.ndim != 2 or predicted.shape[1] != examples.classes:
        raise UsageError(
            f"{one.name} gives outputs of shape {predicted.shape[1:]}; to be trained on {examples.name} it must give "
            f"{examples.classes} numbers, one for each class."
        )
    return 100.0 * float(np.mean(predicted.argmax(-1) == examples.y_test))


def _fitted(model: keras.Model, images: np.ndarray, name: str) -> np.ndarray:
    """Images in [0, 1], in the shape that the model takes."""
    scaled = images.astype("float32") / 255
    signature = signature_of(model)
    if signature is None or len(signature.inputs) != 1:
        return scaled
    wanted = tuple(signature.inputs[0].shape)
    if wanted == scaled.shape[1:] or None in wanted:
        return scaled
    if np.prod([axis or 1 for axis in wanted]) != np.prod(scaled.shape[1:]):
        raise UsageError(f"{name} takes inputs of shape {wanted}; the images have the shape {scaled.shape[1:]}.")
    return scaled.reshape((len(scaled), *[axis or 1 for axis in wanted]))
