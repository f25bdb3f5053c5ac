"""What looks wrong in the network itself: layers without effect, modes, masks, activations."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from twinbench.compare.check.report import Finding, found
from twinbench.compare.coverage import Coverage
from twinbench.compare.trials import overridden
from twinbench.sameness.canonical import canonical_graph
from twinbench.sameness.evidence import short_path
from twinbench.sameness.forms import takes_mask
from twinbench.sameness.graph import TRAINING_ONLY, Graph, Node
from twinbench.sameness.probes import compare_arrays, kept, outputs_of, values_of
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.subjects import Subject


@contextmanager
def models_kept_alive() -> Iterator[list[keras.Model]]:
    """Yield a list that at the end holds all models that exist, those of a builder that nothing refers to among them.

    A layer without a way to the outputs of one model may belong to another one, as the decoder does where an encoder
    is looked at.
    """
    models: list[keras.Model] = []
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield models
        models += [thing for thing in gc.get_objects() if issubclass(type(thing), keras.Model)]
    finally:
        if enabled:
            gc.enable()


def lost_layers(one: Subject, others: Sequence[keras.Model], coverage: Coverage) -> list[Finding]:
    """Layers that were made for the model, or called on its tensors, and that no output depends on."""
    if one.graph is None:
        coverage.not_tested("layers", f"the model cannot be traced ({one.untraced})")
        return []
    inner = one.model._flatten_layers(include_self=True, recursive=True)
    own = {id(layer) for layer in inner}
    elsewhere = {
        id(layer)
        for other in others
        if id(other) not in own
        for layer in other._flatten_layers(include_self=False, recursive=True)
    }
    behind = _behind_outputs(one.model)
    called = set(overridden(one.model))
    findings = []
    for layer in one.graph.unused:
        name = f"{type(layer).__name__} '{layer.name}'"
        if id(layer) in elsewhere or id(layer) in behind:
            continue
        if id(layer) in own and called:
            coverage.not_tested("layers", f"{name} is not used by `call`; {', '.join(sorted(called))} may use it")
            continue
        what = "the layer was made, or called, and no output of the model depends on it"
        fix = f"Pass on what '{layer.name}' returns, or delete the layer."
        findings.append(found("arch.disconnected", name, what, fix))
    return findings


def _behind_outputs(model: keras.Model) -> set[int]:
    """Layers that were called on what the model returns: the rest of a larger model, from which it was cut."""
    outputs = getattr(model, "outputs", None) or []
    waiting = [tensor._keras_history.operation for tensor in outputs if hasattr(tensor, "_keras_history")]
    inside = {id(operation) for operation in getattr(model, "operations", [])}
    reached: dict[int, Any] = {}
    while waiting:
        for node in waiting.pop()._outbound_nodes:
            reader = node.operation
            if id(reader) not in reached and id(reader) not in inside:
                reached[id(reader)] = reader
                waiting.append(reader)
    return set(reached)


def wrong_modes(one: Subject, graph: Graph) -> list[Finding]:
    """Normalisation and dropout that run in one mode whatever the model does."""
    findings = []
    for node in graph.nodes:
        if node.kind == "BatchNormalization" and not node.training and _untouched(node):
            frozen = not getattr(node.layer, "trainable", True)
            why_so = "is frozen (trainable=False)" if frozen else "is called with training=False"
            what = (
                f"it {why_so}, and its moving statistics are the initial ones (0 and 1): it never normalises by "
                "anything measured"
            )
            fix = "Set trainable=True." if frozen else "Leave `training` out, or hand on the one that `call` gets."
            findings.append(found("mode.bn_dropout", f"{node.words()}: mode", what, fix))
        elif node.kind in TRAINING_ONLY and node.training is False and not node.optional:
            what = "it is called with training=False, so it does nothing while the model is trained"
            fix = "Leave `training` out, or hand on the one that `call` gets."
            findings.append(found("mode.bn_dropout", f"{node.words()}: mode", what, fix))
    for node in canonical_graph(one.model, one.signature, training=False).nodes:
        if node.kind == "BatchNormalization" and node.training:
            what = (
                "it is called with training=True, so in `predict` and `evaluate` too it normalises by the batch: a "
                "prediction depends on what else is in the batch"
            )
            fix = "Leave `training` out, or hand on the one that `call` gets."
            findings.append(found("mode.bn_dropout", f"{node.words()}: mode", what, fix))
        elif node.kind in TRAINING_ONLY and node.training and not node.optional:
            what = "it is called with training=True, so predictions are random, which is right for Monte-Carlo dropout"
            fix = "Leave `training` out, unless random predictions are wanted."
            findings.append(found("mode.bn_dropout", f"{node.words()}: mode", what, fix, warning=False))
    return findings


def _untouched(node: Node) -> bool:
    values = {weight.role.split("/")[-1]: values_of(weight.variable) for weight in node.weights}
    mean, variance = values.get("moving_mean"), values.get("moving_variance")
    return mean is not None and variance is not None and not np.any(mean) and bool(np.all(variance == 1))


def useless_activations(graph: Graph) -> list[Finding]:
    """A softmax over a single value, and a softmax or sigmoid of probabilities."""
    findings = []
    nodes = graph.by_index()
    for node in graph.nodes:
        function = str(node.settings.get("function")) if node.kind == "activation" else ""
        if function == "softmax" and "axis" not in node.settings and node.shape and node.shape[-1] == 1:
            what = "a softmax over a single value is always 1, so the output is constant and nothing is learned"
            fix = "Use a sigmoid, or as many units as there are classes."
            findings.append(found("arch.activation", node.words(), what, fix))
        before = nodes[node.parents[0][0]] if node.parents else None
        squashed = before is not None and before.kind == "activation" and before.settings.get("function")
        if function in ("softmax", "sigmoid") and squashed in ("softmax", "sigmoid"):
            what = f"a {function} is applied to what is a {squashed} already: the probabilities can hardly move apart"
            findings.append(found("arch.activation", node.words(), what, f"Apply {squashed} once."))
    return findings


def lost_masks(one: Subject, graph: Graph, arrays: Sequence[np.ndarray], coverage: Coverage) -> list[Finding]:
    """Masks that are made and then lost: what stands at masked steps reaches the outputs.

    Each layer that makes a mask is made to give other values where its own mask is false. Outputs that move by more
    than rounding have seen the padding.
    """
    makers = [node for node in graph.nodes if _makes_mask(node)]
    if not makers:
        coverage.not_applicable("masks", "No layer makes a mask.")
        return []
    findings = []
    for node in makers:
        with kept(one), without_noise(one.model):
            before, unmasked = _masked_outputs(one, arrays)
            with _other_padding(node.layer) as masked:
                after, _ = _masked_outputs(one, arrays)
        if not masked:
            coverage.not_tested("masks", f"the inputs that were tried hold nothing that {node.words()} masks")
            continue
        if unmasked is None:
            coverage.not_tested("masks", f"which steps of the outputs {node.words()} masks is not known")
            continue
        pairs = [(x[m], y[m]) for x, y, m in zip(before, after, unmasked, strict=True)]
        left, right = [x for x, _ in pairs], [y for _, y in pairs]
        if compare_arrays(left, right, [1e-7 * float(np.abs(x).max(initial=0.0)) for x in left]).equal:
            continue
        where, last = _where_lost(node, graph)
        what = f"{node.words()} makes a mask; {where}, so padding is treated as data"
        fix = f"Use layers that carry masks instead of {last}, or put what takes the mask before it."
        findings.append(found("masking", f"mask of {node.words()}", what, fix))
    return findings


def _makes_mask(node: Node) -> bool:
    layer = node.layer
    return node.kind == "Masking" or (node.kind == "Embedding" and bool(getattr(layer, "mask_zero", False)))


@contextmanager
def _other_padding(layer: Any) -> Iterator[list[bool]]:
    """Let a layer that makes a mask give other values where the mask is false; yields a list that says if any is."""
    seen: list[bool] = []
    original = layer.call

    def call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        outputs = original(inputs, *args, **kwargs)
        padding = ~keras.ops.convert_to_numpy(layer.compute_mask(inputs))
        seen.extend([True] * bool(padding.any()))
        noise = np.random.default_rng(4).standard_normal(outputs.shape) * padding[..., None]
        return outputs + keras.ops.cast(noise, outputs.dtype)

    layer.call = call
    try:
        yield seen
    finally:
        del layer.call


def _masked_outputs(one: Subject, arrays: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[Any] | None]:
    """The outputs in inference, and which of their values no mask leaves out: where a step of the inputs is padding."""
    outputs = outputs_of(one, arrays, training=False)
    padding = [array == 0 if array.ndim == 2 else ~np.any(array, axis=-1) for array in arrays if array.ndim in (2, 3)]
    unmasked = []
    for output in outputs:
        fits = [steps for steps in padding if output.ndim >= 3 and output.shape[:2] == steps.shape]
        rows = np.ones(output.shape[:2] if fits else output.shape[:1], bool)
        for steps in fits:
            rows &= ~steps
        unmasked.append(rows)
    return outputs, unmasked


def _where_lost(start: Node, graph: Graph) -> tuple[str, str]:
    """In words where a mask is lost on the way from the layer that makes it, and the layer that loses it."""
    nodes, children = graph.by_index(), graph.children()
    waiting, seen = [start.index], {start.index}
    while waiting:
        for child, _ in children[waiting.pop(0)]:
            node = nodes[child]
            if node.layer is None or not getattr(node.layer, "supports_masking", False):
                return f"{node.words()} drops it", node.words()
            if takes_mask(node.layer) and not node.masked and node.kind not in ("Masking", "Embedding"):
                return f"it does not reach {node.words()}", node.words()
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return "no layer takes it", "what follows"


def frozen_at_random(model: keras.Model, random: set[int]) -> list[Finding]:
    """Layers that are frozen while their weights are the random ones that they started with.

    Args:
        model: The model.
        random: The variables that are drawn anew on each build, by identity.
    """
    layers = model._flatten_layers(include_self=True, recursive=True)
    compiled = [part for part in layers if part is not model and getattr(part, "compiled", False)]
    apart = {id(v) for part in compiled for v in part.weights}  # a part that is trained by itself, as in a GAN
    frozen = [
        layer
        for layer in layers
        if not layer.trainable and any(id(v) in random and id(v) not in apart for v in layer._trainable_variables)
    ]
    findings = []
    if frozen:
        names = ", ".join(f"{type(layer).__name__} '{layer.name}'" for layer in frozen[:4])
        more = f" and {len(frozen) - 4} more" if len(frozen) > 4 else ""
        what = "trainable is False, and the weights are the random ones that they started with"
        fix = "Set trainable=True, or load weights into the layer."
        findings.append(found("mode.trainable", f"{names}{more}", what, fix))
    return findings


def untracked_weights(graph: Graph) -> list[Finding]:
    """Weights that the outputs depend on and that Keras does not train, because it does not know of them."""
    untracked = [v for v in graph.untracked if getattr(v, "trainable", False)]
    if not untracked:
        return []
    names = ", ".join(short_path(v) for v in untracked[:4])
    what = "the outputs depend on these weights, and Keras does not track them: they are neither trained nor saved"
    fix = "Keep them as attributes of a layer or model (in a list or dict of it), or make them with add_weight."
    return [found("mode.trainable", names, what, fix)]
