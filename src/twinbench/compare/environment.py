"""Compares the precision and the global settings under which two models compute."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from twinbench.compare.advice import make_cause
from twinbench.compare.report import Cause
from twinbench.compare.sides import Side
from twinbench.compare.surroundings import resolved
from twinbench.sameness.subjects import Pair, Subject

_FULL = {"float32", "float64"}
_HARMLESS = ("flash_attention", "run_functions_eagerly", "op_determinism", "tensor_float_32", "soft_device_placement",
             "optimizer_jit")  # fmt: skip
_READ_AT_START = ("KERAS_", "TF_", "XLA_", "CUDA_", "OMP_", "MKL_", "ONEDNN_")


def environment_causes(sides: tuple[Side, Side], pair: Pair) -> tuple[list[Cause], list[str], list[str]]:
    """Differences of the precision and of the global settings that the sides' code has made.

    Returns:
        Causes, what is different and harmless, and what could not be tested.
    """
    causes = precision_causes(pair)
    mine, theirs = (resolved(side.state.settings) if side.state else {} for side in sides)
    different = [name for name in mine if mine[name] != theirs.get(name)]
    warnings = []
    for name in different:
        words = [f"{name}={settings[name]}" for settings in (mine, theirs)]
        if name == "epsilon":
            detail = "Keras's small constant, which losses and metrics add before they divide or take logarithms"
            causes.append(make_cause("arch.hyperparameter", "global setting: epsilon", *words, detail=detail))
        elif name.startswith("max_"):
            detail = "Keras stops training there, whatever fit is told"
            causes.append(make_cause("training_loop", f"global setting: {name}", *words, detail=detail))
        elif name in _HARMLESS:
            warnings.append(f"The global setting {name} is {mine[name]} in A and {theirs[name]} in B: it changes speed "
                            "and rounding.")  # fmt: skip
        elif not causes:
            warnings.append(f"The global setting {name} is {mine[name]} in A and {theirs[name]} in B; the layers "
                            "themselves are the same.")  # fmt: skip
    return causes, warnings, _without_effect(sides)


def precision_causes(pair: Pair) -> list[Cause]:
    """Layers that compute, or hold their weights, in another precision."""
    couples = _couples(pair)
    places: dict[tuple[str, str], list[str]] = {}
    for mine, theirs, place in couples:
        if mine != theirs:
            places.setdefault((mine, theirs), []).append(place)
    if not places:
        words = [_summary(one) for one in (pair.a, pair.b)]
        places = {(words[0], words[1]): ["the layers with weights"]} if words[0] != words[1] else {}
    causes = []
    for (mine, theirs), names in places.items():
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        where = "precision of all layers" if len(names) == len(couples) > 1 else f"precision of {shown}"
        detail = f"A computes in {mine}, B in {theirs}"
        explains = not {*mine.split(", "), *theirs.split(", ")} <= _FULL
        causes.append(make_cause("precision", where, mine, theirs, detail=detail, explains=explains))
    return causes


@contextmanager
def levelled(pair: Pair) -> Iterator[None]:
    """Where precisions differ, lets every layer compute in float32, so that only what else differs is seen."""
    layers: list[Any] = []
    if precision_causes(pair):
        everything = [
            layer for one in (pair.a, pair.b) for layer in one.model._flatten_layers(include_self=True, recursive=True)
        ]
        layers = [layer for layer in everything if layer.variable_dtype == "float32" != layer.compute_dtype]
    policies = [layer._dtype_policy for layer in layers]
    for layer in layers:
        layer._dtype_policy = keras.DTypePolicy("float32")
    try:
        yield
    finally:
        for layer, policy in zip(layers, policies, strict=True):
            layer._dtype_policy = policy


def _couples(pair: Pair) -> list[tuple[str, str, str]]:
    """The precision on both sides of each pair of layers that correspond, and the layer's name."""
    if pair.alignment is None or pair.a.graph is None or pair.b.graph is None:
        return []
    nodes_a, nodes_b = pair.a.graph.by_index(), pair.b.graph.by_index()
    couples: dict[tuple[int, int], tuple[str, str, str]] = {}
    for x, y in pair.alignment.pairs:
        first, second = nodes_a[x].layer, nodes_b[y].layer
        if first is not None and second is not None:
            name = f"{type(first).__name__} '{first.name}'"
            couples[id(first), id(second)] = (_precision(first), _precision(second), name)
    return list(couples.values())


def _summary(one: Subject) -> str:
    layers = one.model._flatten_layers(include_self=True, recursive=True)
    holders = [layer for layer in layers if layer._trainable_variables or layer._non_trainable_variables]
    return ", ".join(sorted({_precision(layer) for layer in holders}))


def _precision(layer: Any) -> str:
    return str(getattr(getattr(layer, "dtype_policy", None), "name", "float32"))


def _without_effect(sides: tuple[Side, Side]) -> list[str]:
    """What the environment asks for and the comparison did not do."""
    untested = []
    for letter, side in zip("AB", sides, strict=True):
        if side.state is None:
            continue
        environment, outside = side.state.environment, side.home.outside.environment
        backend = environment.get("KERAS_BACKEND") or "tensorflow"
        if backend != "tensorflow":
            untested.append(f"{letter} on {backend}: KERAS_BACKEND={backend} stands for it, and the comparison runs on "
                            "TensorFlow.")  # fmt: skip
        untested += [
            f"{letter} with {name}={environment[name]}, which its code sets: TensorFlow reads it when it starts, so it "
            "had no effect here. Set it in the shell."
            for name in sorted(environment)
            if name.startswith(_READ_AT_START) and name != "KERAS_BACKEND" and environment[name] != outside.get(name)
        ]
    return untested
