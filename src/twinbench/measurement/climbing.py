"""The climb: a variant and its reference, built and tested rung by rung, whatever they raise."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from twinbench.errors import ANYTHING_RAISED, first_cause, raise_if_memory_ran_out
from twinbench.sameness.evidence import gather
from twinbench.sameness.probes import Comparison, all_variables, compare_arrays, values_of
from twinbench.sameness.rungs import (
    Outcome,
    Rung,
    carried_over,
    function_rungs,
    graph_rung,
    initial_rung,
    make_rung,
    parameter_rung,
    stopped,
)
from twinbench.sameness.signature import Signature, call_model, signature_from_example
from twinbench.sameness.subjects import Subject, made_up_inputs, pair, subject

_NAMES = ("the reference", "it")


def climb(
    reference: Callable[[], keras.Model],
    variant: Callable[[], keras.Model],
    *,
    example: tuple[Any, np.ndarray],
    loss: str,
    seed: int,
    steps: int,
) -> list[Rung]:
    """Climb rungs 1 to 8 with a variant against its reference.

    Args:
        reference: Builds the reference; called several times.
        variant: Builds the variant.
        example: Inputs as a model gets them, an array (n, ...) or several by their names, and their targets (n, ...):
            classes, numbers, or the inputs again for a reconstruction.
        loss: A Keras loss by name; cross-entropies are taken on logits.
        seed: Seed under which both are built.
        steps: How many optimiser steps (Adam, rate 0.001) the eighth rung takes on parts of the example.

    Returns:
        Eight rungs. What the variant raises fails the rung on which it does, and those above are not applicable;
        without a reference that can be built and run, none is.

    Raises:
        ResourceError: The memory ran out.
    """
    images, targets = example
    signature = signature_from_example(images)
    keras.utils.set_random_seed(seed)
    rungs: list[Rung] = []
    try:
        one = _running(reference(), signature, images)
    except ANYTHING_RAISED as error:
        raise_if_memory_ran_out(error)
        return stopped(rungs, f"The reference raises {first_cause(error)}")
    try:
        for rung in _rungs(one, reference, variant, signature, _batches(images, targets, steps), loss=loss, seed=seed):
            rungs.append(rung)
            if rung.number <= 2 and rung.outcome == "fail":
                return stopped(rungs, "it cannot run on a batch")
    except ANYTHING_RAISED as error:
        raise_if_memory_ran_out(error)
        begin = {0: "Building it raises", 1: "It fails on every batch:"}.get(len(rungs), "It raises")
        failed = make_rung(len(rungs) + 1, "fail", None, f"{begin} {first_cause(error)}")
        return stopped([*rungs, failed], "it cannot be built" if not rungs else "it cannot be run")
    return stopped(rungs, "the weights cannot be carried across one to one")


def _running(model: keras.Model, signature: Signature, inputs: Any) -> Subject:
    """Return a model that has run on a batch of the inputs."""
    one = _subject(model, signature)
    call_model(model, _packed(one, _rows(inputs, slice(4))), False)
    return one


def _subject(model: keras.Model, signature: Signature) -> Subject:
    # Several inputs go by their names, in which a model that lists them may have another order.
    return subject(model, signature if signature.structure == "dict" else signature.as_called_by(model))


def _packed(one: Subject, inputs: Any) -> Any:
    arrays = inputs.values() if isinstance(inputs, dict) else [inputs]
    return one.signature.pack([keras.ops.convert_to_tensor(array) for array in arrays])


def _rows(inputs: Any, rows: slice) -> Any:
    return {name: array[rows] for name, array in inputs.items()} if isinstance(inputs, dict) else inputs[rows]


def _rungs(
    one: Subject,
    reference: Callable[[], keras.Model],
    variant: Callable[[], keras.Model],
    signature: Signature,
    batches: Sequence[tuple[Any, np.ndarray]],
    *,
    loss: str,
    seed: int,
) -> Iterator[Rung]:
    """Yield the rungs that can be reached; what the variant raises belongs to the next."""
    keras.utils.set_random_seed(seed)
    model = variant()
    yield make_rung(1, "pass", None, "It builds.")
    images = batches[0][0]
    other = _running(model, signature, images)
    if (given := _form(other, images)) != (expected := _form(one, images)):
        yield make_rung(2, "fail", None, f"On a batch of {len(batches[0][1])} it gives {given} instead of {expected}.")
        return
    yield make_rung(2, "pass", None, "It runs on a batch.")
    together = pair(one, other)
    yield graph_rung(together)
    yield parameter_rung(together)
    yield initial_rung(together)
    yield from function_rungs(gather(together, made_up_inputs(one, other), seed=seed), together, _NAMES)
    if together.transfer.complete:
        yield _training_rung(reference, variant, signature, batches, loss=loss, seed=seed)


def _form(one: Subject, inputs: Any) -> str:
    """The shape of a model's output, or of each of its outputs."""
    outputs = call_model(one.model, _packed(one, inputs), False)
    shapes = [tuple(output.shape) for output in keras.tree.flatten(outputs)]
    return f"a {type(outputs).__name__} of {shapes}" if isinstance(outputs, list | tuple | dict) else str(shapes[0])


