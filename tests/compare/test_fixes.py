"""The fix of a cause, made on a copy of B: it is only called verified where the two are then the same."""

import keras
import pytest
from tests.compare.corpus import chain
from tests.compare.tally import load, names

import twinbench

PAIRS = {name: load(name) for name in names(("fixing",))}


@pytest.mark.parametrize("name", [name for name, pair in PAIRS.items() if not pair.equal])
def test_with_the_changes_that_the_causes_ask_for_the_two_are_the_same(name, tmp_path):
    a, b = PAIRS[name].sides(tmp_path)
    report = twinbench.compare(a, b, fix=True)
    blamed = tuple(range(1, 1 + sum(cause.explains_lower_score for cause in report.causes)))
    assert [(fix.causes, fix.outcome) for fix in report.fixes] == [(blamed, "verified")], report.fixes
    assert report.fixes[0].lines
    assert len(blamed) == 1 or not PAIRS[name].alone
    assert report.verdict == "different"


def test_where_nothing_is_blamed_nothing_is_fixed(tmp_path):
    a, b = PAIRS["fixing:a_turn_and_its_undoing"].sides(tmp_path)
    assert twinbench.compare(a, b, fix=True).fixes == []


def test_two_changes_are_needed_together_and_what_cannot_be_changed_is_said(tmp_path):
    a, _ = PAIRS["fixing:an_activation_is_lost"].sides(tmp_path)
    from tests.compare.corpus.fixing import network

    both = twinbench.compare(a, network(activation=None, epsilon=0.5), fix=True)
    assert [(fix.causes, fix.outcome) for fix in both.fixes] == [((1, 2), "verified")]
    live = twinbench.compare(a, network(activation=None)(), fix=True)
    assert [fix.outcome for fix in live.fixes] == ["not tried"]
    assert both.to_dict()["fixes"][0]["causes"] == [1, 2]


def test_the_line_names_the_argument_that_is_to_be_changed(tmp_path):
    a, b = PAIRS["fixing:the_gates_bend_in_another_way"].sides(tmp_path)
    assert "recurrent_activation='sigmoid'" in twinbench.compare(a, b, fix=True).fixes[0].lines[0]


def test_what_runs_inside_a_call_of_their_own_is_not_tried_there_and_said_to_be_so():
    from tests.compare.corpus.fixing import Subclassed

    class Longer(Subclassed):
        def __init__(self):
            super().__init__()
            self.more = keras.layers.UnitNormalization()

        def call(self, x):
            return self.out(self.more(self.hidden(x)))

    def build(cls):
        model = cls()
        model.build((None, 4))
        return model

    report = twinbench.compare(lambda: build(Longer), lambda: build(Subclassed), fix=True)
    assert [fix.outcome for fix in report.fixes] == ["not tried"]


def test_the_cause_whose_change_alone_is_enough_is_put_first():
    def build(*front):
        return lambda: chain((6, 2), *[step() for step in front], keras.layers.GRU(3), keras.layers.Dense(2))

    a, b = build(keras.layers.Masking), build()
    before = twinbench.compare(a, b)
    after = twinbench.compare(a, b, fix=True)
    assert [cause.where for cause in after.causes] == [cause.where for cause in before.causes][::-1]
    assert [(fix.causes, fix.outcome) for fix in after.fixes] == [((1,), "verified")]
    for report in (before, after):
        assert report.causes[0].where in report.sentence
        row = next(row for row in report.view.rows if row.causes and row.a.title.startswith("Masking"))
        assert row.causes == (1 + [cause.where.startswith("Masking") for cause in report.causes].index(True),)
