import numpy as np
import pytest

from twinbench.errors import ResourceError
from twinbench.measurement.climbing import climb
from twinbench.measurement.published import functional_autoencoder, intended_autoencoder, sequential_autoencoder
from twinbench.sameness.rungs import NAMES, Rung

IMAGES = np.random.default_rng(0).random((32, 8, 8, 1), dtype="float32")
LABELS = np.random.default_rng(1).integers(0, 10, 32)


def functional(skip=True, dropout=0.3):
    from keras import Input, Model, layers

    image = Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(x))
    x = layers.ReLU()(layers.Add()([x, y]) if skip else y)
    x = layers.Dropout(dropout)(layers.Flatten()(x))
    return Model(image, layers.Dense(10)(x))


def subclass(accepts_training=True):
    import keras
    from keras import layers, ops

    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Conv2D(4, 3, padding="same")
            self.second = layers.Conv2D(4, 3, padding="same")
            self.normalise = layers.BatchNormalization()
            self.dropout = layers.Dropout(0.3)
            self.head = layers.Dense(10)

        def forward(self, image):
            x = ops.relu(self.first(image))
            x = ops.relu(self.normalise(self.second(x)) + x)
            return self.head(self.dropout(ops.reshape(x, (-1, 256))))

    class WithMode(Network):
        def call(self, image, training=None):
            return self.forward(image)

    class WithoutMode(Network):
        def call(self, image):
            return self.forward(image)

    return WithMode() if accepts_training else WithoutMode()


def reordered():
    from keras import Input, Model, layers

    head = layers.Dense(10)
    image = Input((8, 8, 1))
    return Model(image, head(layers.Flatten()(layers.Conv2D(4, 3)(image))))


def ordered():
    from keras import Input, Model, layers

    image = Input((8, 8, 1))
    x = layers.Flatten()(layers.Conv2D(4, 3)(image))
    return Model(image, layers.Dense(10)(x))


def climbed(reference, variant) -> dict[int, Rung]:
    rungs = climb(
        reference,
        variant,
        example=(IMAGES, LABELS),
        loss="sparse_categorical_crossentropy",
        seed=3,
        steps=3,
    )
    assert tuple(rung.name for rung in rungs) == NAMES
    return {rung.number: rung for rung in rungs}


def test_a_subclass_with_bare_operations_passes_every_rung_bit_for_bit():
    rungs = climbed(functional, subclass)
    assert [rung.outcome for rung in rungs.values()] == ["pass"] * 8, rungs
    assert rungs[8].value == 0.0


def test_a_lost_skip_connection_is_named_and_fails_from_the_graph_on():
    rungs = climbed(functional, lambda: functional(skip=False))
    assert rungs[3].outcome == "fail"
    assert "Add" in rungs[3].sentence
    assert rungs[4].outcome == "pass"
    assert {rungs[k].outcome for k in (6, 7, 8)} == {"fail"}


def test_a_model_whose_call_takes_no_training_argument_differs_in_training_mode_only():
    rungs = climbed(functional, lambda: subclass(accepts_training=False))
    assert "training mode" in rungs[6].sentence
    assert rungs[6].outcome == "fail"
    assert rungs[5].outcome == "pass"


def test_layers_constructed_in_another_order_start_elsewhere_and_train_alike_from_one_start():
    rungs = climbed(ordered, reordered)
    assert [k for k, rung in rungs.items() if rung.outcome != "pass"] == [5]
    assert rungs[5].value < 1


def test_another_dropout_rate_is_a_difference_of_the_graph_and_of_the_training_but_not_of_the_function():
    rungs = climbed(functional, lambda: functional(dropout=0.6))
    assert [rungs[k].outcome for k in (3, 6, 7, 8)] == ["fail", "pass", "pass", "fail"]
    assert "rate" in rungs[3].sentence


@pytest.mark.parametrize(("variant", "stops_at"), [(sequential_autoencoder, 2), (functional_autoencoder, 1)])
def test_the_published_autoencoders_stop_where_the_article_says_they_run(variant, stops_at):
    images = np.zeros((4, 28, 28, 1), dtype="float32")
    rungs = climb(intended_autoencoder, variant, example=(images, images), loss="mean_squared_error", seed=0, steps=2)
    outcomes = [rung.outcome for rung in rungs]
    assert outcomes == ["pass"] * (stops_at - 1) + ["fail"] + ["not applicable"] * (8 - stops_at)
    assert "ValueError" in rungs[stops_at - 1].sentence


def test_the_published_sequential_autoencoder_counts_its_shared_layers_once():
    assert sequential_autoencoder().count_params() == 74_497


def test_a_lack_of_memory_is_no_finding_about_a_model():
    def hungry():
        raise MemoryError

    with pytest.raises(ResourceError, match="memory ran out"):
        climb(functional, hungry, example=(IMAGES, LABELS), loss="sparse_categorical_crossentropy", seed=0, steps=2)
