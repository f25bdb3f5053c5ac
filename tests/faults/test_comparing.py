"""`twinbench compare` on what is no model: a sentence that says what to write instead."""

import zipfile
from pathlib import Path

import pytest

from twinbench.errors import UsageError

MODULE = """import keras

number = 3


def build():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])


def five():
    return 5
"""
WRITE = "write file.py:function, package.module:function, file.keras or file.h5."
SIDES = {
    "nowhere.py:build": "There is no file nowhere.py.",
    "models.py": f"'models.py' names no model; {WRITE}",
    "models.py:": f"'models.py:' names no model; {WRITE}",
    ":build": f"':build' names no model; {WRITE}",
    "folder": f"'folder' names no model; {WRITE}",
    "models.py:nothing": "models.py has no function 'nothing'; its own functions are: build, five.",
    "models.py:number": "models.py:number is int, not a keras.Model",
    "models.py:five": "models.py:five returned int, not a keras.Model",
    "nomodule.sub:build": "There is no module 'nomodule.sub'; run from the folder that holds it.",
    "nowhere.keras": "There is no file nowhere.keras.",
    "empty.keras": "empty.keras is no saved model: a .keras file is an archive as model.save writes it",
    "picture.keras": "picture.keras is no saved model",
    "other.keras": "other.keras is no saved model",
    "half.keras": "half.keras cannot be loaded in safe mode, in which no code of the file runs",
}


@pytest.mark.parametrize("side", SIDES)
def test_what_is_no_model_is_told_in_a_sentence(side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from twinbench.compare.api import compare

    monkeypatch.chdir(tmp_path)
    (tmp_path / "models.py").write_text(MODULE)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.keras").write_bytes(b"")
    (tmp_path / "picture.keras").write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    for name, member in (("other.keras", "x_train.npy"), ("half.keras", "config.json")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, "{}")
    with pytest.raises(UsageError) as told:
        compare(side, "models.py:build")
    assert SIDES[side] in str(told.value)
    assert "\n" not in str(told.value)
