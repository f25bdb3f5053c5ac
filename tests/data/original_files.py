"""Small files in MNIST's original format, and how tensorflow-datasets is told their checksums."""

import gzip
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

_NAMES = {"train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
          "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")}  # fmt: skip
TRAIN, TEST = 60, 20


def images_and_labels(count, classes=10, first=0, seed=0):
    """Images with a bright top left corner, so that a transposed one is seen, and labels in turn."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    images[:, :5, :20] = 255
    return images, (np.arange(count) % classes + first).astype(np.uint8)


def idx_files(classes=10, first=0):
    """`{file name: bytes}` of the four files, gzipped idx as MNIST's."""
    files = {}
    for split, count in (("train", TRAIN), ("test", TEST)):
        images, labels = images_and_labels(count, classes, first, seed=count)
        header = np.array([2051, count, 28, 28], dtype=">i4").tobytes()
        files[_NAMES[split][0]] = gzip.compress(header + images.tobytes(), mtime=0)
        files[_NAMES[split][1]] = gzip.compress(np.array([2049, count], ">i4").tobytes() + labels.tobytes(), mtime=0)
    return files


def emnist_zip(config, classes, first):
    """`{"gzip.zip": bytes}` with the four files of one EMNIST configuration, images stored transposed as NIST's are."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for outside in ("../../outside.txt", "gzip/../../../outside.txt", "/tmp/twinbench-outside.txt"):  # noqa: S108
            zipped.writestr(outside, "an archive must not write here")
        for split, count in (("train", TRAIN), ("test", TEST)):
            images, labels = images_and_labels(count, classes, first, seed=count)
            stored = np.ascontiguousarray(images.swapaxes(1, 2))
            for kind, content in (
                ("images-idx3", bytes(16) + stored.tobytes()),
                ("labels-idx1", bytes(8) + labels.tobytes()),
            ):
                zipped.writestr(f"gzip/emnist-{config}-{split}-{kind}-ubyte.gz", gzip.compress(content, mtime=0))
    return {"gzip.zip": archive.getvalue()}


def register(monkeypatch, builder, url, files):
    """Make the real `builder` class expect `files` under `url`, with other addresses and checksums."""
    from tensorflow_datasets.core.download import checksums
    from tensorflow_datasets.image_classification import mnist

    infos = {
        url + name: checksums.UrlInfo(size=len(content), checksum=hashlib.sha256(content).hexdigest(), filename=name)
        for name, content in files.items()
    }
    monkeypatch.setattr(builder, "URL", url + "gzip.zip" if "gzip.zip" in files else url)
    monkeypatch.setattr(builder, "url_infos", infos)
    monkeypatch.setattr(mnist, "_TRAIN_EXAMPLES", TRAIN)
    monkeypatch.setattr(mnist, "_TEST_EXAMPLES", TEST)
    for config in builder.BUILDER_CONFIGS:
        monkeypatch.setattr(config, "train_examples", TRAIN)
        monkeypatch.setattr(config, "test_examples", TEST)


def write(folder: Path, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder
