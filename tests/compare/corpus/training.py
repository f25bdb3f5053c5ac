"""The same network, trained differently: compilation, frozen weights, starts, penalties, loops."""

import keras
from keras import layers, ops

from . import chain, different, equal, equal_as_far_as_seen


def network(last=None, *, init=None, regularizer=None, bias="zeros", change=None, normalise=False, **options):
    def build():
        initializer = init or (lambda: "glorot_uniform")
        model = chain(
            (12,),
            layers.Dense(40, activation="relu", kernel_initializer=initializer(), name="first"),
            *([layers.BatchNormalization(name="norm")] if normalise else []),
            layers.Dense(
                40, activation="relu", kernel_initializer=initializer(), kernel_regularizer=regularizer, name="second"
            ),
            layers.Dense(5, activation=last, bias_initializer=bias, name="out"),
        )
        if change:
            change(model)
        if options:
            model.compile(**options)
        return model

    return build


def compiled(
    last="softmax", loss="sparse_categorical_crossentropy", optimizer="adam", metrics=("accuracy",), **options
):
    make = optimizer if callable(optimizer) else lambda: optimizer

    def build():
        model = network(last)()
        model.compile(optimizer=make(), loss=loss, metrics=list(metrics), **options)
        return model

    return build


LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@different("compile.loss", "from_logits")
def logits_taken_for_probabilities():
    return compiled(None, LOGITS), compiled(None)


@different("compile.loss", "loss")
def squared_error_for_crossentropy():
    return compiled(loss="categorical_crossentropy"), compiled(loss="mse")


@different("compile.loss", "loss")
def binary_crossentropy_on_a_softmax():
    return compiled(loss="categorical_crossentropy"), compiled(loss="binary_crossentropy")


@different("compile.loss", "loss")
def smoothed_labels():
    return compiled(loss="categorical_crossentropy"), compiled(
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    )


@different("compile.loss", "loss")
def a_sum_for_a_mean():
    return compiled(loss="mse"), compiled(loss=keras.losses.MeanSquaredError(reduction="sum"))


@different("compile.loss", "loss")
def a_loss_of_their_own():
    def halved(y_true, y_pred):
        return 0.5 * ops.mean(ops.square(y_true - y_pred), axis=-1)

    return compiled(loss="mse"), compiled(loss=halved)


@different("compile.loss", "from_logits", "out")
def softmax_forgotten_and_the_loss_unchanged():
    return compiled(), compiled(None)


@different("compile.optimizer", "learning_rate")
def the_default_rate():
    return compiled(optimizer=lambda: keras.optimizers.Adam(1e-2)), compiled()


@different("compile.optimizer", "learning_rate")
def a_schedule():
    def decaying():
        return keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(1e-3, 100, 0.5))

    return compiled(), compiled(optimizer=decaying)


@different("compile.optimizer", "optimizer")
def sgd_for_adam():
    return compiled(), compiled(optimizer="sgd")


@different("compile.optimizer", "momentum")
def no_momentum():
    return (
        compiled(optimizer=lambda: keras.optimizers.SGD(0.01, momentum=0.9)),
        compiled(optimizer=lambda: keras.optimizers.SGD(0.01)),
    )


@different("compile.optimizer", "clipnorm")
def clipped_gradients():
    return compiled(), compiled(optimizer=lambda: keras.optimizers.Adam(clipnorm=0.01))


@different("compile.metric", "categorical_accuracy")
def a_metric_for_other_labels():
    return compiled(), compiled(metrics=["categorical_accuracy"])


@different("compile.metric", "accuracy")
def accuracy_of_single_bits():
    return compiled(loss="categorical_crossentropy"), compiled(
        loss="categorical_crossentropy", metrics=[keras.metrics.BinaryAccuracy(name="accuracy")]
    )


@different("mode.trainable", "first", "trainable")
def a_frozen_layer():
    def freeze(model):
        model.get_layer("first").trainable = False

    return network(), network(change=freeze)


@different("mode.trainable", "second", "trainable")
def one_layer_frozen_too_many():
    def freeze(count):
        def change(model):
            for layer in model.layers[:count]:
                layer.trainable = False

        return change

    return network(change=freeze(2)), network(change=freeze(3))


@different("mode.trainable", "norm", "trainable")
def frozen_normalisation():
    def freeze(model):
        model.get_layer("norm").trainable = False

    return network(normalise=True), network(normalise=True, change=freeze)


@different("init", "first")
def too_wide_a_start():
    return network(), network(init=lambda: keras.initializers.RandomNormal(stddev=1.0))


@different("init", "first")
def he_for_glorot():
    return network(), network(init=lambda: "he_normal")


@different("init", "kernel")
def all_zeros():
    return network(), network(init=lambda: "zeros")


