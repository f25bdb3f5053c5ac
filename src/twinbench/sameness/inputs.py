"""Arrays to probe models with: several scales, whole numbers where a model looks them up, padding where it masks."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from twinbench.sameness.graph import Graph
from twinbench.sameness.signature import Signature

SCALES = (1.0, 0.1, 30.0)
"""Standard deviations of the probe inputs; one more part is uniform between 0 and 1, as scaled images are."""


@dataclass(frozen=True)
class InputRange:
    """What a model does with one of its inputs, as far as its graph shows."""

    lookup: int | None = None
    padding: float | None = None
    words: tuple[str, ...] = ()
    longest: int = 8


_WORDS = ("the", "cat", "sat", "on", "a", "mat", "0", "1")
"""Words for models that know none of their own, and such as no vocabulary holds."""


def placeholder_inputs(signature: Signature, rows: int = 2) -> list[np.ndarray]:
    """Zeros (texts: empty) that fit every input: enough to build a model."""
    rows = signature.batch or rows
    return [
        np.full((rows, *spec.concrete()), "" if spec.dtype == "string" else 0, dtype=_numpy_dtype(spec.dtype))
        for spec in signature.inputs
    ]


def _vocabulary(model: keras.Model) -> tuple[str, ...]:
    """The words of every text that a model looks up."""
    lookups = [layer for layer in model._flatten_layers(recursive=True) if isinstance(layer, keras.layers.StringLookup)]
    return tuple(dict.fromkeys(str(word) for layer in lookups for word in layer.get_vocabulary() if word))


def _longest_text(model: keras.Model) -> int:
    """How many words it takes to see where a model cuts a text off."""
    layers = model._flatten_layers(recursive=True)
    cut = [layer._output_sequence_length for layer in layers if isinstance(layer, keras.layers.TextVectorization)]
    return max(8, *(2 + int(length) for length in cut if length), 0)


def input_ranges(graph: Graph | None, model: keras.Model, signature: Signature) -> list[InputRange]:
    """Find for each input the size of the table it is looked up in, and the value that a mask treats as padding."""
    if graph is None:
        sizes = [
            layer.input_dim
            for layer in model._flatten_layers(include_self=False, recursive=True)
            if isinstance(layer, keras.layers.Embedding)
        ]
        smallest = min(sizes) if sizes else None
        return [
            InputRange(smallest, 0.0 if smallest else None, _vocabulary(model), _longest_text(model))
            for _ in signature.inputs
        ]
    nodes = graph.by_index()
    children = graph.children()
    found = []
    for start in graph.inputs:
        lookup: int | None = None
        padding: float | None = None
        waiting, seen = [start], {start}
        while waiting:
            for child, _ in children[waiting.pop()]:
                node = nodes[child]
                if node.kind in ("Embedding", "ReversibleEmbedding"):
                    size = int(node.settings["input_dim"])
                    lookup = size if lookup is None else min(lookup, size)
                    padding = 0.0
                elif node.kind in ("GatherV2", "ResourceGather", "OneHot") and node.weights:
                    size = int(node.weights[0].shape[0])
                    lookup = size if lookup is None else min(lookup, size)
                elif node.kind == "Masking":
                    padding = float(node.settings.get("mask_value") or 0.0)
                elif child not in seen and node.kind not in ("Dense", "LSTM", "GRU", "Conv1D", "Conv2D"):
                    seen.add(child)
                    waiting.append(child)
        found.append(InputRange(lookup, padding, _vocabulary(model), _longest_text(model)))
    return found


def combined(mine: Sequence[InputRange], theirs: Sequence[InputRange]) -> list[InputRange]:
    """The ranges that fit both models: the smaller table, and padding wherever either knows it."""
    merged = []
    for k, one in enumerate(mine):
        other = theirs[k] if k < len(theirs) else InputRange()
        sizes = [size for size in (one.lookup, other.lookup) if size is not None]
        padding = one.padding if one.padding is not None else other.padding
        words = tuple(dict.fromkeys((*one.words, *other.words)))
        longest = max(one.longest, other.longest)
        merged.append(InputRange(min(sizes) if sizes else None, padding, words, longest))
    return merged


def probe_inputs(
    signature: Signature, ranges: Sequence[InputRange], *, seed: int = 0, rows_per_part: int = 2
) -> list[np.ndarray]:
    """Draw probe inputs.

    Args:
        signature: The inputs to fill.
        ranges: One per input, from `input_ranges`.
        seed: Seed of the draws.
        rows_per_part: Rows at each scale; there are four parts.

    Returns:
        One array per input, batch axis first, of `4 * rows_per_part` rows. Where padding is known, the end
        of every second row along the first axis after the batch is padded.
    """
    generator = np.random.default_rng(seed)
    rows = rows_per_part * (len(SCALES) + 1)
    arrays = []
    for spec, known in zip(signature.inputs, ranges, strict=True):
        shape = (rows, *spec.concrete())
        if spec.dtype == "string":
            arrays.append(_texts(generator, shape, known.words, known.longest))
            continue
        if known.lookup is not None:
            array = generator.integers(min(1, known.lookup - 1), known.lookup, shape).astype("float64")
        elif spec.integer or spec.dtype == "bool":
            array = generator.integers(0, 2 if spec.dtype == "bool" else 10, shape).astype("float64")
        else:
            parts = [scale * generator.standard_normal((rows_per_part, *shape[1:])) for scale in SCALES]
            array = np.concatenate([*parts, generator.random((rows_per_part, *shape[1:]))])
        if known.padding is not None and len(shape) > 1 and shape[1] > 2:
            for row in range(0, rows, 2):
                array[row, shape[1] - 1 - row % (shape[1] - 2) :] = known.padding
        arrays.append(array.astype(_numpy_dtype(spec.dtype)))
    if signature.batch is not None:
        arrays = [np.resize(array, (signature.batch, *array.shape[1:])) for array in arrays]
    return arrays


def _texts(generator: np.random.Generator, shape: tuple[int, ...], words: tuple[str, ...], longest: int) -> np.ndarray:
    """Single words, for a model that looks up one; texts in plain words; and texts with capitals and punctuation.

    Single words are those that the model knows, each in its turn, and now and then one that it may not know.
    """
    texts = []
    every = (*words, *_WORDS)
    for k in range(int(np.prod(shape))):
        length = 1 if k % 2 == 0 else longest if k % 4 == 1 else int(generator.integers(2, longest))
        chosen = [str(word) for word in generator.choice(every, length)]
        if length == 1 and words and k % 8 != 6:
            chosen = [words[(k // 2) % len(words)]]
        texts.append(", ".join(word.capitalize() for word in chosen) + "!" if k % 4 == 3 else " ".join(chosen))
    return np.array(texts, dtype=object).reshape(shape)


def _numpy_dtype(dtype: str) -> str:
    if dtype == "string":
        return "object"
    return "float32" if dtype in ("bfloat16", "float16") else dtype
