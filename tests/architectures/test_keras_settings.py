"""What a file sets in Keras holds for each of its variants, and for no other file's."""

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
