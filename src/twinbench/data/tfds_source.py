"""Read an image-classification dataset of tensorflow-datasets.

tensorflow-datasets prepares a dataset with TensorFlow, whichever file format it writes; this is the only place of the
data stage that imports either, and only while such a dataset is prepared.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.config import Dataset
from twinbench.data.contents import content_digests
from twinbench.data.files import write_text
from twinbench.data.network import Limits, bounded
from twinbench.data.source import Source, relabel
from twinbench.data.tfds_errors import Preparation, sentence_of_builder, sentence_of_preparation
from twinbench.errors import DataError

# Stored as in the original files, with rows and columns exchanged (the builder's description says so).
_TRANSPOSED = {"emnist"}
_BATCH = 1000


def read_tfds(dataset: Dataset, cache: Path, limits: Limits) -> Source:
    """Download, verify and read the train and test splits of `dataset`.

    The images of a split are put in the order of their SHA-256 (of pixels and label): the order depends neither on
    how tensorflow-datasets shuffles and shards its files, nor on the machine.

    Args:
        dataset: its `source` is a tensorflow-datasets name: `mnist`, `emnist/balanced`, `mnist:3.0.1`.
        cache: this dataset's own folder for downloads and, without `data_dir`, for the prepared files.
        limits: bounds of downloads.

    Raises:
        DataError: the dataset is unknown, cannot be had, fails its checksum, or is not image classification.
    """
    import tensorflow_datasets as tfds

    tfds.display_progress_bar(sys.stderr.isatty())
    builder = _prepared(dataset, cache, limits)
    image_key, label_key = _keys(builder.info.features, tfds, dataset)
    for key, split in (("train_split", dataset.train_split), ("test_split", dataset.test_split)):
        _check_split(builder.info, key, split, dataset.name)
    _check_disjoint(builder.info, dataset)
    x_train, y_train = _read_split(builder, dataset.train_split, (image_key, label_key), dataset)
    x_test, y_test = _read_split(builder, dataset.test_split, (image_key, label_key), dataset)
    if x_train.shape[1:] != x_test.shape[1:]:
        raise _sizes_differ(dataset, x_train.shape[1:], x_test.shape[1:])
    if builder.name in _TRANSPOSED:
        x_train, x_test = (np.ascontiguousarray(images.swapaxes(1, 2)) for images in (x_train, x_test))
    y_train, y_test, present = relabel(y_train, y_test)
    names = builder.info.features[label_key].names
    config = builder.builder_config.name if builder.builder_config else ""
    return Source(
        {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test},
        origin=f"tensorflow-datasets {builder.name}" + (f"/{config}" if config else ""),
        version=str(builder.version),
        class_names=tuple(str(names[label]) for label in present),
    )


def _prepared(dataset: Dataset, cache: Path, limits: Limits) -> Any:
    """The builder of `dataset`, its files downloaded and prepared if they are not yet."""
    import tensorflow_datasets as tfds

    manual = None if dataset.manual_dir is None else Path(dataset.manual_dir).expanduser()
    folder = cache / "prepared" if dataset.data_dir is None else Path(dataset.data_dir).expanduser()

    def find() -> Any:
        try:
            return tfds.builder(dataset.source, data_dir=folder)
        except Exception as error:
            raise DataError(sentence_of_builder(error, dataset)) from error

    # What was prepared of other original files than lie in the folder now is no longer the dataset.
    name = dataset.source.partition(":")[0].partition("/")[0]
    origin, contents = cache / f"{name}-made-from.json", json.dumps(content_digests(dataset), sort_keys=True)
    if dataset.data_dir is None and contents != "{}" and origin.is_file() and origin.read_text() != contents:
        shutil.rmtree(folder / name, ignore_errors=True)
    builder = find()
    if Path(builder.data_dir).exists():
        return builder
    if manual is not None and not manual.is_dir():
        raise DataError(f"The 'manual_dir' of dataset '{dataset.name}', {manual}, is not a folder.")
    downloads = cache / "downloads"
    with bounded(limits, offline=manual is not None) as asked:
        try:
            downloads.mkdir(parents=True, exist_ok=True)
            # Extracted files are named after the archive alone, and MNIST, Fashion-MNIST and KMNIST use the same
            # names: a folder that lasts could hand out the images of another dataset.
            with tempfile.TemporaryDirectory(dir=cache, prefix="extracted-", ignore_cleanup_errors=True) as extracted:
                builder.download_and_prepare(
                    download_dir=downloads,
                    download_config=tfds.download.DownloadConfig(
                        manual_dir=manual, extract_dir=extracted, force_checksums_validation=True
                    ),
                )
        except Exception as error:
            again = find()
            if Path(again.data_dir).exists():  # another process was faster
                return again
            raise DataError(sentence_of_preparation(error, Preparation(dataset, builder, asked, cache))) from error
        finally:
            for rest in downloads.glob("**/*.tmp.*"):
                shutil.rmtree(rest, ignore_errors=True)
    write_text(origin, contents)
    return builder


def _keys(features: Any, tfds: Any, dataset: Dataset) -> tuple[str, str]:
    """The names of the image and of the label among the features of an example."""
    kinds = features if isinstance(features, dict | tfds.features.FeaturesDict) else {}
    images = [key for key in kinds if isinstance(kinds[key], tfds.features.Image)]
    labels = [key for key in kinds if isinstance(kinds[key], tfds.features.ClassLabel)]
    if "label" in labels:
        labels = ["label"]
    if "image" in images:
        images = ["image"]
    if len(images) != 1 or len(labels) != 1:
        raise DataError(
            f"Dataset '{dataset.name}' ({dataset.source}) is not image classification: its examples are made of "
            f"{', '.join(sorted(kinds)) or 'no named parts'}, and twinbench needs one image and one class label."
        )
    if features[images[0]].np_dtype != np.uint8:
        raise DataError(
            f"Dataset '{dataset.name}' ({dataset.source}) has images of type {np.dtype(features[images[0]].np_dtype)}; "
            "twinbench takes uint8."
        )
    return images[0], labels[0]


def _check_split(info: Any, key: str, split: str, name: str) -> None:
    available = ", ".join(f"{known} ({info.splits[known].num_examples} images)" for known in info.splits)
    first = next(iter(info.splits), "train")
    try:
        count = info.splits[split].num_examples
    except (KeyError, ValueError, AssertionError) as error:
        raise DataError(
            f"Dataset '{name}' has no split '{split}' for '{key}'; it has {available}. Set 'train_split' and "
            f"'test_split', for example to '{first}[:80%]' and '{first}[80%:]'."
        ) from error
    if count == 0:
        raise DataError(f"The split '{split}' of dataset '{name}' ('{key}') has no images; it has {available}.")


def _check_disjoint(info: Any, dataset: Dataset) -> None:
    """Refuse to test on images that are trained on: the same positions of the same file."""

    def positions(split: str) -> list[tuple[str, int, int]]:
        parts = info.splits[split].file_instructions
        return [(part.filename, part.skip, part.skip + part.take) for part in parts]

    for file, first, end in positions(dataset.train_split):
        for other, start, stop in positions(dataset.test_split):
            if file == other and first < stop and start < end:
                raise DataError(
                    f"Dataset '{dataset.name}' would be tested on images that it is trained on: 'train_split' "
                    f"'{dataset.train_split}' and 'test_split' '{dataset.test_split}' overlap."
                )


def _read_split(
    builder: Any, split: str, keys: tuple[str, str], dataset: Dataset
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The images, `(n, h, w, c)`, and labels, `(n,)`, of a split, in the order of their hashes."""
    count = builder.info.splits[split].num_examples
    images: NDArray[np.uint8] | None = None
    labels = np.empty(count, dtype=np.int64)
    filled = 0
    for batch, label in _batches(builder, split, *keys):
        if images is None:
            images = np.empty((count, *batch.shape[1:]), dtype=np.uint8)
        elif batch.shape[1:] != images.shape[1:]:
            raise _sizes_differ(dataset, images.shape[1:], batch.shape[1:])
        images[filled : filled + len(batch)] = batch
        labels[filled : filled + len(batch)] = label
        filled += len(batch)
    if images is None or filled != count:
        raise DataError(
            f"The prepared files of dataset '{dataset.name}' in {builder.data_dir} hold {filled} of {count} images "
            f"of the split '{split}': delete that folder and prepare the dataset again."
        )
    if labels.min() < 0:
        raise DataError(
            f"The split '{split}' of dataset '{dataset.name}' has images without a label: choose a split that is "
            "labelled with 'train_split' and 'test_split'."
        )
    return _in_order_of_hashes(images, labels)


def _batches(builder: Any, split: str, image_key: str, label_key: str) -> Iterator[tuple[Any, Any]]:
    """Images, `(k, h, w, c)`, and labels, `(k,)`, of a split, a few at a time."""
    import tensorflow_datasets as tfds

    if builder.info.file_format.value == "array_record":  # which tensorflow-datasets does not read with TensorFlow
        for example in builder.as_data_source(split=split):
            yield example[image_key][np.newaxis], np.asarray([example[label_key]])
        return
    one_size = None not in builder.info.features[image_key].shape
    examples = builder.as_dataset(
        split=split,
        shuffle_files=False,
        batch_size=_BATCH if one_size else 1,
        read_config=tfds.ReadConfig(try_autocache=False),
    )
    yield from examples.map(lambda example: (example[image_key], example[label_key])).as_numpy_iterator()


def _in_order_of_hashes(
    images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    little = labels.astype("<i8")
    hashes = [
        hashlib.sha256(image.tobytes() + label.tobytes()).digest() for image, label in zip(images, little, strict=True)
    ]
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    return images[order], labels[order]


def _sizes_differ(dataset: Dataset, one: tuple[int, ...], other: tuple[int, ...]) -> DataError:
    sizes = " and ".join("x".join(str(length) for length in shape) for shape in (one, other))
    return DataError(
        f"The images of dataset '{dataset.name}' ({dataset.source}) differ in size ({sizes}); twinbench needs one "
        "size: resize them, save them as an .npz file, and give its path as `source`."
    )
