"""How a network is compiled: own losses and metrics, settings of optimisers, logits and probabilities."""

import keras
import numpy as np
from keras import layers, ops

from . import chain, guilty, innocent


def digits(
    loss="sparse_categorical_crossentropy", last="softmax", *, metrics=None, optimizer=None, outputs=4, change=None
):
    def build():
        model = chain(
            (6,),
            layers.Dense(8, activation="relu", name="first"),
            layers.LayerNormalization(name="norm"),
            layers.Dense(outputs, activation=last, name="out"),
        )
        made = (optimizer or (lambda: keras.optimizers.SGD(0.05)))()
        if change:
            change(made, model)
        model.compile(made, loss() if isinstance(loss, type) else loss, metrics=metrics and list(metrics()))
        return model

    return build


def kinds():
    return np.random.default_rng(6).integers(0, 4, 6)


def sides_of_a_coin():
    return np.random.default_rng(7).integers(0, 2, (6, 1))


@innocent(11, labels=kinds)
def a_crossentropy_wrapped():
    def wrapped(truth, scores):
        return keras.losses.sparse_categorical_crossentropy(truth, scores)

    return digits(), digits(wrapped)


@innocent(11, labels=kinds)
def a_crossentropy_on_labels_it_encodes_itself():
    def encoded(truth, scores):
        truth = ops.one_hot(ops.cast(ops.reshape(truth, (-1,)), "int32"), 4)
        return keras.losses.categorical_crossentropy(truth, scores)

    return digits(), digits(encoded)


def focal(gamma, by_hand=False):
    def loss(truth, scores):
        scores = ops.clip(scores, 1e-7, 1 - 1e-7)
        if by_hand:
            right = truth * scores + (1 - truth) * (1 - scores)
            return ops.mean(-((1 - right) ** gamma) * ops.log(right), axis=-1)
        positive = truth * ops.power(1 - scores, gamma) * ops.log(scores)
        negative = (1 - truth) * ops.power(scores, gamma) * ops.log(1 - scores)
        return -ops.mean(positive + negative, axis=-1)

    return loss


COIN = {"labels": lambda: sides_of_a_coin().astype("float32")}


@innocent(11, **COIN)
def a_focal_loss_written_twice():
    return digits(focal(2.0), "sigmoid", outputs=1), digits(focal(2.0, by_hand=True), "sigmoid", outputs=1)


@guilty(11, "compile.loss", "loss", differs="step", **COIN)
def a_focal_loss_with_another_exponent():
    return digits(focal(2.0), "sigmoid", outputs=1), digits(focal(0.5), "sigmoid", outputs=1)


def hits(truth, scores):
    return ops.cast(ops.equal(ops.cast(ops.reshape(truth, (-1,)), "int64"), ops.argmax(scores, -1)), "float32")


def hits_of_the_last(truth, scores):
    return ops.cast(ops.equal(ops.cast(ops.reshape(truth, (-1,)), "int64"), ops.argmin(scores, -1)), "float32")


@innocent(11, labels=kinds)
def an_accuracy_written_out():
    return digits(metrics=lambda: ["accuracy"]), digits(
        metrics=lambda: [keras.metrics.MeanMetricWrapper(hits, name="accuracy")]
    )


@guilty(11, "compile.metric", differs="reported", labels=kinds, alone=True)
def an_accuracy_written_out_wrongly():
    return digits(metrics=lambda: ["accuracy"]), digits(
        metrics=lambda: [keras.metrics.MeanMetricWrapper(hits_of_the_last, name="accuracy")]
    )


def decaying(**options):
    return lambda: keras.optimizers.AdamW(0.01, weight_decay=0.3, **options)


def sparing(optimizer, model):
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])


@guilty(11, "compile.optimizer", "decay", differs="step", labels=kinds)
def weights_excluded_from_decay():
    return digits(optimizer=decaying()), digits(optimizer=decaying(), change=sparing)


@innocent(11, labels=kinds)
def weights_excluded_from_decay_in_two_ways():
    def one_by_one(optimizer, model):
        optimizer.exclude_from_weight_decay(
            var_list=[w for w in model.trainable_weights if w.path.split("/")[-1] in ("bias", "gamma", "beta")]
        )

    return digits(optimizer=decaying(), change=sparing), digits(optimizer=decaying(), change=one_by_one)


def averaged(a, b):
    """After training ends, the averages take the weights' place."""
    results = []
    for build in (a, b):
        model = build()
        model.set_weights(
            [np.full(w.shape, 0.3) + np.linspace(0, 1, w.size).reshape(w.shape) for w in model.get_weights()]
        )
        x = np.random.default_rng(1).standard_normal((12, 6)).astype("float32")
        model.fit(x, np.arange(12) % 4, epochs=3, batch_size=4, shuffle=False, verbose=0)
        results.append(np.concatenate([np.ravel(w) for w in model.get_weights()]))
    assert np.max(np.abs(results[0] - results[1])) > 1e-3


@guilty(11, "compile.optimizer", "ema", check=averaged)
def weights_averaged_over_time():
    def averaging():
        return keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5)

    return digits(), digits(optimizer=averaging)


@guilty(13, ("compile.loss", "arch.activation"), differs="step", labels=kinds)
def logits_under_a_loss_of_probabilities():
    """The cause is the same in whichever order the layers are found: the last layer has no softmax."""
    return digits(), digits(last=None)


@innocent(13, outputs_b=lambda results: [np.array(ops.softmax(results[0]))], labels=kinds)
def probabilities_and_logits_each_with_its_loss():
    return digits(), digits(keras.losses.SparseCategoricalCrossentropy(from_logits=True), None)


@innocent(13, outputs_b=lambda results: [np.array(ops.sigmoid(results[0]))], **COIN)
def a_sigmoid_in_the_model_and_one_in_the_loss():
    return digits("binary_crossentropy", "sigmoid", outputs=1), digits(
        keras.losses.BinaryCrossentropy(from_logits=True), None, outputs=1
    )


@guilty(13, "compile.loss", "from_logits", differs="step", **COIN, alone=True)
def a_sigmoid_twice_over():
    """Harmless for layers that remember their logits; not for one that keeps none."""

    def build(logits):
        def make():
            model = chain((6,), layers.Dense(1), layers.Lambda(lambda x: 1 / (1 + ops.exp(-x))))
            model.compile(keras.optimizers.SGD(0.1), keras.losses.BinaryCrossentropy(from_logits=logits))
            return model

        return make

    return build(False), build(True)


@guilty(15, "compile.loss", differs="step", labels=kinds, alone=True)
def another_loss_and_the_metric_that_is_named_after_it():
    def metrics():
        return ["accuracy"]

    return digits(metrics=metrics), digits(focal_of_classes, metrics=metrics)


def focal_of_classes(truth, scores):
    scores = ops.take_along_axis(scores, ops.cast(ops.reshape(truth, (-1, 1)), "int32"), axis=-1)[:, 0]
    return -ops.power(1 - scores, 2.0) * ops.log(scores + 1e-7)
