"""Models that look wrong to a check, and are, or look so and are not.

Each function returns a builder, a feed (or None), and what shows without the package's code that the model is what it
claims to be: a function of the built model that says whether it is wrong.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from . import chain

GENERATOR = np.random.default_rng(4)
LABELS = GENERATOR.integers(0, 4, 400)
ROWS = (GENERATOR.standard_normal((400, 6)) + LABELS[:, None]).astype("float32") / 2
TOKENS = GENERATOR.integers(1, 9, (64, 7)).astype("int32")
TOKENS[::2, 4:] = 0
SORTED = np.argsort(LABELS, kind="stable")


@dataclass(frozen=True)
class Model:
    """A model, and what a check must say: a warning of this code at this place, or none at all."""

    name: str
    make: Any
    code: str = ""
    words: tuple[str, ...] = ()


def wrong(code, *words):
    return lambda make: Model(make.__name__, make, code, words)


def fine(make):
    return Model(make.__name__, make)


def classifier(*front, last="softmax", units=4, loss="sparse_categorical_crossentropy", shape=(6,), **options):
    def build():
        model = chain(shape, *[make() for make in front], layers.Dense(units, activation=last, name="out"))
        model.compile("adam", loss, **options)
        return model

    return build


def dense(**options):
    return lambda: layers.Dense(8, "relu", **options)


def arrays(x=ROWS, y=LABELS, **options):
    return lambda: {"x": x, "y": y, **options}


def outside(model):
    predictions = np.asarray(model(ROWS))
    return predictions.min() < -1e-3 or predictions.max() > 1 + 1e-3


# -- the loss


@wrong("compile.loss", "from_logits", "out")
def bare_dense_under_a_loss_on_probabilities():
    return classifier(dense(), last=None), None, outside


@wrong("compile.loss", "from_logits")
def normalised_outputs_under_a_loss_on_probabilities():
    def build():
        model = chain((6,), layers.Dense(4), layers.BatchNormalization())
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    return build, arrays(), outside


@fine
def softmax_by_hand_under_a_loss_on_probabilities():
    def by_hand(x):
        e = ops.exp(x - ops.max(x, axis=-1, keepdims=True))
        return e / ops.sum(e, axis=-1, keepdims=True)

    def build():
        model = chain((6,), layers.Dense(4), layers.Lambda(by_hand))
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    return build, None, outside


def _other_gradient(model):
    """Whether what `fit` minimises is far from the cross-entropy of the predictions."""
    reported = model.evaluate(ROWS[:50], LABELS[:50], verbose=0, batch_size=50)
    predictions = model.predict(ROWS[:50], verbose=0)
    own = -np.log(predictions[np.arange(50), LABELS[:50]]).mean()
    return abs(reported - own) > 1e-3


@fine
def softmax_with_logits_that_keras_recovers():
    return classifier(dense(), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)), None, _other_gradient


@wrong("compile.loss", "from_logits")
def softmax_with_logits_behind_another_operation():
    def build():
        inputs = keras.Input((6,))
        probabilities = layers.Dense(4, activation="softmax")(inputs)
        model = keras.Model(inputs, layers.Average()([probabilities, layers.Dense(4, "softmax")(inputs)]))
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    return build, None, _other_gradient


@wrong("compile.loss", "label rank")
def labels_that_broadcast():
    build = classifier(dense(), last=None, units=1, loss="mse")
    feed = arrays(y=ROWS[:, :3])
    return build, feed, lambda model: model(ROWS).shape != feed()["y"].shape


@fine
def flat_labels_for_one_column():
    feed = arrays(y=ROWS[:, 0])

    def broadcasts(model):
        reported = model.evaluate(ROWS, ROWS[:, 0], verbose=0, batch_size=400)
        return abs(reported - np.mean((np.asarray(model(ROWS))[:, 0] - ROWS[:, 0]) ** 2)) > 1e-4

    return classifier(dense(), last=None, units=1, loss="mse"), feed, broadcasts


@wrong("compile.loss", "number of outputs")
def one_class_too_many():
    return classifier(dense(), units=3), arrays(), lambda model: LABELS.max() >= model.output_shape[-1]


@wrong("arch.activation", "softmax")
def softmax_of_a_single_unit():
    build = classifier(dense(), units=1, loss="binary_crossentropy")
    return build, arrays(y=LABELS > 1), lambda model: np.ptp(np.asarray(model(ROWS))) == 0


@fine
def one_hot_labels_under_their_own_loss():
    feed = arrays(y=np.eye(4, dtype="float32")[LABELS])
    return classifier(dense(), loss="categorical_crossentropy"), feed, lambda model: feed()["y"].shape[1:] != (4,)


@fine
def a_sigmoid_for_each_of_two_classes():
    build = classifier(dense(), units=1, last="sigmoid", loss="binary_crossentropy")
    return build, arrays(y=(LABELS > 1).astype("int32")), outside


# -- the network


@wrong("arch.disconnected", "lost")
def a_result_that_is_dropped():
    def build():
        inputs = keras.Input((6,))
        x = layers.Dense(8, activation="relu")(inputs)
        layers.Dense(8, activation="relu", name="lost")(x)
        return keras.Model(inputs, layers.Dense(4)(x))

    return build, None, lambda model: len(model.layers) == 3


@fine
def an_encoder_cut_from_an_autoencoder():
    def build():
        inputs = keras.Input((6,))
        code = layers.Dense(3, activation="relu", name="code")(inputs)
        keras.Model(inputs, layers.Dense(6, name="decoded")(code))
        return keras.Model(inputs, code)

    return build, None, lambda model: "code" not in [layer.name for layer in model.layers]


@fine
def one_head_of_two():
    def build():
        inputs = keras.Input((6,))
        trunk = layers.Dense(8, activation="relu")(inputs)
        heads = [layers.Dense(2, name=name)(trunk) for name in ("left", "right")]
        keras.Model(inputs, heads)
        return keras.Model(inputs, heads[0])

    return build, None, lambda model: "left" not in [layer.name for layer in model.layers]


def _padding_counts(model):
    """Whether more padding at the end changes what is predicted."""
    longer = np.concatenate([TOKENS, np.zeros_like(TOKENS)], axis=1)
    return float(np.abs(np.asarray(model(TOKENS)) - np.asarray(model(longer))).max()) > 1e-5


@wrong("masking", "Embedding")
def a_mask_that_a_convolution_loses():
    def build():
        return chain(
            (None,), layers.Embedding(9, 4, mask_zero=True), layers.Conv1D(5, 1), layers.LSTM(3), layers.Dense(2)
        )

    return build, None, _padding_counts


@fine
def a_mask_that_reaches_the_lstm():
    def build():
        return chain((None,), layers.Embedding(9, 4, mask_zero=True), layers.Dropout(0.2), layers.LSTM(3))

    return build, None, _padding_counts


@fine
def a_mask_that_the_pooling_takes():
    def build():
        return chain((None,), layers.Embedding(9, 4, mask_zero=True), layers.Dense(5), layers.GlobalAveragePooling1D())

    return build, None, _padding_counts


@wrong("mode.bn_dropout", "norm")
def normalisation_that_is_called_in_inference_mode():
    class Stuck(layers.Layer):
        def __init__(self):
            super().__init__()
            self.norm = layers.BatchNormalization(name="norm")

        def call(self, x, training=None):
            return self.norm(x, training=False)

    def build():
        return chain((6,), layers.Dense(8), Stuck(), layers.Dense(4))

    def stuck(model):
        norm = model.layers[-2].norm
        before = norm.moving_mean.numpy()
        model(ROWS, training=True)
        return np.array_equal(before, norm.moving_mean.numpy())

    return build, None, stuck


@fine
def a_normalisation_that_was_trained_and_is_frozen():
    def build():
        model = chain((6,), layers.Dense(8), layers.BatchNormalization(name="norm"), layers.Dense(4))
        model.get_layer("norm").moving_mean.assign(np.full(8, 0.3))
        model.get_layer("norm").moving_variance.assign(np.full(8, 1.7))
        model.get_layer("norm").trainable = False
        return model

    return build, None, lambda model: not np.any(model.get_layer("norm").moving_mean.numpy())


@wrong("mode.trainable", "second")
def a_layer_that_is_frozen_at_random():
    def build():
        model = chain((6,), layers.Dense(8, name="first"), layers.Dense(8, name="second"), layers.Dense(4))
        model.get_layer("second").trainable = False
        return model

    return build, None, lambda model: len(model.trainable_weights) < len(model.weights)


@fine
def a_generator_behind_a_frozen_discriminator():
    def build():
        generator = keras.Sequential([keras.Input((6,)), layers.Dense(6)])
        discriminator = keras.Sequential([keras.Input((6,)), layers.Dense(1, activation="sigmoid")])
        discriminator.compile("adam", "binary_crossentropy")
        discriminator.trainable = False
        model = chain((6,), generator, discriminator)
        model.compile("adam", "binary_crossentropy")
        return model

    return build, None, lambda model: not model.layers[-1].compiled


@wrong("regularization", "kernel")
def a_regulariser_that_comes_late():
    def build():
        model = chain((6,), layers.Dense(8, name="first"), layers.Dense(4))
        model.get_layer("first").kernel_regularizer = keras.regularizers.L2(0.1)
        return model

    return build, None, lambda model: not model.losses


@wrong("init", "first", "second")
def one_initialiser_for_two_layers():
    def build():
        shared = keras.initializers.GlorotUniform()
        return chain((6,), *(layers.Dense(6, kernel_initializer=shared, name=name) for name in ("first", "second")))

    return build, None, lambda model: np.array_equal(*[layer.kernel.numpy() for layer in model.layers[-2:]])


@fine
def two_layers_that_start_as_the_identity():
    def build():
        return chain((6,), *(layers.Dense(6, kernel_initializer="identity") for _ in range(2)))

    return build, None, lambda model: not np.array_equal(model.layers[-1].kernel.numpy(), np.eye(6))


@fine
def a_layer_that_goes_on_from_weights_of_another():
    def build():
        model = chain((6,), layers.Dense(6, name="first"), layers.Dense(6, name="second"))
        model.get_layer("second").set_weights(model.get_layer("first").get_weights())
        return model

    return build, None, lambda model: not np.array_equal(*[layer.kernel.numpy() for layer in model.layers[-2:]])


# -- the feed


@wrong("preprocessing", "range")
def images_that_are_not_scaled():
    return classifier(dense()), arrays(ROWS * 100 + 128), lambda model: np.sqrt(np.mean((ROWS * 100 + 128) ** 2)) > 50


@fine
def large_values_that_the_model_normalises():
    def reaches(model):
        inner = keras.Model(model.inputs, model.layers[-2].input)
        return np.std(np.asarray(inner(ROWS * 100, training=True))) > 10

    return classifier(layers.BatchNormalization, dense()), arrays(ROWS * 100), reaches


@wrong("data", "distinct")
def a_feed_that_repeats_its_first_batch():
    def feed():
        for _ in range(10):
            yield ROWS[:40], LABELS[:40]

    return classifier(dense()), feed, lambda model: len({x.tobytes() for x, _ in feed()}) == 1


@wrong("data", "order")
def batches_of_one_class_each():
    def feed():
        for start in range(0, 400, 40):
            yield ROWS[SORTED][start : start + 40], LABELS[SORTED][start : start + 40]

    return classifier(dense()), feed, lambda model: np.mean([len(set(y)) for _, y in feed()]) < 2


@fine
def sorted_rows_that_fit_shuffles():
    feed = arrays(ROWS[SORTED], LABELS[SORTED])
    return classifier(dense()), feed, lambda model: feed().get("shuffle", True) is not True


@wrong("data", "validation")
def a_sorted_tail_as_validation_set():
    feed = arrays(ROWS[SORTED], LABELS[SORTED], validation_split=0.2)
    return classifier(dense()), feed, lambda model: len(set(feed()["y"][-80:])) < 3


@fine
def a_mixed_tail_as_validation_set():
    feed = arrays(validation_split=0.2)
    return classifier(dense()), feed, lambda model: len(set(feed()["y"][-80:])) < 4


@fine
def attention_of_which_keras_leaves_out_its_inner_dropout():
    def build():
        inputs = keras.Input((7,), dtype="int32")
        x = layers.Embedding(9, 4, mask_zero=True)(inputs)
        x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 2)(x, x)]))
        return keras.Model(inputs, layers.GlobalAveragePooling1D()(x))

    return build, None, lambda model: not any(type(layer).__name__.startswith("Multi") for layer in model.layers)


@fine
def labels_of_another_length_than_the_steps_under_ctc():
    def build():
        model = chain((12, 4), layers.Dense(5))
        model.compile("adam", keras.losses.CTC())
        return model

    def feed():
        draw = np.random.default_rng(0)
        return draw.standard_normal((16, 12, 4)).astype("float32"), draw.integers(1, 5, (16, 3))

    return build, feed, lambda model: not np.isfinite(model.evaluate(*feed(), verbose=0))


@fine
def class_indices_under_a_loss_without_sparse_in_its_name():
    loss = keras.losses.CategoricalGeneralizedCrossEntropy()
    return classifier(dense(), loss=loss), arrays(), lambda model: not model.evaluate(ROWS, LABELS, verbose=0) < 2


MODELS = {model.name: model for model in list(vars().values()) if isinstance(model, Model)}
