"""What the sides bring along: stored weights, global state, modules of their own; and what a comparison leaves behind."""

import gc
import os
import random
import textwrap

import numpy as np
import pytest

import twinbench
from twinbench.compare.sides import Places
from twinbench.errors import UsageError

HEAD = "import keras\nfrom keras import layers\n\n"


@pytest.fixture
def write(tmp_path):
    """Writes a file of the person's own, in a folder of its own where the name has one."""

    def write(name, code):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + textwrap.dedent(code))
        return str(path)

    return write


def network(width=5):
    import keras
    from keras import layers

    inputs = keras.Input((6,), name="x")
    hidden = layers.Dense(width, activation="relu", name="hidden")(inputs)
    hidden = layers.BatchNormalization(name="norm")(hidden)
    return keras.Model(inputs, layers.Dense(2, name="out")(hidden))


# -- stored weights ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("name", ["out/kernel", "norm/moving_variance"])
def test_two_files_of_one_model_with_other_weights_are_told_apart(tmp_path, ending, name):
    model = network()
    model.save(tmp_path / f"a{ending}")
    variable = next(v for v in model.weights if v.path.endswith(name))
    variable.assign(np.asarray(variable) + 0.25)
    model.save(tmp_path / f"b{ending}")
    report = twinbench.compare(tmp_path / f"a{ending}", tmp_path / f"b{ending}")
    assert report.verdict == report.code == "other_weights"
    assert report.exit_status == 1
    assert "1 of 8 weight tensors" in report.sentence
    assert "0.25" in report.sentence
    assert name in report.sentence
    assert "seed noise" not in report.sentence
    assert report.to_dict()["stored"]["differ"] == 1
    with pytest.raises(AssertionError, match="other weights"):
        twinbench.assert_same_model(tmp_path / f"a{ending}", tmp_path / f"b{ending}")


def test_two_files_of_one_model_with_the_same_weights_hold_the_same(tmp_path):
    model = network()
    model.save(tmp_path / "a.keras")
    model.save(tmp_path / "b.h5")
    report = twinbench.compare(tmp_path / "a.keras", tmp_path / "b.h5")
    assert report.verdict == "identical"
    assert "they hold the same weights" in report.sentence
    assert "seed" not in report.sentence


def test_a_file_against_its_builder_says_that_the_stored_weights_were_compared_with_nothing(tmp_path):
    network().save(tmp_path / "a.keras")
    report = twinbench.compare(tmp_path / "a.keras", network)
    assert report.exit_status == 0
    assert "compared with nothing" in report.sentence
    assert "seed noise" not in report.sentence


def test_live_models_with_other_weights_are_accepted_unless_the_same_weights_are_asked_for():
    a, b = network(), network()
    assert twinbench.compare(a, b).verdict == "other_weights"
    twinbench.assert_same_model(a, b)
    with pytest.raises(AssertionError):
        twinbench.assert_same_model(a, b, same_weights=True)
    b.set_weights(a.get_weights())
    twinbench.assert_same_model(a, b, same_weights=True)


def test_saved_weights_are_loaded_into_a_model_of_the_other_side(tmp_path):
    model = network()
    model.save_weights(tmp_path / "a.weights.h5")
    model.save(tmp_path / "a.keras")
    weights = tmp_path / "a.weights.h5"
    assert twinbench.compare(weights, tmp_path / "a.keras").verdict == "identical"
    network().save(tmp_path / "b.keras")
    assert twinbench.compare(tmp_path / "b.keras", weights).verdict == "other_weights"
    assert "compared with nothing" in twinbench.compare(network, weights).sentence
    for other, words in ((weights, "function"), (model, "function"), (lambda: network(7), "do not fit"),
                         (lambda: model, "same model")):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            twinbench.compare(weights, other)


def test_functions_that_load_other_weights_are_told_apart(tmp_path):
    network().save_weights(tmp_path / "a.weights.h5")
    network().save_weights(tmp_path / "b.weights.h5")

    def loading(name):
        def build():
            model = network()
            model.load_weights(tmp_path / name)
            return model

        return build

    assert twinbench.compare(loading("a.weights.h5"), loading("b.weights.h5")).verdict == "other_weights"
    report = twinbench.compare(loading("a.weights.h5"), loading("a.weights.h5"))
    assert report.verdict == "identical"
    assert "hold the same weights" in report.sentence


def test_weights_of_exchanged_branches_are_the_same_weights():
    import keras
    from keras import layers

    def branches(first, second):
        x = keras.Input((4,))
        left, right = layers.Dense(3, name=first)(x), layers.Dense(3, name=second)(x)
        return keras.Model(x, layers.Dense(2, name="out")(layers.Add()([left, right])))

    a, b = branches("p", "q"), branches("q", "p")
    for name in ("p", "q", "out"):
        b.get_layer(name).set_weights(a.get_layer(name).get_weights())
    assert twinbench.compare(a, b).verdict in ("identical", "equivalent")
    b.get_layer("p").set_weights(a.get_layer("q").get_weights())
    assert twinbench.compare(a, b).verdict == "other_weights"


@pytest.mark.parametrize("saved", [True, False])
def test_another_vocabulary_is_told(tmp_path, saved):
    import keras
    from keras import layers

    def build(words):
        ids = keras.Input((3,), dtype="int64")
        lookup = layers.IntegerLookup()
        lookup.adapt(np.array(words))
        found = layers.Embedding(8, 4, embeddings_initializer="ones")(lookup(ids))
        model = keras.Model(ids, layers.Dense(2, kernel_initializer="ones")(layers.Flatten()(found)))
        if not saved:
            return model
        path = tmp_path / f"{'-'.join(map(str, words))}.keras"
        model.save(path)
        return path

    sides = [build([3, 3, 3, 4, 4, 5]), build([3, 5, 5, 5, 4, 4])]
    same = build([3, 3, 3, 4, 4, 5])
    if saved:
        assert twinbench.compare(*sides).verdict == "other_weights"
        assert twinbench.compare(sides[0], same).exit_status == 0
    else:
        report = twinbench.compare(lambda: build([3, 3, 3, 4, 4, 5]), lambda: build([3, 5, 5, 5, 4, 4]))
        assert report.code == "preprocessing"
        assert "vocabulary" in report.causes[0].where
