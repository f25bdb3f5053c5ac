"""Trains both sides under several seeds and says how far apart they, and equal models, land."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from scipy import stats

from twinbench.analysis.intervals import binomial_se, observed_std, score_resolution, t_interval, with_smallest_spread
from twinbench.compare.conclusion import gaps_in_words
from twinbench.compare.labels import CLASSES, UNKNOWN, example, loss_value
from twinbench.compare.losses import resolved_losses
from twinbench.compare.report import Report
from twinbench.compare.sides import Side
from twinbench.config import Dataset
from twinbench.data import LoadedDataset, load, prepare
from twinbench.errors import TwinbenchError, UsageError, first_cause, raise_if_memory_ran_out
from twinbench.sameness.rungs import Outcome, make_rung
from twinbench.sameness.signature import signature_of

BATCH_SIZE = 32
LEARNING_RATE = 0.001
"""Adam's rate for a side that is not compiled; a compiled one keeps its own optimiser and loss."""

IMAGES_TO_SEE = 60_000
MOST_EPOCHS = 30
"""Each side sees about so many images in all, in at most so many epochs: enough to show what seeds do."""

APART = 0.001
"""Below this p value of a paired t test, equal models do not score so differently by chance."""


SUBJECT = "training on data"


def add_training(report: Report, sides: tuple[Side, Side], data: str, seeds: int) -> None:
    """Train both sides on a dataset and add what comes of it to a finished report.

    What cannot be trained is a sentence in the report and leaves the models not fully tested.

    Raises:
        ResourceError: The memory ran out.
    """
    try:
        trained = train_both(sides, data, seeds)
    except Exception as error:
        raise_if_memory_ran_out(error)
        reason = str(error) if isinstance(error, TwinbenchError) else first_cause(error)
        report.warnings.append(f"They were not trained on {data}: {reason}")
        report.rungs[7] = replace(report.rungs[7], sentence=f"They could not be trained on {data}.")
        report.coverage.not_tested(SUBJECT, reason)
    else:
        difference = trained["difference"]
        report.seeds = trained
        report.noise = str(trained["sentence"])
        equal = trained["accuracy"]["a"] == trained["accuracy"]["b"]
        apart = difference["p_value"] < APART
        outcome: Outcome = "pass" if equal else "fail" if apart else "not applicable"
        report.rungs[7] = make_rung(8, outcome, difference["mean"], trained["finding"])
        report.coverage.tested(SUBJECT)
        if apart:
            report.coverage.not_tested(SUBJECT, f"they score differently on {data}, and no test says why")
    if report.verdict in ("identical", "equivalent") and report.coverage.gaps:
        report.verdict = "not_fully_tested"
        report.sentence = gaps_in_words(report.coverage)


