"""Loading: the file is held against its manifest before anything is trained on it."""

import json
import shutil

import pytest

from twinbench.data import load
from twinbench.errors import DataError


@pytest.fixture
def npz(digits_npz, tmp_path):
    for path in (digits_npz, digits_npz.with_suffix(".json")):
        shutil.copy(path, tmp_path)
    return tmp_path / digits_npz.name


def test_a_manifest_elsewhere_is_read_from_there(npz):
    elsewhere = npz.with_suffix(".json").rename(npz.parent / "manifest.txt")
    assert load(npz, elsewhere).name == "digits"


def test_a_replaced_or_damaged_file_is_noticed_before_it_is_used(npz):
    content = bytearray(npz.read_bytes())
    content[5000] ^= 1
    npz.write_bytes(content)
    with pytest.raises(DataError, match=rf"{npz} is not the file that .*\.json describes: its SHA-256 is .* prepare"):
        load(npz)


def test_a_missing_file_is_named(npz):
    npz.unlink()
    with pytest.raises(DataError, match=rf"{npz} cannot be read \(No such file or directory\)"):
        load(npz)


def test_a_missing_manifest_is_named(npz):
    npz.with_suffix(".json").unlink()
    with pytest.raises(DataError, match=r"The manifest .*digits.json cannot be read"):
        load(npz)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 99}', "\ud800"])
def test_a_damaged_or_foreign_manifest_is_named(npz, text):
    npz.with_suffix(".json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(DataError, match=r"The manifest .*digits.json .* prepare the dataset again"):
        load(npz)


@pytest.mark.parametrize("value", [None, 3, "text", [None], {"a": "b"}])
@pytest.mark.parametrize("key", ["shapes", "class_names", "train_counts", "sha256"])
def test_a_manifest_with_an_entry_of_the_wrong_type_is_refused(npz, key, value):
    manifest = npz.with_suffix(".json")
    content = json.loads(manifest.read_text())
    content[key] = 17 if (key, value) == ("sha256", "text") else value
    manifest.write_text(json.dumps(content))
    with pytest.raises(DataError, match=rf"digits.json is damaged \('{key}.*prepare the dataset again"):
        load(npz)


def test_a_manifest_without_an_entry_is_refused(npz):
    manifest = npz.with_suffix(".json")
    content = json.loads(manifest.read_text())
    del content["class_names"]
    manifest.write_text(json.dumps(content))
    with pytest.raises(DataError, match="'class_names' is missing or wrong"):
        load(npz)
