"""What two sides hold: weights tensor by tensor, state that is no weight, what optimisers remember, checkpoints."""

import keras
import numpy as np
from keras import layers

from . import chain, guilty, innocent
from .truth import model_of

ROWS = np.random.default_rng(0).normal(2.0, 3.0, (32, 6)).astype("float32")
WORDS = ["red", "green", "blue", "black"]


def perceptron(*, activation="relu", width=6, depth=2, normalised=True, names=("first", "second"), seed=1, data=None):
    """Dense layers of one shape, which can be taken for one another, with a normalisation between them."""
    keras.utils.set_random_seed(seed)
    steps = []
    if data is not None:
        steps = [layers.Normalization(name="scaling")]
        steps[0].adapt(data)
    for name in [*names, "third", "fourth"][:depth]:
        steps.append(layers.Dense(width, activation=activation, name=name))
    steps += [layers.BatchNormalization(name="norm")] * normalised
    return chain((6,), *steps, layers.Dropout(0.3), layers.Dense(3, name="out"))


def drawn(model, seed=2):
    """Gives every weight a value that no initialiser gives."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if "seed" not in weight.path and "scaling" not in weight.path:
            weight.assign(0.3 + np.abs(generator.normal(size=weight.shape)))
    return model


def step_of(model):
    model.compile("adam", "mse")
    model.run_eagerly = True
    return model


def saved(model, folder, name):
    model.save(folder / name)
    return folder / name


def weights_of(model, folder, name):
    model.save_weights(folder / name)
    return folder / name


def legacy_weights_of(model, folder, name):
    """Weights as Keras 2 wrote them: a whole model's file without its configuration."""
    import h5py

    model.save(folder / name)
    with h5py.File(folder / name, "r+") as file:
        del file.attrs["model_config"]
    return folder / name


def answers(side, rows=ROWS):
    return np.asarray(model_of(side)(rows, training=False))


def same_answers(a, b):
    assert np.allclose(answers(a), answers(b), atol=1e-4)


def other_answers(a, b):
    assert np.abs(answers(a) - answers(b)).max() > 1e-2


def values(model, name):
    return [np.asarray(w) for w in model.get_layer(name).get_weights()]


# -- weights -----------------------------------------------------------------------------------------------------------


def exchanged(a, b):
    a, b = model_of(a), model_of(b)
    assert all(np.array_equal(x, y) for x, y in zip(values(a, "first"), values(b, "second"), strict=True))
    assert all(np.array_equal(x, y) for x, y in zip(values(a, "second"), values(b, "first"), strict=True))
    other_answers(a, b)


@guilty(18, "other_weights", "swapped", "first", verdict="other_weights", check=exchanged)
def two_layers_whose_weights_were_exchanged(folder):
    a, b = drawn(perceptron()), drawn(perceptron())
    for name, other in (("first", "second"), ("second", "first")):
        b.get_layer(name).set_weights(values(a, other))
    return saved(a, folder, "a.keras"), saved(b, folder, "b.keras")


def only_the_last_layer_is_fresh(a, b):
    assert not np.array_equal(a.get_layer("out").kernel, b.get_layer("out").kernel)
    assert np.array_equal(b.get_layer("out").bias, np.zeros(3))
    assert all(np.array_equal(x, y) for x, y in zip(a.get_weights()[:-2], b.get_weights()[:-2], strict=True))


@guilty(18, "other_weights", "initial value", "out", verdict="other_weights", check=only_the_last_layer_is_fresh)
def a_head_that_was_never_loaded():
    a, b = drawn(perceptron()), perceptron()
    for layer in b.layers:
        if layer.name != "out":
            layer.set_weights(a.get_layer(layer.name).get_weights() if layer.weights else [])
    return a, b


def rows_in_another_order(a, b):
    first, second = (np.asarray(model_of(side).get_layer("out").kernel) for side in (a, b))
    assert np.array_equal(first[:, ::-1], second)


@guilty(18, "other_weights", "another order", "out/kernel", verdict="other_weights", check=rows_in_another_order)
def classes_in_another_order(folder):
    model = drawn(perceptron())
    first = saved(model, folder, "a.keras")
    model.get_layer("out").kernel.assign(np.asarray(model.get_layer("out").kernel)[:, ::-1])
    return first, saved(model, folder, "b.keras")


