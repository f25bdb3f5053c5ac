"""Compares one step of training where a model replaces a part of Keras's training loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from twinbench.audit.pairing import Pair, Subject
from twinbench.audit.probes import compare_arrays, fitted, kept, without_noise
from twinbench.compare.advice import make_cause
from twinbench.compare.losses import resolved_losses
from twinbench.compare.report import Cause

METHODS = ("train_step", "compute_loss", "fit", "make_train_function", "_compute_loss", "train_on_batch")
"""What a model may override to change how it is trained."""


def overridden(model: keras.Model) -> dict[str, str]:
    """The parts of the training loop that a model's own classes define, with the class of each."""
    found = {}
    for name in METHODS:
        for cls in type(model).__mro__:
            if name in vars(cls):
                if cls.__module__.split(".")[0] != "keras":
                    found[name] = cls.__name__
                break
    return found


def loop_causes(pair: Pair, arrays: Sequence[np.ndarray], *, same_function: bool) -> tuple[list[Cause], list[str]]:
    """Runs steps of both models on one batch where either overrides the loop, and compares the updates.

    Both hold the same weights and are compiled with the same optimiser and loss, so that only the loop can differ.
    """
    mine, theirs = overridden(pair.a.model), overridden(pair.b.model)
    if not mine and not theirs:
        return [], []
    words = [_words(one) for one in (mine, theirs)]
    names = sorted(set(mine) | set(theirs))
    where = ", ".join(f"{name} of {mine.get(name) or theirs.get(name)}" for name in names)
    if not same_function:
        if _same_code(pair.a.model, pair.b.model, names):
            return [], []
        return [], [f"{where} is overridden; as the models differ, its effect could not be told apart."]
    try:
        left, right = _stepped(pair, arrays)
    except Exception as error:
        line = str(error).splitlines()[0] if str(error) else ""
        return [], [f"{where} is overridden and could not be tried ({type(error).__name__}: {line[:120]})."]
    result = compare_arrays(left, right, [1e-6] * len(left))
    if result.equal:
        return [], [f"{where} is overridden, and does what Keras's own does: two steps gave equal weights."]
    detail = (
        "from the same weights, on the same batch, with the same optimiser and loss, two steps end with other weights "
        f"(by up to {result.deviation:.2g})"
    )
    return [make_cause("training_loop", where, *words, detail=detail)], []


def _words(methods: dict[str, str]) -> str:
    return "Keras's own loop" if not methods else ", ".join(f"{cls}.{name}" for name, cls in methods.items())


def _same_code(a: keras.Model, b: keras.Model, names: list[str]) -> bool:
    for name in names:
        codes = [getattr(getattr(type(model), name), "__code__", None) for model in (a, b)]
        if codes[0] is None or codes[1] is None or codes[0].co_code != codes[1].co_code:
            return False
    return True


def _stepped(pair: Pair, arrays: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    with kept(pair.a, pair.b), without_noise(pair.a.model, pair.b.model):
        pair.transfer.apply()
        labels = _labels(pair.a)
        _step(pair.a, arrays, labels, pair.a.model)
        _step(pair.b, fitted(arrays, pair.b), labels, pair.a.model)
        carried = pair.transfer.carried(_numbers)
        left, right = [value for _, _, value in carried], [_numbers(q) for _, q, _ in carried]
    return left, right


def _step(one: Subject, arrays: Sequence[np.ndarray], labels: Any, compiled: keras.Model) -> None:
    loss = compiled.loss if getattr(compiled, "compiled", False) and compiled.loss is not None else "mean_squared_error"
    before = getattr(one.model, "optimizer", None), getattr(one.model, "loss", None), one.model.compiled
    config = one.model.get_compile_config() if one.model.compiled else None
    one.model.compile(optimizer=keras.optimizers.SGD(0.01), loss=loss)
    try:
        scaled = [np.clip(array, -3, 3) if array.dtype.kind == "f" else array for array in arrays]
        packed = one.signature.pack(scaled) if len(scaled) > 1 else scaled[0]
        rows = len(scaled[0])
        fitting = keras.tree.map_structure(lambda y: y[:rows], labels)
        one.model.fit(packed, fitting, batch_size=rows, epochs=2, shuffle=False, verbose=0)
    finally:
        if config is not None and before[2]:
            one.model.compile_from_config(config)


def _labels(one: Subject) -> Any:
    """Labels for 64 rows in the form that the loss of the model wants."""
    generator = np.random.default_rng(6)
    losses = resolved_losses(one.model)
    assert one.graph is not None or losses is not None  # noqa: S101 - an untraced model was compiled
    shapes = []
    if one.graph is not None:
        nodes = one.graph.by_index()
        shapes = [tuple(int(axis or 1) for axis in (nodes[i].shape or ())) for i, _ in one.graph.outputs]
    labels = []
    for k, shape in enumerate(shapes):
        wanted = losses[min(k, len(losses) - 1)].labels if losses else "numbers"
        width = shape[-1] if shape else 1
        classes = generator.integers(0, max(width, 2), (64, *shape[:-1]))
        if wanted == "class indices":
            labels.append(classes.astype("int32"))
        elif wanted == "one-hot":
            labels.append(np.eye(width, dtype="float32")[classes])
        elif wanted == "binary":
            labels.append(generator.integers(0, 2, (64, *shape)).astype("float32"))
        else:
            labels.append(generator.random((64, *shape)).astype("float32"))
    struct = getattr(one.model, "_outputs_struct", None)
    if struct is not None and len(keras.tree.flatten(struct)) == len(labels) > 1:
        return keras.tree.pack_sequence_as(struct, labels)
    return labels[0] if len(labels) == 1 else labels


def _numbers(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable), dtype="float64")
