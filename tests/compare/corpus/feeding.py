"""The same network, fed differently."""

import keras
import numpy as np
from keras import layers

from . import chain, different, equal

GENERATOR = np.random.default_rng(8)
LABELS = GENERATOR.integers(0, 5, 600)
IMAGES = (GENERATOR.random((600, 6, 6, 1)) * 0.2 + LABELS[:, None, None, None] / 8).astype("float32")


def network(scale=None, loss="sparse_categorical_crossentropy"):
    def build():
        front = [layers.Rescaling(scale)] if scale else []
        model = chain(
            (6, 6, 1), *front, layers.Flatten(), layers.Dense(9, "relu"), layers.Dense(5, activation="softmax")
        )
        model.compile("adam", loss, metrics=["accuracy"])
        return model

    return build


def shuffled(images=IMAGES, labels=LABELS, size=30):
    def feed():
        order = np.random.default_rng().permutation(len(images))
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            yield images[rows], labels[rows]

    return feed


def in_order(order, size=30):
    def feed():
        for start in range(0, len(order), size):
            yield IMAGES[order[start : start + size]], LABELS[order[start : start + size]]

    return feed


SORTED = np.argsort(LABELS, kind="stable")


@different("data", "distinct samples")
def the_first_batch_again_and_again():
    def stuck():
        for _ in range(20):
            yield IMAGES[:30], LABELS[:30]

    return network(), network(), shuffled(), stuck


@different("data", "label mix of the tail")
def a_validation_split_of_sorted_data():
    return (
        network(),
        network(),
        lambda: {"x": IMAGES, "y": LABELS, "validation_split": 0.2},
        lambda: {"x": IMAGES[SORTED], "y": LABELS[SORTED], "validation_split": 0.2},
    )


@different("preprocessing", "range")
def pixels_that_are_not_scaled():
    return network(), network(), shuffled(), shuffled(images=IMAGES * 255)


@different("data", "label mix")
def a_feed_that_lost_a_class():
    kept = LABELS != 2
    return network(), network(), shuffled(), shuffled(IMAGES[kept], LABELS[kept])


@different("data", "labels of the samples")
def labels_out_of_step():
    return network(), network(), shuffled(), shuffled(labels=np.roll(LABELS, 1))


@different("training_loop", "batch size")
def a_larger_batch():
    return network(), network(), shuffled(), shuffled(size=120)


@different("data", "number of samples")
def half_of_the_samples():
    return network(), network(), shuffled(), shuffled(IMAGES[:300], LABELS[:300])


@different("data", "order")
def never_shuffled():
    return network(), network(), shuffled(), in_order(np.arange(600))


@different("compile.loss", "label")
def one_hot_labels_for_a_sparse_loss():
    hot = np.eye(5, dtype="float32")[LABELS]
    return network(), network(), shuffled(), shuffled(labels=hot)


# -- equal in spite of looks ---------------------------------------------------------------------------------------


@equal
def two_shuffled_feeds():
    return network(), network(), shuffled(), shuffled()


@equal
def scaled_in_the_feed_and_scaled_in_the_model():
    return network(), network(scale=1 / 255), shuffled(), shuffled(images=IMAGES * 255)


@equal
def labels_each_in_the_form_of_its_loss():
    hot = np.eye(5, dtype="float32")[LABELS]
    return network(), network(loss="categorical_crossentropy"), shuffled(), shuffled(labels=hot)


@equal
def arrays_and_a_dataset():
    import tensorflow as tf

    def dataset():
        return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(32)

    return network(), network(), lambda: {"x": IMAGES, "y": LABELS, "batch_size": 32}, dataset


@equal
def a_sequence_of_batches():
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 20

        def __getitem__(self, k):
            return IMAGES[30 * k : 30 * k + 30], LABELS[30 * k : 30 * k + 30]

    return network(), network(), in_order(np.arange(600)), Batches