def another_activation_and_all_weights_apart(a, b):
    a, b = model_of(a), model_of(b)
    assert a.get_layer("first").activation is not b.get_layer("first").activation
    assert not np.array_equal(a.get_layer("out").kernel, b.get_layer("out").kernel)


@guilty(18, "arch.activation", "first", check=another_activation_and_all_weights_apart)
def another_model_with_other_weights(folder):
    a, b = drawn(perceptron(), 2), drawn(perceptron(activation="tanh"), 3)
    return saved(a, folder, "a.keras"), saved(b, folder, "b.h5")


def equal_weights_and_other_answers(a, b):
    a, b = model_of(a), model_of(b)
    assert all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))
    other_answers(a, b)


@guilty(18, "arch.activation", "first", check=equal_weights_and_other_answers)
def the_same_weights_without_an_activation(folder):
    a, b = drawn(perceptron()), drawn(perceptron(activation="tanh"))
    return saved(a, folder, "a.keras"), saved(b, folder, "b.keras")


@innocent(18, check=same_answers)
def weights_that_passed_through_text(folder):
    """Eight digits, as a CSV file keeps them."""
    a, b = drawn(perceptron()), perceptron()
    b.set_weights([np.vectorize(lambda x: float(f"{x:.8g}"), otypes=["f"])(w) for w in a.get_weights()])
    return a, saved(b, folder, "b.keras")


def frozen_alike(a, b):
    a, b = model_of(a), model_of(b)
    assert not a.get_layer("first").trainable
    assert not b.get_layer("first").trainable
    same_answers(a, b)


@innocent(18, check=frozen_alike)
def a_frozen_layer_in_two_files(folder):
    model = drawn(perceptron())
    model.get_layer("first").trainable = False
    return saved(model, folder, "a.keras"), saved(model, folder, "b.keras")


@innocent(18, check=same_answers)
def one_network_built_under_other_names(folder):
    a, b = drawn(perceptron()), perceptron(names=("one", "two"), seed=4)
    b.set_weights(a.get_weights())
    return saved(a, folder, "a.keras"), saved(b, folder, "b.h5")


@innocent(18, check=same_answers)
def a_file_and_a_function_that_loads_its_weights(folder):
    model = drawn(perceptron())
    path = weights_of(model, folder, "a.weights.h5")

    def build():
        fresh = perceptron(seed=6)
        fresh.load_weights(path)
        return fresh

    return saved(model, folder, "a.keras"), build


# -- state that is no weight -------------------------------------------------------------------------------------------


def only_the_statistics_differ(a, b):
    a, b = model_of(a), model_of(b)
    unequal = [w.path for w, v in zip(a.weights, b.weights, strict=True) if not np.array_equal(w, v)]
    assert unequal
    assert all("moving" in path for path in unequal)
    other_answers(a, b)


@guilty(18, "other_state", "moving_", "initial value", verdict="other_state", check=only_the_statistics_differ)
def statistics_that_were_never_updated(folder):
    a, b = drawn(perceptron()), drawn(perceptron())
    b.get_layer("norm").moving_mean.assign(np.zeros(6))
    b.get_layer("norm").moving_variance.assign(np.ones(6))
    return saved(a, folder, "a.keras"), saved(b, folder, "b.keras")


def scaled_otherwise(a, b):
    a, b = model_of(a), model_of(b)
    assert np.abs(np.asarray(a.get_layer("scaling").mean) - np.asarray(b.get_layer("scaling").mean)).max() > 1
    other_answers(a, b)


@guilty(
    18,
    ("other_state", "preprocessing", "arch.hyperparameter"),
    "scaling",
    verdict=("other_state", "different"),
    check=scaled_otherwise,
)
def means_of_other_data(folder):
    a, b = drawn(perceptron(data=ROWS)), drawn(perceptron(data=2 * ROWS + 5))
    return saved(a, folder, "a.keras"), saved(b, folder, "b.keras")


@innocent(18, check=same_answers)
def means_of_the_same_data_seen_twice(folder):
    a, b = drawn(perceptron(data=ROWS)), drawn(perceptron(data=np.concatenate([ROWS, ROWS])))
    return saved(a, folder, "a.keras"), saved(b, folder, "b.keras")


def lookup(words):
    model = chain((1,), layers.StringLookup(vocabulary=words, name="colours"), layers.Embedding(8, 3, name="table"),
                  layers.Flatten(), layers.Dense(2, name="out"), dtype="string")  # fmt: skip
    return drawn(model)


