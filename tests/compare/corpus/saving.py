"""Models that are saved and loaded: what survives, and what is lost, which Keras alone shows."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from . import chain

ROWS = np.random.default_rng(0).normal(1.0, 2.0, (16, 4)).astype("float32")
TEXTS = np.array([["red green"], ["blue"], ["green red blue"], ["black"]])


@dataclass(frozen=True)
class Saved:
    """A function that builds a model, the format, the verdict that is right, and what has to be named."""

    name: str
    build: Any
    verdict: str = "survives"
    words: tuple[str, ...] = ()
    ending: str = ".keras"

    def truth(self, folder):
        """Whether the model is the same after loading, as Keras alone shows: predictions, and how it is compiled."""
        model = self.build()
        generator = np.random.default_rng(1)
        for weight in model.trainable_weights:
            weight.assign(np.asarray(weight) + 0.1 * generator.uniform(0.5, 1.0, weight.shape))
        path = folder / f"model{self.ending}"
        try:
            model.save(path)
            loaded = keras.saving.load_model(path, safe_mode=True)
        except (ValueError, TypeError):
            return self.verdict == "cannot_be_loaded" or self._loads_uncompiled(folder)
        rows = ROWS if self.name not in TEXTUAL else keras.ops.convert_to_tensor(TEXTS)
        try:
            before, after = (keras.tree.flatten(one(rows, training=False)) for one in (model, loaded))
        except Exception:  # what was loaded does not even run
            return self.verdict == "loses"
        same = all(np.allclose(x, y, atol=1e-4) for x, y in zip(before, after, strict=True))
        same &= [v.trainable for v in model.weights] == [v.trainable for v in loaded.weights]
        same &= model.compiled == loaded.compiled
        return same == (self.verdict == "survives")

    def _loads_uncompiled(self, folder):
        keras.saving.load_model(folder / f"model{self.ending}", safe_mode=True, compile=False)
        return self.verdict == "loses"


CASES: dict[str, Saved] = {}
TEXTUAL = ("words_of_a_text_in_an_archive", "words_of_a_text_in_the_old_format")


def case(verdict="survives", *words, ending=".keras"):
    def mark(build):
        CASES[build.__name__] = Saved(build.__name__, build, verdict, words, ending)
        return build

    return mark


def network(*steps, loss="mse", optimizer="adam", metrics=("mae",)):
    model = chain((4,), layers.Dense(5, activation="relu"), *steps, layers.Dense(2, name="out"))
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


@keras.saving.register_keras_serializable("saving")
class Scaled(layers.Layer):
    """Says in its configuration what it was made with."""

    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


@keras.saving.register_keras_serializable("saving")
class Forgetful(Scaled):
    """Leaves its factor out."""

    def get_config(self):
        return layers.Layer.get_config(self)


class Unknown(Scaled):
    """Is not registered."""


@keras.saving.register_keras_serializable("saving")
class Calibrated(layers.Layer):
    """Holds a number that is set after it was made, in no weight."""

    def __init__(self, **options):
        super().__init__(**options)
        self.offset = 0.0

    def call(self, inputs):
        return inputs + self.offset


@keras.saving.register_keras_serializable("saving")
class Partial(layers.Layer):
    """Saves one of its two weights."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="shift")

    def call(self, inputs):
        return inputs * self.scale + self.shift

    def save_own_variables(self, store):
        store["scale"] = self.scale

    def load_own_variables(self, store):
        self.scale.assign(store["scale"])


@keras.saving.register_keras_serializable("saving")
def halved(y, predicted):
    return 0.5 * keras.ops.mean(keras.ops.square(y - predicted))


@case()
def layers_of_keras():
    return network(layers.BatchNormalization(), layers.Dropout(0.2))


@case()
def a_layer_of_their_own_that_is_registered():
    return network(Scaled(2.0))


@case()
def a_loss_of_their_own_that_is_registered():
    return network(loss=halved)


@case()
def statistics_of_data():
    scaling = layers.Normalization()
    scaling.adapt(ROWS)
    return chain((4,), scaling, layers.Dense(2))


@case()
def words_of_a_text_in_an_archive():
    words = layers.TextVectorization(output_sequence_length=4)
    words.adapt(TEXTS[:, 0])
    return chain((1,), words, layers.Embedding(10, 3), layers.GlobalAveragePooling1D(), layers.Dense(2), dtype="string")


@case()
def a_frozen_base():
    model = network()
    model.layers[1].trainable = False
    return model


@case()
def two_inputs_and_two_outputs():
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    both = layers.Add()([layers.Dense(3)(left), layers.Dense(3)(right)])
    return keras.Model([left, right], {"mean": layers.Dense(1, name="mean")(both), "spread": layers.Dense(1)(both)})


@case("loses", "forgetful")
def a_layer_that_forgets_its_argument():
    return network(Forgetful(2.0))


@case("cannot_be_loaded", "Unknown")
def a_layer_that_is_not_registered():
    return network(Unknown(2.0))


@case("cannot_be_loaded", "Lambda")
def a_lambda():
    return network(layers.Lambda(lambda x: x * 2))


@case("loses", "compiled")
def a_loss_that_is_not_registered():
    return network(loss=lambda y, predicted: keras.ops.mean(keras.ops.abs(y - predicted)))


@case("loses")
def a_number_that_was_set_after_the_layer_was_made():
    model = network(Calibrated())
    model.layers[2].offset = 3.0
    return model


@case("loses", "shift")
def a_layer_that_saves_half_of_its_weights():
    return network(Partial())


@case("loses", "table not initialized", ending=".h5")
def words_of_a_text_in_the_old_format():
    return words_of_a_text_in_an_archive()
