"""The fix of a cause, made on a copy of B: it is only called verified where the two are then the same."""

import pytest
from tests.compare.tally import load, names

import twinbench

PAIRS = {name: load(name) for name in names(("fixing",))}


@pytest.mark.parametrize("name", [name for name, pair in PAIRS.items() if not pair.equal])
def test_with_the_one_change_the_two_are_the_same(name, tmp_path):
    a, b = PAIRS[name].sides(tmp_path)
    report = twinbench.compare(a, b, fix=True)
    assert [(fix.causes, fix.outcome) for fix in report.fixes] == [((1,), "verified")], report.fixes
    assert report.fixes[0].lines
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
