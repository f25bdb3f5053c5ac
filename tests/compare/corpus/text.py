"""Models that read strings: vectorisation, look-ups, n-grams."""

import keras
import numpy as np
from keras import layers, ops

from . import guilty, innocent

WORDS = ["the", "cat", "dog", "sat", "ran", "on", "a", "mat", "Cat"]
SENTENCES = np.array(
    ["the cat sat on the mat", "a dog ran", "The Cat ran on a mat", "the dog sat", "dog dog dog", "a mat sat on a cat"]
    * 4
)[:, None]
LABELS = np.arange(24) % 2
UNTESTED = ("not_fully_tested", "cannot_tell")


def reader(words=WORDS[:-1], activation="relu", how="functional", **options):
    """A text classifier whose first layer splits and looks up the words."""
    options = {"output_sequence_length": 6} | options

    def vectorise():
        return layers.TextVectorization(vocabulary=words, **options)

    def functional():
        start = keras.Input((1,), dtype="string")
        x = vectorise()(start)
        x = layers.Embedding(30, 4, mask_zero=True)(x)
        x = layers.GlobalAveragePooling1D()(x)
        x = layers.Dense(5, activation=activation, name="hidden")(x)
        return keras.Model(start, layers.Dense(2, name="out")(x))

    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.vectorise, self.words = vectorise(), layers.Embedding(30, 4)
            self.hidden, self.out = layers.Dense(5, name="hidden"), layers.Dense(2, name="out")

        def call(self, text):
            tokens = self.vectorise(text)
            known = ops.cast(ops.not_equal(tokens, 0), "float32")[..., None]
            x = ops.sum(self.words(tokens) * known, axis=1) / ops.sum(known, axis=1)
            return self.out(ops.relu(self.hidden(x)))

    def subclassed():
        model = Reader()
        model(keras.ops.convert_to_tensor(SENTENCES))
        return model

    return functional if how == "functional" else subclassed


def sequential():
    return keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            layers.TextVectorization(vocabulary=WORDS[:-1], output_sequence_length=6),
            layers.Embedding(30, 4, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(5),
            layers.ReLU(),
            layers.Dense(2),
        ]
    )


def sentences():
    return ops.convert_to_tensor(SENTENCES)


def batches():
    for start in range(0, 24, 6):
        yield SENTENCES[start : start + 6], LABELS[start : start + 6]


FED = batches, batches


def shows(*, differ):
    """Whether the two models answer the sentences otherwise with the same weights."""

    def check(a, b, *feeds):
        first, second = a(), b()
        generator = np.random.default_rng(0)
        drawn = [generator.standard_normal(weight.shape) for weight in first.get_weights()]
        first.set_weights(drawn)
        second.set_weights(drawn)
        gap = np.max(np.abs(np.array(first(sentences())) - np.array(second(sentences()))))
        assert gap > 1e-3 if differ else gap < 1e-5, gap

    return check


@innocent(14, also=UNTESTED, check=shows(differ=False))
def a_reader_of_sentences_in_two_styles():
    return reader(), sequential


@innocent(14, also=("not_fully_tested",), check=shows(differ=False))
def a_reader_of_sentences_in_two_styles_that_is_fed():
    return reader(), sequential, *FED


@innocent(14, also=UNTESTED, check=shows(differ=False))
def a_mean_of_words_written_out():
    return reader(), reader(how="subclassed"), *FED


@innocent(14, also=UNTESTED, check=shows(differ=False))
def a_vocabulary_given_and_set():
    def later():
        model = reader()()
        model.layers[1].set_vocabulary(WORDS[:-1])
        return model

    return reader(), later


@guilty(14, ("arch.hyperparameter", "preprocessing"), "vocabulary", check=shows(differ=True))
def a_vocabulary_in_another_order():
    return reader(), reader(words=WORDS[-2::-1]), *FED


@guilty(14, ("arch.hyperparameter", "preprocessing"), "standardize", check=shows(differ=True))
def capitals_that_count():
    return reader(words=WORDS), reader(words=WORDS, standardize=None), *FED


@guilty(14, ("arch.hyperparameter", "preprocessing"), "sequence_length", check=shows(differ=True))
def sentences_cut_short():
    return reader(), reader(output_sequence_length=3)


@guilty(14, "arch.activation", "hidden", check=shows(differ=True))
def an_activation_lost_behind_the_words():
    return reader(), reader(activation=None), *FED
