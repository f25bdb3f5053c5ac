"""Compares the losses that two compiled models minimise: resolved, whatever way they were written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed
from twinbench.compare.labels import (
    BINARY,
    FLAT_BINARY,
    FLAT_NUMBERS,
    NUMBERS,
    SCALES,
    UNKNOWN,
    UNUSUAL,
    Squash,
    example,
    form_of,
    loss_value,
    possible_forms,
    same_code,
    wrapped_crossentropy,
)
from twinbench.compare.report import Cause
from twinbench.sameness.graph import Node
from twinbench.sameness.subjects import Pair, Subject

PROBABILITY = {"softmax", "sigmoid", "hard_sigmoid"}

_CROSSENTROPIES = {
    "SparseCategoricalCrossentropy": "categorical crossentropy",
    "CategoricalCrossentropy": "categorical crossentropy",
    "BinaryCrossentropy": "binary crossentropy",
    "CategoricalFocalCrossentropy": "categorical focal crossentropy",
    "BinaryFocalCrossentropy": "binary focal crossentropy",
}
_FUNCTIONS = {
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "binary_crossentropy": "BinaryCrossentropy",
}


@dataclass(frozen=True)
class ResolvedLoss:
    """One loss of one output: what it computes, the labels it wants, and whether it fits the model's output."""

    name: str
    settings: tuple[tuple[str, Any], ...]
    labels: str
    on_logits: bool | None
    loss: Any

    def words(self) -> str:
        """The loss as a person would write it."""
        shown = [f"{k}={v}" for k, v in self.settings]
        if self.on_logits is not None:
            shown.insert(0, f"from_logits={self.on_logits}")
        return f"{self.name}({', '.join(shown)})"


def resolved_losses(model: keras.Model) -> list[ResolvedLoss] | None:
    """The losses that a model was compiled with, in the order of its outputs; None where it was not compiled."""
    if not getattr(model, "compiled", False) or getattr(model, "loss", None) is None:
        return None
    given = model.loss
    if isinstance(given, dict):
        names = list(getattr(model, "output_names", None) or sorted(given))
        given = [given.get(name) for name in names]
    elif not isinstance(given, list | tuple):
        given = [given] * len(getattr(model, "outputs", None) or [0])
    return [resolved_loss(loss) for loss in given if loss is not None]


def resolved_loss(given: Any) -> ResolvedLoss:
    """One loss, from a string, a function or an object."""
    loss = given
    if isinstance(given, str | dict):
        loss = keras.losses.get(given)
    name = type(loss).__name__ if isinstance(loss, keras.losses.Loss) else getattr(loss, "__name__", "custom")
    if name == "LossFunctionWrapper":
        name = getattr(loss.fn, "__name__", "custom")
    name = _FUNCTIONS.get(name, name)
    if not isinstance(loss, keras.losses.Loss):
        objects = {_snake(cls.__name__): cls for cls in vars(keras.losses).values() if isinstance(cls, type)}
        cls = objects.get(_snake(name)) if getattr(loss, "__module__", "").startswith("keras") else None
        loss = cls() if cls is not None else loss
        name = type(loss).__name__ if cls is not None else name
    config = _held(loss) if isinstance(loss, keras.losses.Loss) else {}
    kept = {k: v for k, v in config.items() if k not in ("name", "dtype", "fn", "from_logits", "reduction")}
    usual = _defaults(type(loss)) | {"axis": -1}
    settings = [
        (k, v)
        for k, v in sorted(kept.items())
        if isinstance(v, bool | int | float | str) and (k not in usual or v != usual[k])
    ]
    reduction = config.get("reduction", "sum_over_batch_size")
    if reduction not in ("sum_over_batch_size", "auto", "mean"):
        settings.append(("reduction", reduction))
    labels, on_logits = UNUSUAL.get(name, "numbers"), None
    if name in _CROSSENTROPIES:
        on_logits = bool(config.get("from_logits", False))
        labels = "class indices" if name.startswith("Sparse") else "one-hot" if "Categorical" in name else "binary"
    elif not hasattr(keras.losses, name):
        labels, on_logits = wrapped_crossentropy(loss) or (UNKNOWN, None)
    return ResolvedLoss(name, tuple(settings), labels, on_logits, loss)


def _held(loss: keras.losses.Loss) -> dict[str, Any]:
    """Everything that decides what a loss computes; some of Keras's own leave it out of their configuration."""
    return {**getattr(loss, "_fn_kwargs", {}), **loss.get_config()}


def _defaults(cls: type) -> dict[str, Any]:
    """The settings of a loss of Keras's own that is given none."""
    try:
        return _held(cls()) if cls.__module__.split(".")[0] == "keras" else {}
    except TypeError:  # it cannot be made without any
        return {}


def _snake(name: str) -> str:
    return "".join(("_" + c.lower()) if c.isupper() else c for c in name).strip("_")


