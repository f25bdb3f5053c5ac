"""Callbacks, class weights, a metric of one's own and a limit of time act on networks of a person's own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.architectures.test_places import forget

from twinbench.architectures import catalogue
from twinbench.config import Dataset, parse_configuration
from twinbench.data import prepare
from twinbench.errors import ConfigurationError
from twinbench.planning.plan import make_plan
from twinbench.store.record import Record
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs

NETS = """import time

import keras
from keras import layers


def body(units=1, last="sigmoid"):
    return keras.Sequential([keras.Input((2,)), layers.Dense(units, activation=last)])


def plain():
    return body()


def two():
    return body(2, None)


def measured(rate=0.1):
    model = body()
    model.compile(
        keras.optimizers.SGD(rate),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(), keras.metrics.F1Score(threshold=0.5), "mae"],
    )
    return model


def measured_twice():
    model = body()
    metrics = [keras.metrics.AUC(), keras.metrics.AUC(curve="PR")]
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=metrics)
    return model


def unmeasured():
    model = body()
    model.compile("sgd", "binary_crossentropy")
    return model


def hangs():
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            pass


class Late(keras.Model):
    def fit(self, *arguments, **named):
        time.sleep(60)


def late():
    inputs = keras.Input((2,))
    return Late(inputs, layers.Dense(2)(inputs))
"""
COMMON, RARE = 90, 30


def _part(common: int, rare: int) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that overlap, the second a third as frequent."""
    draw = np.random.default_rng(0)
    inputs = np.concatenate([draw.normal(-0.5, 1, (common, 2)), draw.normal(0.5, 1, (rare, 2))])
    return inputs, np.repeat(["common", "rare"], [common, rare])


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Returns a function that trains builders under settings; the records by the builder's name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(NETS)
    (x, y), (x_test, y_test) = _part(COMMON, RARE), _part(40, 40)
    np.savez("mine.npz", x_train=x, y_train=y, x_validation=x_test, y_validation=y_test, x_test=x_test, y_test=y_test)
    prepare(Dataset.model_validate("mine.npz"), tmp_path / "out.npz", tmp_path / "out.json")

    def trained(*names: str, score: str | None = None, seeds: int = 1, **training: Any) -> dict[str, Record]:
        forget()
        network: dict[str, Any] = {"name": "own", "reference": f"nets.py:{names[0]}", "score": score}
        network["variants"] = [f"nets.py:{name}" for name in names[1:]]
        settings = {"epochs": 3, "batch_size": 20, "learning_rate": 0.1} | training
        content = {"datasets": "mine.npz", "architectures": network, "suspects": [], "training": settings}
        configuration = parse_configuration(content | {"seeds": seeds})
        runs = make_plan(configuration).runs
        records = train_runs(runs, configuration, tmp_path / "out.npz", RunStore(tmp_path / "store"))
        return {record.outcome.variant: record for record in records}

    yield trained
    catalogue._brought.clear()
    forget()


def test_early_stopping_ends_a_run_and_puts_the_best_weights_back(train) -> None:
    stopping = {"EarlyStopping": {"monitor": "val_score", "patience": 2, "restore_best_weights": True}}
    records = train("measured", "plain", epochs=12, learning_rate=1e-6, callbacks=[stopping])
    plain = records["plain"]
    # At such a rate nothing gets better: the first epoch stays the best, and two more are waited for.
    assert (plain.outcome.status, plain.outcome.epochs, len(plain.history)) == ("ok", 3, 3), plain.outcome.reason
    for record in records.values():
        scores = [epoch.validation_score for epoch in record.history]
        assert record.outcome.validation_score == max(scores)
        assert record.outcome.test_score == max(scores)  # the two parts are the same
        assert record.outcome.epochs == len(scores) < 12


def test_schedules_and_plateaus_set_the_learning_rate(train) -> None:
    still = {"PiecewiseConstantDecay": {"boundaries": [0], "values": [0.1, 0.0]}}
    losses = [epoch.validation_loss for epoch in train("measured", "plain", callbacks=[still])["measured"].history]
    assert losses[0] == pytest.approx(losses[2], abs=1e-7)  # the rate is 0 after the first epoch
    plateau = {"ReduceLROnPlateau": {"patience": 1, "factor": 1e-6, "min_delta": 10.0}}
    losses = [epoch.validation_loss for epoch in train("measured", "plain", callbacks=[plateau])["measured"].history]
    assert losses[0] != pytest.approx(losses[1], abs=1e-5)
    assert losses[1] == pytest.approx(losses[2], abs=1e-5)


def test_a_callback_that_watches_what_is_not_reported_fails_the_run_with_what_there_is(train) -> None:
    watching = {"EarlyStopping": {"monitor": "val_auc"}}
    records = train("measured", "unmeasured", callbacks=[watching], seeds=2)
    assert records["measured"].outcome.status == "ok", records["measured"].outcome.reason
    reason = records["unmeasured"].outcome.reason
    assert reason == "EarlyStopping watches 'val_auc', and there is only loss, val_loss, val_score."


