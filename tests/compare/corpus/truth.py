"""Verifies what a pair of the corpus claims, with Keras and NumPy alone: no code of the package is used here.

The weights of A are drawn at random and put into B along the pair's own mapping. Then the outputs in inference and in
training, what `fit` reports of a step, and all weights after that step are compared.
"""

import runpy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from . import Pair

ROUNDING = 2e-4
"""Relative deviation up to which two equal models may differ; guilty pairs must differ by five times as much."""


@contextmanager
def clean_keras() -> Iterator[None]:
    """Keeps what a builder sets for the whole process from everything that comes after."""
    config = keras.config
    before = config.dtype_policy(), config.floatx(), config.image_data_format(), config.epsilon()
    eager = tf.config.functions_run_eagerly()
    try:
        yield
    finally:
        config.set_dtype_policy(before[0])
        config.set_floatx(before[1])
        config.set_image_data_format(before[2])
        config.set_epsilon(before[3])
        tf.config.run_functions_eagerly(eager)


def model_of(side: Any) -> keras.Model:
    """The model of a side: a builder, a live model, a saved file or `file.py:name`."""
    if isinstance(side, keras.Model):
        return side
    if callable(side):
        return side()
    text = str(side)
    if ".py:" in text:
        path, _, name = text.rpartition(":")
        return model_of(runpy.run_path(path)[name])
    return keras.models.load_model(text)


def randomise(model: keras.Model, scale: float, seed: int = 5) -> None:
    """Draws every weight anew: centred, and positive where it is a variance or a scale."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if not keras.backend.is_float_dtype(weight.dtype):
            continue
        drawn = generator.standard_normal(weight.shape) * scale
        positive = any(word in weight.name for word in ("variance", "gamma"))
        weight.assign(1 + np.abs(drawn) if positive else drawn)


def in_order(a: keras.Model, b: keras.Model) -> list[np.ndarray]:
    """The mapping where both models hold their weights in one order, in other shapes at most."""
    return [np.reshape(np.array(x), y.shape) for x, y in zip(a.weights, b.weights, strict=True)]


def by_name(a: keras.Model, b: keras.Model) -> list[np.ndarray]:
    """The mapping where layers of the same names stand in another order."""
    return [np.array({weight.path: weight for weight in a.weights}[weight.path]) for weight in b.weights]


def made_up(model: keras.Model, tokens: int | None, rows: int = 6) -> Any:
    """Inputs of a model that knows their shapes: normal numbers, or whole ones for tokens."""
    generator = np.random.default_rng(3)

    def draw(tensor: Any) -> np.ndarray:
        shape = (tensor.shape[0] or rows, *(5 if size is None else size for size in tensor.shape[1:]))
        if tokens or "int" in tensor.dtype:
            return generator.integers(0, tokens or 5, shape).astype("int32")
        return generator.standard_normal(shape).astype("float32")

    return keras.tree.map_structure(draw, model._inputs_struct)


def reset_randomness(model: keras.Model) -> None:
    """Gives every layer that draws at random the same state, so that equal models draw the same."""
    for variable in model.variables:
        if "seed_generator_state" in variable.path:
            variable.assign([0, 11])


def outputs(model: keras.Model, inputs: Any, *, training: bool) -> list[np.ndarray]:
    reset_randomness(model)
    results = keras.tree.flatten(model(inputs, training=training))
    return [np.array(ops.cast(result, "float32")) for result in results]


def masks(model: keras.Model, inputs: Any) -> list[np.ndarray]:
    """Which steps of the outputs `fit` leaves out of the loss."""
    results = keras.tree.flatten(model(inputs, training=True))
    found = [getattr(result, "_keras_mask", None) for result in results]
    return [np.ones(1) if mask is None else np.array(mask, "float32") for mask in found]


def step(model: keras.Model, inputs: Any, labels: Any) -> list[np.ndarray]:
    """One step of training, by the model's own way where it is compiled; returns what `fit` would report."""
    reset_randomness(model)
    if model.compiled:
        model.run_eagerly = True
        model.train_function = None
        reported = model.train_on_batch(inputs, labels, return_dict=True)
        return [np.array(reported[name], "float32") for name in sorted(reported)]
    with tf.GradientTape() as tape:
        results = [ops.cast(result, "float32") for result in keras.tree.flatten(model(inputs, training=True))]
        loss = sum(ops.mean(ops.square(result - 0.3)) for result in results) + sum(model.losses)
    variables = [weight.value for weight in model.trainable_weights]
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        if gradient is not None:
            variable.assign_sub(0.1 * tf.convert_to_tensor(gradient))
    return [np.array(loss)]


