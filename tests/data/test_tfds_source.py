"""Datasets of tensorflow-datasets from files in the original format, through its own builders and checksums."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.data.original_files import TEST, TRAIN, emnist_zip, idx_files, images_and_labels, register, write

from twinbench.config import Dataset
from twinbench.data import load, prepare, read_manifest
from twinbench.errors import DataError

URL = "http://127.0.0.1:9/"  # nothing listens there: these files must come from manual_dir


def _builder(name):
    from tensorflow_datasets.image_classification import mnist

    return {"fashion_mnist": mnist.FashionMNIST, "kmnist": mnist.KMNIST, "emnist": mnist.EMNIST}[name]


def _prepare(folder, **section):
    npz = folder / "out.npz"
    return npz, prepare(Dataset.model_validate(section), npz, folder / "out.json", cache=folder / "cache")


def _rows(images, labels):
    return sorted(
        image.tobytes() + bytes([label]) for image, label in zip(images[..., 0], labels.tolist(), strict=True)
    )


@pytest.mark.parametrize("name", ["fashion_mnist", "kmnist"])
def test_the_four_files_become_the_same_images(tmp_path, monkeypatch, name):
    register(monkeypatch, _builder(name), URL, idx_files())
    npz, manifest = _prepare(tmp_path, source=name, manual_dir=str(write(tmp_path / "manual", idx_files())))
    loaded = load(npz)
    for images, labels, count in ((loaded.x_train, loaded.y_train, TRAIN), (loaded.x_test, loaded.y_test, TEST)):
        original, classes = images_and_labels(count, seed=count)
        assert _rows(images, labels) == _rows(original[..., np.newaxis], classes)
    assert manifest.class_names[0] == {"fashion_mnist": "T-shirt/top", "kmnist": "o"}[name]
    assert manifest.origin == f"tensorflow-datasets {name}"


def test_datasets_whose_files_have_equal_names_are_not_mixed_up(tmp_path, monkeypatch):
    """Fashion-MNIST and KMNIST use the same four names, and the extracted files are named after the archive."""
    other = idx_files(classes=5)
    register(monkeypatch, _builder("fashion_mnist"), URL + "fashion/", idx_files())
    register(monkeypatch, _builder("kmnist"), URL + "kmnist/", other)
    for name, files in (("fashion_mnist", idx_files()), ("kmnist", other)):
        section = {"source": name, "name": "same", "manual_dir": str(write(tmp_path / name, files))}
        prepare(Dataset.model_validate(section), tmp_path / f"{name}.npz", tmp_path / f"{name}.json", cache=tmp_path)
    assert load(tmp_path / "fashion_mnist.npz").classes == 10
    assert load(tmp_path / "kmnist.npz").classes == 5


def test_original_files_that_are_replaced_by_older_ones_are_read_again(tmp_path, monkeypatch):
    register(monkeypatch, _builder("kmnist"), URL, idx_files())
    manual = write(tmp_path / "manual", idx_files())
    first, _ = _prepare(tmp_path, source="kmnist", manual_dir=str(manual))
    before = first.read_bytes()
    register(monkeypatch, _builder("kmnist"), URL, idx_files(classes=5))
    for path in write(tmp_path / "manual", idx_files(classes=5)).iterdir():
        os.utime(path, (0, 0))
    again, manifest = _prepare(tmp_path, source="kmnist", manual_dir=str(manual))
    assert again.read_bytes() != before
    assert manifest.classes == 5


@pytest.mark.parametrize(("config", "classes", "first"), [("balanced", 47, 0), ("letters", 26, 1)])
def test_emnist_is_put_upright_and_has_the_classes_that_occur(tmp_path, monkeypatch, config, classes, first):
    files = emnist_zip(config, classes, first)
    register(monkeypatch, _builder("emnist"), URL, files)
    manual = write(tmp_path / "manual", files)
    npz, manifest = _prepare(tmp_path, source=f"emnist/{config}", manual_dir=str(manual))
    loaded = load(npz)
    assert (loaded.x_train[:, :5, :20] == 255).all()
    assert loaded.classes == classes
    assert set(loaded.y_train) == set(range(classes))
    original, labels = images_and_labels(TRAIN, classes, first=0, seed=TRAIN)
    assert _rows(loaded.x_train, loaded.y_train) == _rows(original[..., np.newaxis], labels)
    assert manifest.origin == f"tensorflow-datasets emnist/{config}"
    assert manifest.class_names[0] == str(first)
    assert manifest.name == f"emnist-{config}"


def test_an_archive_is_unpacked_inside_its_folder_only(tmp_path, monkeypatch):
    files = emnist_zip("digits", 10, 0)
    register(monkeypatch, _builder("emnist"), URL, files)
    _prepare(tmp_path, source="emnist/digits", manual_dir=str(write(tmp_path / "manual", files)))
    assert not list(tmp_path.rglob("*outside.txt"))
    assert not list(Path("/tmp").glob("*outside.txt"))  # noqa: S108 - where the archive would put it


def test_the_order_and_the_files_do_not_depend_on_the_prepared_folder(tmp_path, monkeypatch):
    """A folder prepared elsewhere, in another file format and more shards, gives the same `.npz`."""
    import tensorflow_datasets as tfds

    register(monkeypatch, _builder("kmnist"), URL, idx_files())
    manual = str(write(tmp_path / "manual", idx_files()))
    builder = tfds.builder("kmnist", data_dir=tmp_path / "elsewhere", file_format="array_record")
    configuration = tfds.download.DownloadConfig(manual_dir=manual, num_shards=3)
    builder.download_and_prepare(download_dir=tmp_path / "downloads", download_config=configuration)
    ours, manifest = _prepare(tmp_path / "ours", source="kmnist", manual_dir=manual)
    theirs, _ = _prepare(tmp_path / "theirs", source="kmnist", data_dir=str(tmp_path / "elsewhere"))
    assert ours.read_bytes() == theirs.read_bytes()
    assert read_manifest(ours.with_suffix(".json")) == manifest == read_manifest(theirs.with_suffix(".json"))


def test_a_process_that_loses_the_race_takes_what_the_faster_one_prepared(tmp_path, kmnist, monkeypatch):
    first, _ = _prepare(tmp_path / "first", **kmnist)

    def slower(builder, _):
        ready = tmp_path / "first" / "cache" / "kmnist" / "prepared" / "kmnist"
        shutil.copytree(ready, tmp_path / "second" / "cache" / "kmnist" / "prepared" / "kmnist", dirs_exist_ok=True)
        raise FileExistsError(17, "another process was faster")

    monkeypatch.setattr(_builder("kmnist"), "_split_generators", slower)
    second, _ = _prepare(tmp_path / "second", **kmnist)
    assert second.read_bytes() == first.read_bytes()


def test_a_part_of_a_split_can_be_trained_and_tested_on(tmp_path, monkeypatch):
    register(monkeypatch, _builder("kmnist"), URL, idx_files())
    manual = str(write(tmp_path / "manual", idx_files()))
    npz, manifest = _prepare(
        tmp_path, source="kmnist", manual_dir=manual, train_split="train[:50%]", test_split="train[50%:]"
    )
    loaded = load(npz)
    assert len(loaded.x_train) == len(loaded.x_test) == TRAIN // 2
    assert not set(_rows(loaded.x_train, loaded.y_train)) & set(_rows(loaded.x_test, loaded.y_test))
    assert manifest.test_split == "train[50%:]"


@pytest.fixture
def kmnist(tmp_path, monkeypatch):
    """A configuration section for a KMNIST of a few images."""
    register(monkeypatch, _builder("kmnist"), URL, idx_files())
    return {"source": "kmnist", "manual_dir": str(write(tmp_path / "manual", idx_files()))}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"test_split": "validation"}, r"no split 'validation' for 'test_split'; it has .*train \(60 images\)"),
        ({"test_split": "validation"}, r"for example to 'te?[a-z]+\[:80%\]'"),
        ({"train_split": "train[:"}, r"no split 'train\[:' for 'train_split'"),
        ({"train_split": "test"}, "images that it is trained on: .* 'test' and 'test_split' 'test' overlap"),
        ({"train_split": "train[:60%]", "test_split": "train[50%:]"}, r"'train\[:60%\]' and .* overlap"),
        ({"test_split": "test[:0]"}, r"split 'test\[:0\]' .* has no images"),
        ({"source": "kmnist:9.9.9"}, "no version '9.9.9' of 'kmnist'"),
        ({"source": "emnist/balenced"}, "no 'balenced' in 'emnist'; it has balanced, .*; did you mean 'balanced'"),
        ({"source": "mnist/small"}, "no 'small' in 'mnist', which has no configurations"),
        ({"source": "kmnits"}, "no dataset 'kmnits'; did you mean 'kmnist'"),
        ({"manual_dir": "/nowhere"}, "'manual_dir' of dataset 'kmnist', /nowhere, is not a folder"),
    ],
)
def test_what_the_dataset_does_not_have_is_refused_with_what_it_has(tmp_path, kmnist, change, sentence):
    with pytest.raises(DataError, match=sentence):
        _prepare(tmp_path, **{**kmnist, **change})


def test_files_missing_in_manual_dir_are_named_without_touching_the_network(tmp_path, kmnist):
    for name in ("t10k-labels-idx1-ubyte.gz", "train-images-idx3-ubyte.gz"):
        (tmp_path / "manual" / name).unlink()
    with pytest.raises(DataError, match="does not have") as refused:
        _prepare(tmp_path, **kmnist)
    sentence = str(refused.value)
    assert f"'manual_dir', {tmp_path / 'manual'}, " in sentence
    assert "t10k-labels-idx1-ubyte.gz, train-images-idx3-ubyte.gz; fetch http://127.0.0.1:9/t10k-labels" in sentence
    assert "train-labels-idx1-ubyte.gz" not in sentence


def test_a_file_of_manual_dir_with_other_bytes_is_named(tmp_path, kmnist):
    damaged = tmp_path / "manual" / "train-images-idx3-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes() + b"x")
    with pytest.raises(DataError, match=rf"{damaged} is not the original file .* fetch {URL}train-images") as refused:
        _prepare(tmp_path, **kmnist)
    assert "SHA-256" in str(refused.value)
    assert not (tmp_path / "out.npz").exists()


@pytest.fixture
def defined(tmp_path):
    """Prepare a dataset of one's own in a `data_dir`, and give the configuration section that reads it."""
    import tensorflow_datasets as tfds

    def make(features, examples):
        class Own(tfds.core.GeneratorBasedBuilder, skip_registration=True):
            VERSION = tfds.core.Version("1.0.0")
            name = "own_images"

            def _info(self):
                return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

            def _split_generators(self, dl_manager):
                return {"train": self._generate_examples(), "test": self._generate_examples()}

            def _generate_examples(self):
                yield from enumerate(examples)

        Own(data_dir=tmp_path / "own").download_and_prepare(download_dir=tmp_path / "downloads")
        return {"source": "own_images", "data_dir": str(tmp_path / "own")}

    return make


