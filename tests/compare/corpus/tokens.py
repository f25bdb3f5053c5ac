"""Texts and tokens, their masks and metrics, and inputs and outputs that are nested."""

import keras
import numpy as np
from keras import layers, ops

from . import guilty, innocent

WORDS = ["red", "green", "blue", "black", "white", "grey"]
TEXTS = np.array([["red green blue"], ["black white"], ["grey red"], ["blue"], ["white white red"], ["Green, grey!"]])


# -- texts -------------------------------------------------------------------------------------------------------------


def lookup(words=WORDS, cut=True, mask=True, **options):
    """Words split outside, ids looked up in a layer of their own."""

    def build():
        start = keras.Input((1,), dtype="string", name="text")
        ids = layers.TextVectorization(vocabulary=words, output_sequence_length=5 if cut else None, **options)(start)
        x = layers.Embedding(12, 4, mask_zero=mask, name="table")(ids)
        return keras.Model(start, layers.Dense(2, name="out")(layers.LSTM(3, name="reader")(x)))

    return build


def in_a_sequence():
    return keras.Sequential([
        keras.Input((1,), dtype="string"),
        layers.TextVectorization(vocabulary=WORDS, output_sequence_length=5),
        layers.Embedding(12, 4, mask_zero=True),
        layers.LSTM(3),
        layers.Dense(2),
    ])  # fmt: skip


def answers_to_texts(*, differ, texts=TEXTS):
    def check(a, b, *feeds):
        first, second = a(), b()
        second.set_weights(first.get_weights())
        x = ops.convert_to_tensor(texts)
        gap = float(np.max(np.abs(np.asarray(first(x)) - np.asarray(second(x)))))
        assert gap > 1e-4 if differ else gap < 1e-6, gap

    return check


@innocent(19, check=answers_to_texts(differ=False))
def texts_read_by_a_function_and_by_a_list_of_layers():
    return lookup(), in_a_sequence


@guilty(19, ("preprocessing", "arch.hyperparameter"), "vocabulary", alone=True, check=answers_to_texts(differ=True))
def two_words_exchanged_in_the_vocabulary():
    return lookup(), lookup([WORDS[1], WORDS[0], *WORDS[2:]])


@guilty(19, ("preprocessing", "arch.hyperparameter"), "vocabulary", check=answers_to_texts(differ=True))
def a_vocabulary_that_lacks_its_last_word():
    return lookup(), lookup(WORDS[:-1])


@guilty(19, ("preprocessing", "arch.hyperparameter"), "standardize", check=answers_to_texts(differ=True))
def capitals_and_marks_that_are_kept():
    return lookup(), lookup(standardize=None)


@guilty(19, ("preprocessing", "arch.hyperparameter"), "split", check=answers_to_texts(differ=True))
def letters_instead_of_words():
    return lookup(["a", "b", "r", "red"]), lookup(["a", "b", "r", "red"], split="character")


@guilty(19, "masking", "table", check=answers_to_texts(differ=True))
def padding_that_is_read_as_a_word():
    return lookup(), lookup(mask=False)


@innocent(19, check=answers_to_texts(differ=False))
def the_defaults_of_a_vectorisation_written_out():
    return lookup(), lookup(standardize="lower_and_strip_punctuation", split="whitespace", output_mode="int")


def adapted():
    counted = np.array([" ".join([word] * (len(WORDS) - k)) for k, word in enumerate(WORDS)])
    start = keras.Input((1,), dtype="string")
    reader = layers.TextVectorization(output_sequence_length=5)
    reader.adapt(counted)
    x = layers.Embedding(12, 4, mask_zero=True)(reader(start))
    return keras.Model(start, layers.Dense(2)(layers.LSTM(3)(x)))


@innocent(19, check=answers_to_texts(differ=False))
def a_vocabulary_given_and_one_counted_in_texts():
    return lookup(), adapted


def same_texts_from_a_file(a, b, *feeds):
    loaded = keras.saving.load_model(b)
    answers_to_texts(differ=False)(lambda: a, lambda: loaded)


@innocent(19, check=same_texts_from_a_file)
def a_reader_of_texts_and_its_file(folder):
    model = lookup()()
    model.save(folder / "reader.keras")
    return model, folder / "reader.keras"


