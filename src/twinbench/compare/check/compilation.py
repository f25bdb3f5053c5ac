"""What looks wrong in how a model is compiled: a loss that does not fit the outputs, or the labels."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from twinbench.compare.batches import arranged
from twinbench.compare.check.report import Finding, found
from twinbench.compare.coverage import Coverage
from twinbench.compare.data import label_misfit
from twinbench.compare.feeds import Feed
from twinbench.compare.labels import BINARY, CLASSES, ONE_HOT, example
from twinbench.compare.losses import ResolvedLoss, before_activation, ends_in_probabilities, resolved_losses
from twinbench.sameness.probes import compare_arrays, kept, outputs_of
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.signature import call_model
from twinbench.sameness.subjects import Subject

_BUILTIN = {
    CLASSES: keras.losses.SparseCategoricalCrossentropy,
    ONE_HOT: keras.losses.CategoricalCrossentropy,
    BINARY: keras.losses.BinaryCrossentropy,
}


def loss_findings(one: Subject, arrays: Sequence[np.ndarray], feed: Feed | None, coverage: Coverage) -> list[Finding]:
    """Losses that take raw outputs for probabilities, or the other way round, and labels that do not fit."""
    losses = resolved_losses(one.model)
    if not losses:
        coverage.not_given("loss", "the model is not compiled with a loss.")
        return []
    inputs = arrays if feed is None else [np.asarray(array[:32]) for array in arranged(feed, one)]
    with kept(one), without_noise(one.model):
        outputs = outputs_of(one, inputs, training=False)
    ends = ends_in_probabilities(one)
    names = [before_activation(one, k).words() for k, _ in one.graph.outputs] if one.graph is not None else []
    findings = []
    for k, loss in enumerate(losses if len(losses) == len(outputs) else []):
        end = ends[k] if k < len(ends) else None
        place = f"loss: from_logits ({names[k]})" if k < len(names) else "loss: from_logits"
        inside = bool(np.all((outputs[k] >= -1e-5) & (outputs[k] <= 1 + 1e-5)))
        if loss.on_logits is False and not end and not inside:
            what = (
                f"{loss.words()} takes probabilities, and the outputs are raw: they reach from {outputs[k].min():.3g} "
                f"to {outputs[k].max():.3g}, are clipped, and the gradient is wrong"
            )
            why = "No error is raised, and the loss even falls; training is slow or stuck."
            fix = "End the model in softmax or sigmoid, or compile it with from_logits=True."
            findings.append(found("compile.loss", place, what, fix, why=why))
        elif loss.on_logits and (end or (end is None and inside and loss.labels in _BUILTIN)):
            findings.append(_squashed_twice(one, k, loss, inputs, place=place))
    if len(losses) != len(outputs):
        coverage.not_tested("loss", f"{len(losses)} losses for {len(outputs)} outputs")
    return findings + ([] if feed is None else _label_findings(one, feed, losses))


def _squashed_twice(one: Subject, k: int, loss: ResolvedLoss, arrays: Sequence[np.ndarray], *, place: str) -> Finding:
    """A loss on logits over probabilities: harmless where Keras recovers the logits, which is tried."""
    builtin = _BUILTIN[loss.labels](from_logits=False)
    taken, right = (_gradients(one, k, fn, loss, arrays) for fn in (loss.loss, builtin))
    fix = "Compile with from_logits=False, or take the softmax or sigmoid off the model."
    if compare_arrays(taken, right, [1e-5 * float(np.abs(g).max(initial=0.0)) for g in right]).equal:
        what = "the outputs are probabilities; no harm: Keras takes the logits from behind the softmax or sigmoid"
        return found("compile.loss", place, what, fix, why="It is misleading to read.", warning=False)
    what = f"{loss.words()} takes logits, and the outputs are probabilities: softmax or sigmoid is applied twice"
    why = "The gradient is another one, and predictions can hardly move apart."
    return found("compile.loss", place, what, fix, why=why)


def _gradients(one: Subject, k: int, fn: Any, loss: ResolvedLoss, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The gradients of a loss, as `fit` takes them: in a graph, where Keras finds the logits behind an activation."""
    held = [v.value for v in one.model.trainable_variables]

    @tf.function  # type: ignore[untyped-decorator]
    def gradients() -> Any:
        with tf.GradientTape() as tape:
            packed = one.signature.pack([keras.ops.convert_to_tensor(array) for array in arrays])
            output = keras.tree.flatten(call_model(one.model, packed, False))[k]
            labels, _ = example(loss.labels, tuple(output.shape[1:]), "softmax", rows=len(arrays[0]))
            value = keras.ops.sum(fn(keras.ops.convert_to_tensor(labels), output))
        return [tf.zeros_like(v) if g is None else g for g, v in zip(tape.gradient(value, held), held, strict=True)]

    with kept(one), without_noise(one.model):
        return [np.asarray(tf.convert_to_tensor(g), dtype="float64") for g in gradients()]


def _label_findings(one: Subject, feed: Feed, losses: Sequence[ResolvedLoss]) -> list[Finding]:
    misfit = label_misfit(feed, one)
    if misfit is not None:
        words, detail = misfit
        fix = "Give labels in the form that the loss wants: the shape of the outputs, or class indices."
        return [found("compile.loss", "label rank against output rank", f"the {detail} ({words})", fix)]
    classes, shape = feed.classes(), _output_shape(one)
    if classes is None or len(losses) != 1 or shape is None or not len(classes):
        return []
    largest, width = int(classes.max()), shape[-1] if shape else 1
    if losses[0].labels == CLASSES and width is not None and largest >= width:
        what = f"the labels reach {largest}, and the model has {width} outputs: it needs {largest + 1}"
        fix = "Give the last layer one unit for each class; class indices start at 0."
        return [found("compile.loss", "labels against the number of outputs", what, fix)]
    if losses[0].labels == BINARY and width == 1 and (largest > 1 or classes.min() < 0):
        what = f"{losses[0].words()} wants labels 0 and 1, and they reach from {classes.min()} to {largest}"
        fix = "Number the two classes 0 and 1, or use one output for each class."
        return [found("compile.loss", "labels against the number of outputs", what, fix)]
    return []


def _output_shape(one: Subject) -> tuple[int | None, ...] | None:
    return None if one.graph is None else one.graph.by_index()[one.graph.outputs[0][0]].shape
