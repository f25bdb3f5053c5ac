"""What realistic models are fed: weights of samples, validation sets, ranges, channels, targets, paddings."""

import keras
import numpy as np
from keras import layers

from . import chain, guilty, innocent
from .truth import deviation, randomise

GENERATOR = np.random.default_rng(11)
LABELS = GENERATOR.integers(0, 3, 240)
COLOURS = np.array([[0.9, 0.3, 0.1], [0.2, 0.8, 0.3], [0.1, 0.4, 0.7]])
PHOTOS = np.clip(COLOURS[LABELS][:, None, None] + GENERATOR.normal(0, 0.1, (240, 6, 6, 3)), 0, 1).astype("float32")


def photo_network(*front, normalised=False):
    """A small network for photographs; what stands in front prepares them."""

    def build():
        model = chain(
            (6, 6, 3),
            *(make() for make in front),
            layers.Conv2D(4, 3, activation="relu", name="look"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax", name="out"),
        )
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    return build


def batches(inputs, labels=LABELS, size=24):
    def feed():
        for start in range(0, len(labels), size):
            yield inputs[start : start + size], labels[start : start + size]

    return feed


def arguments(x=PHOTOS, y=LABELS, **more):
    """What one hands to `fit`."""
    return lambda: {"x": x, "y": y, "batch_size": 24, **more}


# -- keys of `fit` that change the loss ------------------------------------------------------------------------------


def steps_of_fit(a, b, feed_a, feed_b):
    """How far the weights are apart after an epoch of `fit` from the same start."""
    results = []
    for build, feed in ((a, feed_a), (b, feed_b)):
        model = build()
        randomise(model, 0.3)
        model.run_eagerly = True
        model.fit(**feed(), verbose=0, shuffle=False)
        results.append([np.array(weight) for weight in model.get_weights()])
    return deviation(*results)


def other_steps(*sides):
    assert steps_of_fit(*sides) > 1e-3


def same_steps(*sides):
    assert steps_of_fit(*sides) < 1e-5


WEIGHTED = ("data", "compile.loss", "training_loop")
RARE = {0: 1.0, 1: 4.0, 2: 0.5}


@guilty(2, WEIGHTED, "class", check=other_steps)
def classes_weighed_on_one_side():
    return photo_network(), photo_network(), arguments(class_weight=RARE), arguments()


@guilty(2, WEIGHTED, "sample", check=other_steps)
def samples_weighed_on_one_side():
    weights = np.linspace(0, 2, 240).astype("float32")
    return photo_network(), photo_network(), arguments(), arguments(sample_weight=weights)


@innocent(2, also=("not_fully_tested",), check=same_steps)
def classes_weighed_alike():
    return photo_network(), photo_network(), arguments(class_weight=RARE), arguments(class_weight=dict(RARE))


@innocent(2, also=("not_fully_tested",), check=same_steps)
def classes_and_samples_weighed_alike():
    by_sample = np.array([RARE[label] for label in LABELS], "float32")
    return photo_network(), photo_network(), arguments(class_weight=RARE), arguments(sample_weight=by_sample)


@innocent(2, also=("not_fully_tested",), check=same_steps)
def weights_that_are_all_one():
    return photo_network(), photo_network(), arguments(), arguments(sample_weight=np.ones(240, "float32"))


# -- validation --------------------------------------------------------------------------------------------------------

PART = slice(0, 180), slice(180, 240)


def held_out(leaking):
    chosen = slice(20, 80) if leaking else PART[1]
    return arguments(PHOTOS[PART[0]], LABELS[PART[0]], validation_data=(PHOTOS[chosen], LABELS[chosen]))


def leaks(a, b, feed_a, feed_b):
    shared = []
    for feed in (feed_a(), feed_b()):
        seen = {image.tobytes() for image in feed["x"]}
        shared.append(sum(image.tobytes() in seen for image in feed["validation_data"][0]))
    assert shared == [0, 60]


@guilty(12, "data", "validation", check=leaks)
def a_validation_set_out_of_the_training_set():
    return photo_network(), photo_network(), held_out(False), held_out(True)


@innocent(12, also=("not_fully_tested",), check=same_steps)
def one_validation_set_split_off_and_given():
    return photo_network(), photo_network(), held_out(False), arguments(validation_split=0.25)


# -- ranges and channels -----------------------------------------------------------------------------------------------


@guilty(12, "preprocessing", "range", differs=("inference", "reported"))
def pixels_from_minus_one_against_pixels_from_zero():
    return photo_network(), photo_network(), batches(PHOTOS), batches(PHOTOS * 2 - 1)


@innocent(12)
def pixels_centred_in_the_feed_and_in_the_model():
    raw = (PHOTOS * 255).astype("float32")
    return (
        photo_network(),
        photo_network(lambda: layers.Rescaling(1 / 127.5, offset=-1)),
        batches(raw / 127.5 - 1),
        batches(raw),
    )


@guilty(12, "preprocessing", differs=("inference", "reported"))
def pixels_centred_in_the_feed_and_again_in_the_model():
    centred = PHOTOS * 2 - 1
    return (
        photo_network(),
        photo_network(lambda: layers.Rescaling(1 / 127.5, offset=-1)),
        batches(centred),
        batches(centred),
    )


@guilty(12, ("preprocessing", "data"), differs=("inference", "reported"))
def red_and_blue_swapped():
    return photo_network(), photo_network(), batches(PHOTOS), batches(PHOTOS[..., ::-1])


@innocent(12)
def red_and_blue_swapped_and_swapped_back():
    return (
        photo_network(),
        photo_network(lambda: lambda x: x[..., ::-1]),
        batches(PHOTOS),
        batches(np.ascontiguousarray(PHOTOS[..., ::-1])),
    )


MEAN, DEVIATION = PHOTOS.mean((0, 1, 2)), PHOTOS.std((0, 1, 2))


@innocent(12)
def standardised_in_the_feed_and_in_the_model():
    return (
        photo_network(),
        photo_network(lambda: layers.Normalization(mean=MEAN, variance=DEVIATION**2)),
        batches((PHOTOS - MEAN) / DEVIATION),
        batches(PHOTOS),
    )


@guilty(12, "preprocessing", differs=("inference", "reported"))
def standardised_with_other_statistics():
    return (
        photo_network(),
        photo_network(),
        batches((PHOTOS - MEAN) / DEVIATION),
        batches((PHOTOS - PHOTOS.mean()) / PHOTOS.std()),
    )


@innocent(12)
def bytes_and_floats_of_one_value():
    raw = np.round(PHOTOS * 255)

    def front():
        return layers.Rescaling(1 / 255)

    return photo_network(front), photo_network(front), batches(raw.astype("uint8")), batches(raw.astype("float32"))


# -- targets and paddings -------------------------------------------------------------------------------------------

SERIES = np.cumsum(GENERATOR.normal(size=260)).astype("float32")
WINDOWS = np.stack([SERIES[k : k + 8] for k in range(240)])[..., None]


def forecaster():
    model = chain((8, 1), layers.GRU(4, name="read"), layers.Dense(1, name="next"))
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model


def next_values(ahead):
    return SERIES[7 + ahead : 247 + ahead, None]


@guilty(12, "data", "label", differs="reported")
def a_target_that_is_already_in_the_window():
    return forecaster, forecaster, batches(WINDOWS, next_values(1)), batches(WINDOWS, next_values(0))


@innocent(12)
def windows_as_arrays_and_as_a_dataset():
    import tensorflow as tf

    def dataset():
        return tf.data.Dataset.from_tensor_slices((WINDOWS, next_values(1))).batch(24)

    return forecaster, forecaster, arguments(WINDOWS, next_values(1)), dataset


TOKENS = GENERATOR.integers(1, 20, (240, 9)).astype("int32")
LENGTHS = GENERATOR.integers(3, 8, 240)


def padded(where):
    rows = np.zeros_like(TOKENS)
    for row, tokens, length in zip(rows, TOKENS, LENGTHS, strict=True):
        row[slice(0, length) if where == "behind" else slice(9 - length, 9)] = tokens[:length]
    return rows


def reader(mask):
    def build():
        model = chain(
            (9,),
            layers.Embedding(20, 4, mask_zero=mask, name="words"),
            layers.LSTM(4, name="read"),
            layers.Dense(3, activation="softmax"),
            dtype="int32",
        )
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        return model

    return build


@guilty(12, ("data", "preprocessing"), differs=("inference", "reported"))
def padded_in_front_and_padded_behind():
    return reader(mask=False), reader(mask=False), batches(padded("in front")), batches(padded("behind"))


@innocent(12)
def tokens_as_whole_numbers_and_as_floats():
    tokens = padded("in front")
    return reader(mask=True), reader(mask=True), batches(tokens), batches(tokens.astype("int64"))


def named_batches(order):
    def feed():
        for start in range(0, 240, 24):
            rows = slice(start, start + 24)
            parts = {"photo": PHOTOS[rows], "word": TOKENS[rows, :1]}
            yield {name: parts[name] for name in order}, LABELS[rows]

    return feed


def captioned():
    photo = keras.Input((6, 6, 3), name="photo")
    word = keras.Input((1,), dtype="int32", name="word")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3, activation="relu")(photo))
    y = layers.Flatten()(layers.Embedding(20, 3)(word))
    model = keras.Model({"photo": photo, "word": word}, layers.Dense(3, "softmax")(layers.Concatenate()([x, y])))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return model


@innocent(10)
def named_inputs_fed_in_another_order():
    return captioned, captioned, named_batches(("photo", "word")), named_batches(("word", "photo"))
