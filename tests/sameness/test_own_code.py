"""Two pieces of own Python are the same code only where text, closure, defaults and what they refer to are equal."""

import functools
import importlib
import json
import sys

import pytest

LIMIT = 3.0


def scaled(factor, shift=0.0):
    def scale(x, offset=shift):
        return factor * x + offset

    return scale


def limited(x):
    return min(x, LIMIT)


def renamed(y):
    """The same as `limited`, but for its names and this line."""
    return min(y, LIMIT)


PAIRS = {
    "one function made twice": (scaled(2.0), scaled(2.0), True),
    "another value in its closure": (scaled(2.0), scaled(3.0), False),
    "another default": (scaled(2.0), scaled(2.0, 1.0), False),
    "another operation": (lambda x: x + 1, lambda x: x - 1, False),
    "another constant": (lambda x: x > 300.0, lambda x: x > 500.0, False),
    "the same function within": (lambda x: 1 + limited(x), lambda x: 1 + limited(x), True),
    "another limit within": (lambda x: 1 + limited(x), lambda x: 1 + scaled(1.0)(x), False),
    "other names and another documentation": (limited, renamed, True),
    "partials": (functools.partial(limited, x=1), functools.partial(limited, x=2), False),
}


@pytest.mark.parametrize("name", PAIRS)
def test_functions_are_the_same_code_where_all_that_they_run_is_equal(name):
    from twinbench.sameness.own_code import identity

    first, second, same = PAIRS[name]
    assert (identity(first) == identity(second)) == same


@pytest.mark.parametrize(("attribute", "same"), [("_threshold", False), ("name", True)])
def test_layers_of_one_class_are_the_same_code_where_their_own_attributes_are_equal(attribute, same):
    from keras import layers

    from twinbench.sameness.own_code import identity

    class Limits(layers.Layer):
        def __init__(self, _threshold=1.0, name=None):
            super().__init__(name=name)
            self._threshold = _threshold

        def call(self, x):
            return x * self._threshold

    other = {"_threshold": 2.0, "name": "other"}[attribute]
    assert (identity(Limits()) == identity(Limits(**{attribute: other}))) == same


def test_what_a_library_holds_is_no_code_of_the_person():
    import keras

    from twinbench.sameness.own_code import own_callables, told_apart

    def model(activation):
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation=activation)])

    assert own_callables(model("relu")) == []
    assert told_apart(own_callables(model(scaled(2.0))), own_callables(model(scaled(2.0)))) == []
    assert len(told_apart(own_callables(model(scaled(2.0))), own_callables(model(scaled(3.0))))) == 2


def test_a_module_of_the_persons_own_may_have_the_name_of_one_of_pythons(tmp_path, monkeypatch):
    from twinbench.sameness.own_code import is_own

    (tmp_path / "code.py").write_text("def double(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "code", raising=False)
    own = importlib.import_module("code")
    monkeypatch.setitem(sys.modules, "code", own)
    assert is_own(own.double)
    assert not is_own(json.dumps)
