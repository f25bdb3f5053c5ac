"""Keras's published networks are those of their sources, and are trained by their recipes where nothing else is set."""

from pathlib import Path

import numpy as np
import pytest

from twinbench.architectures import architectures, catalogue
from twinbench.config import Training, TrainingRecipe, TrainingSection
from twinbench.planning.keys import plan_key

MNIST_CNN = {"optimizer": "adadelta", "learning_rate": 1.0, "epochs": 12, "batch_size": 128}
SOURCES = {
    "mnist_mlp": (669_706, 98.40, "rmsprop", 0.001, 20),
    "mnist_cnn": (1_199_882, 99.25, "adadelta", 1.0, 12),
    "mnist_convnet": (34_826, 99.22, "adam", 0.001, 15),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_published_network_has_the_parameters_the_recipe_and_the_score_of_its_source(name: str) -> None:
    from twinbench.architectures.recipe import recipe_of

    parameters, score, optimizer, rate, epochs = SOURCES[name]
    architecture = architectures()[name]
    for variant in architecture.variants:
        model = recipe_of(variant).build((28, 28, 1), 10)
        model(np.zeros((1, 28, 28, 1), np.float32))
        assert model.count_params() == parameters
    assert architecture.published == score
    assert dict(architecture.recipe) == {
        "optimizer": optimizer, "learning_rate": rate, "epochs": epochs, "batch_size": 128
    }  # fmt: skip
    assert not architecture.default


def test_a_network_without_a_recipe_is_trained_by_the_defaults_which_the_reference_table_names() -> None:
    section = TrainingSection()
    assert architectures()["mlp"].training(section) == Training()
    assert architectures()["mlp"].published is None
    for name in TrainingRecipe.model_fields:
        description = str(TrainingRecipe.model_fields[name].description)
        assert description.endswith(f"else {getattr(Training(), name)})")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {}),
        ({"epochs": 1}, {"epochs": 1}),
        ({"learning_rate": 0.5}, {"learning_rate": 0.5}),
        ({"optimizer": "adadelta"}, {}),
        ({"optimizer": "sgd"}, {"optimizer": "sgd", "learning_rate": 0.002}),  # the recipe's rate is Adadelta's
        ({"optimizer": "sgd", "learning_rate": 0.1}, {"optimizer": "sgd", "learning_rate": 0.1}),
        ({"threads": 2, "batch_size": 32}, {"threads": 2, "batch_size": 32}),
        ({"epochs": None}, {}),
    ],
    ids=str,
)
def test_what_a_configuration_sets_goes_before_the_recipe(settings, expected) -> None:
    training = architectures()["mnist_cnn"].training(TrainingSection.model_validate(settings))
    assert training == Training.model_validate({**MNIST_CNN, **expected})


def test_a_rate_without_an_optimiser_is_one_for_the_default_optimiser() -> None:
    recipe = TrainingRecipe(learning_rate=0.01)
    assert TrainingSection().resolved(recipe) == Training(learning_rate=0.01)
    assert TrainingSection(optimizer="adam").resolved(recipe) == Training(learning_rate=0.01)
    assert TrainingSection(optimizer="sgd").resolved(recipe) == Training(optimizer="sgd")


def test_a_key_holds_the_numbers_that_are_trained_with_wherever_they_come_from() -> None:
    variant = architectures()["mnist_cnn"].reference
    by_recipe = plan_key(variant, 1, TrainingSection())
    assert plan_key(variant, 1, TrainingSection.model_validate(MNIST_CNN)) == by_recipe
    assert plan_key(variant, 1, TrainingSection(epochs=13)) != by_recipe
    assert plan_key(variant, 1, TrainingSection(optimizer="sgd")) != by_recipe


def test_another_recipe_is_another_key_and_another_published_score_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (
        "from twinbench.architectures.declaration import reference\n"
        'TASK = "classify"\n@reference\ndef first(shape, classes):\n    return None\n'
    )

    def key(constants: str) -> str:
        (tmp_path / "mine.py").write_text(constants + source)
        for cached in (catalogue.architectures, catalogue._digest, catalogue.parse):
            cached.cache_clear()
        return plan_key(architectures()["mine"].reference, 1, TrainingSection())

    try:
        with monkeypatch.context() as patch:
            patch.setattr(catalogue, "FOLDER", tmp_path)
            plain = key("")
            assert key("PUBLISHED = 99.1\nDEFAULT = False\n") == plain
            assert key('RECIPE = {"epochs": 3}\n') != plain
            assert key('RECIPE = {"epochs": 4}\n') != key('RECIPE = {"epochs": 3}\n')
    finally:
        for cached in (catalogue.architectures, catalogue._digest, catalogue.parse):
            cached.cache_clear()
