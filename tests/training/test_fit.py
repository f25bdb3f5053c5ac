"""The engine against plain `model.fit` on the same batches: not nearly the same, but bit for bit the same weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twinbench.architectures import architectures
from twinbench.data import load
from twinbench.training.compilation import Compilation

from .conftest import configure

EPOCHS = (1, 2)
# A bias before a batch normalisation has a gradient of nothing but rounding, which Adam scales up to whole steps;
# and the moving mean behind it is that of the bias.
MADE_OF_ROUNDING = {"plain_cnn": (1, 4)}


def _trained_both_ways(architecture: str, compilation: Compilation, npz: Path) -> tuple[Any, Any]:
    """Return the model that the engine trained and the one that `fit` trained, on the same batches."""
    from twinbench.architectures.recipe import recipe_of
    from twinbench.training.building import build_model
    from twinbench.training.feed import DatasetTensors, Feed
    from twinbench.training.program import Program, make_loss, make_optimizer
    from twinbench.training.seeds import streams

    training = architectures()[architecture].training(configure(epochs=len(EPOCHS)).training)
    recipe = recipe_of(architectures()[architecture].reference)
    data = load(npz)
    tensors = DatasetTensors(data)
    feed, seeds = Feed(tensors, recipe, training), streams(4, training.vary)

    ours, _ = build_model(recipe, data, seeds)
    program = Program(ours, recipe, training, compilation, tensors.train)
    for epoch in EPOCHS:
        program.train_epoch(feed.order(seeds.order, epoch))

    theirs, _ = build_model(recipe, data, seeds)
    theirs.compile(optimizer=make_optimizer(recipe, training), loss=make_loss(recipe.loss))
    for epoch in EPOCHS:
        order = feed.order(seeds.order, epoch)
        images = data.x_train[order].astype("float32") * (1 / 255)
        targets = images if recipe.task == "reconstruct" else data.y_train[order]
        theirs.fit(images, targets, batch_size=training.batch_size, epochs=1, shuffle=False, verbose=0)
    return ours, theirs


@pytest.mark.parametrize("architecture", ["mlp", "plain_cnn", "residual_cnn", "shared_autoencoder"])
def test_fit_on_the_same_batches_ends_with_the_bits_of_the_engine(architecture: str, tiny_npz: Path) -> None:
    from twinbench.training.building import weights_sha256

    ours, theirs = _trained_both_ways(architecture, "graph", tiny_npz)
    assert weights_sha256(ours) == weights_sha256(theirs)


@pytest.mark.parametrize(
    ("architecture", "compilation"),
    [("mlp", "xla"), ("plain_cnn", "fused"), ("residual_cnn", "fused")],
)
def test_what_xla_compiles_agrees_with_fit_to_rounding(
    architecture: str, compilation: Compilation, tiny_npz: Path
) -> None:
    ours, theirs = _trained_both_ways(architecture, compilation, tiny_npz)
    compared = 0
    for position, (weight, other) in enumerate(zip(ours.weights, theirs.weights, strict=True)):
        if position not in MADE_OF_ROUNDING.get(architecture, ()):
            value, expected = np.asarray(weight), np.asarray(other)
            assert np.abs(value - expected).max() <= 0.001 * np.abs(expected).max(), weight.path
            compared += 1
    assert compared >= 4