def other_numbers_for_words(a, b):
    x = keras.ops.convert_to_tensor(np.array([[word] for word in WORDS]))
    first, second = (np.asarray(model_of(side)(x)) for side in (a, b))
    assert np.abs(first - second).max() > 1e-2


@guilty(18, ("other_state", "arch.hyperparameter"), "vocabulary", verdict=("other_state", "different"),
        check=other_numbers_for_words)  # fmt: skip
def a_vocabulary_in_another_order(folder):
    return saved(lookup(WORDS), folder, "a.keras"), saved(lookup(WORDS[::-1]), folder, "b.keras")


def generators_apart(a, b):
    states = [np.asarray(next(v for v in m.variables if "seed_generator" in v.path)) for m in (a, b)]
    assert not np.array_equal(*states)
    same_answers(a, b)


@innocent(18, check=generators_apart)
def a_generator_that_has_drawn_before():
    a, b = drawn(perceptron()), drawn(perceptron())
    b(ROWS, training=True)
    b.set_weights(a.get_weights())
    for variable in b.variables:
        if "seed_generator" in variable.path:
            variable.assign([3, 5])
    return a, b


def optimizers_apart(a, b):
    a, b = model_of(a), model_of(b)
    assert int(a.optimizer.iterations) != int(b.optimizer.iterations)
    same_answers(a, b)


@innocent(18, check=optimizers_apart)
def equal_weights_after_another_number_of_steps(folder):
    a, b = step_of(drawn(perceptron())), step_of(drawn(perceptron()))
    for _ in range(3):
        b.train_on_batch(ROWS, np.ones((32, 3)))
    a.train_on_batch(ROWS, np.ones((32, 3)))
    b.set_weights(a.get_weights())
    return saved(a, folder, "a.keras"), saved(b, folder, "b.keras")


# -- checkpoints -------------------------------------------------------------------------------------------------------


def keras_refuses(a, b):
    try:
        b().load_weights(a)
    except (ValueError, IndexError):
        return
    raise AssertionError("Keras loads it")


@guilty(18, "arch.hyperparameter", "another shape", check=keras_refuses)
def a_checkpoint_of_a_wider_network(folder):
    return weights_of(drawn(perceptron(width=8)), folder, "a.weights.h5"), perceptron


@guilty(18, "arch.layer_missing", "without a place", check=keras_refuses)
def a_checkpoint_of_a_network_with_a_normalisation(folder):
    return legacy_weights_of(drawn(perceptron()), folder, "a.h5"), lambda: perceptron(normalised=False)


def keras_loses_a_layer(a, b):
    import h5py

    with h5py.File(a) as file:
        stored = sum(isinstance(file[f"layers/{name}/vars/0"], h5py.Dataset) for name in file["layers"]
                     if "0" in file[f"layers/{name}/vars"])  # fmt: skip
    assert stored == 1 + sum(bool(layer.weights) for layer in b().layers)


@guilty(18, "arch.layer_missing", "without a place", check=keras_loses_a_layer)
def a_checkpoint_with_one_layer_more(folder):
    """Keras loads it without a word: the last layer's numbers land nowhere."""
    more = chain((6,), *(layers.Dense(6, name=name) for name in ("first", "second", "third")))
    return (
        weights_of(drawn(more), folder, "a.weights.h5"),
        lambda: chain((6,), *(layers.Dense(6, name=name) for name in ("first", "second"))),
    )


def loads_whole(a, b):
    model = b()
    model.load_weights(a)
    assert not np.array_equal(model.get_layer("out").kernel, b().get_layer("out").kernel)


@innocent(18, also=("not_fully_tested",), check=loads_whole)
def a_checkpoint_and_its_builder(folder):
    return weights_of(drawn(perceptron()), folder, "a.weights.h5"), perceptron


@innocent(18, also=("not_fully_tested",), check=loads_whole)
def an_old_checkpoint_and_a_builder_with_other_names(folder):
    a = legacy_weights_of(drawn(perceptron(names=("eins", "zwei"))), folder, "a.h5")
    return a, perceptron


def file_into_file(a, b):
    model = model_of(b)
    before = answers(model)
    model.load_weights(a)
    assert np.allclose(before, answers(model), atol=1e-5)


@innocent(18, check=file_into_file)
def a_checkpoint_and_the_model_saved_at_the_same_time(folder):
    model = drawn(perceptron(data=ROWS))
    return weights_of(model, folder, "a.weights.h5"), saved(model, folder, "b.keras")
