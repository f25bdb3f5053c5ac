"""The suspects: deliberate faults in `plain_cnn`, one at a time, that really make "the same" model score lower.

Each takes the recipe of the untouched reference and returns it with one change. Two controls change nothing that
matters: another seed, and nothing at all.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from keras import Input, Model, initializers, layers, regularizers

from twinbench.architectures.declaration import Builder, suspect
from twinbench.architectures.plain_cnn import functional_reordered
from twinbench.architectures.recipe import Recipe


def network(
    *,
    activation: str | None = "relu",
    second_convolution: bool = True,
    padding: str = "same",
    initializer: Callable[[], Any] = initializers.GlorotUniform,
    normalisation: Callable[[], Any] = layers.BatchNormalization,
) -> Builder:
    """Return a builder of `plain_cnn`'s reference with a knob for each fault; at its defaults the same, bit for bit."""

    def build(input_shape: tuple[int, ...], classes: int) -> Model:
        image = Input(input_shape)
        # One initialiser object for each layer: a shared one would give equal kernels, which is another fault.
        x = layers.Conv2D(32, 3, padding="same", kernel_initializer=initializer())(image)
        x = normalisation()(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)
        if second_convolution:
            x = layers.Conv2D(64, 3, padding=padding, activation=activation, kernel_initializer=initializer())(x)
        x = layers.MaxPooling2D()(x)
        x = layers.Flatten()(x)
        x = layers.Dropout(0.25)(x)
        logits = layers.Dense(classes, kernel_initializer=initializer())(x)
        return Model(image, logits)

    return build


@suspect(cause="none.identical", changes="nothing")
def nothing(recipe: Recipe) -> Recipe:
    """The control: the same network under the same seed."""
    return replace(recipe, build=network())


@suspect(cause="none.equivalent", changes="the seed")
def another_seed(recipe: Recipe) -> Recipe:
    """The control: the same network under another seed, which is how far apart equal models land."""
    return replace(recipe, seed_offset=1_000_000)


@suspect(cause="arch.activation", changes="the second convolution has no activation")
def activation_missing(recipe: Recipe) -> Recipe:
    """`activation="relu"` was forgotten: the layer is linear."""
    return replace(recipe, build=network(activation=None))


@suspect(cause="arch.layer_missing", changes="the second convolution is missing")
def layer_missing(recipe: Recipe) -> Recipe:
    """A layer was lost on the way from one API to the other."""
    return replace(recipe, build=network(second_convolution=False))


@suspect(cause="arch.hyperparameter", changes="the second convolution has padding 'valid' instead of 'same'")
def padding_valid(recipe: Recipe) -> Recipe:
    """`padding="same"` was forgotten, and `valid` is the default."""
    return replace(recipe, build=network(padding="valid"))


def _wide_normal() -> Any:
    return initializers.RandomNormal(stddev=1.0)


@suspect(cause="init", changes="kernels start at a standard deviation of 1 instead of Glorot's")
def initializer_scale(recipe: Recipe) -> Recipe:
    """Another initialiser, twenty times as wide: the first loss is huge."""
    return replace(recipe, build=network(initializer=_wide_normal))


@suspect(cause="init", changes="the layers are constructed last to first")
def construction_order(recipe: Recipe) -> Recipe:
    """Under one seed, the order in which layers are constructed decides which weights each begins with."""
    return replace(recipe, build=functional_reordered)


def _regularise_too_late(model: Any) -> None:
    for layer in model.layers:
        if hasattr(layer, "kernel_regularizer"):
            layer.kernel_regularizer = regularizers.L2(0.01)


@suspect(cause="regularization", changes="an L2 regulariser is set after the layers are built")
def late_regularizer(recipe: Recipe) -> Recipe:
    """A regulariser set on a built layer shows in its configuration and adds nothing to the loss."""
    return replace(recipe, after_build=_regularise_too_late)


def _freeze_convolutions(model: Any) -> None:
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            layer.trainable = False


@suspect(cause="mode.trainable", changes="the convolutions are frozen")
def frozen_layers(recipe: Recipe) -> Recipe:
    """`trainable = False` was left on from an earlier experiment."""
    return replace(recipe, after_build=_freeze_convolutions)


class StuckNormalization(layers.BatchNormalization):  # type: ignore[misc] # keras is untyped
    """Batch normalisation that is called with `training=False` inside another layer, whatever the mode."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise by the moving statistics, which therefore never move."""
        return super().call(inputs, training=False, mask=mask)


@suspect(cause="mode.bn_dropout", changes="batch normalisation is stuck in inference mode")
def normalization_stuck(recipe: Recipe) -> Recipe:
    """The training mode never reaches the layer: it normalises by statistics that stay at 0 and 1."""
    return replace(recipe, build=network(normalisation=StuckNormalization))


@suspect(cause="compile.loss", changes="the loss takes the logits for probabilities")
def logits_as_probabilities(recipe: Recipe) -> Recipe:
    """`from_logits=True` was forgotten on a network without a softmax: no error, and a wrong gradient."""
    return replace(recipe, loss="crossentropy on probabilities")


@suspect(cause="compile.optimizer", changes="the optimiser runs at its default rate, not the configured one")
def default_learning_rate(recipe: Recipe) -> Recipe:
    """`optimizer="adam"` where the other model was compiled with a chosen rate."""
    return replace(recipe, learning_rate="default")


@suspect(cause="compile.metric", changes="the metric compares integer labels as if they were one-hot")
def wrong_metric(recipe: Recipe) -> Recipe:
    """`categorical_accuracy` on integer labels: the model is as good as ever, and the number says otherwise."""
    return replace(recipe, metric="categorical accuracy on integer labels")


@suspect(cause="preprocessing", changes="the pixels are fed as 0..255 instead of 0..1")
def inputs_not_scaled(recipe: Recipe) -> Recipe:
    """The division by 255 was lost on the way from one script to the other."""
    return replace(recipe, scale=1.0)


@suspect(cause="data", changes="the validation images are the tail of data sorted by class")
def sorted_validation_tail(recipe: Recipe) -> Recipe:
    """`validation_split` takes the last images, unshuffled: of sorted data, whole classes leave the training set."""
    return replace(recipe, validation="tail of the sorted images")


@suspect(cause="data", changes="the feed repeats its first batch")
def repeated_first_batch(recipe: Recipe) -> Recipe:
    """A generator that starts again on every call: the model sees one batch, over and over."""
    return replace(recipe, feed="first batch repeated")


@suspect(cause="training_loop", changes="the batch is eight times as large")
def larger_batch(recipe: Recipe) -> Recipe:
    """Another batch size under the same number of epochs: an eighth of the steps."""
    return replace(recipe, batch_factor=8)
