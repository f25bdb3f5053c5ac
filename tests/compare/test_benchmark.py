"""Every suspect, twin and lookalike of the benchmark comes out of a comparison as what it is."""

import pytest
from tests.compare.scripts import script

from twinbench.architectures import architectures, find_variant, suspects

PLACES = {
    "activation_missing": ("conv2d", "activation"),
    "layer_missing": ("conv2d",),
    "padding_valid": ("conv2d", "padding"),
    "initializer_scale": ("conv2d", "kernel"),
    "construction_order": ("order", "constructed"),
    "late_regularizer": ("kernel", "regularizer"),
    "frozen_layers": ("conv2d", "trainable"),
    "normalization_stuck": ("batchnormalization", "training"),
    "logits_as_probabilities": ("loss", "from_logits"),
    "default_learning_rate": ("learning_rate",),
    "wrong_metric": ("metric", "accuracy"),
    "inputs_not_scaled": ("range", "inputs"),
    "sorted_validation_tail": ("label mix",),
    "repeated_first_batch": ("distinct samples",),
    "larger_batch": ("batch size",),
}
LOOKALIKES = {
    "sequential_linear": "arch.layer_missing",
    "sequential_one_branch": "arch.layer_missing",
    "sequential_no_skip": "arch.wiring",
    "sequential_unshared": "arch.shared_layer",
    "functional_unshared": "arch.shared_layer",
    "functional_reordered": "init",
}


def compared(architecture, name):
    from twinbench.architectures.recipe import recipe_of
    from twinbench.compare import compare

    sides = [script(recipe_of(find_variant(architecture, one))) for one in ("functional", name)]
    (build_a, feed_a), (build_b, feed_b) = sides
    return compare(build_a, build_b, feed_a=feed_a, feed_b=feed_b)


@pytest.mark.parametrize("name", [suspect.name for suspect in suspects()])
def test_the_suspect_is_named_with_its_code_and_place(name):
    report = compared("plain_cnn", name)
    expected = find_variant("plain_cnn", name).cause
    assert report.code == expected, report.causes
    place = " ".join(cause.where for cause in report.causes).lower()
    assert [word for word in PLACES.get(name, ()) if word not in place] == []


def _variants(kind):
    return [(a.name, v.name) for a in architectures().values() for v in a.variants if v.kind == kind]


@pytest.mark.parametrize(("architecture", "name"), _variants("twin"))
def test_the_twin_comes_out_identical_or_equivalent_and_nothing_is_blamed(architecture, name):
    report = compared(architecture, name)
    assert report.verdict in ("identical", "equivalent")
    assert report.causes == []


@pytest.mark.parametrize(("architecture", "name"), _variants("lookalike"))
def test_the_lookalike_is_explained(architecture, name):
    report = compared(architecture, name)
    assert report.code == LOOKALIKES[name], report.causes
    assert report.verdict == ("equivalent" if name == "functional_reordered" else "different")
