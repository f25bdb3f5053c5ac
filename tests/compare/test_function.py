"""`twinbench.compare` and `twinbench.assert_same_model` as functions."""

import json

import pytest
from tests.compare.corpus import chain

import twinbench
from twinbench.errors import UsageError


def network(activation="relu", **compiled):
    from keras import layers

    model = chain((6,), layers.Dense(5, activation=activation, name="hidden"), layers.Dense(2, name="out"))
    if compiled:
        model.compile(**compiled)
    return model


def test_models_builders_and_saved_files_are_all_sides(tmp_path):
    path = tmp_path / "model.keras"
    network().save(path)
    for other in (network(), network, str(path), path):
        report = twinbench.compare(network, other)
        assert report.verdict in ("identical", "equivalent")
        assert report.causes == []


def test_a_report_is_plain_json(tmp_path):
    report = twinbench.compare(network, lambda: network("tanh")).to_dict()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["causes"][0]["explains_lower_score"] is True


def test_the_assertion_passes_for_twins_and_tells_the_difference_of_others():
    twinbench.assert_same_model(network, network)
    with pytest.raises(AssertionError, match=r"relu.*linear") as caught:
        twinbench.assert_same_model(network, lambda: network(None))
    assert "fix:" in str(caught.value)


@pytest.mark.parametrize(
    ("builders", "place"),
    [
        ((network, lambda: network(None)), "Dense 'hidden' before its activation; from Dense 'out' on"),
        ((network, lambda: network("tanh")), "Dense 'hidden' before its activation; from activation"),
        ((lambda: network(None), network), "Dense 'hidden' before its activation; from Dense 'out' on"),
    ],
)
def test_a_layer_agrees_only_before_its_activation_where_that_is_what_differs(builders, place):
    (rung,) = (rung for rung in twinbench.compare(*builders).rungs if rung.number == 6)
    assert f"the two agree up to {place}" in rung.sentence


def test_a_builder_that_raises_cannot_be_told_and_shows_its_own_lines():
    def broken():
        return chain((6,), network().get_layer("missing"))

    report = twinbench.compare(network, broken)
    assert report.verdict == "cannot_tell"
    assert report.exit_status == 3
    assert report.rungs[0].outcome == "fail"
    assert "in broken" in report.warnings[0]
    assert "site-packages" not in report.warnings[0]


def test_models_without_a_shape_need_one():
    import keras
    from keras import layers

    def late():
        return keras.Sequential([layers.Dense(4), layers.Dense(2)])

    with pytest.raises(UsageError, match="--input-shape"):
        twinbench.compare(late, late)
    assert twinbench.compare(late, late, input_shape=(6,)).verdict == "identical"


def test_what_is_no_model_is_an_error_of_use():
    with pytest.raises(UsageError, match=r"not a keras\.Model"):
        twinbench.compare(network, lambda: 3)
    with pytest.raises(UsageError, match="There is no file"):
        twinbench.compare(network, "nowhere.keras")
    with pytest.raises(UsageError, match=r"names no model|There is no"):
        twinbench.compare(network, "nowhere")


def test_no_code_of_a_saved_file_runs(tmp_path):
    from keras import layers

    marker = tmp_path / "marker"
    place = str(marker)
    model = chain((6,), layers.Lambda(lambda x: [open(place, "w").close(), x][1]), layers.Dense(2))  # noqa: PTH123 - as an attacker would
    marker.unlink(missing_ok=True)
    path = tmp_path / "harmful.keras"
    model.save(path)
    with pytest.raises(UsageError, match="safe mode"):
        twinbench.compare(path, network)
    assert not marker.exists()


def test_comparing_leaves_a_live_model_as_it_was():
    import numpy as np

    model = network()
    before = [np.array(w) for w in model.get_weights()]
    twinbench.compare(model, network)
    assert all(np.array_equal(x, y) for x, y in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("kind", ["python", "array", "variable", "list of variables"])
def test_state_of_their_own_that_calls_change_is_the_same_for_both_sides(kind):
    import keras
    import numpy as np
    import tensorflow as tf
    from keras import layers

    class Alternating(layers.Layer):
        """Adds nothing, one or two in turn, by a count that it keeps itself."""

        def __init__(self):
            super().__init__()
            self.count, self.seen, self.held = 0, np.zeros(()), [tf.Variable(0.0, trainable=False)]
            if kind == "variable":
                self.step = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            if kind == "python":
                self.count += 1
                return x + self.count % 3
            if kind == "array":
                self.seen += 1
                return x + float(self.seen % 3)
            step = self.step if kind == "variable" else self.held[0]
            step.assign(step + 1.0)
            return x + (step + 0.0) % 3.0

    def build():
        return keras.Sequential([keras.Input((6,)), layers.Dense(4), Alternating(), layers.Dense(2)])

    report = twinbench.compare(build, build)
    assert report.causes == []
    assert twinbench.compare(build(), build()).causes == []
