"""Prepare a dataset of the configuration: one `.npz` of its arrays, and its manifest."""

from pathlib import Path

import numpy as np

from twinbench.config import Dataset
from twinbench.data.digits import read_digits
from twinbench.data.files import hash_file, replacing
from twinbench.data.loader_source import read_loader
from twinbench.data.manifest import Manifest, describe
from twinbench.data.network import Limits
from twinbench.data.npz_source import read_npz
from twinbench.data.source import Source, check_trainable
from twinbench.data.splits import stratified_subset
from twinbench.data.tfds_source import read_tfds
from twinbench.errors import DataError, benchmark_needed


def prepare(
    dataset: Dataset,
    npz: Path,
    manifest: Path,
    *,
    key: str = "",
    cache: Path | None = None,
    limits: Limits | None = None,
) -> Manifest:
    """Write the arrays of `dataset` to `npz` and what is known of them to `manifest`.

    The `.npz` holds what `arrays.Arrays` says.
    Prepared twice, it is the same file byte for byte; both files are there in full or not at all.

    Args:
        dataset: the dataset's section of the configuration.
        npz: file to write.
        manifest: file to write.
        key: digest of all that it is made from, for the manifest.
        cache: folder for downloads (default: `cache` beside `npz`); each dataset uses its own folder in it.
        limits: how long a download may stall and how often it is tried.

    Raises:
        DataError: the dataset cannot be found, downloaded, verified, used or written.
    """
    whole = _read(dataset, npz.parent / "cache" if cache is None else cache, limits or Limits())
    source = _subset(whole, dataset)
    with replacing(npz) as file:
        # NumPy gives every member the same date, so equal arrays make equal files.
        np.savez(file, allow_pickle=False, **source.arrays)
    description = _describe(dataset, whole, source, npz_sha256=hash_file(npz), key=key)
    with replacing(manifest) as file:
        file.write(description.to_json().encode())
    return description


def describe_dataset(dataset: Dataset) -> Manifest:
    """Return the manifest that the digits or a file would be prepared with, but for the `.npz`, and write nothing.

    Raises:
        DataError: the dataset cannot be found or used.
    """
    whole = read_digits() if dataset.kind == "digits" else read_npz(dataset)
    return _describe(dataset, whole, _subset(whole, dataset), npz_sha256="", key="")


def _describe(dataset: Dataset, whole: Source, source: Source, *, npz_sha256: str, key: str) -> Manifest:
    return describe(
        source,
        name=dataset.name,
        npz_sha256=npz_sha256,
        available_train_examples=len(whole.y_train),
        splits=(dataset.train_split, dataset.test_split),
        key=key,
    )


def _read(dataset: Dataset, cache: Path, limits: Limits) -> Source:
    with benchmark_needed():
        if dataset.kind == "digits":
            return read_digits()
        if dataset.kind == "npz":
            return read_npz(dataset)
        if dataset.kind == "loader":
            return read_loader(dataset)
        return read_tfds(dataset, cache / dataset.name, limits)


def _subset(source: Source, dataset: Dataset) -> Source:
    check_trainable(source, dataset.name)
    size = dataset.train_examples
    available, classes = len(source.y_train), len(source.class_names) or 2
    if size is None or size == available:
        return source
    if not classes <= size <= available:
        raise DataError(
            f"'train_examples' of dataset '{dataset.name}' is {size}; it must be at least {classes}, one image "
            f"for each class, and at most {available}, all that there are."
        )
    return source.subset(stratified_subset(source.strata, size))
