"""What comes with a model: stored weights, the state of live models, the module that holds it."""

import keras
import numpy as np
from keras import layers, ops

from . import chain, guilty, innocent
from .truth import deviation, model_of, outputs

SHAPE = (8, 8, 2)


def classifier(named="", compiled=False, seed=None, adapted=None, policy=None):
    """A small residual network with everything that can be stored: weights, running statistics, a normalisation."""
    if seed is not None:
        keras.utils.set_random_seed(seed)
    options = {"dtype": policy} if policy else {}
    start = keras.Input(SHAPE)
    scaling = layers.Normalization(**options)
    if adapted is not None:
        scaling.adapt(adapted)
    x = scaling(start) if adapted is not None else start
    x = layers.Conv2D(4, 3, padding="same", name=f"{named}stem" if named else None, **options)(x)
    y = layers.BatchNormalization(**options)(layers.Conv2D(4, 3, padding="same", **options)(x))
    x = layers.ReLU(**options)(layers.Add(**options)([x, y]))
    x = layers.Dense(3, activation="softmax", **options)(layers.GlobalAveragePooling2D(**options)(x))
    model = keras.Model(start, x)
    if compiled:
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def images(rows=24):
    return np.random.default_rng(0).random((rows, *SHAPE)).astype("float32")


def trained(model, steps=4, seed=1):
    """Trains a little, so that there is something to lose: weights, running statistics, the optimiser's state."""
    keras.utils.set_random_seed(seed)
    model.run_eagerly = True  # nothing to compile: a step takes milliseconds
    for _ in range(3 * steps):
        model.train_on_batch(images(), np.arange(24) % 3)
    model.run_eagerly, model.train_function = False, None
    return model


def same_as_they_come(a, b, *feeds):
    assert deviation(*_as_they_come(a, b)) < 1e-4


def other_as_they_come(a, b, *feeds):
    assert deviation(*_as_they_come(a, b)) > 1e-3


def same_but_for_the_weights(a, b):
    first, second = model_of(a), model_of(b)
    second.set_weights(first.get_weights())
    assert deviation(outputs(first, images(4), training=True), outputs(second, images(4), training=True)) < 1e-5


def _as_they_come(*sides):
    models = [model_of(side) for side in sides]
    inputs = images(4)
    return [outputs(model, inputs, training=False) for model in models]


def kept(model, folder, name):
    path = folder / name
    model.save(path)
    return path


# -- stored weights --------------------------------------------------------------------------------------------------


@guilty(1, "other_weights", verdict="other_weights", check=other_as_they_come)
def two_trainings_of_one_network(folder):
    a, b = (trained(classifier(compiled=True, seed=seed), seed=seed) for seed in (1, 2))
    return kept(a, folder, "a.keras"), kept(b, folder, "b.keras")


@guilty(1, "other_weights", verdict="other_weights", check=other_as_they_come)
def a_checkpoint_from_an_earlier_epoch(folder):
    model = classifier(compiled=True, seed=1)
    early = kept(trained(model), folder, "early.keras")
    return early, kept(trained(model), folder, "late.keras")


def other_statistics(a, b, *feeds):
    first, second = model_of(a), model_of(b)
    same = [np.array_equal(x, y) for x, y in zip(first.get_weights(), second.get_weights(), strict=True)]
    assert sum(not value for value in same) == 2  # the mean and the variance of the one normalisation
    assert deviation(outputs(first, images(4), training=False), outputs(second, images(4), training=False)) > 1e-3


@guilty(1, "other_state", "moving_mean", verdict="other_state", check=other_statistics)
def running_statistics_of_other_data(folder):
    """Every weight that training changes is the same; batch normalisation's mean and variance are not."""
    model = trained(classifier(compiled=True, seed=1))
    first = kept(model, folder, "a.keras")
    statistics = next(layer for layer in model.layers if isinstance(layer, layers.BatchNormalization))
    statistics.moving_mean.assign(statistics.moving_mean + 0.5)
    statistics.moving_variance.assign(statistics.moving_variance * 3)
    return first, kept(model, folder, "b.keras")


@guilty(1, "other_weights", verdict="other_weights", check=other_as_they_come)
def two_live_models_trained_apart():
    return tuple(trained(classifier(compiled=True, seed=seed), seed=seed) for seed in (1, 2))


@guilty(1, "other_weights", verdict="other_weights", check=other_as_they_come)
def a_live_model_and_a_file_of_another_training(folder):
    model = trained(classifier(compiled=True, seed=3))
    return model, kept(trained(classifier(compiled=True, seed=4), seed=4), folder, "b.keras")


@innocent(1, check=same_as_they_come)
def one_training_saved_twice(folder):
    model = trained(classifier(compiled=True, seed=1))
    return kept(model, folder, "a.keras"), kept(model, folder, "b.keras")