@different("init", "first/kernel", "second/kernel")
def one_initialiser_object_for_two_layers():
    def build(shared):
        def make():
            one = keras.initializers.GlorotUniform(seed=3)
            other = one if shared else keras.initializers.GlorotUniform(seed=4)
            return chain(
                (20,),
                layers.Dense(20, activation="relu", kernel_initializer=one, name="first"),
                layers.Dense(20, activation="relu", kernel_initializer=other, name="second"),
                layers.Dense(3),
            )

        return make

    return build(False), build(True)


@different("init", "embeddings")
def pretrained_embeddings_in_one_only():
    import numpy as np

    table = np.random.default_rng(0).standard_normal((30, 8))

    def build(pretrained):
        def make():
            words = layers.Embedding(30, 8, name="words")
            model = chain((7,), words, layers.GlobalAveragePooling1D(), layers.Dense(2))
            if pretrained:
                words.set_weights([table])
            return model

        return make

    return build(True), build(False)


@different("regularization", "second/kernel")
def weight_decay_in_one_only():
    return network(regularizer=keras.regularizers.L2(1e-3)), network()


@different("regularization", "second/kernel")
def another_strength():
    return network(regularizer="l2"), network(regularizer=keras.regularizers.L2(1e-4))


@different("regularization", "kernel")
def a_regulariser_set_too_late():
    def late(model):
        model.get_layer("second").kernel_regularizer = keras.regularizers.L2(1e-2)

    return network(regularizer=keras.regularizers.L2(1e-2)), network(change=late)


@different("regularization", "second/kernel", explains=False)
def a_regulariser_without_effect():
    def late(model):
        model.get_layer("second").kernel_regularizer = keras.regularizers.L2(1e-2)

    return network(), network(change=late)


@different("regularization", "activity")
def an_activity_regulariser():
    return (
        lambda: chain((12,), layers.Dense(9, activity_regularizer="l1", name="code"), layers.Dense(12)),
        lambda: chain((12,), layers.Dense(9, name="code"), layers.Dense(12)),
    )


def stepping(**methods):
    def build():
        model = network("softmax")()
        cls = type("Stepping", (keras.Model,), methods)
        model = cls(model.inputs, model.outputs)
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    return build


def _step(scale=1.0, training=True, penalties=True):
    import tensorflow as tf

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = scale * ops.mean(keras.losses.sparse_categorical_crossentropy(y, self(x, training=training)))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}

    return train_step


@different("training_loop", "train_step")
def a_step_that_scales_the_loss():
    return stepping(), stepping(train_step=_step(scale=0.1))


@different("training_loop", "train_step")
def a_step_that_only_looks():
    def train_step(self, data):
        x, y = data
        return {"loss": ops.mean(keras.losses.sparse_categorical_crossentropy(y, self(x, training=True)))}

    return stepping(), stepping(train_step=train_step)


@different("training_loop", "compute_loss")
def a_loss_computed_otherwise():
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):  # noqa: PLR0917 - as Keras has it
        return 3.0 * keras.Model.compute_loss(self, x, y, y_pred, sample_weight, training=training)

    return stepping(), stepping(compute_loss=compute_loss)


# -- equal in spite of looks ---------------------------------------------------------------------------------------


@equal
def logits_and_probabilities_each_with_the_right_loss():
    return compiled(), compiled(None, LOGITS)


@equal
def from_logits_on_a_softmax():
    return compiled(), compiled("softmax", LOGITS)


@equal
def strings_and_objects():
    return compiled(loss="mse", metrics=["mae"]), compiled(
        loss=keras.losses.MeanSquaredError(),
        optimizer=lambda: keras.optimizers.Adam(learning_rate=0.001, beta_1=0.9),
        metrics=[keras.metrics.MeanAbsoluteError()],
    )


@equal
def integer_labels_and_one_hot_labels():
    return compiled(), compiled(loss="categorical_crossentropy")


@equal
def decoupled_weight_decay_in_two_spellings():
    return (
        compiled(optimizer=lambda: keras.optimizers.Adam(1e-3, weight_decay=0.01)),
        compiled(optimizer=lambda: keras.optimizers.AdamW(1e-3, weight_decay=0.01)),
    )


@equal
def a_constant_schedule():
    def constant():
        return keras.optimizers.Adam(keras.optimizers.schedules.PiecewiseConstantDecay([100], [1e-3, 1e-3]))

    return compiled(), compiled(optimizer=constant)


@equal
def initialisers_in_other_words():
    scaling = keras.initializers.VarianceScaling
    return network(init=lambda: "he_normal"), network(init=lambda: scaling(2.0, "fan_in", "truncated_normal"))


@equal
def penalties_in_other_words():
    return network(regularizer="l2"), network(regularizer=keras.regularizers.L1L2(l1=0.0, l2=0.01))


@equal_as_far_as_seen
def a_step_written_out():
    return stepping(), stepping(train_step=_step())


@equal
def a_loss_written_out():
    def squared(y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)

    return compiled(loss="mse"), compiled(loss=squared)
