"""Choices of images are deterministic, stratified, and the same everywhere."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.data import split_validation
from twinbench.data.splits import SAME_SPLIT, stratified_subset
from twinbench.errors import DataError


def test_a_validation_split_has_the_asked_size_and_every_class_its_share():
    labels = np.repeat(np.arange(4), [400, 300, 200, 100])
    train, validation = split_validation(labels, 0.1)
    assert np.bincount(labels[validation]).tolist() == [40, 30, 20, 10]
    assert np.array_equal(np.sort(np.concatenate([train, validation])), np.arange(1000))


def test_the_choice_is_pinned_so_that_no_new_version_of_numpy_changes_it():
    labels = np.tile(np.arange(10), 100)
    _, validation = split_validation(labels, 0.2)
    assert hashlib.sha256(validation.astype("<i8").tobytes()).hexdigest()[:16] == "899b1ed6e099707b"


@given(
    st.lists(st.integers(1, 60), min_size=2, max_size=12),
    st.floats(0.01, 0.99),
)
def test_any_validation_split_keeps_a_training_image_of_each_class_or_is_refused(counts, fraction):
    labels = np.repeat(np.arange(len(counts)), counts)
    held_out = round(len(labels) * fraction)
    if held_out < 1 or len(labels) - held_out < len(counts):
        with pytest.raises(DataError, match="validation_fraction"):
            split_validation(labels, fraction)
        return
    train, validation = split_validation(labels, fraction)
    assert len(validation) == held_out
    assert np.intersect1d(train, validation).size == 0
    assert set(labels[train]) == set(range(len(counts)))


@given(st.lists(st.integers(1, 60), min_size=2, max_size=12), st.data())
def test_any_subset_has_its_size_and_every_class(counts, data):
    labels = np.repeat(np.arange(len(counts)), counts)
    size = data.draw(st.integers(len(counts), len(labels)))
    chosen = stratified_subset(labels, size)
    assert len(chosen) == len(set(chosen.tolist())) == size
    assert set(labels[chosen]) == set(range(len(counts)))


def test_another_purpose_gives_another_choice():
    labels = np.tile(np.arange(2), 500)
    assert not np.array_equal(stratified_subset(labels, 100, purpose=0), stratified_subset(labels, 100, purpose=1))


def test_neighbouring_positions_are_not_chosen_more_often_than_chance():
    chosen = stratified_subset(np.zeros(100_000, dtype=np.int64), 10_000)
    neighbours = int((np.diff(chosen) == 1).sum())
    assert abs(neighbours - 1000) < 150  # 10,000 chosen, each followed by a chosen one with probability 0.1


@pytest.mark.parametrize("fraction", [0.0001, 0.9999])
def test_a_fraction_that_leaves_nothing_is_refused_with_the_key(fraction):
    with pytest.raises(DataError, match="validation_fraction"):
        split_validation(np.tile(np.arange(10), 10), fraction)


def test_another_number_holds_out_other_images_and_as_many_of_each_class():
    labels = np.tile(np.arange(10), 20)
    (_, same), (train, other) = split_validation(labels, 0.2), split_validation(labels, 0.2, split=SAME_SPLIT + 2**23)
    assert set(same) != set(other)
    assert (np.bincount(labels[same]) == np.bincount(labels[other])).all()
    assert sorted([*train, *other]) == list(range(len(labels)))
