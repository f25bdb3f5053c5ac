"""What a file sets in Keras holds for each of its variants, and for no other file's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_a_setting_of_an_import_holds_for_all_variants_of_its_file_and_for_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from twinbench.architectures.keras_settings import import_with_settings, settings_kept

    (tmp_path / "a_file_with_settings.py").write_text("import keras\nkeras.config.set_epsilon(0.25)\n")
    (tmp_path / "a_file_without.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    before = keras.config.epsilon()
    seen = []
    for name in ("a_file_with_settings", "a_file_without", "a_file_with_settings"):
        with settings_kept():
            import_with_settings(name)
            seen.append(keras.config.epsilon())
            keras.config.set_floatx("float64")
    assert seen == [0.25, before, 0.25]
    assert (keras.config.epsilon(), keras.config.floatx()) == (before, "float32")


def test_the_engine_trains_on_tensorflow_whatever_a_person_set_for_keras(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text('{"backend": "jax", "floatx": "float64"}')
    code = (
        "from twinbench.config import Training; from twinbench.training.runtime import start_tensorflow\n"
        "start_tensorflow(Training()); import keras; print(keras.backend.backend(), keras.config.floatx())"
    )
    environment = {**os.environ, "KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "jax"}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert printed.stdout.split() == ["tensorflow", "float32"]


def test_a_precision_that_nobody_set_follows_floatx_also_after_a_layer_was_built() -> None:
    import keras

    from twinbench.architectures.keras_settings import settings_kept

    keras.layers.Dense(1)  # settles the precision, as every building does
    try:
        with settings_kept():
            keras.config.set_floatx("float64")
            assert keras.layers.Dense(1).dtype_policy.name == "float64"
        assert keras.layers.Dense(1).dtype_policy.name == "float32"
    finally:
        keras.config.set_floatx("float32")
