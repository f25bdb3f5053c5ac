"""What a variant's builder must return, checked before anything is trained or measured with it."""

from typing import Any

import keras

from twinbench.config.networks import Task


class UnfitModelError(Exception):
    """A builder returned something that cannot be trained on the task of its architecture."""


def check_is_model(model: Any) -> None:
    """Check what a builder returned.

    Raises:
        UnfitModelError: it is no Keras model.
    """
    if not isinstance(model, keras.Model):
        returned = "None" if model is None else f"an object of type {type(model).__name__}"
        raise UnfitModelError(f"the builder returns {returned} instead of a keras.Model.")


def check_outputs(model: Any, task: Task, example: Any, classes: int) -> None:
    """Call a model on two examples and check what comes out.

    Args:
        model: a Keras model.
        task: what it is for.
        example: inputs of two examples, an array or several by their names.
        classes: number of classes; of labels that are numbers, how many each example has.

    Raises:
        UnfitModelError: the outputs are not those of the task.
        Exception: whatever the model raises.
    """
    outputs = model(example, training=False)
    expected = example.shape if task == "reconstruct" else (2, classes)
    if not hasattr(outputs, "shape"):
        count = len(outputs) if hasattr(outputs, "__len__") else 0
        given = f"{count} output{'s' if count > 1 else ''} in a {type(outputs).__name__}" if count else "no tensor"
        raise UnfitModelError(f"the model gives {given}; to {task}, it must give one of shape {_words(expected)}.")
    shape = tuple(outputs.shape)
    if shape != expected and not (task == "classify" and classes == 2 and shape == (2, 1)):
        either = " or (batch, 1)" if task == "classify" and classes == 2 else ""
        raise UnfitModelError(
            f"the model's output has shape {_words(shape)}; to {task}, it must be {_words(expected)}{either}."
        )


def _words(shape: tuple[int, ...]) -> str:
    """A shape for a batch of two, with its batch axis named."""
    axes = ["batch" if axis == 2 and position == 0 else str(axis) for position, axis in enumerate(shape)]
    return f"({', '.join(axes)})"
