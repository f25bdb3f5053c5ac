"""A training step of the person's own against that of `fit`: what differs is named, and what does the same is not."""

import pytest
from tests.compare.corpus.stepped import PAIRS, dropout, ends, network, stepping
from tests.compare.tally import outcome, said

from twinbench.compare.api import compare
from twinbench.errors import UsageError


@pytest.mark.parametrize("name", PAIRS)
def test_the_steps_are_what_they_claim_to_be(name):
    apart = ends(PAIRS[name])
    assert apart < 1e-3 if PAIRS[name].equal else apart > 1e-3


@pytest.mark.parametrize("name", PAIRS)
def test_the_step_is_explained(name):
    a, b, feed, step = PAIRS[name].make()
    report = compare(a, b, feed_a=feed, feed_b=feed, step_b=step)
    assert outcome(PAIRS[name], report) == "explained", (said(report), report.untested)
    assert len(report.causes) == (not PAIRS[name].equal), said(report)


def test_what_the_steps_are_is_said_whichever_side_takes_them():
    a, b, feed, step = PAIRS["a_step_without_dropout"].make()
    report = compare(a, b, feed_a=feed, feed_b=feed, step_a=step)
    assert [(cause.code, cause.b) for cause in report.causes] == [("mode.bn_dropout", "training=True")]


def test_two_mistakes_in_one_step_are_both_named():
    _, _, feed, _ = PAIRS["a_step_without_dropout"].make()
    build = network(dropout, regularizer="l2")
    report = compare(build, build, feed_a=feed, feed_b=feed, step_b=stepping(training=False, penalties=False))
    assert {cause.code for cause in report.causes} == {"mode.bn_dropout", "regularization"}, said(report)


def test_a_step_that_raises_is_not_tested():
    a, b, feed, _ = PAIRS["a_plain_step"].make()

    def step(model, x, y):
        raise ValueError("no such thing")

    report = compare(a, b, feed_a=feed, feed_b=feed, step_b=step)
    assert report.verdict == "not_fully_tested"
    assert "no such thing" in " ".join(report.untested)


@pytest.mark.parametrize("side", ["step_a", "step_b"])
def test_a_step_is_refused_beside_data_which_is_trained_on_without_it(side):
    _, build, _, step = PAIRS["a_plain_step"].make()
    with pytest.raises(UsageError, match="leave out either --data or --step-a and --step-b"):
        compare(build, build, data="digits", **{side: step})
