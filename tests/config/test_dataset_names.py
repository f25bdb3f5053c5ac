"""The names that are known without tensorflow-datasets are the names that it has."""

import pytest

from twinbench.config.dataset_names import (
    EMNIST,
    WELL_KNOWN,
    check_dataset_name,
    known_dataset_names,
    nearest_dataset_name,
)


def test_every_dataset_of_tensorflow_datasets_is_known():
    import tensorflow_datasets as tfds

    # Three that are no image datasets are defined in a way of their own.
    unknown = set(tfds.list_builders(with_community_datasets=False)) - known_dataset_names()
    assert unknown <= {"movie_lens", "wmt_translate"}


def test_few_names_are_known_that_tensorflow_datasets_does_not_have():
    import tensorflow_datasets as tfds

    assert len(known_dataset_names() - set(tfds.list_builders(with_community_datasets=False))) < 20


def test_the_well_known_names_and_configurations_are_those_of_tensorflow_datasets():
    import tensorflow_datasets as tfds

    assert set(tfds.list_builders(with_community_datasets=False)) >= WELL_KNOWN
    assert set(tfds.builder_cls("emnist").builder_configs) == EMNIST


@pytest.mark.parametrize("source", ["mnist", "mnist:3.0.1", "emnist", "emnist/letters", "caltech101", "eurosat/rgb"])
def test_a_name_that_exists_is_good(source):
    check_dataset_name(source)


def test_a_name_that_is_prepared_in_data_dir_is_good(tmp_path):
    (tmp_path / "our_own").mkdir()
    check_dataset_name("our_own", str(tmp_path))
    with pytest.raises(ValueError, match="no dataset of that name"):
        check_dataset_name("our_other", str(tmp_path))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("mnits", "mnist"), ("fashionmnist", "fashion_mnist"), ("MNIST", "mnist"), ("digit", "digits"),
     ("emnits/letters", "emnist/letters"), ("eurosta", "eurosat"), ("ciphar10", "cifar10")],
)  # fmt: skip
def test_the_nearest_name_is_offered(typed, meant):
    assert nearest_dataset_name(typed) == f"; did you mean '{meant}'?"


def test_no_name_is_offered_where_none_is_near():
    assert nearest_dataset_name("qqqqqqqq") == ""
