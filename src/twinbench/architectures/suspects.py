"""The suspects: deliberate faults in `plain_cnn`, one at a time, that really make "the same" model score lower.

Each takes the recipe of the untouched reference and returns it with one change. Two controls change nothing that
matters: another seed, and nothing at all.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from keras import Model, activations, initializers, layers, regularizers

from twinbench.architectures.declaration import Builder, suspect
from twinbench.architectures.plain_cnn import functional_reordered
from twinbench.architectures.recipe import Recipe


class NothingToChangeError(Exception):
    """The reference has not, or no longer, what a suspect changes."""


def rebuilt(build: Builder, kind: type[Any], change: Callable[[Any], Any], *, only: int | None = None) -> Builder:
    """Return a builder of the reference's own network with some of its layers changed.

    The reference's function runs as it is. When it calls a layer of the kind for the first time, the layer that
    `change` returns is called in its place: the same one with another setting, or another one. All layers are
    constructed as in the reference, so that under one seed the others begin with the same weights.

    Args:
        build: the reference's builder.
        kind: the class of the layers.
        change: takes a layer that has not been called yet and returns the layer to call instead.
        only: which of them to change, in the order in which they are called; 1 is the first. None for all.
    """

    def build_changed(input_shape: tuple[int, ...], classes: int) -> Model:
        instead: dict[int, tuple[Any, Any]] = {}
        changes = 0
        call = layers.Layer.__call__

        def call_changed(layer: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal changes
            if isinstance(layer, kind) and id(layer) not in instead:
                instead[id(layer)] = layer, layer
                if only in (None, len(instead)):
                    before = type(layer), layer.get_config()
                    substitute = change(layer)
                    changes += before != (type(substitute), substitute.get_config())
                    instead[id(layer)] = layer, substitute
            return call(instead.get(id(layer), (layer, layer))[1], *args, **kwargs)

        layers.Layer.__call__ = call_changed
        try:
            model = build(input_shape, classes)
        finally:
            layers.Layer.__call__ = call
        if len(instead) < (only or 1):
            raise NothingToChangeError(
                f"the reference calls {len(instead)} layers of the kind {kind.__name__}, and number {only or 1} was to "
                "be changed."
            )
        if not changes:
            raise NothingToChangeError(f"in the reference, {kind.__name__} is already as this suspect would make it.")
        return model

    return build_changed


@suspect(cause="none.identical", changes="nothing")
def nothing(recipe: Recipe) -> Recipe:
    """The control: the reference itself, under the same seed."""
    return recipe


@suspect(cause="none.equivalent", changes="the seed")
def another_seed(recipe: Recipe) -> Recipe:
    """The control: the same network under another seed, which is how far apart equal models land."""
    return replace(recipe, seed_offset=1_000_000)


def _lose_activation(layer: Any) -> Any:
    layer.activation = activations.linear
    return layer


@suspect(cause="arch.activation", changes="the second convolution has no activation")
def activation_missing(recipe: Recipe) -> Recipe:
    """`activation="relu"` was forgotten: the layer is linear."""
    return replace(recipe, build=rebuilt(recipe.build, layers.Conv2D, _lose_activation, only=2))


def _lose_layer(layer: Any) -> Any:
    return layers.Identity()


@suspect(cause="arch.layer_missing", changes="the second convolution is missing")
def layer_missing(recipe: Recipe) -> Recipe:
    """A layer was lost on the way from one API to the other."""
    return replace(recipe, build=rebuilt(recipe.build, layers.Conv2D, _lose_layer, only=2))


def _lose_padding(layer: Any) -> Any:
    if max(layer.kernel_size) > 1:  # without, there is no padding
        layer.padding = "valid"
    return layer


@suspect(cause="arch.hyperparameter", changes="the second convolution has padding 'valid' instead of 'same'")
def padding_valid(recipe: Recipe) -> Recipe:
    """`padding="same"` was forgotten, and `valid` is the default."""
    return replace(recipe, build=rebuilt(recipe.build, layers.Conv2D, _lose_padding, only=2))


def _widen_initializer(layer: Any) -> Any:
    if hasattr(layer, "kernel_initializer") and hasattr(layer.kernel_initializer, "seed"):
        layer.kernel_initializer = initializers.RandomNormal(stddev=1.0, seed=layer.kernel_initializer.seed)
    return layer


@suspect(cause="init", changes="kernels start at a standard deviation of 1 instead of Glorot's")
def initializer_scale(recipe: Recipe) -> Recipe:
    """Another initialiser, twenty times as wide: the first loss is huge."""
    return replace(recipe, build=rebuilt(recipe.build, layers.Layer, _widen_initializer))


def _reordered(build: Builder) -> Builder:
    def build_reordered(input_shape: tuple[int, ...], classes: int) -> Model:
        model = functional_reordered(input_shape, classes)
        if _settings(model) != _settings(build(input_shape, classes)):
            raise NothingToChangeError(
                "`functional_reordered` has other layers than the reference, and so shows more than their order."
            )
        return model

    return build_reordered


def _settings(model: Model) -> list[str]:
    """The layers of a model with their settings, in the order in which they are called."""
    configs = [(type(layer).__name__, layer.get_config()) for layer in model.layers]
    return [f"{kind} {config | {'name': ''}}" for kind, config in configs]


@suspect(cause="init", changes="the layers are constructed last to first")
def construction_order(recipe: Recipe) -> Recipe:
    """Under one seed, the order in which layers are constructed decides which weights each begins with."""
    return replace(recipe, build=_reordered(recipe.build))


def _regularise_too_late(model: Any) -> None:
    with_kernel = [layer for layer in model.layers if hasattr(layer, "kernel_regularizer")]
    if not with_kernel:
        raise NothingToChangeError("the reference has no layer with a kernel that could be regularised.")
    for layer in with_kernel:
        layer.kernel_regularizer = regularizers.L2(0.01)


@suspect(cause="regularization", changes="an L2 regulariser is set after the layers are built")
def late_regularizer(recipe: Recipe) -> Recipe:
    """A regulariser set on a built layer shows in its configuration and adds nothing to the loss."""
    return replace(recipe, after_build=_regularise_too_late)


def _freeze_convolutions(model: Any) -> None:
    convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D) and layer.trainable]
    if not convolutions:
        raise NothingToChangeError("the reference has no convolution that could be frozen.")
    for layer in convolutions:
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


def _stick(layer: Any) -> Any:
    return StuckNormalization.from_config(layer.get_config())


@suspect(cause="mode.bn_dropout", changes="batch normalisation is stuck in inference mode")
def normalization_stuck(recipe: Recipe) -> Recipe:
    """The training mode never reaches the layer: it normalises by statistics that stay at 0 and 1."""
    return replace(recipe, build=rebuilt(recipe.build, layers.BatchNormalization, _stick))


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