def test_class_weights_shift_what_is_predicted(train) -> None:
    def rare(record: Record) -> float:
        from twinbench.store.predictions import unpack

        offsets = unpack(record.predictions, record.outcome.test_examples)
        return float(np.mean((np.repeat([0, 1], 40) + offsets) % 2))

    given = ({"rare": 0.01}, "balanced", {"rare": 50})
    shares = [rare(train("plain", "two", class_weight=weights)["plain"]) for weights in given]
    assert shares[0] < shares[1] < shares[2], shares
    assert train("two", "plain", class_weight="balanced")["two"].outcome.loss.endswith("by Keras's own loop")
    with pytest.raises(ConfigurationError, match="names the class 'rar', and dataset 'mine' has common, rare"):
        train("plain", "two", class_weight={"rar": 2})
    with pytest.raises(ConfigurationError, match="is 0 for every class, so that nothing would be learnt"):
        train("plain", "two", class_weight={"rare": 0, "common": 0})


def test_a_metric_of_the_models_own_is_the_score(train) -> None:
    for score in ("auc", "f1_score"):
        record = train("measured", "unmeasured", score=score, seeds=2)
        assert record["measured"].outcome.score_name == score
        assert 0 < record["measured"].outcome.test_score <= 100
        assert record["measured"].outcome.test_score != train("measured", "plain")["measured"].outcome.test_score
        assert f"scored by '{score}', and reports only loss: compile it" in record["unmeasured"].outcome.reason
    # Keras counts the metrics of all models of a process: a second of one kind is the second in each of them.
    first, second = (train("measured_twice", "measured", score=score, seeds=2) for score in ("auc", "auc_1"))
    assert first["measured_twice"].outcome.test_score == first["measured"].outcome.test_score
    assert second["measured_twice"].outcome.status == "ok", second["measured_twice"].outcome.reason
    assert second["measured_twice"].outcome.test_score != first["measured"].outcome.test_score
    falling = train("measured", "plain", score="mae")["measured"].outcome
    assert (falling.status, falling.reason) == (
        "failed", "It is to be scored by 'mae', which falls as a model gets better."
    )  # fmt: skip


def test_a_run_that_takes_too_long_is_a_failed_row_and_the_others_go_on(train) -> None:
    train("plain", "two")  # TensorFlow's start is not to count
    records = train("plain", "hangs", "late", "two", minutes=0.1, seeds=1)
    limit = "It took longer than the 0.1 minutes that `training.minutes` allows a run."
    for name in ("hangs", "late"):
        assert (records[name].outcome.status, records[name].outcome.reason) == ("failed", limit)
        assert records[name].cost.seconds < 20
    assert records["two"].outcome.status == "ok", records["two"].outcome.reason


def test_settings_that_are_not_set_leave_the_keys_of_runs_as_they_were() -> None:
    from twinbench.config import TrainingSection
    from twinbench.planning.keys import result_settings

    names = {"callbacks", "class_weight", "minutes"}
    unset = result_settings(catalogue.architectures()["mlp"].training(TrainingSection()))
    assert not names & unset.keys()
    section = TrainingSection(callbacks=["EarlyStopping"], class_weight={0: 2}, minutes=3)
    assert names <= result_settings(catalogue.architectures()["mlp"].training(section)).keys()


def test_networks_of_the_package_take_no_callbacks(train, tmp_path: Path) -> None:
    (x, y) = np.zeros((4, 4, 4), np.uint8), [0, 1, 0, 1]
    np.savez("images.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    prepare(Dataset.model_validate("images.npz"), tmp_path / "images" / "i.npz", tmp_path / "images" / "i.json")
    configuration = parse_configuration({"architectures": "mlp", "training": {"callbacks": "EarlyStopping"}})
    with pytest.raises(ConfigurationError, match=r"'mlp' is one of twinbench's own, which `training.callbacks`"):
        train_runs(make_plan(configuration).runs[:1], configuration, tmp_path / "images" / "i.npz", RunStore(tmp_path))


@pytest.mark.parametrize(
    ("callbacks", "sentence"),
    [
        ("EarlyStoping", "must be one of EarlyStopping, ReduceLROnPlateau"),
        ({"EarlyStopping": {"patient": 3}}, "must not set 'patient' of EarlyStopping, whose settings are monitor"),
        ({"EarlyStopping": {"patience": "3"}}, "must give EarlyStopping a whole number for 'patience', not '3'"),
        ({"EarlyStopping": {"mode": "up"}}, "one of auto, min, max for 'mode'"),
        ({"EarlyStopping": 3}, "must give EarlyStopping its settings by their names"),
        ({"CosineDecay": {"decay_steps": 3}}, "must give CosineDecay its 'initial_learning_rate'"),
        ({"EarlyStopping": {}, "CosineDecay": {}}, "must be one of"),
    ],
)
def test_a_bad_callback_is_refused_before_anything_runs(callbacks: Any, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        parse_configuration({"training": {"callbacks": callbacks}})


@pytest.mark.parametrize("given", ["even", {"a": -1}, 3, {"a": "b"}])
def test_bad_class_weights_are_refused_in_a_sentence(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'training.class_weight' is .* it must be 'balanced', or a weight"):
        parse_configuration({"training": {"class_weight": given}})
