"""Every variant is what its mark says: twins compute the reference's function, lookalikes differ as they claim."""

from collections import defaultdict
from itertools import groupby

import numpy as np
import pytest

from twinbench.architectures import Variant, architectures, suspects

TWINS = [v for a in architectures().values() for v in a.variants if v.kind == "twin"]
LOOKALIKES = [v for a in architectures().values() for v in a.variants if v.kind == "lookalike"]
REFERENCES = [a.reference for a in architectures().values()]


def name(variant: Variant) -> str:
    return f"{variant.architecture}/{variant.name}"


def build(variant: Variant, shape=(8, 8, 1), classes=10):
    import keras

    from twinbench.architectures.recipe import recipe_of

    keras.utils.set_random_seed(7)
    model = recipe_of(variant).build(shape, classes)
    model(np.zeros((1, *shape), np.float32))
    return model


def by_layer(model):
    """The weights of each layer, one list a layer, in the order in which the model lists them."""
    return [list(weights) for _, weights in groupby(model.weights, key=lambda weight: weight.path.rsplit("/", 1)[0])]


def give_weights(source, target) -> bool:
    """Put random weights into `source` and the same into `target`, layer by layer; False if the shapes do not fit."""
    random = np.random.default_rng(11)
    waiting = defaultdict(list)
    for layer in by_layer(source):
        values = []
        for weight in layer:
            value = random.uniform(0.05, 0.35, weight.shape).astype(np.float32)
            value *= 1 if "variance" in weight.path else random.choice([-1, 1], weight.shape)
            weight.assign(value)
            values.append(value)
        waiting[tuple(tuple(weight.shape) for weight in layer)].append(values)
    for layer in by_layer(target):
        if not (fitting := waiting[tuple(tuple(weight.shape) for weight in layer)]):
            return False
        for weight, value in zip(layer, fitting.pop(0), strict=True):
            weight.assign(value)
    return not any(waiting.values())


def outputs(model, shape=(8, 8, 1)):
    return np.asarray(model(np.random.default_rng(5).random((6, *shape), dtype=np.float32), training=False))


@pytest.mark.parametrize("twin", TWINS, ids=name)
def test_a_twin_with_the_weights_of_the_reference_gives_its_outputs_bit_for_bit(twin: Variant) -> None:
    reference, model = build(architectures()[twin.architecture].reference), build(twin)
    assert give_weights(reference, model)
    assert np.array_equal(outputs(reference), outputs(model))


@pytest.mark.parametrize("lookalike", LOOKALIKES, ids=name)
def test_a_lookalike_differs_in_what_it_claims(lookalike: Variant) -> None:
    reference, model = build(architectures()[lookalike.architecture].reference), build(lookalike)
    at_start = [np.asarray(weight) for weight in model.weights]
    if lookalike.differs == "initial weights":
        ours = sorted(np.asarray(weight).tobytes() for weight in reference.weights)
        assert ours != sorted(value.tobytes() for value in at_start)
        assert give_weights(reference, model)
        assert np.array_equal(outputs(reference), outputs(model))
    else:
        assert not give_weights(reference, model) or not np.allclose(outputs(reference), outputs(model))


@pytest.mark.parametrize("variant", [*REFERENCES, *TWINS, *LOOKALIKES], ids=name)
def test_a_variant_is_built_for_images_of_odd_size_and_any_number_of_classes(variant: Variant) -> None:
    if architectures()[variant.architecture].task == "reconstruct":
        model = build(variant, shape=(12, 8, 3), classes=7)
        assert outputs(model, (12, 8, 3)).shape == (6, 12, 8, 3)
    else:
        model = build(variant, shape=(9, 11, 3), classes=7)
        assert outputs(model, (9, 11, 3)).shape == (6, 7)


def test_branching_has_the_published_parameters_and_its_linear_lookalike_nearly_as_many() -> None:
    variants = {v.name: v for v in architectures()["branching_cnn"].variants}
    counts = {
        key: build(variants[key], shape=(28, 28, 1)).count_params()
        for key in ("functional", "sequential_composite", "sequential_linear", "sequential_one_branch")
    }
    assert counts["functional"] == counts["sequential_composite"] == 55_450
    assert abs(counts["sequential_linear"] / 55_450 - 1) < 0.02
    assert counts["sequential_one_branch"] < 40_000


@pytest.mark.parametrize("architecture", ["shared_autoencoder", "shared_views"])
def test_a_shared_layer_is_one_set_of_weights_and_unsharing_it_adds_parameters(architecture: str) -> None:
    variants = architectures()[architecture].variants
    counts = {v.name: build(v).count_params() for v in variants}
    shared = {counts[v.name] for v in variants if v.kind != "lookalike"}
    assert len(shared) == 1
    assert all(counts[v.name] > max(shared) for v in variants if v.kind == "lookalike")


@pytest.mark.parametrize("architecture", ["deep_residual_mlp", "residual_cnn"])
def test_a_lost_skip_changes_no_parameter_count(architecture: str) -> None:
    variants = {v.name: v for v in architectures()[architecture].variants}
    assert build(variants["functional"]).count_params() == build(variants["sequential_no_skip"]).count_params()


