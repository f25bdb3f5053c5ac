"""The marks that an architecture file puts on its variants.

A variant is a function `(input_shape, classes) -> keras.Model`: `input_shape` is `(height, width, channels)`; the
model is uncompiled and takes float32 images of shape `(batch, *input_shape)`. A classifier (`TASK = "classify"`)
returns logits of shape `(batch, classes)`; a reconstruction (`TASK = "reconstruct"`) returns images of the input's
shape. The first line of the function's docstring says what the variant shows.

The marks take literals only: `twinbench.architectures.catalogue` reads them from the source, so that planning and
reporting need not import TensorFlow.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

Builder = Callable[..., Any]
F = TypeVar("F", bound=Callable[..., Any])

# A candidate is a variant of a person's own, of which nothing is claimed.
Kind = Literal["reference", "twin", "lookalike", "suspect", "candidate"]
Compiler = Literal["graph", "xla"]
Difference = Literal["function", "initial weights"]


def reference(builder: F) -> F:
    """Mark the variant that the others of its architecture are compared with."""
    return builder


def twin(builder: F) -> F:
    """Mark a variant that computes the same function once it has the reference's weights."""
    return builder


def lookalike(*, differs: Difference) -> Callable[[F], F]:
    """Mark a variant that one might take for the same.

    Args:
        differs: `function` when it cannot compute the reference's function with the reference's weights;
            `initial weights` when it can, and starts elsewhere under the same seed.
    """

    def mark(builder: F) -> F:
        return builder

    return mark


def suspect(*, cause: str, changes: str) -> Callable[[F], F]:
    """Mark one deliberate fault, a function from a recipe to the faulty recipe.

    Args:
        cause: the code under which `twinbench compare` names it, such as `arch.activation`.
        changes: what it changes, in a few words.
    """

    def mark(change: F) -> F:
        return change

    return mark