def _loss(name: str) -> keras.losses.Loss:
    losses = {
        "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
        "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
        "binary_crossentropy": keras.losses.BinaryCrossentropy,
    }
    return losses[name](from_logits=True) if name in losses else keras.losses.get(name)


def train(one: Subject, batches: Sequence[tuple[Any, np.ndarray]], loss: str) -> list[np.ndarray]:
    """Train a model with Adam on given batches and return its floating-point variables afterwards."""
    one.model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=_loss(loss))
    # A step that makes variables is traced twice, and tracing takes longer than all the steps together.
    one.model.optimizer.build(one.model.trainable_variables)
    for images, targets in batches:
        one.model.train_on_batch(images, targets)
    return [values_of(v) for v in one.variables()]


def _batches(images: Any, targets: np.ndarray, steps: int) -> list[tuple[Any, np.ndarray]]:
    """Cut the example into as many batches of at most 32 as there are steps, starting over at its end."""
    size = max(1, min(32, len(targets) // max(1, min(steps, 4))))
    starts = [k * size % max(1, len(targets) - size + 1) for k in range(steps)]
    return [(_rows(images, slice(k, k + size)), targets[k : k + size]) for k in starts]


def _training_rung(
    reference: Callable[[], keras.Model],
    variant: Callable[[], keras.Model],
    signature: Signature,
    batches: Sequence[tuple[Any, np.ndarray]],
    *,
    loss: str,
    seed: int,
) -> Rung:
    """Rung 8: from the same initial weights, on the same batches, to bit-identical weights."""
    steps = len(batches)
    keras.utils.set_random_seed(seed)
    first = reference()
    one = _subject(first, signature)
    keras.utils.set_random_seed(seed)
    second = variant()
    other = _subject(second, signature)
    together = pair(one, other)
    if not together.transfer.complete:
        return make_rung(8, "fail", None, "Its builder returns another network each time it is called.")
    together.transfer.apply()
    start = [values_of(v) for v in all_variables(one)]
    trained: tuple[tuple[Outcome, str, Subject], ...] = (
        ("not applicable", "the reference", one),
        ("fail", "it", other),
    )
    for outcome, who, model in trained:
        try:
            train(model, batches, loss)
        except ANYTHING_RAISED as error:
            raise_if_memory_ran_out(error)
            return make_rung(8, outcome, None, f"In training {who} raises {first_cause(error)}")
    carried = carried_over(together)
    result = compare_arrays([value for _, value in carried], [values_of(q) for q, _ in carried], [0.0] * len(carried))
    if result.bit_identical:
        return make_rung(8, "pass", 0.0, f"After {steps} steps on the same batches all weights are bit-identical.")
    noise = _repeated(one, start, batches, loss)
    extra = "" if noise.bit_identical else (
        f"; the reference itself moves by {noise.deviation:.1e} when the same training is repeated"
    )  # fmt: skip
    return make_rung(8, "fail", result.relative, f"After {steps} steps the weights differ by at most "
                 f"{result.deviation:.2g}{extra}.")  # fmt: skip


def _repeated(
    one: Subject, start: list[np.ndarray], batches: Sequence[tuple[Any, np.ndarray]], loss: str
) -> Comparison:
    """Train the reference once more from the same start, to see how far it repeats itself."""
    variables = one.variables()
    end = [values_of(v) for v in variables]
    for variable, value in zip(all_variables(one), start, strict=True):
        variable.assign(value)
    return compare_arrays(end, train(one, batches, loss), [0.0] * len(end))
