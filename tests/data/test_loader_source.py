"""A function of one's own that gives the arrays of a dataset: prepared and hashed like a file."""

import numpy as np
import pytest
from tests.architectures.test_places import forget

from twinbench.architectures.places import unseen
from twinbench.config import Dataset, parse_configuration
from twinbench.data import load, prepare
from twinbench.errors import ConfigurationError, DataError
from twinbench.planning.stages import dataset_key

HEAD = """import numpy as np
import random
import helper

x, y = np.arange(24).reshape(6, 4) * 1.5, np.arange(6) % 2
"""
BODIES = {
    "keys": "return {'x_train': x, 'y_train': y, 'x_test': x[:2], 'y_test': y[:2]}",
    "pairs": "return (x, y), (x[:2], y[:2])",
    "lists": "return [(x.tolist(), y.tolist()), (x[:2].tolist(), [0, 1])]",
    "batches": "return tuple(tf.data.Dataset.from_tensor_slices(part).batch(4) for part in ((x, y), (x[:2], y[:2])))",
    "elements": "return tuple(tf.data.Dataset.from_tensor_slices(part) for part in ((x, y), (x[:2], y[:2])))",
}
BAD = {
    "nothing": ("pass", "load.py:load returns nothing: return the arrays"),
    "a number": ("return 3", "returns an object of type int: return the arrays"),
    "x alone": ("return x, x", r"a part that is not \(x, y\)"),
    "an error": ("raise KeyError('no such column')", "cannot be called: KeyError: 'no such column'"),
    "an exit": ("raise SystemExit(3)", "cannot be called: SystemExit"),
    "a missing module": ("import nowhere_at_all", "cannot be called: ModuleNotFoundError"),
    "a key too few": ("return {'x_train': x, 'y_train': y}", "has no 'x_test'"),
    "a key too many": ("return {**dict(x_train=x, y_train=y, x_test=x, y_test=y), 'ids': y}", "'ids', .* not be used"),
    "ragged rows": (
        "return ([[1], [1, 2]], [0, 1]), ([[1], [1, 2]], [0, 1])",
        "'x_train' in .*load.py:load is no array: ValueError",
    ),
    "objects": ("return (np.array([{}, {}]), [0, 1]), (np.array([{}, {}]), [0, 1])", "an array of Python objects"),
    "NaN": ("return (x * np.nan, y), (x, y)", "'x_train' in .* NaN"),
    "masked values": ("return (np.ma.masked_greater(x, 9), y), (x, y)", "'x_train' in .* has masked values"),
    "an iterator that raises": (
        "return [tf.data.Dataset.from_generator(lambda: 1 / 0, output_types=(tf.float32, tf.int32))] * 2",
        "What .*load.py:load returns cannot be read: .*division by zero",
    ),
    "examples of different sizes": (
        "return [tf.data.Dataset.from_generator(lambda: [([1], 0), ([1, 2], 1)], output_types=('int32', 'int32'))] * 2",
        "What .*load.py:load returns cannot be read: ValueError",
    ),
    "rows that may be batches": (
        "return [tf.data.Dataset.from_tensor_slices((x, np.eye(4)[y]))] * 2",
        "of 4 rows each, .* without drop_remainder",
    ),
    "a label for all": ("return {'x_train': x, 'y_train': 1, 'x_test': x, 'y_test': y}", "'y_train' .* a single value"),
    "no end": ("return [tf.data.Dataset.from_tensor_slices((x, y)).repeat()] * 2", r"leave out its repeat\(\)"),
}


def _dataset(folder, body, before=""):
    forget()
    tensorflow = "import tensorflow as tf; " if "tf." in body else ""
    (folder / "helper.py").write_text("FACTOR = 2\n")
    (folder / "load.py").write_text(f"{HEAD}{before}\n\ndef load():\n    {tensorflow}{body}\n")
    return Dataset.model_validate(f"{folder}/load.py:load")