def deviation(first: list[np.ndarray], second: list[np.ndarray], extent: list[np.ndarray] | None = None) -> float:
    """The largest difference of two lists of arrays, relative to the largest value."""
    if [x.shape for x in first] != [x.shape for x in second]:
        return float("inf")
    pairs = zip(first, second, extent or first, strict=True)
    return max((float(np.max(np.abs(x - y)) / (np.max(np.abs(z)) + 1e-6)) for x, y, z in pairs if x.size), default=0.0)


def deviations(
    a: keras.Model,
    b: keras.Model,
    first: tuple[Any, Any] | None = None,
    second: tuple[Any, Any] | None = None,
    *,
    carry: Callable[[keras.Model, keras.Model], list[np.ndarray]] = in_order,
    tokens: int | None = None,
    inputs: Callable[[], Any] | None = None,
    inputs_b: Callable[[Any], Any] = lambda inputs: inputs,
    outputs_b: Callable[[list[np.ndarray]], list[np.ndarray]] = lambda results: results,
    labels: Callable[[], Any] = lambda: None,
    labels_b: Callable[[Any], Any] = lambda labels: labels,
    scale: float = 0.3,
) -> dict[str, float]:
    """How far two models are apart, with A's weights in B: in inference, in training, in what a step reports and does.

    Args:
        a: The one model.
        b: The other.
        first: A batch of A's feed, where there is one.
        second: A batch of B's feed.
        carry: Gives the weights of B that are those of A.
        tokens: How many whole numbers the inputs are drawn from, where they are tokens.
        inputs: Makes the inputs, where the model does not know their shapes.
        inputs_b: The same inputs in the form that B takes.
        outputs_b: The outputs of B in the order of A's.
        labels: Makes the labels of compiled models.
        labels_b: The same labels in the form that B takes.
        scale: The standard deviation of the weights.
    """
    x, y = first or (inputs() if inputs else made_up(a, tokens), labels())
    x_b, y_b = second or (inputs_b(x), labels_b(y))
    for model, batch in ((a, x), (b, x_b)):
        model(batch)  # builds what is built late
    randomise(a, scale)
    b.set_weights(carry(a, b))
    result = {
        mode: deviation(outputs(a, x, training=training), outputs_b(outputs(b, x_b, training=training)))
        for mode, training in (("inference", False), ("training", True))
    }
    result["mask"] = deviation(masks(a, x), masks(b, x_b))
    b.set_weights(before := carry(a, b))  # running statistics too
    reports = [np.sort(np.ravel(step(model, *batch))) for model, batch in ((a, (x, y)), (b, (x_b, y_b)))]
    result["reported"] = deviation([reports[0]], [reports[1]])
    after, expected = [np.array(w, "float32") for w in b.get_weights()], carry(a, b)
    moved = [np.asarray(x, "float32") - y for x, y in zip(expected, before, strict=True)]
    extent = max((float(np.max(np.abs(m))) for m in moved if m.size), default=0.0)
    gaps = [np.asarray(x, "float32") - y for x, y in zip(expected, after, strict=True)]
    result["step"] = max((float(np.max(np.abs(gap))) for gap in gaps if gap.size), default=0.0) / (extent + 1e-9)
    return result


def batch_of(feed: Any) -> tuple[Any, Any]:
    """The first batch of a feed."""
    given = feed() if callable(feed) else feed
    if isinstance(given, dict):
        size = given["batch_size"]
        return given["x"][:size], given["y"][:size]
    batch = next(iter(given))
    return keras.tree.map_structure(np.array, batch[0]), np.array(batch[1])


def verify(pair: Pair, folder: Path) -> None:
    """Shows that a pair is what it claims to be.

    Raises:
        AssertionError: It is not, or that could not be shown.
    """
    options = dict(pair.truth)
    sides = pair.sides(folder)
    if check := options.pop("check", None):
        with clean_keras():
            check(*sides)
        return
    rounding, clear = options.pop("rounding", ROUNDING), options.pop("clear", 5 * ROUNDING)
    models = []
    for side in sides[:2]:
        with clean_keras():
            keras.utils.set_random_seed(0)
            models.append(model_of(side))
    apart = deviations(*models, *map(batch_of, sides[2:]), **options)
    if pair.equal:
        assert max(apart.values()) < rounding, apart
        return
    assert pair.differs, "say where it differs"
    assert min(apart[where] for where in pair.differs) > clear, apart
