"""Preparing: the arrays, the manifest, and that both are the same whenever and wherever they are made."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from twinbench.config import Dataset
from twinbench.data import load, prepare, read_manifest
from twinbench.errors import DataError


def _prepare(dataset, folder):
    npz = folder / "data.npz"
    return npz, prepare(Dataset.model_validate(dataset), npz, folder / "data.json")


def test_the_digits_are_uint8_images_with_int64_labels_split_by_class(digits_npz):
    digits = load(digits_npz)
    assert digits.x_train.shape == (1297, 8, 8, 1)
    assert digits.x_test.shape == (500, 8, 8, 1)
    assert digits.x_train.dtype == np.uint8
    assert digits.y_train.dtype == np.int64
    assert digits.x_train.max() == 255
    assert digits.input_shape == (8, 8, 1)
    assert digits.classes == 10
    share = np.bincount(digits.y_test) / np.bincount(np.concatenate([digits.y_train, digits.y_test]))
    assert np.allclose(share, 500 / 1797, atol=0.005)


def test_no_digit_is_lost_or_in_both_splits(digits_npz):
    from sklearn.datasets import load_digits

    digits = load(digits_npz)
    original = load_digits()
    ours = np.concatenate([digits.x_train, digits.x_test])[..., 0].reshape(-1, 64)
    labels = np.concatenate([digits.y_train, digits.y_test])
    back = np.rint(ours / 255 * 16)
    rows = sorted(map(tuple, np.column_stack([back, labels]).tolist()))
    assert rows == sorted(map(tuple, np.column_stack([original.data, original.target]).tolist()))


def test_the_digits_are_the_same_arrays_on_every_machine(digits_npz):
    assert read_manifest(digits_npz.with_suffix(".json")).sha256 == (
        "1c38a9f70ba6dd3a3fa4f25a6610df1aa5af527a176c9b8198192937ee26b4e0"
    )


def test_prepared_twice_the_files_are_equal_byte_for_byte(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        _prepare({"source": "digits", "train_examples": 300}, folder)
    assert (first / "data.npz").read_bytes() == (second / "data.npz").read_bytes()
    assert (first / "data.json").read_bytes() == (second / "data.json").read_bytes()
    assert sorted(path.name for path in first.iterdir()) == ["data.json", "data.npz"]


def test_the_manifest_says_what_is_in_the_file(tmp_path):
    npz, manifest = _prepare({"source": "digits", "train_examples": 300}, tmp_path)
    content = json.loads((tmp_path / "data.json").read_text())
    assert content["origin"] == "scikit-learn digits"
    assert content["shapes"]["x_train"] == [300, 8, 8, 1]
    assert content["dtypes"] == {"x_train": "uint8", "y_train": "int64", "x_test": "uint8", "y_test": "int64"}
    assert content["available_train_examples"] == 1297
    assert sum(content["train_counts"]) == 300
    assert sum(content["test_counts"]) == 500
    assert content["classes"] == 10
    assert content["npz_sha256"] == hashlib.sha256(npz.read_bytes()).hexdigest()
    assert read_manifest(tmp_path / "data.json") == manifest


def test_a_subset_is_stratified_and_in_the_order_of_the_whole(tmp_path, digits_npz):
    npz, manifest = _prepare({"source": "digits", "train_examples": 300}, tmp_path)
    assert max(manifest.train_counts) - min(manifest.train_counts) <= 2
    whole, part = load(digits_npz), load(npz)
    assert np.array_equal(part.x_test, whole.x_test)
    positions = iter(image.tobytes() for image in whole.x_train)
    assert all(image.tobytes() in positions for image in part.x_train)


@pytest.mark.parametrize("size", [9, 1298])
def test_a_subset_of_an_impossible_size_is_refused_with_the_key_and_the_bounds(tmp_path, size):
    with pytest.raises(DataError, match=rf"'train_examples' of dataset 'digits' is {size}; .* at least 10,.*1297"):
        _prepare({"source": "digits", "train_examples": size}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_dataset_hash_tells_shape_and_dtype_apart():
    from twinbench.data.arrays import hash_arrays

    flat = np.zeros(4, dtype=np.uint8)
    different = {
        hash_arrays({"x": flat}),
        hash_arrays({"y": flat}),
        hash_arrays({"x": flat.reshape(2, 2)}),
        hash_arrays({"x": np.zeros(2, dtype=np.int16)}),
    }
    assert len(different) == 4
    assert hash_arrays({"x": np.arange(4, dtype=">i4")}) == hash_arrays({"x": np.arange(4, dtype="<i4")})


def test_the_stage_is_imported_and_the_digits_prepared_without_tensorflow(tmp_path):
    code = """
import sys
from pathlib import Path
from twinbench.config import Dataset
from twinbench.data import load, prepare
folder = Path(sys.argv[1])
prepare(Dataset.model_validate("digits"), folder / "d.npz", folder / "d.json")
load(folder / "d.npz")
sys.exit("tensorflow" in sys.modules or "tensorflow_datasets" in sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code, tmp_path], env=environment, check=False).returncode == 0
