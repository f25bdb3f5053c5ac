"""Every pair of the corpus gets the right verdict, and the right code and place where it is different."""

import importlib

import pytest

FILES = ("convolutional", "dense", "recurrent", "subclassed", "several", "training", "feeding")


def _names():
    import ast
    from pathlib import Path

    folder = Path(__file__).parent / "corpus"
    for file in FILES:
        for statement in ast.parse((folder / f"{file}.py").read_text()).body:
            if isinstance(statement, ast.FunctionDef) and statement.decorator_list:
                yield f"{file}:{statement.name}"


NAMES = tuple(_names())


def load(name):
    file, _, function = name.partition(":")
    return getattr(importlib.import_module(f"tests.compare.corpus.{file}"), function)


def compared(found):
    from twinbench.compare import compare

    a, b, *feeds = found.make()
    fed = dict(zip(("feed_a", "feed_b"), feeds, strict=False))
    return compare(a, b, input_shape=SHAPES.get(found.name), **fed)


SHAPES = {
    "softmax_along_the_wrong_axis": (3, 7),
    "layers_made_in_another_order": (7,),
    "each_branch_reads_the_input_instead_of_a_chain": (6, 6, 2),
}
"""Shapes for the pairs in which neither model knows its own."""


@pytest.mark.parametrize("name", NAMES)
def test_the_pair_is_explained(name):
    found = load(name)
    report = compared(found)
    shown = [(cause.code, cause.where, cause.a, cause.b) for cause in report.causes]
    if found.equal:
        assert report.verdict in ("identical", "equivalent"), shown
        assert not report.causes, shown
        return
    assert report.verdict == ("different" if found.explains else "equivalent"), (shown, report.warnings)
    assert report.code == found.code, shown
    place = " ".join(cause.where for cause in report.causes if cause.code == found.code)
    missing = [word for word in found.words if word.lower() not in place.lower()]
    assert not missing, (missing, shown)


def test_the_corpus_is_large_enough():
    equal = [name for name in NAMES if load(name).equal]
    assert len(NAMES) >= 60
    assert len(equal) >= 12
