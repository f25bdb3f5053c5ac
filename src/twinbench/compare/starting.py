"""Builds both models again under other seeds and says whether, and why, training starts elsewhere."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.initial import Start, initial_causes, reproducible, values
from twinbench.compare.report import Cause
from twinbench.compare.sides import SMALL, Side
from twinbench.errors import first_cause
from twinbench.sameness.canonical import ensure_built
from twinbench.sameness.inputs import placeholder_inputs
from twinbench.sameness.ladder import Rung, initial_rung
from twinbench.sameness.pairing import Pair, Subject, count_parameters

SEEDS = (1, 2)
"""Seeds of the further builds; the first was built under seed 0."""


@dataclass
class Beginnings:
    """The fifth rung, and what the initial weights tell."""

    rung: Rung
    causes: list[Cause] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)


def compare_starts(sides: tuple[Side, Side], pair: Pair) -> Beginnings:
    """Compares the initial weights of two freshly built models, and of further builds of both."""
    found = Beginnings(initial_rung(pair))
    if not all(one.rebuilds for one in sides):
        sentence = "A saved or live model has no start."
        found.rung = replace(found.rung, outcome="not applicable", value=None, sentence=sentence)
        return found
    starts = [Start(pair.transfer.pairs, pair.a.variables(), pair.b.variables())]
    if count_parameters(pair.a.variables()) <= SMALL:
        try:
            starts += [_again(sides, pair, seed) for seed in SEEDS]
        except Exception as error:
            found.untested.append(f"building the models a second time failed: {first_cause(error)}")
    found.causes += initial_causes(starts)
    if found.rung.outcome == "fail" and not found.causes and _drawn_otherwise(sides, pair):
        _explain(found, sides, pair, starts)
    return found


def _drawn_otherwise(sides: tuple[Side, Side], pair: Pair) -> bool:
    """Whether weights that start with other values are draws: not loaded on both sides, nor of other precisions."""
    for p, q in pair.transfer.pairs:
        loaded = id(p) in sides[0].held and id(q) in sides[1].held
        if not loaded and p.dtype == q.dtype and not np.array_equal(values(p), values(q)):
            return True
    return False


def _explain(found: Beginnings, sides: tuple[Side, Side], pair: Pair, starts: list[Start]) -> None:
    """Weights of one distribution that start with other values: another seed, or another order of the draws."""
    neutral = None
    if len(starts) > 1:
        with suppress(Exception):  # a builder that cannot be called again has been told
            neutral = _again(sides, pair, None)
    if neutral is not None and all(np.array_equal(values(p), values(q)) for p, q in neutral.pairs):
        found.warnings.append("The two set different seeds of their own, so they start elsewhere: that is chance.")
        return
    fixed = len(starts) > 1 and reproducible(starts[0].a, starts[1].a) and reproducible(starts[0].b, starts[1].b)
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
    variables: list[list[Any]] = []
    places: list[dict[int, int]] = []
    for one, known in zip(sides, (pair.a, pair.b), strict=True):
        model = _fresh(one, known, seed)
        variables.append(list(model.variables))
        places.append({id(v): k for k, v in enumerate(known.model.variables)})
        if len(variables[-1]) != len(places[-1]):
            raise ValueError("a second build has another number of variables")
    pairs = [
        (variables[0][places[0][id(p)]], variables[1][places[1][id(q)]])
        for p, q in pair.transfer.pairs
        if id(p) in places[0] and id(q) in places[1]
    ]
    own = [
        [made[place[id(v)]] for v in known.variables() if id(v) in place]
        for made, place, known in zip(variables, places, (pair.a, pair.b), strict=True)
    ]
    return Start(pairs, *own)


def _fresh(one: Side, known: Subject, seed: int | None) -> keras.Model:
    """A new build under a seed; with None under one seed that the builder cannot replace by its own."""
    model = one.model(seed, alone=seed is None)
    if not model.built or len(model.variables) != len(known.model.variables):
        ensure_built(model, known.signature, placeholder_inputs(known.signature))
    return model
