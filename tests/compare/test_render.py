"""What a report looks like as text: source lines, what a cause cost, one line of passed rungs, colour."""

import json
import re
from pathlib import Path

import keras
import pytest
from keras import layers

from twinbench.architectures.catalogue import SUSPECTS_ARCHITECTURE, find_variant
from twinbench.compare.advice import CODES, make_cause
from twinbench.compare.api import compare
from twinbench.compare.damage import _SUSPECTS, FILE, damage_in_words, suspect_of
from twinbench.compare.render import as_text
from twinbench.report.damage import damage
from twinbench.report.findings import Kept


def with_activation():
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, activation="relu", name="lost")(inputs)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


def without_activation():
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, name="lost")(inputs)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


@pytest.fixture(scope="module")
def report():
    return compare(with_activation, without_activation)


def test_the_lines_that_made_a_layer_stand_under_its_cause(report):
    lines = as_text(report, 100).splitlines()
    assert 'test_render.py:22: x = layers.Conv2D(4, 3, activation="relu", name="lost")(inputs)' in lines[lines.index(
        "   A:    relu") + 1]  # fmt: skip
    assert (
        'test_render.py:28: x = layers.Conv2D(4, 3, name="lost")(inputs)' in lines[lines.index("   B:    linear") + 1]
    )
    assert [(cause["line_a"][:17], cause["line_b"][:17]) for cause in report.to_dict()["causes"]] == [
        ("test_render.py:22", "test_render.py:28")
    ]


def test_the_fix_comes_last_and_what_the_cause_cost_before_it(report):
    lines = as_text(report, 400).splitlines()
    fix = next(k for k, line in enumerate(lines) if line.startswith("   fix:  "))
    assert lines[fix + 1] == ""
    assert "In the benchmark" in lines[fix - 1]


def test_passed_rungs_are_one_line_and_others_are_told(report):
    lines = as_text(report, 100).splitlines()
    assert [line for line in lines if line.startswith("  passed: ")] == [
        "  passed: 1 builds, 2 runs on a batch, 4 same parameter count, 5 same initial weights"
    ]
    assert any(line.startswith("  3  FAIL same graph") for line in lines)


def test_only_a_coloured_report_holds_escapes_and_its_words_are_the_same(report):

    plain, coloured = as_text(report, 90), as_text(report, 90, colour=True)
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain != coloured


def test_every_suspect_that_is_told_is_in_the_catalogue_under_the_code_that_tells_it():
    for code, _, name in _SUSPECTS:
        assert code in CODES
        assert find_variant(SUSPECTS_ARCHITECTURE, name).cause == code


def test_what_a_cause_cost_is_what_a_kept_table_says():
    kept = Kept.read(Path(__file__).parents[2] / "results" / "reference")
    tables = [damage(part) for part in kept.named.values()]
    told = json.loads(FILE.read_text())
    assert {name for _, _, name in _SUSPECTS} <= told.keys()
    for name, entry in told.items():
        measured = [table[name] for table in tables if name in table]
        assert entry == next((one for one in measured if one["clear"]), measured[0])


@pytest.mark.parametrize(
    ("code", "where", "suspect", "words"),
    [
        ("arch.layer_missing", "Conv2D 'x', after the input", "layer_missing", "this cost "),
        ("data", "distinct samples per epoch", "repeated_first_batch", "this cost "),
        ("preprocessing", "range of the inputs (scaling)", "inputs_not_scaled", "no clear effect"),
        ("regularization", "regularizer of dense/kernel", None, ""),
        ("arch.wiring", "Add 'x': what it joins", None, ""),
    ],
)
def test_a_cause_without_a_suspect_of_its_kind_is_given_no_number(code, where, suspect, words):
    cause = make_cause(code, where, "a", "b", detail="differs")
    assert suspect_of(cause) == suspect
    assert words in damage_in_words(cause) if words else damage_in_words(cause) == ""
