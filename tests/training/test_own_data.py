"""Data of every shape that a person may bring are trained on and measured by the same machinery as images."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.architectures.test_places import forget

from twinbench.architectures import catalogue
from twinbench.config import Configuration, parse_configuration
from twinbench.data import load, prepare
from twinbench.errors import ConfigurationError
from twinbench.planning.plan import make_plan, selected_variants
from twinbench.store.record import Record
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs

NETS = """import keras
from keras import layers


def flat(input_shape, classes):
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), layers.Dense(classes)])


def hidden(input_shape, classes):
    inputs = keras.Input(input_shape)
    x = layers.Dense(8, activation="tanh")(layers.Flatten()(inputs))
    return keras.Model(inputs, layers.Dense(classes)(x))


def words(classes):
    return keras.Sequential([layers.Embedding(20, 8), layers.GlobalAveragePooling1D(), layers.Dense(classes)])


def words_compiled(classes):
    inputs = keras.Input((None,), dtype="int32")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(20, 8)(inputs))
    model = keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.05), "categorical_crossentropy", metrics=["accuracy"])
    return model


def listed(input_shape, classes):
    inputs = [keras.Input(input_shape[name], name=name) for name in ("table", "image")]
    x = layers.Concatenate()([layers.Flatten()(one) for one in inputs])
    return keras.Model(inputs, layers.Dense(classes)(x))


class Named(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.last = layers.Dense(classes)

    def call(self, inputs):
        image = keras.ops.reshape(inputs["image"], (-1, 16))
        return self.last(keras.ops.concatenate([inputs["table"], image], axis=-1))


def named(classes):
    return Named(classes)


def sigmoid(input_shape):
    return keras.Sequential([keras.Input(input_shape), layers.Dense(1, activation="sigmoid")])


def logit(input_shape):
    return keras.Sequential([keras.Input(input_shape), layers.Dense(1)])


def flat_logit(input_shape):
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), layers.Dense(1)])


def words_logit():
    # As long as it is not trained, its logits are small and positive.
    vectors = layers.Embedding(20, 8, embeddings_initializer=keras.initializers.RandomUniform(0, 0.05))
    last = layers.Dense(1, kernel_initializer=keras.initializers.RandomUniform(0, 0.05))
    return keras.Sequential([vectors, layers.GlobalAveragePooling1D(), last])


def words_sigmoid():
    return keras.Sequential([words_logit(), layers.Lambda(keras.ops.sigmoid)])


def compiled_logit(input_shape):
    model = logit(input_shape)
    model.compile(keras.optimizers.Adam(0.05), keras.losses.BinaryCrossentropy(from_logits=True))
    return model
