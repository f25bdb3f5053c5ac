"""The engine against plain `model.fit` on the same batches: not nearly the same, but bit for bit the same weights."""

from pathlib import Path

import pytest

from twinbench.architectures import architectures
from twinbench.data import load

from .conftest import configure


@pytest.mark.parametrize("architecture", ["mlp", "plain_cnn", "residual_cnn", "shared_autoencoder"])
def test_fit_on_the_same_batches_ends_with_the_bits_of_the_engine(architecture: str, tiny_npz: Path) -> None:
    from twinbench.architectures.recipe import recipe_of
    from twinbench.training.building import build_model, weights_sha256
    from twinbench.training.feed import DatasetTensors, Feed
    from twinbench.training.program import Program, make_loss, make_optimizer
    from twinbench.training.seeds import streams

    training = configure(epochs=2).training
    recipe = recipe_of(architectures()[architecture].reference)
    data = load(tiny_npz)
    tensors = DatasetTensors(data)
    feed, seeds = Feed(tensors, recipe, training), streams(4, training.vary)

    ours, _ = build_model(recipe, data.input_shape, data.classes, seeds)
    program = Program(ours, recipe, training, "graph", tensors.train)
    for epoch in (1, 2):
        program.train_epoch(feed.order(seeds.order, epoch))

    theirs, _ = build_model(recipe, data.input_shape, data.classes, seeds)
    theirs.compile(optimizer=make_optimizer(recipe, training), loss=make_loss(recipe.loss))
    for epoch in (1, 2):
        order = feed.order(seeds.order, epoch)
        images = data.x_train[order].astype("float32") * (1 / 255)
        targets = images if recipe.task == "reconstruct" else data.y_train[order]
        theirs.fit(images, targets, batch_size=training.batch_size, epochs=1, shuffle=False, verbose=0)

    assert weights_sha256(ours) == weights_sha256(theirs)