# -- token ids ---------------------------------------------------------------------------------------------------------


def tagger(masked=True, metric="accuracy"):
    """A label for every token; padding is token 0."""

    def build():
        ids = keras.Input((6,), dtype="int32")
        x = layers.Embedding(9, 4, mask_zero=masked)(ids)
        model = keras.Model(
            ids, layers.Dense(3, activation="softmax", name="tags")(layers.LSTM(4, return_sequences=True)(x))
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=[metric])
        return model

    return build


def tagger_in_steps():
    embed, read, tag = (
        layers.Embedding(9, 4, mask_zero=True),
        layers.LSTM(4, return_sequences=True),
        layers.Dense(3, activation="softmax"),
    )

    class Tagger(keras.Model):
        def __init__(self):
            super().__init__()
            self.embed, self.read, self.tag = embed, read, tag

        def call(self, ids):
            return self.tag(self.read(self.embed(ids)))

    model = Tagger()
    model(np.ones((2, 6), "int32"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def reports(model):
    rows = np.array([[1, 2, 3, 0, 0, 0], [4, 5, 6, 7, 8, 0]])
    tags = np.array([[0, 1, 2, 0, 0, 0], [1, 1, 2, 0, 1, 0]])
    values = model.evaluate(rows, tags, verbose=0, return_dict=True)
    return [float(values[name]) for name in sorted(values)]


def evaluated(*, differ):
    def check(a, b, *feeds):
        first, second = a(), b()
        weights = first.get_weights()
        weights[-1] = np.array([5.0, 0.0, 0.0])  # both say tag 0 of every token
        first.set_weights(weights)
        second.set_weights(weights)
        assert np.allclose(reports(first), reports(second), atol=1e-5) != differ

    return check


@innocent(19, check=evaluated(differ=False))
def tags_of_tokens_in_two_styles():
    return tagger(), tagger_in_steps


def tagger_with_its_mask_by_hand():
    ids = keras.Input((6,), dtype="int32")
    embed = layers.Embedding(9, 4, mask_zero=True)
    x = layers.LSTM(4, return_sequences=True)(embed(ids), mask=embed.compute_mask(ids))
    model = keras.Model(ids, layers.Dense(3, activation="softmax", name="tags")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@innocent(19, check=evaluated(differ=False))
def a_mask_that_is_handed_on_and_one_that_is_given():
    return tagger(), tagger_with_its_mask_by_hand


@guilty(19, "masking", check=evaluated(differ=True))
def tags_of_padding_that_count():
    return tagger(), tagger(masked=False)


class Hits(keras.metrics.Metric):
    """The share of tokens that are tagged rightly; padding, whose labels are 0, is left out where asked for."""

    def __init__(self, padded=True, name="accuracy", **options):
        super().__init__(name=name, **options)
        self.padded = padded
        self.right = self.add_weight(initializer="zeros", name="right")
        self.count = self.add_weight(initializer="zeros", name="count")

    def update_state(self, y, predicted, sample_weight=None):
        y = ops.cast(y, "int32")
        hit = ops.cast(ops.equal(ops.cast(ops.argmax(predicted, -1), "int32"), y), "float32")
        counted = ops.ones_like(hit) if self.padded else ops.cast(y > 0, "float32")
        self.right.assign_add(ops.sum(hit * counted))
        self.count.assign_add(ops.sum(counted))

    def result(self):
        return self.right / (self.count + 1e-7)


@guilty(19, "compile.metric", check=evaluated(differ=True))
def a_metric_that_leaves_padding_out():
    return tagger(metric=Hits()), tagger(metric=Hits(padded=False))


@innocent(19, check=evaluated(differ=False))
def a_metric_of_their_own_for_tokens():
    return tagger(metric=Hits(padded=False)), tagger(metric=Hits(padded=False))


# -- nested inputs and outputs -----------------------------------------------------------------------------------------


def article(shuffled=False, activation="relu", swapped=False):
    """A title (words and their number) and a body, in a dict within a dict; two outputs."""

    def build():
        words, length, body = (keras.Input(s, name=n) for s, n in (((5,), "words"), ((1,), "length"), ((5,), "body")))
        title = layers.Dense(4, activation=activation, name="of_title")(body if swapped else words)
        text = layers.Dense(4, activation="tanh", name="of_body")(words if swapped else body)
        both = layers.Concatenate()([title, text, length])
        kind, score = layers.Dense(3, name="kind")(both), layers.Dense(1, name="score")(both)
        inner = {"length": length, "words": words} if shuffled else {"words": words, "length": length}
        inputs = {"body": body, "title": inner} if shuffled else {"title": inner, "body": body}
        outputs = {"score": score, "about": {"kind": kind}} if shuffled else {"about": {"kind": kind}, "score": score}
        return keras.Model(inputs, outputs)

    return build


def read_article(*, differ):
    def check(a, b, *feeds):
        first, second = a(), b()
        for name in ("of_title", "of_body", "kind", "score"):
            second.get_layer(name).set_weights(first.get_layer(name).get_weights())
        generator = np.random.default_rng(0)
        given = {"title": {"words": generator.normal(size=(4, 5)), "length": generator.normal(size=(4, 1))},
                 "body": generator.normal(size=(4, 5))}  # fmt: skip
        outputs = [model(keras.tree.map_structure(ops.convert_to_tensor, given)) for model in (first, second)]
        pairs = [(one["about"]["kind"], one["score"]) for one in outputs]
        gap = max(float(np.max(np.abs(np.asarray(x) - np.asarray(y)))) for x, y in zip(*pairs, strict=True))
        assert gap > 1e-4 if differ else gap < 1e-6, gap

    return check


@innocent(19, check=read_article(differ=False))
def nested_inputs_in_another_order():
    return article(), article(shuffled=True)


@guilty(19, "arch.activation", "of_title", alone=True, check=read_article(differ=True))
def an_activation_lost_behind_nested_inputs():
    return article(), article(activation=None)


@guilty(19, "arch.wiring", check=read_article(differ=True))
def two_nested_inputs_exchanged():
    return article(), article(swapped=True)


def pairs_of_a_list(shared=True):
    """A list with a pair in it: the pair is joined first."""

    def build():
        left, right, rest = (keras.Input((3,), name=name) for name in ("left", "right", "rest"))
        first = layers.Dense(4, name="first")
        second = first if shared else layers.Dense(4, name="second")
        joined = layers.Add()([first(left), second(right)])
        return keras.Model(
            [(left, right), rest],
            [(joined,), layers.Dense(2, name="end")(layers.Add()([joined, layers.Dense(4, name="third")(rest)]))],
        )

    return build


def nested_feed():
    generator = np.random.default_rng(0)
    for _ in range(3):
        words, length, body = (generator.normal(size=(8, n)).astype("float32") for n in (5, 1, 5))
        inputs = {"title": {"words": words, "length": length}, "body": body}
        yield inputs, {"about": {"kind": np.zeros((8, 3))}, "score": length}


def same_pairs(*, differ):
    def check(a, b, *feeds):
        first, second = a(), b()
        assert (first.count_params() != second.count_params()) == differ
        if not differ:
            second.set_weights(first.get_weights())
            x = [(np.ones((2, 3)), np.zeros((2, 3))), np.ones((2, 3))]
            outputs = [keras.tree.flatten(model(x)) for model in (first, second)]
            assert all(np.allclose(p, q) for p, q in zip(*outputs, strict=True))

    return check


@innocent(19, check=same_pairs(differ=False))
def a_list_with_a_pair_in_it():
    return pairs_of_a_list(), pairs_of_a_list()


@guilty(19, "arch.shared_layer", check=same_pairs(differ=True))
def a_pair_whose_layer_is_no_longer_shared():
    return pairs_of_a_list(), pairs_of_a_list(shared=False)


@innocent(19, also=("not_fully_tested",), check=read_article(differ=False))
def nested_inputs_that_are_fed():
    return article(), article(shuffled=True), nested_feed, nested_feed


def same_article(a, b, *feeds):
    first, second = a, keras.saving.load_model(b)
    read_article(differ=False)(lambda: first, lambda: second)


@innocent(19, check=same_article)
def a_model_of_nested_inputs_and_its_file(folder):
    model = article()()
    model.save(folder / "article.keras")
    return model, folder / "article.keras"