"""
N, M = 120, 60


def _table(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 5)) * [1, 2, 3, 4, 5]


def _classes(table: np.ndarray, count: int) -> np.ndarray:
    return np.digitize(table[:, 0], [-0.5, 0.5][: count - 1] if count > 2 else [0.0])


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Returns a function that prepares arrays and trains builders on them; the records and all that is measured."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(NETS)

    def configured(arrays: dict[str, Any], *names: str, **settings: Any) -> Configuration:
        forget()
        np.savez(tmp_path / "mine.npz", **arrays)
        network = {"name": "own", "reference": f"nets.py:{names[0]}", "variants": [f"nets.py:{n}" for n in names[1:]]}
        network |= settings.pop("network", {})
        training = {"epochs": 4, "batch_size": 8, "learning_rate": 0.05} | settings.pop("training", {})
        dataset = {"source": "mine.npz"} | settings.pop("dataset", {})
        content = {"datasets": dataset, "architectures": network, "suspects": [], "seeds": 1, "training": training}
        content["measurements"] = {"ladder_steps": 2, "cost_repeats": 3}
        return parse_configuration(content | settings)

    def trained(arrays: dict[str, Any], *names: str, **settings: Any) -> dict[str, Record]:
        configuration = configured(arrays, *names, **settings)
        prepare(configuration.datasets[0], tmp_path / "out.npz", tmp_path / "out.json")
        runs = make_plan(configuration).runs
        records = train_runs(runs, configuration, tmp_path / "out.npz", RunStore(tmp_path / "store"))
        return {record.outcome.variant: record for record in records}

    def measured(configuration: Configuration) -> tuple[list[dict[str, Any]], Any]:
        from twinbench.measurement.costs import measure_costs
        from twinbench.measurement.gradients import measure_gradients
        from twinbench.measurement.ladder import climb_all

        rungs = list(climb_all(selected_variants(configuration), load(tmp_path / "out.npz"), steps=2))
        assert measure_gradients(configuration, tmp_path / "out.npz").empty
        return rungs, measure_costs(configuration, tmp_path / "out.npz")

    trained.configured, trained.measured = configured, measured  # type: ignore[attr-defined]
    yield trained
    catalogue._brought.clear()
    forget()


def _both(make: Any) -> dict[str, Any]:
    """The arrays of a training part and a test part, each made from a number of examples and a seed."""
    return {f"{key}_{part}": array for part, count, seed in (("train", N, 0), ("test", M, 1))
            for key, array in make(count, seed).items()}  # fmt: skip


def _tables(classes: int = 3) -> dict[str, Any]:
    return _both(lambda n, seed: {"x": _table(n, seed), "y": _classes(_table(n, seed), classes)})


def _held(configuration: Configuration, study: Any) -> None:
    """The ladder is climbed to its top, and every cost is measured."""
    rungs, costs = study.measured(configuration)
    assert {row["rung"] for row in rungs if row["outcome"] != "not applicable"} >= {1, 2, 3, 4}, rungs
    assert not [row for row in rungs if "raises" in row["sentence"]], rungs
    assert costs["reason"].fillna("").eq("").all(), costs["reason"].tolist()


def test_a_table_is_trained_on_as_it_is(study) -> None:
    records = study(_tables(), "flat", "hidden")
    for name, record in records.items():
        assert record.outcome.status == "ok", record.outcome.reason
        assert record.outcome.test_score > 70, name
        assert record.predictions is not None
        assert record.outcome.loss == "sparse_categorical_crossentropy, by Keras's own loop"


def test_sequences_and_words_are_trained_on(study) -> None:
    def words(count: int, seed: int) -> dict[str, Any]:
        labels = np.arange(count) % 2
        tokens = np.random.default_rng(seed).integers(0, 10, (count, 7)) + 10 * labels[:, None]
        return {"x": tokens, "y": np.array(["low", "high"])[labels]}

    arrays = _both(words)
    records = study(arrays, "words", "words_compiled")
    assert {name: record.outcome.test_score for name, record in records.items()} == {
        "words": 100.0, "words_compiled": 100.0
    }, [record.outcome.reason for record in records.values()]  # fmt: skip
    _held(study.configured(arrays, "words", "words_compiled"), study)
    # A sigmoid is seen by what larger weights give, since there are no larger words.
    single = {name: record.outcome for name, record in study(arrays, "words_logit", "words_sigmoid").items()}
    assert single["words_logit"].test_score == 100, single["words_logit"]
    assert single["words_logit"].test_loss == pytest.approx(single["words_sigmoid"].test_loss, rel=1e-4)
    waves = _both(lambda n, seed: {"x": _table(n * 6, seed).reshape(n, 6, 5), "y": np.arange(n) % 2})
    assert {record.outcome.status for record in study(waves, "flat", "hidden").values()} == {"ok"}
    assert load(Path("out.npz")).input_shape == (6, 5)


def test_several_inputs_go_to_the_model_by_their_names(study) -> None:
    def two(count: int, seed: int) -> dict[str, Any]:
        return {"table": _table(count, seed), "image": np.full((count, 4, 4), 128, np.uint8)}

    inputs = {f"x_{part}_{name}": array for part, count, seed in (("train", N, 0), ("test", M, 1))
              for name, array in two(count, seed).items()}  # fmt: skip
    arrays = inputs | {key: array for key, array in _tables().items() if key[0] == "y"}
    records = study(arrays, "listed", "named")
    for record in records.values():
        assert record.outcome.status == "ok", record.outcome.reason
        assert record.outcome.test_score > 50
    assert load(Path("out.npz")).input_shape == {"image": (4, 4, 1), "table": (5,)}
    _held(study.configured(arrays, "listed", "named"), study)


def test_numbers_are_predicted_and_scored_by_explained_variance(study) -> None:
    def amounts(count: int, seed: int) -> dict[str, Any]:
        table = _table(count, seed)
        return {"x": table, "y": np.stack([table @ [1, 2, 0, 0, 0.5], table[:, 1]], axis=1)}

    records = study(_both(amounts), "flat", "hidden", network={"task": "regress"}, training={"epochs": 8})
    linear = records["flat"].outcome
    assert (linear.task, linear.score_name) == ("regress", "explained variance")
    assert 90 < linear.test_score <= 100
    assert linear.loss == "mean_squared_error, by Keras's own loop"
    assert records["flat"].predictions is None
    _held(study.configured(_both(amounts), "flat", "hidden", network={"task": "regress"}), study)
    # Explained variance is 0 for the mean of the test labels.
    data = load(Path("out.npz"))
    assert data.classes == 2
    assert data.y_test.shape == (M, 2)


def test_whole_numbers_are_predicted_where_it_is_said_that_they_are_no_classes(study) -> None:
    arrays = _both(lambda n, seed: {"x": _table(n, seed), "y": np.rint(10 * _table(n, seed)[:, 0]).astype(int)})
    said = {"network": {"task": "regress"}, "dataset": {"labels": "numbers"}}
    assert study(arrays, "flat", "hidden", **said)["flat"].outcome.test_score > 20


def test_one_output_is_enough_for_two_classes(study) -> None:
    records = study(_tables(2), "sigmoid", "logit", "compiled_logit")
    outcomes = {name: record.outcome for name, record in records.items()}
    for name, outcome in outcomes.items():
        assert outcome.status == "ok", outcome.reason
        assert outcome.test_score > 75, name
        assert outcome.loss == "binary_crossentropy, by Keras's own loop"
    # The same network under the same seed, whether the sigmoid is its own or the loss's.
    assert outcomes["logit"].test_score == outcomes["sigmoid"].test_score
    assert outcomes["logit"].test_loss == pytest.approx(outcomes["sigmoid"].test_loss, rel=1e-4)
    _held(study.configured(_tables(2), "sigmoid", "logit"), study)
    labels = {"train": np.arange(N) % 2, "test": np.arange(M) % 2}
    images = {f"x_{part}": np.full((len(y), 4, 4), 200, np.uint8) * y[:, None, None] for part, y in labels.items()}
    images |= {f"y_{part}": y for part, y in labels.items()}
    assert study(images, "flat_logit", "flat")["flat_logit"].outcome.test_score == 100


def test_a_validation_part_of_its_own_is_used_and_nothing_is_held_out(study) -> None:
    table = _table(40, seed=3)
    arrays = _tables() | {"x_validation": table, "y_validation": _classes(table, 3)}
    outcome = study(arrays, "flat", "hidden")["flat"].outcome
    assert (outcome.train_examples, outcome.validation_examples) == (N, 40)
    wrong = arrays | {"y_validation": (_classes(table, 3) + 1) % 3}
    other = study(wrong, "flat", "hidden")["flat"].outcome
    assert other.validation_score < outcome.validation_score
    assert other.final_weights_sha256 == outcome.final_weights_sha256


def test_weights_of_examples_change_what_is_learnt(study) -> None:
    table, labels = _table(N), _classes(_table(N), 2)
    arrays = _tables(2)
    both = {"x_train": np.concatenate([table, table]), "y_train": np.concatenate([labels, 1 - labels])}
    half = np.repeat([1.0, 0.0], N)
    right = study(arrays | both | {"w_train": half}, "flat", "hidden")["flat"].outcome
    wrong = study(arrays | both | {"w_train": 1 - half}, "flat", "hidden")["flat"].outcome
    assert right.test_score > 75
    assert wrong.test_score < 25


@pytest.mark.parametrize(
    ("names", "settings", "sentence"),
    [
        (("flat", "hidden"), {"network": {"task": "regress"}}, "has labels that are classes: set `labels: numbers`"),
        (("flat", "hidden"), {"dataset": {"labels": "numbers"}}, "has labels that are numbers: set `task: regress`"),
        (("flat", "hidden"), {"architectures": ["mlp"]}, "takes? images .* float32 numbers of the shape"),
    ],
)  # fmt: skip
def test_a_network_that_does_not_fit_the_data_is_refused_before_training(study, names, settings, sentence) -> None:
    from twinbench.planning.feasible import check_feasible

    configuration = study.configured(_tables(), *names, **settings)
    with pytest.raises(ConfigurationError, match=sentence):
        check_feasible(configuration)
    with pytest.raises(ConfigurationError, match=sentence):
        study(_tables(), *names, **settings)
