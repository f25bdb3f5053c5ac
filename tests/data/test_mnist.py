"""The real MNIST, from its four original files through tensorflow-datasets."""

import gzip

import numpy as np

from twinbench.data import load, read_manifest


def _original(folder, split):
    with gzip.open(folder / f"{split}-images-idx3-ubyte.gz") as images:
        pixels = np.frombuffer(images.read()[16:], dtype=np.uint8).reshape(-1, 28, 28, 1)
    with gzip.open(folder / f"{split}-labels-idx1-ubyte.gz") as labels:
        return pixels, np.frombuffer(labels.read()[8:], dtype=np.uint8)


def _rows(images, labels):
    return sorted(image.tobytes() + bytes([label]) for image, label in zip(images, labels, strict=True))


def test_every_image_and_label_of_the_original_files_is_there_once(mnist_npz, mnist_files):
    mnist = load(mnist_npz)
    assert _rows(mnist.x_train, mnist.y_train) == _rows(*_original(mnist_files, "train"))
    assert _rows(mnist.x_test, mnist.y_test) == _rows(*_original(mnist_files, "t10k"))
    assert mnist.y_train.dtype == np.int64


def test_the_arrays_are_the_same_on_every_machine(mnist_npz):
    manifest = read_manifest(mnist_npz.with_suffix(".json"))
    assert manifest.sha256 == "caa9fe4a1e053a542d3beb2a2737b5559cb2b13b52c2af4518a39e87290f5db0"
    assert manifest.origin == "tensorflow-datasets mnist"
    assert manifest.version == "3.0.1"
    assert manifest.test_counts == (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)


def test_the_classes_are_mixed_along_the_order(mnist_npz):
    head = load(mnist_npz).y_train[:1000]
    assert np.bincount(head, minlength=10).min() > 60
