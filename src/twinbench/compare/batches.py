"""The batches on which steps of training are tried: the person's own, or labels in every form that people use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from twinbench.compare.feeds import Feed
from twinbench.compare.labels import CLASSES, NUMBERS, ONE_HOT, UNKNOWN, example, fitting_forms, form_of
from twinbench.compare.losses import wanted_labels
from twinbench.sameness.probes import fitted, outputs_of
from twinbench.sameness.subjects import Pair, Subject

ROWS = 32


@dataclass
class Batch:
    """One batch for both sides.

    Attributes:
        form: the labels in words.
        a: arguments of `fit` for A.
        b: arguments of `fit` for B.
        certain: whether people feed the models like this: from a feed, or as their losses want it.
        usual: whether it is the first form that comes to mind, in which code has to work.
    """

    form: str
    a: dict[str, Any]
    b: dict[str, Any]
    certain: bool
    usual: bool


def batches(pair: Pair, arrays: Sequence[np.ndarray], feeds: Sequence[Feed | None]) -> list[Batch]:
    """The batches to try: from the feeds where they are given, else labels in every form that fits the losses."""
    given = [feed for feed in feeds if feed is not None and feed.epoch.inputs]
    shapes = [output.shape[1:] for output in outputs_of(pair.a, list(arrays), training=False)]
    if given:
        return [_fed(pair, feed, feeds, shapes) for feed in given]
    scaled = [np.clip(array, -3, 3) if array.dtype.kind == "f" else array for array in arrays]
    scaled = [np.resize(array, (ROWS, *array.shape[1:])) for array in scaled]
    inputs = _packed(pair.a, scaled), _packed(pair.b, fitted(scaled, pair.b))
    wanted = wanted_labels(pair, feeds, shapes)
    certain = not any(UNKNOWN in side for side in wanted)
    forms = [[fitting_forms(form, shape) for form, shape in zip(side, shapes, strict=True)] for side in wanted]
    tried = []
    for k in range(max(len(options) for side in forms for options in side)):
        chosen = [[options[min(k, len(options) - 1)] for options in side] for side in forms]
        labels = [_labels(side, shapes) for side in chosen]
        words = " and ".join(f"labels as {form}" for form in dict.fromkeys(form for side in chosen for form in side))
        packed = [_structured(one, side) for one, side in zip((pair.a, pair.b), labels, strict=True)]
        tried.append(
            Batch(
                words,
                {"x": inputs[0], "y": packed[0]},
                {"x": inputs[1], "y": packed[1]},
                certain,
                certain and k < _usual(wanted),
            )
        )
    if not certain:
        tried.append(Batch("no labels", {"x": inputs[0]}, {"x": inputs[1]}, certain=False, usual=False))
    return tried


def _usual(wanted: Sequence[Sequence[str]]) -> int:
    """How many of the forms people use alike: class indices mostly come flat, numbers and bits in both ways."""
    return 1 if any(form == CLASSES for side in wanted for form in side) else 2


def _labels(forms: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    return [example(form, shape, "softmax", rows=ROWS)[0] for form, shape in zip(forms, shapes, strict=True)]


def _fed(pair: Pair, feed: Feed, feeds: Sequence[Feed | None], shapes: Sequence[tuple[int, ...]]) -> Batch:
    """The first batch of a feed for both sides, its labels written as each side's own feed has them."""
    arguments = []
    fed_side = pair.a if feed.letter == "A" else pair.b
    for one, other in zip((pair.a, pair.b), feeds, strict=True):
        source = [np.asarray(array[:ROWS]) for array in arranged(feed, fed_side)]
        fed: dict[str, Any] = {"x": _packed(one, fitted(source, one) if one is pair.b else source)}
        targets = [np.asarray(target[:ROWS]) for target in fed_side.outputs(feed.epoch.targets)]
        if other is not None and len(targets) == len(other.epoch.targets) == len(shapes):
            models = one.outputs(other.epoch.targets)
            targets = [_rewritten(t, o, s) for t, o, s in zip(targets, models, shapes, strict=True)]
        if targets:
            fed["y"] = _structured(one, targets)
        if feed.epoch.weights is not None:
            fed["sample_weight"] = np.asarray(feed.epoch.weights[:ROWS])
        arguments.append(fed)
    return Batch(f"a batch of feed {feed.letter}", arguments[0], arguments[1], certain=True, usual=True)


def arranged(feed: Feed, one: Subject) -> list[np.ndarray]:
    """The inputs of a side's own feed, in the order in which inputs are compared."""
    places, inputs = one.signature.places, feed.epoch.inputs
    return inputs if places is None or len(places) != len(inputs) else [inputs[place] for place in places]


def fed_batches(pair: Pair, feeds: Sequence[Feed | None]) -> list[list[np.ndarray]]:
    """The first rows of the feeds, in the order and of the kind of A's inputs."""
    inputs = pair.a.signature.inputs
    given = [
        [np.asarray(array[:8]) for array in arranged(feed, one)]
        for feed, one in zip(feeds, (pair.a, pair.b), strict=True)
        if feed is not None and pair.a.signature.batch is None
    ]
    return [
        [array.astype(spec.dtype) for array, spec in zip(arrays, inputs, strict=True)]
        for arrays in given
        if len(arrays) == len(inputs)
        and all(a.ndim == len(s.shape) + 1 and s.dtype != "string" for a, s in zip(arrays, inputs, strict=True))
    ]


def _rewritten(labels: np.ndarray, model: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Labels in the form of others: classes as indices, as a column or one-hot."""
    have, want = form_of(labels, shape), form_of(model, shape)
    if have == want or NUMBERS in (have, want):
        return labels
    classes = labels.argmax(-1) if have == ONE_HOT else labels.reshape(len(labels), *shape[:-1]).astype("int64")
    if want == ONE_HOT:
        return np.asarray(np.eye(shape[-1], dtype=model.dtype)[classes])
    rewritten: np.ndarray = classes.reshape(len(labels), *model.shape[1:]).astype(model.dtype)
    return rewritten


def _packed(one: Subject, arrays: Sequence[np.ndarray]) -> Any:
    return one.signature.pack(list(arrays)) if len(arrays) > 1 else arrays[0]


def _structured(one: Subject, labels: list[np.ndarray]) -> Any:
    labels = one.in_its_own_order(labels)
    struct = getattr(one.model, "_outputs_struct", None)
    if struct is not None and len(keras.tree.flatten(struct)) == len(labels) > 1:
        return keras.tree.pack_sequence_as(struct, labels)
    return labels[0] if len(labels) == 1 else labels
