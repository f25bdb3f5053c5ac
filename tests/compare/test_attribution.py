"""Only what was seen to matter is blamed, and what was not looked at is not called a difference."""

import numpy as np
import pytest
from tests.compare.corpus import chain

import twinbench


def recurrent(*, sequences=False, activation="relu", first="relu"):
    from keras import layers

    steps = [layers.Conv1D(3, 2, activation=first, name="first"), layers.LSTM(4, return_sequences=sequences)]
    steps += [lambda x: x[:, -1]] if sequences else []
    return chain((5, 2), *steps, layers.Dense(4, activation=activation, name="hidden"), layers.Dense(2))


@pytest.mark.parametrize("place", ["activation", "first"])
def test_a_last_step_that_is_cut_out_is_no_difference_and_another_is_blamed(place):
    report = twinbench.compare(recurrent, lambda: recurrent(sequences=True, **{place: "tanh"}))
    assert [(cause.code, cause.a, cause.b) for cause in report.causes] == [("arch.activation", "relu", "tanh")]
    assert not any("return_sequences" in warning for warning in report.warnings)


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


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_weights_that_cannot_be_matched_are_no_difference_and_what_lies_before_them_is_compared(activation):
    from dataclasses import replace

    from keras import layers

    from twinbench.compare.attribution import structural_causes
    from twinbench.compare.conclusion import draw_verdict, report_function
    from twinbench.compare.coverage import Coverage
    from twinbench.sameness.evidence import gather
    from twinbench.sameness.rungs import function_rungs
    from twinbench.sameness.signature import signature_of
    from twinbench.sameness.subjects import pair, subject

    def build(activation):
        hidden = layers.Dense(5, activation=activation), layers.Dense(5, name="open")
        return chain((4,), *hidden, layers.Dense(2, name="out"))

    sides = [subject(model, signature_of(model)) for model in (build("tanh"), build(activation))]
    together = pair(*sides)
    matched = [(p, q) for p, q in together.transfer.pairs if "open" not in p.path]
    left = [[v for v in one.variables() if "open" in v.path] for one in sides]
    together.transfer = replace(together.transfer, pairs=matched, left_a=left[0], left_b=left[1])
    evidence = gather(together, [np.linspace(-1, 1, 20, dtype="float32").reshape(5, 4)])
    compared = "2 of the 2" if activation == "tanh" else "1 of the 2"
    assert f"{compared} operations before the first of these weights compute the same" in evidence.untested[0]
    rungs, coverage = function_rungs(evidence, together), Coverage()
    report_function(evidence, together, coverage)
    assert [rung.outcome for rung in rungs] == ["not applicable"] * 2
    assert structural_causes(together, evidence)[0] == []
    assert draw_verdict(evidence, rungs, [], coverage) == "not_fully_tested"
