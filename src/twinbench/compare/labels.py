"""Forms in which labels are written, and batches of labels and predictions whose quality is known."""

from typing import Any, Literal

import keras
import numpy as np

CLASSES, COLUMN, ONE_HOT = "class indices", "column of class indices", "one-hot"
BINARY, FLAT_BINARY = "binary", "binary without a last axis"
NUMBERS, FLAT_NUMBERS = "numbers", "numbers without a last axis"
UNKNOWN = "unknown"
"""What a loss of the person's own wants where nothing tells."""

UNUSUAL = {
    "CategoricalGeneralizedCrossEntropy": CLASSES,
    "CategoricalHinge": ONE_HOT,
    "Circle": UNKNOWN,
    "CTC": UNKNOWN,
}
"""What losses of Keras want that are no cross-entropies, and whose labels are no numbers of the outputs' shape."""

Squash = Literal["softmax", "sigmoid"] | None


SCALES = (1.0, 0.05, 50.0, 10_000.0)
"""Losses and metrics are read on predictions of several sizes: a threshold or a limit shows only near it."""


def possible_forms(shape: tuple[int, ...]) -> list[str]:
    """Every form in which labels for outputs of a shape (without the batch axis) are commonly written."""
    if not shape or shape[-1] == 1:
        return [BINARY, FLAT_BINARY, NUMBERS, FLAT_NUMBERS]
    return [CLASSES, COLUMN, ONE_HOT, BINARY, NUMBERS]


def fitting_forms(form: str, shape: tuple[int, ...]) -> list[str]:
    """The forms that a loss takes which wants one: the usual one first."""
    if form == UNKNOWN:
        return possible_forms(shape)
    column = not shape or shape[-1] == 1
    others = {CLASSES: [COLUMN], BINARY: [FLAT_BINARY] if column else [], NUMBERS: [FLAT_NUMBERS] if column else []}
    return [form, *others.get(form, [])]


def form_of(labels: np.ndarray, shape: tuple[int, ...]) -> str:
    """The form of labels that a person gives, for outputs of a shape."""
    whole = labels.dtype.kind in "iub" or bool(np.all(labels == np.round(labels)))
    width = shape[-1] if shape else 1
    flat = labels.ndim == len(shape)
    if width == 1:
        binary = whole and bool(np.all((labels == 0) | (labels == 1)))
        return (FLAT_BINARY if flat else BINARY) if binary else FLAT_NUMBERS if flat else NUMBERS
    if whole and flat:
        return CLASSES
    if whole and labels.shape[-1] == 1:
        return COLUMN
    if whole and labels.shape[-1] == width and np.all((labels == 0) | (labels == 1)):
        return ONE_HOT if np.all(labels.sum(-1) == 1) else BINARY
    return NUMBERS


def example(
    form: str, shape: tuple[int, ...], squash: Squash = None, *, rows: int = 60, scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Labels in a form, and predictions: the same of every form, three quarters of the rows right.

    Args:
        form: one of the forms above.
        shape: shape of one output without the batch axis.
        squash: what makes probabilities of the predictions; None for raw outputs.
        rows: how many.
        scale: how much larger the raw outputs are than usual, and how much further off the labels that are numbers.
    """
    generator = np.random.default_rng(5)
    logits = generator.standard_normal((rows, *shape)).astype("float32") * np.float32(2 * scale)
    wrong = (np.arange(rows) % 4 == 0).reshape((-1,) + (1,) * len(shape))
    width = shape[-1] if shape else 1
    predictions = logits
    if squash == "sigmoid" or (squash and width == 1):
        predictions = 1 / (1 + np.exp(-logits.astype("float64")))
    elif squash:
        spread = np.exp(logits - logits.max(-1, keepdims=True))
        predictions = spread / spread.sum(-1, keepdims=True)
    if form in (NUMBERS, FLAT_NUMBERS):
        labels = predictions + 0.2 * scale * generator.standard_normal(logits.shape)
    elif form in (BINARY, FLAT_BINARY):
        labels = np.abs((logits > 0) - wrong.astype("float32"))
    else:
        best = logits.argmax(-1)
        classes = np.where(wrong[..., 0] if shape else wrong, (best + 1) % max(width, 2), best)
        if form in (CLASSES, COLUMN):
            return (classes if form == CLASSES else classes[..., None]).astype("int32"), predictions.astype("float32")
        labels = np.eye(max(width, 2), dtype="float32")[classes][..., :width]
    if form in (FLAT_BINARY, FLAT_NUMBERS) and shape:
        labels = labels[..., 0]
    return labels.astype("float32"), predictions.astype("float32")


def loss_value(loss: Any, labels: np.ndarray, predictions: np.ndarray) -> float:
    """What a loss reads, averaged over whatever it returns."""
    value = loss(keras.ops.convert_to_tensor(labels), keras.ops.convert_to_tensor(predictions))
    return float(np.mean(keras.ops.convert_to_numpy(value)))


def wrapped_crossentropy(loss: Any) -> tuple[str, bool] | None:
    """The labels that a loss of the person's own wants, and whether it takes logits, if it reads as a cross-entropy."""
    known = (
        (CLASSES, (5,), "softmax", keras.losses.SparseCategoricalCrossentropy),
        (ONE_HOT, (5,), "softmax", keras.losses.CategoricalCrossentropy),
        (BINARY, (1,), "sigmoid", keras.losses.BinaryCrossentropy),
    )
    for form, shape, squash, builtin in known:
        for on_logits in (False, True):
            labels, predictions = example(form, shape, None if on_logits else squash)  # type: ignore[arg-type]
            try:
                value = loss_value(loss, labels, predictions)
            except Exception:  # noqa: S112 - labels or predictions that it does not take
                continue
            if np.isclose(value, loss_value(builtin(from_logits=on_logits), labels, predictions), rtol=1e-4):
                return form, on_logits
    return None


def same_code(x: Any, y: Any) -> bool:
    """Whether two losses or metrics of the person's own are one function, or one class with equal settings."""
    if x is y:
        return True
    if type(x) is not type(y) or not hasattr(x, "get_config") or hasattr(x, "fn") or hasattr(x, "_fn"):
        return False
    plain = [{k: v for k, v in vars(one).items() if isinstance(v, bool | int | float | str | None)} for one in (x, y)]
    return bool(x.get_config() == y.get_config() and plain[0] == plain[1])
