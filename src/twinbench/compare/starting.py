"""Builds both models again under other seeds and says whether, and why, training starts elsewhere."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.initial import Start, initial_causes, reproducible
from twinbench.compare.report import Cause
from twinbench.compare.sides import SMALL, Side
from twinbench.errors import first_cause
from twinbench.sameness.canonical import ensure_built
from twinbench.sameness.inputs import placeholder_inputs
from twinbench.sameness.rungs import Rung, initial_rung
from twinbench.sameness.subjects import Pair, Subject, count_parameters

SEEDS = (1, 2)
"""Seeds of the further builds; the first was built under seed 0."""


@dataclass
class Beginnings:
    """The fifth rung, and what the initial weights tell."""

    rung: Rung
    causes: list[Cause] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)
    widths: list[str] = field(default_factory=list)


def compare_starts(sides: tuple[Side, Side], pair: Pair) -> Beginnings:
    """Compare the initial weights of two freshly built models, and of further builds of both."""
    found = Beginnings(initial_rung(pair))
    if not all(one.rebuilds for one in sides):
        sentence = "A saved or live model has no start."
        found.rung = replace(found.rung, outcome="not applicable", value=None, sentence=sentence)
        return found
    starts = [Start(pair.transfer, (pair.a.variables(), pair.b.variables()))]
    if count_parameters(pair.a.variables()) <= SMALL:
        try:
            starts += [_again(sides, pair, seed) for seed in SEEDS]
        except Exception as error:
            found.untested.append(f"building the models a second time failed: {first_cause(error)}")
    if not pair.transfer.complete:
        found.untested.append("the weights could not all be matched")
    found.causes, found.widths = initial_causes(starts)
    if found.widths:
        found.warnings.append(
            f"Initial weights: {', '.join(found.widths[:3])}; an initialiser that counts the units of a tensor gives "
            "other values to a tensor that is cut in another way."
        )
    if found.rung.outcome == "fail" and not (found.causes or found.widths) and _drawn_otherwise(sides, starts[0]):
        _explain(found, sides, pair, starts)
    return found


def _drawn_otherwise(sides: tuple[Side, Side], start: Start) -> bool:
    """Whether weights that start with other values are draws: not loaded on both sides, nor of other precisions."""
    for p, q, x, y in start.carried():
        loaded = id(p) in sides[0].held and id(q) in sides[1].held
        if not loaded and p.dtype == q.dtype and not np.array_equal(x, y):
            return True
    return False


def _explain(found: Beginnings, sides: tuple[Side, Side], pair: Pair, starts: list[Start]) -> None:
    """Weights of one distribution that start with other values: another seed, or another order of the draws."""
    if pair.transfer.negated:
        found.warnings.append("One side uses some weights with the opposite sign, so the two start elsewhere.")
        return
    neutral = None
    if len(starts) > 1:
        with suppress(Exception):  # a builder that cannot be called again has been told
            neutral = _again(sides, pair, None)
    if neutral is not None and all(np.array_equal(x, y) for _, _, x, y in neutral.carried()):
        found.warnings.append("The two set different seeds of their own, so they start elsewhere: that is chance.")
        return
    fixed = len(starts) > 1 and all(map(reproducible, starts[0].sides, starts[1].sides))
    if not fixed:
        found.warnings.append(
            "Under the same seed the two start with other weights of the same distribution (their layers are "
            "constructed in another order): between single runs that is chance, nothing more."
        )
        return
    detail = "both fix their seed, and their layers are constructed in another order, so they start from other draws"
    found.causes.append(
        make_cause(
            "init",
            "initial weights under the same seed: order in which the layers are constructed",
            "one draw",
            "another draw of the same distribution",
            detail=f"{detail}; {found.rung.sentence}",
            explains=False,
            why="The distribution is the same: a gap between two single runs is chance.",
            fix="Construct the layers in the same order, or compare over several seeds.",
        )
    )


def _again(sides: tuple[Side, Side], pair: Pair, seed: int | None) -> Start:
    """Another build of both; its variables correspond to those of the first by their order in the model."""
    again: dict[int, Any] = {}
    for one, known in zip(sides, (pair.a, pair.b), strict=True):
        model = _fresh(one, known, seed)
        if len(model.variables) != len(known.model.variables):
            raise ValueError("a second build has another number of variables")
        again |= {id(v): fresh for v, fresh in zip(known.model.variables, model.variables, strict=True)}
    return Start(pair.transfer, (pair.a.variables(), pair.b.variables()), again)


def _fresh(one: Side, known: Subject, seed: int | None) -> keras.Model:
    """A new build under a seed; with None under one seed that the builder cannot replace by its own."""
    model = one.model(seed, alone=seed is None)
    if not model.built or len(model.variables) != len(known.model.variables):
        ensure_built(model, known.signature, placeholder_inputs(known.signature))
    return model
