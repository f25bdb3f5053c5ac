"""What surrounds models: the settings of the process, processes left behind, data that does not fit."""

import keras
import numpy as np
from keras import layers

from . import chain, guilty, innocent
from .stored import classifier, other_as_they_come, same_as_they_come, same_but_for_the_weights, script
from .truth import clean_keras

# -- the settings of the process -------------------------------------------------------------------------------------


def setting(function, value, *, back=None, **options):
    """A builder that sets something for the whole process, as scripts do, and may set it back."""

    def build():
        function(value)
        model = classifier(**options)
        if back is not None:
            function(back)
        return model

    return build


def plain():
    return classifier()


precision = keras.config.set_dtype_policy
PRECISION = ("arch.precision", "precision", "arch.hyperparameter")


@guilty(4, PRECISION, differs="inference", rounding=1e-4)
def mixed_precision_set_for_the_process():
    return setting(precision, "mixed_bfloat16"), plain


@guilty(4, PRECISION, differs="inference", rounding=1e-4)
def mixed_precision_set_by_the_second_model():
    return plain, setting(precision, "mixed_bfloat16")


@guilty(4, PRECISION, differs="inference", clear=5e-4)
def half_precision_for_the_process():
    return setting(precision, "float16"), plain


@guilty(4, PRECISION, differs="inference", rounding=1e-4)
def precision_set_layer_by_layer():
    return plain, lambda: classifier(policy="mixed_bfloat16")


def other_formats(a, b):
    """Two channels of eight by eight, or eight channels of eight by two."""
    shapes = []
    for build in (a, b):
        with clean_keras():
            shapes.append([tuple(w.shape) for w in build().weights])
    assert shapes[0] != shapes[1]


@guilty(4, "arch.hyperparameter", check=other_formats)
def channels_first_for_the_process():
    def build(first):
        def make():
            if first:
                keras.config.set_image_data_format("channels_first")
            return chain((8, 8, 2), layers.Conv2D(4, 3, padding="same"), layers.Flatten(), layers.Dense(3))

        return make

    return build(True), build(False)


@innocent(4, rounding=2e-2)
def mixed_precision_for_the_process_and_layer_by_layer():
    return setting(precision, "mixed_bfloat16", back="float32"), lambda: classifier(policy="mixed_bfloat16")


@innocent(4)
def a_precision_set_and_set_back():
    def build():
        precision("mixed_bfloat16")
        precision("float32")
        return classifier()

    return build, plain


@innocent(4)
def a_seed_set_for_the_process():
    return setting(keras.utils.set_random_seed, 7), plain


@innocent(4)
def the_settings_that_hold_anyway():
    def build():
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        keras.config.set_image_data_format("channels_last")
        keras.config.set_epsilon(1e-7)
        return classifier()

    return build, plain


@innocent(4, labels=lambda: np.arange(6) % 3)
def a_step_that_is_not_compiled():
    def build(eager):
        def make():
            model = classifier()
            model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", run_eagerly=eager)
            return model

        return make

    return build(False), build(True)


# -- processes and threads that a file leaves behind -------------------------------------------------------------------

LEFT_BEHIND = {
    "a thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
    "a process": "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)'])",
}


@innocent(16, check=same_as_they_come)
def a_file_that_starts_a_thread(folder):
    return script(folder, "a.py", "model"), script(folder, "b.py", "model", more=LEFT_BEHIND["a thread"])


@innocent(16, check=same_but_for_the_weights)
def a_file_that_starts_a_process(folder):
    return script(folder, "a.py", "build"), script(folder, "b.py", "build", more=LEFT_BEHIND["a process"])


@guilty(16, "arch.activation", "dense", check=other_as_they_come)
def a_file_that_starts_a_process_and_loses_an_activation(folder):
    return script(folder, "a.py", "build"), script(
        folder, "b.py", "build", activation=None, more=LEFT_BEHIND["a process"]
    )


# -- training on a dataset that does not fit -------------------------------------------------------------------------


@innocent(7, also=("not_fully_tested",), options={"data": "digits", "seeds": 1})
def an_autoencoder_asked_to_classify_digits():
    def build(inner):
        return lambda: chain((8, 8, 1), layers.Flatten(), *inner(), layers.Dense(64), layers.Reshape((8, 8, 1)))

    return build(lambda: [layers.Dense(9, activation="relu")]), build(lambda: [layers.Dense(9), layers.ReLU()])


@innocent(7, also=("not_fully_tested",), options={"data": "digits", "seeds": 1})
def two_inputs_asked_to_classify_digits():
    def build(order):
        def make():
            left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
            look = keras.Sequential([layers.Conv2D(2, 3, activation="relu"), layers.Flatten()])
            codes = [look(left), look(right)]
            joined = layers.Maximum()(codes if order else codes[::-1])
            return keras.Model([left, right], layers.Dense(10)(joined))

        return make

    return build(True), build(False)


@guilty(7, "arch.activation", differs="inference", options={"data": "digits", "seeds": 1})
def two_inputs_asked_to_classify_digits_and_a_lost_activation():
    def build(activation):
        def make():
            left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
            look = keras.Sequential([layers.Conv2D(2, 3, activation=activation, name="look"), layers.Flatten()])
            return keras.Model([left, right], layers.Dense(10)(layers.Maximum()([look(left), look(right)])))

        return make

    return build("relu"), build(None)


@guilty(7, "compile.loss", differs="reported", options={"data": "digits", "seeds": 1}, labels=lambda: np.arange(6) % 10)
def a_linear_classifier_of_digits_under_two_losses():
    def build(loss):
        def make():
            model = chain((8, 8, 1), layers.Flatten(), layers.Dense(10))
            model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
            return model

        return make

    return (
        build(keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        build("sparse_categorical_crossentropy"),
    )