def _image(height=4, width=4):
    return np.zeros((height, width, 3), dtype=np.uint8)


def test_a_dataset_of_ones_own_that_is_prepared_in_data_dir_is_read(tmp_path, defined):
    import tensorflow_datasets as tfds

    features = {"picture": tfds.features.Image(shape=(None, None, 3)), "kind": tfds.features.ClassLabel(names="abc")}
    section = defined(features, [{"picture": _image(), "kind": kind} for kind in "aac"])
    npz, manifest = _prepare(tmp_path, **section)
    assert load(npz).x_train.shape == (3, 4, 4, 3)
    assert manifest.class_names == ("a", "c")
    assert manifest.train_counts == (2, 1)


def test_images_that_differ_in_size_are_refused_with_both_sizes(tmp_path, defined):
    import tensorflow_datasets as tfds

    features = {"image": tfds.features.Image(shape=(None, None, 3)), "label": tfds.features.ClassLabel(num_classes=2)}
    section = defined(features, [{"image": _image(4 + label), "label": label} for label in (0, 1)])
    with pytest.raises(DataError, match=r"'own_images' .* differ in size \(.x4x3 and .x4x3\); .*resize them"):
        _prepare(tmp_path, **section)


def test_a_dataset_that_is_no_image_classification_is_refused_with_what_it_is_made_of(tmp_path, defined):
    import tensorflow_datasets as tfds

    section = defined({"text": tfds.features.Text(), "label": tfds.features.ClassLabel(num_classes=2)},
                      [{"text": "a", "label": 0}])  # fmt: skip
    with pytest.raises(DataError, match="not image classification: its examples are made of label, text"):
        _prepare(tmp_path, **section)


def test_images_without_a_label_are_refused(tmp_path, defined):
    import tensorflow_datasets as tfds

    features = {"image": tfds.features.Image(shape=(4, 4, 3)), "label": tfds.features.ClassLabel(num_classes=2)}
    section = defined(features, [{"image": _image(), "label": -1}])
    with pytest.raises(DataError, match="images without a label"):
        _prepare(tmp_path, **section)