def ends_in_probabilities(one: Subject) -> list[bool | None]:
    """For each output whether softmax or sigmoid is the last thing done; None where the graph does not say."""
    if one.graph is None:
        return [None]
    nodes = one.graph.by_index()
    found: list[bool | None] = []
    for index, _ in one.graph.outputs:
        node = nodes[index]
        while node.kind in ("reshape",) and node.parents:
            node = nodes[node.parents[0][0]]
        if node.kind == "activation":
            found.append(str(node.settings["function"]) in PROBABILITY)
        else:
            found.append(False if node.kind in ("Dense", "add", "concatenate", "scale") else None)
    return found


def _misread(loss: ResolvedLoss, probabilities: bool | None) -> bool:
    """Logits taken for probabilities; the other way round Keras recovers the logits."""
    return loss.on_logits is False and probabilities is False


def loss_causes(pair: Pair, coverage: Coverage, feeds: Sequence[Feed | None]) -> tuple[list[Cause], list[str]]:
    """Differences between the losses of two compiled models, and warnings about harmless ones."""
    mine, theirs = resolved_losses(pair.a.model), resolved_losses(pair.b.model)
    if mine is None or theirs is None:
        if mine is None and theirs is None:
            coverage.not_given("loss", "neither model is compiled with a loss.")
        else:
            coverage.not_tested("loss", f"{'A' if mine is None else 'B'} is compiled without a loss.")
        return [], []
    theirs = pair.b.outputs(theirs)
    warnings: list[str] = []
    found: list[Cause] = []
    if len(mine) != len(theirs):
        words = [f"{len(side)} losses: {', '.join(one.words() for one in side)}" for side in (mine, theirs)]
        return [make_cause("compile.loss", "loss", *words, detail="another number of outputs has a loss")], []
    ends = [_spread(ends_in_probabilities(one), len(mine)) for one in (pair.a, pair.b)]
    shapes = output_shapes(pair)
    for k, (x, y) in enumerate(zip(mine, theirs, strict=True)):
        place = "loss" if len(mine) == 1 else f"loss of {_output(pair, k)}"
        misread = _misread(x, ends[0][k]), _misread(y, ends[1][k])
        if misread[0] != misread[1]:
            found.append(_misread_cause(pair, k, place, (x, y), misread))
            continue
        same_kind = _CROSSENTROPIES.get(x.name, x.name) == _CROSSENTROPIES.get(y.name, y.name)
        builtin = all(type(loss.loss).__module__.startswith("keras.") for loss in (x, y))
        if builtin and same_kind and x.settings == y.settings:
            if x.labels != y.labels:
                warnings.append(
                    f"A's {place} wants {x.labels} as labels and B's {y.labels}: the same quantity, if each gets "
                    "labels in its own form."
                )
            elif x.on_logits != y.on_logits:
                warnings.append(
                    f"The {place} has from_logits={x.on_logits} in A and {y.on_logits} in B, which is harmless here: "
                    "Keras recovers the logits of a softmax or sigmoid."
                )
            continue
        shape = shapes[k] if k < len(shapes) else (4,)
        fed = [_fed_form(feed, one, k, shape) for feed, one in zip(feeds, (pair.a, pair.b), strict=True)]
        same = False if builtin and same_kind else _same_values((x, y), shape, (ends[0][k], ends[1][k]), fed)
        if same is None:
            coverage.not_tested("loss", f"the {place} ({x.name} / {y.name}) takes labels in a form that is not known")
        elif not same:
            detail = "training minimises another quantity"
            found.append(make_cause("compile.loss", place, x.words(), y.words(), detail=detail))
    weights = [_loss_weights(one.model, len(mine)) for one in (pair.a, pair.b)]
    if not found and weights[0] != pair.b.outputs(weights[1]):
        words = [f"loss_weights={w}" for w in weights]
        detail = "the losses of the outputs are added with other weights"
        found.append(make_cause("compile.loss", "loss_weights", *words, detail=detail))
    return found, warnings


def _output(pair: Pair, k: int) -> str:
    """An output by its name, where both models name it alike; else by its number."""
    names = [list(getattr(one.model, "output_names", None) or []) for one in (pair.a, pair.b)]
    same = all(k < len(side) for side in names) and names[0][k] == names[1][k]
    return f"output '{names[0][k]}'" if same else f"output {k}"


def _misread_cause(
    pair: Pair, k: int, place: str, losses: tuple[ResolvedLoss, ResolvedLoss], misread: tuple[bool, bool]
) -> Cause:
    side = "A" if misread[0] else "B"
    layer = last_layers(pair)[min(k, 1) if misread[0] else -1]
    words = [loss.words() for loss in losses]
    if losses[0].on_logits == losses[1].on_logits:
        words = [f"{w} on {'raw outputs' if m else 'probabilities'}" for w, m in zip(words, misread, strict=True)]
    detail = (
        f"{side} ends in {layer} without softmax or sigmoid, and its loss has from_logits=False: it takes raw outputs "
        "for probabilities, clips them, and the gradient is wrong"
    )
    return make_cause(
        "compile.loss",
        f"{place}: from_logits ({layer})",
        *words,
        detail=detail,
        why="No error is raised, and the loss even falls; training is slow or stuck.",
        fix=f"End {side} in softmax or sigmoid, or compile it with from_logits=True.",
    )