def test_a_suspect_differs_from_the_untouched_recipe_in_what_it_says_and_the_control_in_nothing() -> None:
    from dataclasses import fields

    from twinbench.architectures.recipe import recipe_of

    untouched = recipe_of(architectures()["plain_cnn"].reference)
    for suspect in suspects():
        recipe = recipe_of(suspect)
        changed = [f.name for f in fields(recipe) if getattr(recipe, f.name) != getattr(untouched, f.name)]
        assert len(changed) == (suspect.name != "nothing"), suspect.name
        assert suspect.cause
        assert suspect.changes


@pytest.mark.parametrize(
    "suspect", [s for s in suspects() if s.cause in ("arch.activation", "arch.layer_missing", "arch.hyperparameter")],
    ids=name,
)  # fmt: skip
def test_a_structural_suspect_computes_another_function(suspect: Variant) -> None:
    reference, model = build(architectures()["plain_cnn"].reference), build(suspect)
    assert not give_weights(reference, model) or not np.allclose(outputs(reference), outputs(model))


def changed_reference(input_shape, classes):
    """A reference that someone has edited: other sizes, another layer, its head constructed first."""
    from keras import Input, Model, layers

    head = layers.Dense(classes)
    image = Input(input_shape)
    x = layers.Conv2D(6, 5, padding="same")(image)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2D(7, 5, padding="same", activation="tanh")(x)
    x = layers.Conv2D(8, 1, padding="same")(layers.MaxPooling2D()(x))
    return Model(image, head(layers.Dropout(0.6)(layers.Flatten()(x))))


def bare_reference(input_shape, classes):
    """A reference in which the structural suspects find nothing to change."""
    from keras import Input, Model, layers

    image = Input(input_shape)
    x = layers.Conv2D(6, 1, kernel_initializer="ones", trainable=False)(image)
    x = layers.Conv2D(6, 1, padding="same", kernel_initializer="ones", trainable=False)(x)
    return Model(image, layers.GlobalAveragePooling2D()(x))


def described(model):
    """Each layer of a model with its kind, settings and initial weights."""
    return [
        (type(layer).__name__, {**layer.get_config(), "name": ""}, [np.asarray(w).tobytes() for w in layer.weights])
        for layer in model.layers
    ]


@pytest.mark.parametrize(
    ("suspect", "position", "settings"),
    [
        ("nothing", None, None),
        ("activation_missing", 4, {"activation": "linear"}),
        ("layer_missing", 4, None),
        ("padding_valid", 4, {"padding": "valid"}),
        ("normalization_stuck", 2, {}),
    ],
)
def test_a_suspect_is_one_change_to_the_reference_as_it_is_now(monkeypatch, suspect, position, settings) -> None:
    from twinbench.architectures import plain_cnn

    monkeypatch.setattr(plain_cnn, "functional", changed_reference)
    reference = described(build(architectures()["plain_cnn"].reference))
    model = described(build(next(s for s in suspects() if s.name == suspect)))
    assert len(model) == len(reference)
    different = [k for k, (left, right) in enumerate(zip(reference, model, strict=True)) if left[:2] != right[:2]]
    assert different == ([] if position is None else [position])
    if settings is not None:
        assert model[position][1] == reference[position][1] | settings
    for k, (left, right) in enumerate(zip(reference, model, strict=True)):
        same_shapes = [len(weight) for weight in left[2]] == [len(weight) for weight in right[2]]
        assert left[2] == right[2] or (k == position and suspect == "layer_missing") or not same_shapes


def test_a_suspect_of_initial_weights_changes_every_kernel_and_no_layer(monkeypatch) -> None:
    from twinbench.architectures import plain_cnn

    monkeypatch.setattr(plain_cnn, "functional", changed_reference)
    reference = build(architectures()["plain_cnn"].reference)
    model = build(next(s for s in suspects() if s.name == "initializer_scale"))
    kernels = [(a, b) for a, b in zip(reference.weights, model.weights, strict=True) if a.path.endswith("kernel")]
    assert len(kernels) == 4
    assert all(np.std(b) > 2 * np.std(a) for a, b in kernels)


@pytest.mark.parametrize(
    "suspect",
    [
        "activation_missing",
        "layer_missing",
        "padding_valid",
        "initializer_scale",
        "construction_order",
        "late_regularizer",
        "frozen_layers",
        "normalization_stuck",
    ],
)
def test_a_suspect_that_finds_nothing_to_change_says_so(monkeypatch, suspect: str) -> None:
    from keras import Input, Model, layers

    from twinbench.architectures import plain_cnn
    from twinbench.architectures.recipe import recipe_of
    from twinbench.architectures.suspects import NothingToChangeError

    def no_layer(input_shape, classes):
        image = Input(input_shape)
        return Model(image, layers.Flatten()(image))

    for reference in (bare_reference, no_layer):
        if reference is bare_reference and suspect in ("layer_missing", "late_regularizer"):
            continue  # there they have something to change
        monkeypatch.setattr(plain_cnn, "functional", reference)
        recipe = recipe_of(next(s for s in suspects() if s.name == suspect))
        with pytest.raises(NothingToChangeError, match="the reference"):
            recipe.after_build(recipe.build((8, 8, 1), 10))
