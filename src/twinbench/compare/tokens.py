"""Shows by an example how two models turn the same text into other numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from twinbench.compare.report import Cause
from twinbench.sameness.subjects import Pair

_READERS = ("TextVectorization", "StringLookup")
_WORDS = 12
_MOST = 1000


def with_token_ids(causes: Sequence[Cause], pair: Pair, arrays: Sequence[np.ndarray]) -> list[Cause]:
    """Add to causes that name a layer which reads text what becomes of one text on both sides.

    Args:
        causes: What differs.
        pair: Both models, with what they hold.
        arrays: What the models were probed with; texts are among these, if there are any.
    """
    texts = [array for array in arrays if array.dtype.kind in "OU"]
    readers = list(_readers(pair)) if texts else []
    explained = []
    for cause in causes:
        couple = next((both for both in readers if any(f"'{one.name}'" in cause.where for one in both)), None)
        example = _example(couple, texts) if couple and cause.code == "preprocessing" else ""
        explained.append(replace(cause, detail=f"{cause.detail}; {example}") if example else cause)
    return explained


def _readers(pair: Pair) -> Iterator[tuple[Any, ...]]:
    """The layers of both models that read text, in their order; a look-up inside another layer stands for that."""
    for kind in _READERS:
        layers = [
            [layer for layer in one.model._flatten_layers(recursive=True) if type(layer).__name__ == kind]
            for one in (pair.a, pair.b)
        ]
        yield from zip(*layers, strict=False)


def _example(couple: tuple[Any, ...], texts: Sequence[np.ndarray]) -> str:
    """The first text, or known word, that the two turn into other numbers; nothing where none was seen."""
    tried = {str(text) for array in texts for text in array.ravel()}
    tried |= {str(word) for layer in couple for word in layer.get_vocabulary()[:_MOST]}
    for text in sorted(tried, key=lambda text: (len(text), text)):
        ids = [_ids(layer, text) for layer in couple]
        if ids[0] != ids[1]:
            return f"'{text}' becomes {_shown(ids[0])} in A and {_shown(ids[1])} in B"
    return ""


def _ids(layer: Any, text: str) -> list[float]:
    try:
        given = keras.ops.convert_to_tensor(np.array([text], dtype=object))
        return [float(value) for value in np.ravel(keras.ops.convert_to_numpy(layer(given)))]
    except Exception:  # a layer that wants texts of another form: there is no example then
        return []


def _shown(ids: list[float]) -> str:
    numbers = ", ".join(f"{value:g}" for value in ids[:_WORDS])
    return f"[{numbers}{', ...' if len(ids) > _WORDS else ''}]"