@innocent(1, check=same_as_they_come)
def one_training_under_two_names(folder):
    a = trained(classifier(compiled=True, seed=1))
    b = classifier("renamed_", compiled=True)
    b.set_weights(a.get_weights())
    return kept(a, folder, "a.keras"), kept(b, folder, "b.keras")


@innocent(1, check=same_as_they_come)
def one_training_in_the_old_format_and_the_new(folder):
    model = trained(classifier(compiled=True, seed=1))
    return kept(model, folder, "a.keras"), kept(model, folder, "b.h5")


def same_of_six(a, b):
    x = np.random.default_rng(0).random((4, 6)).astype("float32")
    assert np.allclose(model_of(a)(x), model_of(b)(x), atol=1e-5)


@innocent(1, check=same_of_six)
def a_trained_encoder_saved_nested_and_flat(folder):
    inner = chain((6,), layers.Dense(5, activation="relu"), layers.BatchNormalization(), layers.Dense(4))
    nested = keras.Sequential([keras.Input((6,)), inner, layers.Dense(2)])
    nested.set_weights(
        [np.abs(np.random.default_rng(k).normal(size=w.shape)) for k, w in enumerate(nested.get_weights())]
    )
    flat = chain(
        (6,),
        layers.Dense(5),
        layers.ReLU(),
        layers.BatchNormalization(),
        layers.Dense(4),
        layers.Dense(2),
    )
    flat.set_weights(nested.get_weights())
    return kept(nested, folder, "nested.keras"), kept(flat, folder, "flat.keras")


@innocent(1, also=("not_fully_tested",), check=same_but_for_the_weights)
def a_builder_and_what_was_trained_from_it(folder):
    """A builder has no stored weights: there is nothing that a file's could be compared with."""
    return (lambda: classifier(compiled=True)), kept(trained(classifier(compiled=True, seed=1)), folder, "a.keras")


@innocent(6, check=same_as_they_come)
def a_live_model_and_its_own_file(folder):
    model = trained(classifier(compiled=True, seed=1))
    return model, kept(model, folder, "model.keras")


@innocent(6, check=same_as_they_come)
def a_live_model_and_its_clone():
    model = classifier(seed=1)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    return model, clone


@innocent(6, check=same_as_they_come)
def a_compiled_live_model_of_their_own_class():
    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            self.look = layers.Conv2D(3, 3, activation="relu")
            self.drop = layers.Dropout(0.2)
            self.out = layers.Dense(3, activation="softmax")

        def call(self, x, training=None):
            return self.out(ops.mean(self.drop(self.look(x), training=training), axis=(1, 2)))

    models = [Network(), Network()]
    for model in models:
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        trained(model, steps=1)
    models[1].set_weights(models[0].get_weights())
    return tuple(models)


def other_optimizers(a, b):
    assert type(a.optimizer) is not type(b.optimizer)


@guilty(6, "compile.optimizer", "optimizer", check=other_optimizers)
def live_models_with_other_optimizers():
    model = trained(classifier(compiled=True, seed=1))
    other = classifier()
    other.set_weights(model.get_weights())
    other.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, other


def other_frozen(a, b):
    assert len(a.trainable_weights) == len(b.trainable_weights) + 2


@guilty(6, "mode.trainable", "stem", check=other_frozen)
def a_live_model_that_is_partly_frozen():
    model, other = classifier("a_", seed=1), classifier("a_")
    other.set_weights(model.get_weights())
    other.get_layer("a_stem").trainable = False
    return model, other


# -- models that a module holds ----------------------------------------------------------------------------------------

SCRIPT = """
import keras
from keras import layers

keras.utils.set_random_seed({seed})


def build(width=6):
    return keras.Sequential([keras.Input((8, 8, 2)), layers.Conv2D(4, 3, activation="relu"), layers.Flatten(),
                             layers.Dense(width, activation={activation!r}), layers.Dense(3)])


model = build()
{more}
"""


def script(folder, name, target, *, seed=1, activation="tanh", more=""):
    path = folder / name
    path.write_text(SCRIPT.format(seed=seed, activation=activation, more=more))
    return f"{path}:{target}"


@innocent(5, check=same_as_they_come)
def a_model_of_a_module_and_the_same_of_another(folder):
    return script(folder, "a.py", "model"), script(folder, "b.py", "model", more="wide = build(20)")


@innocent(5, check=same_but_for_the_weights)
def a_model_of_a_module_and_its_builder(folder):
    return script(folder, "a.py", "model"), script(folder, "b.py", "build", seed=2)


@guilty(5, "other_weights", verdict="other_weights", check=other_as_they_come)
def models_of_modules_of_which_one_was_trained(folder):
    more = "import numpy as np\nmodel.set_weights([w + 0.1 for w in model.get_weights()])"
    return script(folder, "a.py", "model"), script(folder, "b.py", "model", more=more)


@guilty(5, "arch.activation", "dense", check=other_as_they_come)
def a_model_of_a_module_with_another_activation(folder):
    return script(folder, "a.py", "model"), script(folder, "b.py", "model", activation=None)
