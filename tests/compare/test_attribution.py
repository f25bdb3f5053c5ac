"""Only what was seen to matter is blamed, and what was not looked at is not called a difference."""

import pytest
from tests.compare.corpus import chain

import twinbench


def recurrent(*, sequences=False, activation="relu", first="relu"):
    from keras import layers

    steps = [layers.Conv1D(3, 2, activation=first, name="first"), layers.LSTM(4, return_sequences=sequences)]
    steps += [lambda x: x[:, -1]] if sequences else []
    return chain((5, 2), *steps, layers.Dense(4, activation=activation, name="hidden"), layers.Dense(2))


@pytest.mark.parametrize("place", ["activation", "first"])
def test_differences_that_cancel_each_other_are_noticed_and_another_is_blamed(place):
    report = twinbench.compare(recurrent, lambda: recurrent(sequences=True, **{place: "tanh"}))
    assert [(cause.code, cause.a, cause.b) for cause in report.causes] == [("arch.activation", "relu", "tanh")]
    assert any("return_sequences" in warning for warning in report.warnings)


def normalised(epsilon, activation="relu"):
    from keras import layers

    def steps():
        return layers.Dense(6), layers.LayerNormalization(epsilon=epsilon), layers.Dense(6, activation=activation)

    return chain((6,), *steps(), *steps(), layers.Dense(2))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_an_epsilon_that_only_small_signals_show_is_named(activation):
    report = twinbench.compare(lambda: normalised(1e-12), lambda: normalised(1e-7, activation))
    assert "epsilon" in " ".join(cause.where for cause in report.causes)
    assert report.verdict == "different"


def states(order):
    import keras
    from keras import layers

    past, future = keras.Input((4, 2)), keras.Input((3, 2))
    _, hidden, carry = layers.LSTM(3, return_state=True)(past)
    x = layers.LSTM(3)(future, initial_state=[(hidden, carry)[k] for k in order])
    return keras.Model([past, future], layers.Dense(1)(x))


def test_the_output_of_a_layer_that_is_used_is_named():
    report = twinbench.compare(lambda: states((0, 1)), lambda: states((1, 0)))
    assert {cause.code for cause in report.causes} == {"arch.wiring"}
    assert {"uses output 1 (state h)", "uses output 2 (state c)"} == {cause.a for cause in report.causes}


def two_inputs(form, *, swapped=False):
    import keras
    from keras import layers

    image, text = keras.Input((6,), name="image"), keras.Input((6,), name="text")
    x = layers.Subtract()([layers.Dense(3)(image), layers.Dense(3, activation="relu")(text)])
    outputs = {"age": layers.Dense(1, name="age")(x), "kind": layers.Dense(1, name="kind")(x)}
    if swapped:
        outputs = {"age": outputs["kind"], "kind": outputs["age"]}
    if form == "dict":
        return keras.Model({"image": image, "text": text}, outputs)
    return keras.Model([text, image], [outputs["kind"], outputs["age"]])


def test_inputs_and_outputs_are_paired_by_name_where_one_side_names_them():
    assert twinbench.compare(lambda: two_inputs("dict"), lambda: two_inputs("list")).causes == []


def test_weights_that_cannot_be_matched_are_no_difference():
    import keras
    from keras import layers, ops

    class Doubled(layers.Layer):
        """Holds half of what it uses: no number of it is a number of a Dense layer."""

        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], 2), name="kernel")
            self.shift = self.add_weight(shape=(2,), name="bias")
            self.built = True

        def call(self, x):
            return ops.matmul(x, self.kernel[::-1] * 2.0 - 0.4 * self.kernel[::-1]) + self.shift - 0.0

    def by_hand():
        start = keras.Input((4,))
        return keras.Model(start, layers.Dense(3)(ops.tanh(Doubled()(start))))

    report = twinbench.compare(lambda: chain((4,), layers.Dense(2, activation="tanh"), layers.Dense(3)), by_hand)
    assert report.verdict != "identical"
