"""Models whose `fit` and `evaluate` differ, or whose training does not repeat, for one known reason, or for none."""

import itertools
import secrets
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from . import chain

GENERATOR = np.random.default_rng(6)
ROWS = GENERATOR.standard_normal((192, 6)).astype("float32")
LABELS = ROWS[:, :4].argmax(1)
FIXED = np.random.default_rng


@dataclass(frozen=True)
class Case:
    """A builder, its feed, and what explains the gap (its largest part) or the missing repetition (the source)."""

    name: str
    make: Any
    kind: str
    answer: str = ""


def gap(answer=""):
    return lambda make: Case(make.__name__, make, "gap", answer)


def repeat(answer=""):
    return lambda make: Case(make.__name__, make, "repeat", answer)


def network(*middle, rate=0.0, regularizer=None, metrics=(), seed=None, last=None):
    def build():
        if seed is not None:
            keras.utils.set_random_seed(seed)
        model = chain(
            (6,),
            layers.Dense(12, "relu", kernel_regularizer=regularizer),
            *[make() for make in middle],
            last() if last else layers.Dense(4, activation="softmax"),
        )
        model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=list(metrics))
        return model

    return build


def arrays(**options):
    return lambda: {"x": ROWS, "y": LABELS, "batch_size": 32, **options}


# -- fit against evaluate; nothing is learned where the rate is zero, so that no other part can matter


@gap("running mean over the epoch")
def weights_that_move_in_the_epoch():
    return network(rate=0.5), arrays()


@gap("dropout and noise")
def dropout_alone():
    return network(lambda: layers.Dropout(0.8)), arrays()


@gap("batch normalisation")
def batch_normalisation_alone():
    return network(layers.BatchNormalization), arrays()


@gap("weights of samples and classes")
def classes_that_are_weighed():
    return network(), arrays(class_weight={0: 5.0, 1: 0.1, 2: 1.0, 3: 1.0})


@gap("what else acts in training only")
def a_layer_of_their_own_that_acts_in_training():
    class Louder(layers.Layer):
        def call(self, x, training=None):
            return 3 * x if training else x

    return network(Louder), arrays()


@gap("metric averaged over batches")
def a_metric_that_is_averaged_over_batches():
    def surest(y_true, y_pred):
        return keras.ops.max(y_pred)

    return network(metrics=[surest]), arrays(shuffle=False, batch_size=6)


@gap()
def nothing_that_is_learned():
    return network(), arrays()


@gap()
def penalties_that_are_in_both_losses():
    return network(regularizer="l2"), arrays()


@gap()
def dropout_of_nothing():
    return network(lambda: layers.Dropout(0.0)), arrays()


# -- what does not repeat


class Drawn(keras.initializers.Initializer):
    def __init__(self, generator):
        self.generator = generator

    def __call__(self, shape, dtype=None, **_):
        return keras.ops.convert_to_tensor(self.generator().standard_normal(shape).astype("float32"))


@repeat("unseeded initial weights")
def an_initialiser_that_draws_from_the_system():
    def last():
        return layers.Dense(4, "softmax", kernel_initializer=Drawn(lambda: FIXED(secrets.randbits(60))), name="last")

    return network(rate=0.1, last=last), arrays()


def batches(generator, noise=False):
    order = generator.permutation(len(ROWS))
    for start in range(0, len(order), 32):
        rows = ROWS[order[start : start + 32]]
        yield rows + (0.1 * generator.standard_normal(rows.shape) if noise else 0), LABELS[order[start : start + 32]]


@repeat("order of the samples")
def a_feed_in_an_order_of_its_own():
    return network(rate=0.1), lambda: batches(FIXED())


class Noisy(layers.Layer):
    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def call(self, x, training=None):
        return x * self.generator().uniform(0.5, 1.5) if training else x


@repeat("code of your own: Noisy")
def a_layer_that_draws_from_the_system():
    return network(lambda: Noisy(lambda: FIXED(secrets.randbits(60))), rate=0.1), arrays()


@repeat("seed")
def a_script_that_sets_no_seed():
    return network(rate=0.1), arrays()


@repeat()
def a_script_that_sets_its_seed():
    return network(lambda: layers.Dropout(0.3), rate=0.1, seed=3), arrays(shuffle=False)


@repeat()
def an_initialiser_with_a_seed_and_a_feed_with_one():
    def last():
        return layers.Dense(4, "softmax", kernel_initializer=Drawn(lambda: FIXED(1)))

    return network(rate=0.1, seed=1, last=last), lambda: batches(FIXED(5))


CASES = {case.name: case for case in list(vars().values()) if isinstance(case, Case)}


def differ(case):
    """Whether two trainings of a case differ, or its `fit` and `evaluate` do, as Keras itself shows it."""
    results = []
    for _ in itertools.repeat(None, 2):
        keras.utils.set_random_seed(
            secrets.randbits(31) if case.answer in ("seed", "") and case.kind == "repeat" else 1
        )
        build, feed = case.make()
        model, given = build(), feed()
        arguments = given if isinstance(given, dict) else {"x": given}
        history = model.fit(**arguments, verbose=0).history
        results.append(np.concatenate([np.ravel(weights) for weights in model.get_weights()]))
    if case.kind == "repeat":
        return not np.array_equal(*results)
    read = model.evaluate(ROWS, LABELS, verbose=0, return_dict=True)
    return max(abs(history[name][-1] - read[name]) for name in read) > 1e-3
