"""An architecture with variants that fail in every way that somebody came across."""

from pathlib import Path

GOOD = ("functional", "sets_precision", "sequential", "has_no_weights")
REASONS = {
    "raises": "no such layer",
    "exits": "SystemExit: enough",
    "returns_none": "the builder returns None instead of a keras.Model",
    "returns_text": "the builder returns an object of type str instead of a keras.Model",
    "gives_images": "the model's output has shape (batch, 8, 8, 3); to classify, it must be (batch, 10)",
    "gives_two": "the model gives 2 outputs in a list",
    "gives_a_dict": "the model gives 1 output in a dict",
    "gives_three_classes": "the model's output has shape (batch, 3)",
    "breaks_on_several": "one image at a time",
    "grows": "returns another network each time",
    "not_a_number": "The loss became NaN in epoch 1.",
    "breaks_in_training": "RuntimeError: not while training (bad.py, in call)",
    "breaks_in_traced_inference": "TypeError: no inference in a graph (bad.py, in call)",
    "breaks_on_the_last_batch": "whole batches only",
    "breaks_when_saved": "ValueError: not to be saved (bad.py, in variables)",
}
"""What each bad variant's reason must say when it is trained."""

BAD = '''"""A reference, its twin, and what went wrong."""

import keras
import tensorflow as tf
from keras import Input, Model, Sequential, layers

from twinbench.architectures.declaration import reference, twin

TASK = "classify"
STATE = {"calls": 0}


@reference
def functional(input_shape, classes, blocks=1):
    """The Functional API."""
    image = Input(input_shape)
    return Model(image, layers.Dense(classes)(layers.Flatten()(image)))


@twin
def sets_precision(input_shape, classes, blocks=1):
    """Sets what all later layers would inherit."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    return sequential(input_shape, classes)


@twin
def sequential(input_shape, classes, blocks=1):
    """The Sequential API."""
    return Sequential([Input(input_shape), layers.Flatten(), layers.Dense(classes)])


def with_layer(layer, input_shape, classes):
    return Sequential([Input(input_shape), layers.Flatten(), layer, layers.Dense(classes)])


@twin
def raises(input_shape, classes, blocks=1):
    """Raises."""
    raise ValueError("no such layer")


@twin
def exits(input_shape, classes, blocks=1):
    """Ends the process."""
    raise SystemExit("enough")


@twin
def returns_none(input_shape, classes, blocks=1):
    """Forgets its return."""


@twin
def returns_text(input_shape, classes, blocks=1):
    """Returns no model."""
    return "a model"


@twin
def gives_images(input_shape, classes, blocks=1):
    """The wrong rank."""
    return Sequential([Input(input_shape), layers.Conv2D(3, 3, padding="same")])


@twin
def gives_two(input_shape, classes, blocks=1):
    """Two outputs."""
    image = Input(input_shape)
    flat = layers.Flatten()(image)
    return Model(image, [layers.Dense(classes)(flat), layers.Dense(classes)(flat)])


@twin
def gives_a_dict(input_shape, classes, blocks=1):
    """A dict."""
    image = Input(input_shape)
    return Model(image, {"logits": layers.Dense(classes)(layers.Flatten()(image))})


@twin
def gives_three_classes(input_shape, classes, blocks=1):
    """Too few classes."""
    return Sequential([Input(input_shape), layers.Flatten(), layers.Dense(3)])


@twin
def has_no_weights(input_shape, classes, blocks=1):
    """Nothing to train."""
    return Sequential([Input(input_shape), layers.Flatten(), layers.Lambda(lambda x: x[:, :10])])


class OnlyOne(layers.Layer):
    def call(self, x):
        if x.shape[0] not in (None, 1):
            raise ValueError("one image at a time")
        return x


@twin
def breaks_on_several(input_shape, classes, blocks=1):
    """Fails on a batch of more than one image."""
    return with_layer(OnlyOne(), input_shape, classes)


@twin
def grows(input_shape, classes, blocks=1):
    """Another network at every call."""
    STATE["calls"] += 1
    return with_layer(layers.Dense(3 + STATE["calls"]), input_shape, classes)


@twin
def not_a_number(input_shape, classes, blocks=1):
    """NaN at once."""
    return with_layer(layers.Lambda(lambda x: x * float("nan")), input_shape, classes)


class BreaksInTraining(layers.Layer):
    def call(self, x, training=None):
        if training:
            raise RuntimeError("not while training")
        return x


@twin
def breaks_in_training(input_shape, classes, blocks=1):
    """Fails in training."""
    return with_layer(BreaksInTraining(), input_shape, classes)


class BreaksInTracedInference(layers.Layer):
    def call(self, x, training=None):
        if not training and STATE.get("built") and not tf.executing_eagerly():
            raise TypeError("no inference in a graph")
        return x


@twin
def breaks_in_traced_inference(input_shape, classes, blocks=1):
    """Fails in inference in a compiled function."""
    STATE["built"] = False
    model = with_layer(BreaksInTracedInference(), input_shape, classes)
    STATE["built"] = True
    return model


class WholeBatches(layers.Layer):
    def call(self, x, training=None):
        if training:
            tf.debugging.assert_equal(tf.shape(x)[0] % 32, 0, "whole batches only")
        return x


@twin
def breaks_on_the_last_batch(input_shape, classes, blocks=1):
    """Fails on the last, smaller batch."""
    return with_layer(WholeBatches(), input_shape, classes)


class BreaksWhenSaved(layers.Layer):
    trained = False

    def call(self, x, training=None):
        self.trained = self.trained or bool(training)
        return x

    @property
    def variables(self):
        if self.trained and tf.executing_eagerly():
            raise ValueError("not to be saved")
        return []


@twin
def breaks_when_saved(input_shape, classes, blocks=1):
    """Fails when its state is read."""
    return with_layer(BreaksWhenSaved(), input_shape, classes)
'''


def write(folder: Path) -> Path:
    """Write the architecture file."""
    path = folder / "bad.py"
    path.write_text(BAD)
    return path
