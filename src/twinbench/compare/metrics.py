"""Compares what the metrics of two compiled models read on predictions and labels whose quality is known."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from twinbench.audit.pairing import Pair, Subject
from twinbench.compare.advice import make_cause
from twinbench.compare.losses import ends_in_probabilities, resolved_losses
from twinbench.compare.report import Cause

_ROWS = 60
_SKIPPED = {"loss", "compile_metrics"}


def metric_causes(pair: Pair) -> tuple[list[Cause], list[str]]:
    """Metrics that read another number on the same predictions, three quarters of them right."""
    if not all(getattr(one.model, "compiled", False) for one in (pair.a, pair.b)):
        return [], []
    readings = [read_metrics(one) for one in (pair.a, pair.b)]
    if readings[0] is None or readings[1] is None:
        return [], ["The metrics could not be evaluated on known predictions."]
    mine, theirs = readings
    if not mine and not theirs:
        return [], []
    if not mine or not theirs:
        return [], [f"{'A' if not mine else 'B'} was compiled without metrics; only the loss can be compared there."]
    if len(mine) == len(theirs):
        couples = list(zip(mine.items(), theirs.items(), strict=True))
    else:
        couples = [((k, v), (k, theirs[k])) for k, v in mine.items() if k in theirs]
        couples = couples or [(next(iter(mine.items())), next(iter(theirs.items())))]
    found = []
    for (name_a, value_a), (name_b, value_b) in couples:
        if _close(value_a, value_b) or any(_close(value_b, other) for other in mine.values()):
            continue
        words = [f"{name} reads {_shown(value)}" for name, value in ((name_a, value_a), (name_b, value_b))]
        detail = "on the same predictions, three quarters of which are right, the metrics read different numbers"
        where = f"metric {name_a}" if name_a == name_b else f"metric {name_a} / {name_b}"
        found.append(make_cause("compile.metric", where, *words, detail=detail))
    return found, []


def _close(x: float | str, y: float | str) -> bool:
    if isinstance(x, str) or isinstance(y, str):
        return x == y
    return bool(np.isclose(x, y, rtol=1e-3, atol=1e-4, equal_nan=True))


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3f}"


def read_metrics(one: Subject) -> dict[str, float | str] | None:
    """What each metric of a model reads on known predictions; a metric that raises reads as its error.

    Predictions are probabilities where the model ends in softmax or sigmoid and logits where it does not; labels are
    in the form that the model's loss wants. For three rows of four the label is the class with the largest prediction.
    """
    losses = resolved_losses(one.model)
    if losses is None or one.graph is None:
        return None
    ends = ends_in_probabilities(one)
    nodes = one.graph.by_index()
    shapes = [nodes[index].shape for index, _ in one.graph.outputs]
    if any(shape is None or any(axis is None for axis in shape) for shape in shapes):
        return None
    labels, predictions = [], []
    for k, shape in enumerate(shapes):
        loss = losses[k] if k < len(losses) else losses[0]
        label, prediction = _known(tuple(int(axis or 1) for axis in shape or ()), bool(ends[k]), loss.labels)
        labels.append(label)
        predictions.append(prediction)
    compiled = one.model._compile_metrics
    if compiled is None:
        return {}
    struct = _struct(one.model, len(shapes))
    try:
        y = keras.tree.pack_sequence_as(struct, labels)
        p = keras.tree.pack_sequence_as(struct, predictions)
        fresh = type(compiled)(
            compiled._user_metrics, compiled._user_weighted_metrics, output_names=compiled.output_names
        )
        fresh.update_state(y, p)
        result = fresh.result()
    except Exception as error:
        return {"metric": f"an error ({type(error).__name__})"}
    return {k: float(np.mean(keras.ops.convert_to_numpy(v))) for k, v in result.items() if k not in _SKIPPED}


def _struct(model: keras.Model, count: int) -> Any:
    struct = getattr(model, "_outputs_struct", None)
    if struct is not None and len(keras.tree.flatten(struct)) == count > 1:
        return struct
    return 0 if count == 1 else [0] * count


def _known(shape: tuple[int, ...], probabilities: bool, labels: str) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    logits = generator.standard_normal((_ROWS, *shape)).astype("float32") * 2
    width = shape[-1] if shape else 1
    best = logits.argmax(-1)
    classes = np.where(
        np.arange(_ROWS).reshape((-1,) + (1,) * (best.ndim - 1)) % 4 > 0, best, (best + 1) % max(width, 2)
    )
    predictions = logits
    if labels == "numbers":
        return (logits + generator.standard_normal(logits.shape)).astype("float32"), logits
    if labels == "binary":
        right = (logits > 0).astype("float32")
        flip = (np.arange(_ROWS) % 4 == 0).astype("float32").reshape((-1,) + (1,) * (logits.ndim - 1))
        predictions = 1 / (1 + np.exp(-logits)) if probabilities else logits
        return np.abs(right - flip).astype("float32"), predictions.astype("float32")
    if probabilities:
        spread = np.exp(logits - logits.max(-1, keepdims=True))
        predictions = spread / spread.sum(-1, keepdims=True)
    if labels == "class indices":
        return classes.astype("int32"), predictions.astype("float32")
    return np.eye(width, dtype="float32")[classes], predictions.astype("float32")