def train_both(sides: tuple[Side, Side], data: str, seeds: int) -> dict[str, Any]:
    """Train both sides with plain `fit` under the same seeds, on the same examples, and score them on the test set.

    Args:
        sides: Two builders.
        data: A dataset as the configuration names it (`digits`, `mnist`, a path to an `.npz`); a prepared one in
            `results/data/` is taken as it is.
        seeds: How many seeds, from 1.

    Returns:
        For JSON: `data`, `epochs`, `accuracy` (points, by side, in the order of the seeds), `difference` (B minus A:
        mean, standard deviation, 95 % t interval, p value), `between_seeds` (standard deviations), `binomial_se`,
        `finding`, `sentence`.

    Raises:
        UsageError: A side is no builder, or cannot take the dataset's images.
        DataError: The dataset cannot be had.
    """
    for one in sides:
        one.must_rebuild()
    examples = _examples(data)
    epochs = max(1, min(MOST_EPOCHS, IMAGES_TO_SEE // len(examples.x_train)))
    scores = []
    for one in sides:
        with one.inside():
            scores.append([_score(one, examples, seed, epochs) for seed in range(1, seeds + 1)])
    first, second = (np.asarray(side) for side in scores)
    return _summary(first, second, data, epochs, len(examples.y_test))


def _summary(first: np.ndarray, second: np.ndarray, data: str, epochs: int, tested: int) -> dict[str, Any]:
    gaps = second - first
    resolution = score_resolution("accuracy", tested)
    interval = t_interval(gaps, confidence=0.95, resolution=resolution)
    low, high, mean = float(interval.low), float(interval.high), float(gaps.mean())
    within = [observed_std(side) for side in (first, second)]
    binomial = binomial_se(float(np.clip(first.mean(), 0.1, 99.9)), tested)
    words = f"{mean:+.2f} points (95 % interval {low:+.2f} to {high:+.2f})"
    p_value = float(stats.ttest_1samp(with_smallest_spread(gaps, resolution), 0.0).pvalue) if gaps.any() else 1.0
    if not gaps.any():
        finding = "every seed gave both exactly the same score"
    elif low <= 0 <= high:
        finding = f"B minus A is {words}, which is no difference that these seeds can show"
    else:
        finding = f"B minus A is {words}"
    trained = f"trained {epochs} epochs under {len(gaps)} seeds"
    sentence = (
        f"On {data}, {trained}: A scores {first.mean():.2f} and B {second.mean():.2f} points on average; {finding}. "
        f"One and the same model lands {within[0]:.2f} points (standard deviation) apart from seed to seed, and "
        f"{tested:,} test images alone allow {binomial:.2f}."
    )
    return {
        "data": data,
        "epochs": epochs,
        "accuracy": {"a": first.round(4).tolist(), "b": second.round(4).tolist()},
        "difference": {
            "mean": mean,
            "standard_deviation": observed_std(gaps),
            "ci_low": low,
            "ci_high": high,
            "p_value": p_value,
        },
        "between_seeds": {"a": within[0], "b": within[1]},
        "binomial_se": binomial,
        "finding": f"On {data}, {trained}: {finding}.",
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
    tried = model.predict(images[:2], verbose=0)
    shape = getattr(tried, "shape", None)
    if shape is None or tuple(shape[1:]) != (examples.classes,):
        gives = f"outputs of shape {tuple(shape[1:])}" if shape is not None else f"{len(tried)} outputs"
        raise UsageError(
            f"{one.name} gives {gives}; to be trained on {examples.name} it must give {examples.classes} numbers, one "
            "for each class."
        )
    if not model.compiled:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(LEARNING_RATE), loss)
    labels = examples.y_train
    if not _takes_classes(model, examples.classes):
        labels = np.eye(examples.classes, dtype="float32")[labels]
    keras.utils.set_random_seed(seed)
    model.fit(images, labels, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)
    predicted = np.asarray(model.predict(tests, batch_size=1000, verbose=0))
    return 100.0 * float(np.mean(predicted.argmax(-1) == examples.y_test))


def _takes_classes(model: keras.Model, classes: int) -> bool:
    """Whether the loss of a model wants class indices as labels; where that is unknown, whether it takes them."""
    losses = resolved_losses(model)
    if not losses or losses[0].labels != UNKNOWN:
        return not losses or losses[0].labels == CLASSES
    try:
        return bool(np.isfinite(loss_value(losses[0].loss, *example(CLASSES, (classes,), "softmax"))))
    except Exception:  # class indices are not for it
        return False


def _fitted(model: keras.Model, images: np.ndarray, name: str) -> np.ndarray:
    """Images in [0, 1], in the shape that the model takes."""
    scaled = images.astype("float32") / 255
    signature = signature_of(model)
    if signature is None:
        return scaled
    if len(signature.inputs) != 1:
        raise UsageError(f"{name} takes {len(signature.inputs)} inputs; the dataset has one image a sample.")
    wanted = tuple(signature.inputs[0].shape)
    if wanted == scaled.shape[1:] or None in wanted:
        return scaled
    if np.prod([axis or 1 for axis in wanted]) != np.prod(scaled.shape[1:]):
        raise UsageError(f"{name} takes inputs of shape {wanted}; the images have the shape {scaled.shape[1:]}.")
    return scaled.reshape((len(scaled), *[axis or 1 for axis in wanted]))
