"""Initial and stored weights are compared though one side cuts them into other tensors."""

import numpy as np
import pytest

import twinbench


def in_parts():
    import keras
    from keras import layers

    start = keras.Input((40,))
    parts = [layers.Dense(48, name=name)(start) for name in ("first", "second")]
    return keras.Model(start, layers.Dense(3)(layers.ReLU()(layers.Concatenate()(parts))))


def in_one(initializer="glorot_uniform"):
    import keras
    from keras import layers

    start = keras.Input((40,))
    both = layers.Dense(96, kernel_initializer=initializer, name="both")(start)
    return keras.Model(start, layers.Dense(3)(layers.ReLU()(both)))


def test_another_width_that_follows_from_the_cut_is_named_and_not_blamed():
    report = twinbench.compare(in_parts, in_one)
    assert (report.verdict, report.causes) == ("equivalent", [])
    assert "the width of their initial weights (first/kernel / both/kernel" in report.sentence


@pytest.mark.parametrize("swapped", [False, True])
def test_another_initialiser_of_a_tensor_that_is_cut_otherwise_is_blamed(swapped):
    sides = in_parts, lambda: in_one("ones")
    report = twinbench.compare(*sides[:: -1 if swapped else 1])
    assert report.code == "init"
    assert "both/kernel" in report.causes[0].where


@pytest.mark.parametrize("moved", [0.0, 0.01])
def test_stored_weights_are_compared_number_by_number(tmp_path, moved):
    parts, whole = in_parts(), in_one()
    first, bias, second, other_bias, *rest = (np.array(weight) for weight in parts.get_weights())
    second[7, 5] += moved
    whole.set_weights([np.concatenate([first, second], -1), np.concatenate([bias, other_bias]), *rest])
    parts.save(tmp_path / "a.keras")
    whole.save(tmp_path / "b.keras")
    report = twinbench.compare(tmp_path / "a.keras", tmp_path / "b.keras")
    assert report.stored.everything
    if moved:
        assert (report.verdict, len(report.stored.weights)) == ("other_weights", 1)
    else:
        assert report.verdict in ("identical", "equivalent")
        assert report.stored.same