@pytest.mark.parametrize("form", BODIES)
def test_whatever_form_a_function_returns_the_dataset_is_the_same(tmp_path, form):
    dataset = _dataset(tmp_path, BODIES[form])
    assert (dataset.kind, dataset.name) == ("loader", "load")
    manifest = prepare(dataset, tmp_path / "out.npz", tmp_path / "out.json")
    data = load(tmp_path / "out.npz")
    assert data.x_train.tolist() == (np.arange(24).reshape(6, 4) * 1.5).tolist()
    assert data.y_test.tolist() == [0, 1]
    assert manifest.origin == "function load.py:load"
    assert prepare(dataset, tmp_path / "again.npz", tmp_path / "again.json") == manifest


@pytest.mark.parametrize("what", BAD)
def test_a_bad_function_is_told_in_a_sentence(tmp_path, what):
    body, sentence = BAD[what]
    with pytest.raises(DataError, match=sentence):
        prepare(_dataset(tmp_path, body), tmp_path / "out.npz", tmp_path / "out.json")
    assert not (tmp_path / "out.npz").exists()


STRINGS = {
    "objects, as of pandas": "return (x, np.array(NAMES, object)), (x, NAMES)",
    "a tf.data.Dataset": "return [tf.data.Dataset.from_tensor_slices((x, NAMES)).batch(4)] * 2",
    "its single elements": "return [tf.data.Dataset.from_tensor_slices((x, NAMES))] * 2",
}


@pytest.mark.parametrize("form", STRINGS)
def test_labels_that_are_strings_are_classes_in_whatever_form_they_come(tmp_path, form):
    dataset = _dataset(tmp_path, STRINGS[form], before="NAMES = ['maïs', 'rye', 'oats'] * 2")
    manifest = prepare(dataset, tmp_path / "out.npz", tmp_path / "out.json")
    assert manifest.class_names == ("maïs", "oats", "rye")
    assert load(tmp_path / "out.npz").y_train.tolist() == [0, 2, 1, 0, 2, 1]


def test_numbers_drawn_at_random_are_the_same_each_time(tmp_path):
    body = "return {'x_train': np.random.rand(6, 4), 'y_train': y, 'x_test': x[:2] * random.random(), 'y_test': y[:2]}"
    shuffled = "return [tf.data.Dataset.from_tensor_slices((x, y)).shuffle(6)] * 2"
    for dataset in (_dataset(tmp_path, body), _dataset(tmp_path, shuffled)):
        first = prepare(dataset, tmp_path / "out.npz", tmp_path / "out.json")
        assert prepare(dataset, tmp_path / "out.npz", tmp_path / "out.json") == first


def test_its_code_is_in_the_key_of_the_dataset_and_what_it_does_not_use_is_not(tmp_path):
    key = dataset_key(_dataset(tmp_path, BODIES["pairs"]))
    assert dataset_key(_dataset(tmp_path, BODIES["pairs"], before="# a comment\nunused = 4")) == key
    assert dataset_key(_dataset(tmp_path, "return (x + helper.FACTOR, y), (x[:2], y[:2])")) != key


def test_what_its_key_may_not_cover_is_told(tmp_path):
    _dataset(tmp_path, "import urllib.request; return urllib.request.urlopen('http://localhost/')")
    configuration = parse_configuration({"datasets": f"{tmp_path}/load.py:load", "architectures": "mlp"})
    (sentence,) = unseen(configuration)
    assert sentence.startswith("Dataset 'load' may take something from the network (")
    assert "of which its key may know nothing: load it once" in sentence


def test_a_function_that_cannot_be_found_or_called_is_refused_before_anything_runs(tmp_path):
    _dataset(tmp_path, BODIES["pairs"])
    with pytest.raises(ConfigurationError, match="has no 'lod'; did you mean 'load'"):
        dataset_key(Dataset.model_validate(f"{tmp_path}/load.py:lod"))
    with pytest.raises(ConfigurationError, match="there is no file"):
        dataset_key(Dataset.model_validate(f"{tmp_path}/lode.py:load"))
    forget()
    (tmp_path / "load.py").write_text("def load(folder):\n    return folder\n")
    with pytest.raises(ConfigurationError, match="'load' takes folder; it must take nothing"):
        dataset_key(Dataset.model_validate(f"{tmp_path}/load.py:load"))
