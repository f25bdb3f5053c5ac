"""Whether a model survives saving and loading is told, with what is lost and how to keep it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.compare.corpus.saving import CASES

from twinbench.compare.survival import assert_survives_saving, roundtrip


@pytest.mark.parametrize("name", CASES)
def test_what_is_lost_in_a_file_is_named_and_nothing_else(name, tmp_path):
    case = CASES[name]
    if case.name != "two_inputs_and_two_outputs":
        assert case.truth(tmp_path)
    result = roundtrip(case.build, ending=case.ending, fresh=False)
    assert result.verdict == case.verdict, result.text()
    assert bool(result.losses) == (case.verdict != "survives")
    told = " ".join(f"{loss.what} {loss.before} {loss.after}" for loss in result.losses) + result.sentence
    assert all(word.lower() in told.lower() for word in case.words), told
    assert all(loss.fix for loss in result.losses)


def test_half_of_the_models_survive():
    assert len(CASES) >= 10
    assert sum(case.verdict == "survives" for case in CASES.values()) >= len(CASES) / 2


def test_a_live_model_is_left_as_it_was():
    import numpy as np

    model = CASES["layers_of_keras"].build()
    weights = model.get_weights()
    assert_survives_saving(model)
    assert all(np.array_equal(x, y) for x, y in zip(weights, model.get_weights(), strict=True))
    with pytest.raises(AssertionError, match="forgetful"):
        assert_survives_saving(CASES["a_layer_that_forgets_its_argument"].build())


OWN = """
import keras

OFFSET = 0.0

@keras.saving.register_keras_serializable()
class Shifted(keras.layers.Layer):
    def call(self, inputs):
        return inputs + OFFSET

def build(*steps):
    return keras.Sequential([keras.Input((3,)), *steps, keras.layers.Dense(2)])

def with_own():
    return build(Shifted())

def set_later():
    global OFFSET
    OFFSET = 2.0
    return with_own()
"""


def test_a_fresh_process_shows_what_only_the_process_that_built_it_knows(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN)
    result = roundtrip(f"{path}:with_own")
    assert (result.verdict, result.loads) == ("survives", "with its code")
    result = roundtrip(f"{path}:set_later")
    assert (result.verdict, result.loads) == ("loses", "with its code")
    assert "fresh process" in result.sentence


def test_the_command_answers_for_a_builder_and_for_the_file_that_it_saves(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN + f"\nbuild().save({str(tmp_path / 'model.keras')!r})\n")
    for place in (f"{path}:build", str(tmp_path / "model.keras")):
        command = [Path(sys.executable).with_name("twinbench"), "roundtrip", place, "--json"]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        answer = json.loads(finished.stdout)
        assert (answer["schema"], answer["verdict"], answer["loads"]) == (1, "survives", "alone")
        assert answer["comparison"]["stored"]["relation"] == "same model, same weights"
