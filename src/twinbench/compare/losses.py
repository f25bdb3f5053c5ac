"""Compares the losses that two compiled models minimise: resolved, whatever way they were written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from twinbench.audit.pairing import Pair, Subject
from twinbench.compare.advice import make_cause
from twinbench.compare.report import Cause

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
    return [resolved_loss(one) for one in (given if isinstance(given, list | tuple) else [given]) if one is not None]


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
    config = loss.get_config() if isinstance(loss, keras.losses.Loss) else {}
    kept = {k: v for k, v in config.items() if k not in ("name", "dtype", "fn", "from_logits", "reduction")}
    settings = [
        (k, v) for k, v in sorted(kept.items()) if isinstance(v, bool | int | float | str) and v not in (0, None)
    ]
    settings = [(k, v) for k, v in settings if (k, v) != ("axis", -1)]
    reduction = config.get("reduction", "sum_over_batch_size")
    if reduction not in ("sum_over_batch_size", "auto", "mean"):
        settings.append(("reduction", reduction))
    on_logits = bool(config.get("from_logits", False)) if name in _CROSSENTROPIES else None
    labels = "numbers"
    if name in _CROSSENTROPIES:
        labels = "class indices" if name.startswith("Sparse") else "one-hot" if "Categorical" in name else "binary"
    return ResolvedLoss(name, tuple(settings), labels, on_logits, loss)


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
    """A crossentropy that takes raw outputs for probabilities; the other way round Keras recovers the logits."""
    return loss.on_logits is False and probabilities is False


def loss_causes(pair: Pair) -> tuple[list[Cause], list[str]]:
    """Differences between the losses of two compiled models, and warnings about harmless ones."""
    mine, theirs = resolved_losses(pair.a.model), resolved_losses(pair.b.model)
    if mine is None or theirs is None:
        return [], _uncompiled(mine, theirs)
    theirs = pair.b.outputs(theirs)
    warnings: list[str] = []
    found: list[Cause] = []
    if len(mine) != len(theirs):
        words = [f"{len(side)} losses: {', '.join(one.words() for one in side)}" for side in (mine, theirs)]
        return [make_cause("compile.loss", "loss", *words, detail="another number of outputs has a loss")], []
    ends = [_spread(ends_in_probabilities(one), len(mine)) for one in (pair.a, pair.b)]
    for k, (x, y) in enumerate(zip(mine, theirs, strict=True)):
        place = "loss" if len(mine) == 1 else f"loss of output {k}"
        misread = _misread(x, ends[0][k]), _misread(y, ends[1][k])
        if misread[0] != misread[1] and x.on_logits != y.on_logits:
            side = "A" if misread[0] else "B"
            detail = f"{side}'s loss takes raw outputs for probabilities: they are clipped, and the gradient is wrong"
            why = "No error is raised, and the loss even falls; training is slow or stuck."
            found.append(
                make_cause("compile.loss", f"{place}: from_logits", x.words(), y.words(), detail=detail, why=why)
            )
            continue
        same_kind = _CROSSENTROPIES.get(x.name, x.name) == _CROSSENTROPIES.get(y.name, y.name)
        builtin = all(type(one.loss).__module__.startswith("keras") for one in (x, y))
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
        if (builtin and same_kind) or not _same_values(x, y, pair):
            detail = "training minimises another quantity"
            found.append(make_cause("compile.loss", place, x.words(), y.words(), detail=detail))
    weights = [getattr(one.model, "_compile_config", None) for one in (pair.a, pair.b)]
    loss_weights = [getattr(w, "config", {}).get("loss_weights") if w is not None else None for w in weights]
    plain = [_plain_weights(w, one.model, len(mine)) for w, one in zip(loss_weights, (pair.a, pair.b), strict=True)]
    if not found and plain[0] != pair.b.outputs(plain[1]):
        words = [f"loss_weights={w}" for w in loss_weights]
        detail = "the losses of the outputs are added with other weights"
        found.append(make_cause("compile.loss", "loss_weights", *words, detail=detail))
    return found, warnings


def _plain_weights(weights: Any, model: keras.Model, outputs: int) -> list[float]:
    if weights is None:
        return [1.0] * outputs
    if isinstance(weights, dict):
        weights = [weights.get(name, 1.0) for name in getattr(model, "output_names", None) or sorted(weights)]
    return [float(w) for w in (weights if isinstance(weights, list | tuple) else [weights])]


def _spread(ends: list[bool | None], count: int) -> list[bool | None]:
    return ends if len(ends) == count else [ends[0]] * count


def _uncompiled(mine: Any, theirs: Any) -> list[str]:
    if mine is None and theirs is None:
        return ["Neither model is compiled: loss, optimiser and metrics were not compared."]
    side = "A" if mine is None else "B"
    return [f"{side} is not compiled: loss, optimiser and metrics were not compared."]


def _same_values(x: ResolvedLoss, y: ResolvedLoss, pair: Pair) -> bool:
    """Whether two losses read the same on the same known labels and predictions."""
    width = _width(pair)
    generator = np.random.default_rng(4)
    classes = generator.integers(0, max(width, 2), 24)
    raw = generator.standard_normal((24, width)).astype("float32")
    positive = np.exp(raw) / np.exp(raw).sum(-1, keepdims=True) if width > 1 else 1 / (1 + np.exp(-raw))
    numbers = generator.random((24, width)).astype("float32")
    tried = False
    for predictions in (positive, raw):
        for labels in ("one-hot", "class indices", "numbers"):
            encoded = {
                "one-hot": np.eye(max(width, 2), dtype="float32")[classes][:, :width],
                "class indices": classes.astype("int32"),
                "numbers": numbers,
            }[labels]
            try:
                left = _value(
                    x, encoded if x.labels in ("numbers", "binary") else _encode(x, classes, width), predictions
                )
                right = _value(
                    y, encoded if y.labels in ("numbers", "binary") else _encode(y, classes, width), predictions
                )
            except Exception:  # noqa: S112 - labels that one of the losses cannot take
                continue
            tried = True
            if not np.allclose(left, right, rtol=1e-4, atol=1e-5, equal_nan=True):
                return False
    return tried


def _encode(loss: ResolvedLoss, classes: np.ndarray, width: int) -> Any:
    if loss.labels == "class indices":
        return np.minimum(classes, max(width - 1, 1)).astype("int32")
    return np.eye(max(width, 2), dtype="float32")[classes][:, :width]


def _value(loss: ResolvedLoss, labels: np.ndarray, predictions: np.ndarray) -> float:
    value = loss.loss(keras.ops.convert_to_tensor(labels), keras.ops.convert_to_tensor(predictions))
    return float(np.mean(keras.ops.convert_to_numpy(value)))


def _width(pair: Pair) -> int:
    graph = pair.a.graph or pair.b.graph
    if graph is not None:
        shape = graph.by_index()[graph.outputs[0][0]].shape
        if shape and shape[-1]:
            return int(shape[-1])
    return 4
