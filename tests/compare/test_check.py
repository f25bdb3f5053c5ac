"""A check of one model: everything that is wrong is named, and nothing that is right is blamed."""

import json

import keras
import pytest
from click.testing import CliRunner
from tests.compare.corpus.alone import MODELS
from tests.compare.corpus.trained import CASES, differ

from twinbench.cli import main
from twinbench.compare.check.api import check
from twinbench.compare.check.gap import explain_gap
from twinbench.compare.check.render import as_text
from twinbench.compare.check.repeating import explain_repeats
from twinbench.compare.check.report import SUBJECTS
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import read_feed
from twinbench.compare.signatures import both_signatures
from twinbench.sameness.subjects import subject


@pytest.mark.parametrize("name", MODELS)
def test_the_model_is_what_it_claims_to_be(name):
    build, _, wrong = MODELS[name].make()
    keras.utils.set_random_seed(1)
    assert bool(wrong(build())) == bool(MODELS[name].code)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_wrong_is_named_and_nothing_else(name):
    model = MODELS[name]
    build, feed, _ = model.make()
    report = check(build, feed=feed, train=False, input_shape=(7,) if "mask" in name else None)
    assert {finding.code for finding in report.warnings} == ({model.code} if model.code else set()), report.findings
    assert report.exit_status == bool(model.code), report.sentence
    places = " ".join(finding.where for finding in report.warnings).lower()
    assert all(word.lower() in places for word in model.words), places


def test_half_of_the_models_are_right():
    right = sum(not model.code for model in MODELS.values())
    assert right >= 10
    assert right >= 0.4 * len(MODELS)


@pytest.mark.parametrize("name", CASES)
def test_fit_and_evaluate_differ_and_trainings_do_not_repeat_where_a_case_claims_so(name):
    assert differ(CASES[name]) == bool(CASES[name].answer)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.kind == "gap"])
def test_the_gap_between_fit_and_evaluate_is_split_into_what_makes_it(name):
    build, feed = CASES[name].make()
    model = build()
    given = read_feed(feed, "of A")
    signature = both_signatures(model, model, None, [given, given])[0]
    before = model.get_config(), model.optimizer.learning_rate.numpy()
    gaps = explain_gap(subject(model, signature), given, 1, Coverage(SUBJECTS))
    assert (model.get_config(), model.optimizer.learning_rate.numpy()) == before
    for one in gaps:
        assert sum(part.size for part in one.parts) == pytest.approx(one.size, abs=1e-6)
    parts = [part for one in gaps for part in one.parts]
    large = [part for part in parts if abs(part.size) > 1e-3]
    if not CASES[name].answer:
        assert large == []
    else:
        assert max(large, key=lambda part: abs(part.size)).name == CASES[name].answer, parts


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.kind == "repeat"])
def test_what_does_not_repeat_is_named_by_its_source(name):
    case = CASES[name]
    build, feed = case.make()
    repeat = explain_repeats(build, feed, read_feed(feed, "of A"), "the model")
    outcomes = {"": "repeats", "seed": "repeats when seeded"}
    assert repeat.outcome == outcomes.get(case.answer, "does not repeat"), repeat
    if repeat.outcome == "does not repeat":
        assert repeat.source.startswith(case.answer), repeat
        assert repeat.step is not None


def test_the_command_prints_json_and_ends_with_1_for_a_warning(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(
        "import keras\nimport numpy as np\n\n\ndef build():\n    print('building')\n"
        "    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])\n"
        "    model.compile('sgd', 'sparse_categorical_crossentropy')\n    return model\n\n\n"
        "def batches():\n    return np.eye(6, dtype='float32'), np.arange(6) % 3\n"
    )
    result = CliRunner().invoke(main, ["check", f"{path}:build", "--feed", f"{path}:batches", "--json"])
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["verdict"] == "warnings"
    assert [warning["code"] for warning in report["warnings"]] == ["compile.loss"]
    assert report["repeatability"]["outcome"] == "repeats when seeded"
    assert [gap["number"] for gap in report["fit_against_evaluate"]] == ["loss"]


def test_a_model_that_cannot_be_built_is_no_model_without_faults():
    def build():
        raise ValueError("no such thing")

    report = check(build)
    assert report.exit_status == 3
    assert "no such thing" in report.sentence
    assert "no such thing" in as_text(report)


def test_what_was_not_given_is_not_said_to_be_right():
    report = check(MODELS["an_encoder_cut_from_an_autoencoder"].make()[0])
    assert report.verdict == "nothing_found"
    assert all(word in report.sentence for word in ("Not looked at", "loss", "feed", "repeatability"))
