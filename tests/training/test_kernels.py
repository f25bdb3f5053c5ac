"""The one kernel for batch normalisation gives what Keras's operations give, and is used nowhere else."""

from typing import Any

import numpy as np
import pytest

from .conftest import configure


@pytest.fixture(scope="module")
def tf() -> Any:
    from twinbench.training.runtime import start_tensorflow

    return start_tensorflow(configure().training)


def normalised(tf: Any, fused: bool, images: Any, *, training: bool = True, **settings: Any) -> list[Any]:
    """The outputs of a layer, its gradients, and what it remembers."""
    import contextlib

    import keras

    from twinbench.training.kernels import fused_batch_normalization

    layer = keras.layers.BatchNormalization(**settings)
    layer.build(images.shape)
    for number, weight in enumerate(layer.weights):
        weight.assign(np.linspace(0.5, 1.5 + number, weight.shape[0]))
    inputs = tf.constant(images)

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            with fused_batch_normalization() if fused else contextlib.nullcontext():
                outputs = layer(inputs, training=training)
            weights = tf.sin(tf.cast(tf.range(tf.size(outputs)), outputs.dtype) / 7)
            loss = tf.reduce_sum(outputs * tf.reshape(weights, tf.shape(outputs)))
        return outputs, tape.gradient(loss, [inputs, *(weight.value for weight in layer.trainable_weights)])

    outputs, gradients = step()
    return [np.asarray(value, "float64") for value in (outputs, *gradients, *layer.weights)]


def kernels_of(tf: Any, images: Any, **settings: Any) -> set[str]:
    """The kinds of operations that a step on a layer is made of."""
    import keras

    from twinbench.training.kernels import fused_batch_normalization

    training = settings.pop("training", True)
    layer = keras.layers.BatchNormalization(**settings)
    layer.build(images.shape)

    @tf.function
    def step() -> Any:
        with fused_batch_normalization():
            return layer(tf.constant(images), training=training)

    return {operation.type for operation in step.get_concrete_function().graph.get_operations()}


def images(*shape: int) -> Any:
    return np.random.default_rng(0).normal(2, 3, shape).astype("float32")


@pytest.mark.parametrize("settings", [{}, {"scale": False}, {"center": False}, {"momentum": 0.5, "epsilon": 0.1}])
@pytest.mark.parametrize("shape", [(16, 7, 5, 3), (1, 4, 4, 2), (1, 1, 1, 2)])
def test_outputs_gradients_and_moving_averages_are_those_of_keras_but_for_rounding(
    settings: dict[str, Any], shape: tuple[int, ...], tf: Any
) -> None:
    fused, of_keras = (normalised(tf, which, images(*shape), **settings) for which in (True, False))
    for ours, theirs in zip(fused, of_keras, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)


def test_the_one_kernel_is_used_for_feature_maps_in_training(tf: Any) -> None:
    assert "FusedBatchNormV3" in kernels_of(tf, images(8, 4, 4, 3))


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((8, 4, 4, 3), {"training": False}),
        ((8, 4, 4, 3), {"trainable": False}),
        ((8, 4, 4, 3), {"axis": 1}),
        ((8, 4, 4, 3), {"epsilon": 1e-6}),  # the kernel would take a larger one
        ((8, 4, 4, 3), {"dtype": "float64"}),
        ((8, 12), {}),
        ((8, 4, 3), {}),
    ],
)
def test_whatever_the_kernel_would_compute_otherwise_stays_with_keras(
    shape: tuple[int, ...], settings: dict[str, Any], tf: Any
) -> None:
    assert not any("FusedBatchNorm" in kind for kind in kernels_of(tf, images(*shape), **settings))


def test_keras_is_as_it_was_behind_it(tf: Any) -> None:
    import keras

    from twinbench.training.kernels import fused_batch_normalization

    before = keras.layers.BatchNormalization.call
    with fused_batch_normalization():
        during = keras.layers.BatchNormalization.call
    assert during is not before
    assert keras.layers.BatchNormalization.call is before
