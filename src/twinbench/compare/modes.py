"""Layers that run in another mode than the model."""

from twinbench.compare.advice import make_cause
from twinbench.compare.report import Cause
from twinbench.sameness.alignment import align
from twinbench.sameness.graph import Graph


def inference_causes(a: Graph, b: Graph) -> list[Cause]:
    """Layers that run in training mode during inference on one side only, from graphs traced in inference mode."""
    alignment = align(a, b)
    nodes_a, nodes_b = a.by_index(), b.by_index()
    found = []
    for x, y in alignment.pairs:
        first, second = nodes_a[x], nodes_b[y]
        if first.training is None and second.training is None:
            continue
        if bool(first.training) == bool(second.training) or not _has_mode(first.kind):
            continue
        words = ["training mode" if node.training else "inference mode" for node in (first, second)]
        place = first.words() if first.words() == second.words() else f"{first.words()} / {second.words()}"
        detail = "in predict and evaluate one side runs this layer as in training"
        found.append(make_cause("mode.bn_dropout", f"{place}: training argument", *words, detail=detail))
    return found


def _has_mode(kind: str) -> bool:
    return kind == "BatchNormalization" or "Dropout" in kind or kind == "GaussianNoise"