def last_layers(pair: Pair) -> list[str]:
    """The layers that give the outputs of A, then those of B, in words."""
    ends = []
    for one in (pair.a, pair.b):
        for node, _ in one.graph.outputs if one.graph is not None else []:
            ends.append(before_activation(one, node).words())
    return ends or ["the last layer"]


def before_activation(one: Subject, index: int) -> Node:
    """The node that an activation acts on, or the node itself."""
    assert one.graph is not None  # noqa: S101 - the caller has looked
    nodes = one.graph.by_index()
    node = nodes[index]
    while node.kind in ("reshape", "activation") and node.parents:
        node = nodes[node.parents[0][0]]
    return node


def wanted_labels(pair: Pair, feeds: Sequence[Feed | None], shapes: Sequence[tuple[int, ...]]) -> list[list[str]]:
    """The form of the labels that each output of A, and each of B, gets; `UNKNOWN` where nothing tells.

    A feed tells it, else the loss; where only the loss of the other side does, its form is taken.
    """
    sides = []
    for one, feed in zip((pair.a, pair.b), feeds, strict=True):
        losses = one.outputs(resolved_losses(one.model) or [])
        targets = [] if feed is None else one.outputs(feed.epoch.targets)
        forms = []
        for k, shape in enumerate(shapes):
            if k < len(targets):
                forms.append(form_of(targets[k], shape))
            else:
                forms.append(losses[min(k, len(losses) - 1)].labels if losses else UNKNOWN)
        sides.append(forms)
    a, b = sides
    for k in range(len(shapes)):
        a[k], b[k] = (b[k] if a[k] == UNKNOWN else a[k]), (a[k] if b[k] == UNKNOWN else b[k])
    return sides


def _fed_form(feed: Feed | None, one: Subject, k: int, shape: tuple[int, ...]) -> str | None:
    targets = [] if feed is None else one.outputs(feed.epoch.targets)
    return form_of(targets[k], shape) if k < len(targets) else None


def _loss_weights(model: keras.Model, outputs: int) -> list[float]:
    weights = getattr(getattr(model, "_compile_config", None), "config", {}).get("loss_weights")
    if weights is None:
        return [1.0] * outputs
    if isinstance(weights, dict):
        weights = [weights.get(name, 1.0) for name in getattr(model, "output_names", None) or sorted(weights)]
    weights = [float(w) for w in (weights if isinstance(weights, list | tuple) else [weights])]
    return weights * outputs if len(weights) == 1 else weights


def _spread(ends: list[bool | None], count: int) -> list[bool | None]:
    return ends if len(ends) == count else [ends[0]] * count


def _same_values(
    losses: tuple[ResolvedLoss, ResolvedLoss],
    shape: tuple[int, ...],
    ends: tuple[bool | None, bool | None],
    fed: Sequence[str | None],
) -> bool | None:
    """Whether two losses read the same on the same labels, each in its form; None where that is not known."""
    if same_code(losses[0].loss, losses[1].loss):
        return True
    forms = [
        [form] if form else possible_forms(shape) if loss.labels == UNKNOWN else [loss.labels]
        for loss, form in zip(losses, fed, strict=True)
    ]
    squash: Squash = (
        "sigmoid" if any(form[0] in (BINARY, FLAT_BINARY) for form in forms if len(form) == 1) else "softmax"
    )
    results: list[tuple[bool, bool]] = []
    decided = None not in ends and all(ends) and len(shape) == 1
    for first in forms[0]:
        for second in forms[1]:
            if len(forms[0]) > 1 and len(forms[1]) > 1 and first != second:
                continue
            for guess in (True, False) if None in ends else (True,):
                read = []
                for scale in SCALES:
                    try:
                        values = [
                            loss_value(
                                loss.loss,
                                *example(form, shape, squash if (guess if end is None else end) else None, scale=scale),
                            )
                            for loss, form, end in zip(losses, (first, second), ends, strict=True)
                        ]
                    except Exception:  # noqa: S112 - labels that one of the losses does not take
                        continue
                    if np.all(np.isfinite(values)):
                        read.append(bool(np.isclose(values[0], values[1], rtol=1e-4, atol=1e-5)))
                if read:
                    likely = not decided or first not in (NUMBERS, FLAT_NUMBERS)  # probabilities of a vector: classes
                    results.append((all(read), likely))
    if not results:
        return None
    if not any(equal for equal, _ in results):
        return False
    if len(forms[0]) != len(forms[1]) or all(equal for equal, likely in results if likely):
        return True  # where one side's form is known, the other takes what fits
    return None


def output_shapes(pair: Pair) -> list[tuple[int, ...]]:
    """The shapes of the outputs without the batch axis, as far as a graph tells; unknown axes are 4 long."""
    graph = pair.a.graph or pair.b.graph
    if graph is None:
        return []
    nodes = graph.by_index()
    return [tuple(int(axis or 4) for axis in nodes[index].shape or ()) for index, _ in graph.outputs]
