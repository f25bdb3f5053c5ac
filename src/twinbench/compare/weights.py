"""Differences in how weights are trained: frozen, untracked, regularised, constrained."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.coverage import Coverage
from twinbench.compare.report import Cause
from twinbench.sameness.evidence import short_path
from twinbench.sameness.graph import Graph, Node
from twinbench.sameness.probes import fitted, give_random_weights, kept, outputs_of
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.settings import regularizer_identity
from twinbench.sameness.subjects import Pair, Subject


def _layer_name(variable: Any) -> str:
    return str(getattr(variable, "path", "?")).rsplit("/", 1)[0].split("/")[-1]


def trainable_causes(pair: Pair) -> list[Cause]:
    """Weights that are trained on one side only."""
    trained_a = {id(v) for v in pair.a.model.trainable_variables}
    trained_b = {id(v) for v in pair.b.model.trainable_variables}
    places: dict[tuple[str, str, bool], None] = {}
    for p, q in pair.transfer.relations:
        if (id(p) in trained_a) != (id(q) in trained_b) and not _statistic(p):
            places[_layer_name(p), _layer_name(q), id(p) in trained_a] = None
    found = []
    for direction in (True, False):
        names = [(a, b) for a, b, trained in places if trained is direction]
        if not names:
            continue
        where = ", ".join(a if a == b else f"{a} / {b}" for a, b in names)
        words = ("trained", "frozen") if direction else ("frozen", "trained")
        untracked = pair.b.graph.untracked if direction and pair.b.graph else []
        untracked = untracked or (pair.a.graph.untracked if not direction and pair.a.graph else [])
        detail = f"the weights of {len(names)} layer(s) are trained on one side only: {where}"
        if untracked:
            detail += "; Keras does not track them, because they are held outside of any layer"
        found.append(make_cause("mode.trainable", f"trainable of layer {where}", *words, detail=detail))
    return found


def _statistic(variable: Any) -> bool:
    return str(getattr(variable, "path", "")).split("/")[-1].startswith(("moving_", "seed_generator"))


def penalty_causes(pair: Pair) -> list[Cause]:
    """Regularisers and constraints as they act, and regularisers that are configured but do not act."""
    found = []
    for p, q, kind, shown in penalised(pair):
        place = short_path(p) if short_path(p) == short_path(q) else f"{short_path(p)} / {short_path(q)}"
        detail = f"{kind} on {place}: {shown[0]} in A, {shown[1]} in B (as it acts, not as it is configured)"
        late = [name for name, v, one in (("A", p, pair.a), ("B", q, pair.b)) if only_configured(v, one.graph)]
        if late and kind == "regularizer":
            detail += f"; in {late[0]} one was set after the layer was built, which has no effect"
        found.append(make_cause("regularization", f"{kind} of {place}", *shown, detail=detail))
    if pair.alignment is not None and pair.a.graph is not None and pair.b.graph is not None:
        found += _activity(pair, pair.a.graph, pair.b.graph)
        if not found:
            found += _without_effect(pair)
    return _merged(found)


def penalised(pair: Pair) -> Iterator[tuple[Any, Any, str, tuple[str, str]]]:
    """Weights with another regulariser or constraint on each side: the two, which of these it is, both in words."""
    for p, q in pair.transfer.relations:
        for kind in ("regularizer", "constraint"):
            acting = [getattr(v, kind, None) for v in (p, q)]
            mine, other = (_identity(value, kind) for value in acting)
            alike = _act_alike(acting, tuple(p.shape)) if None not in acting and p.shape == q.shape else None
            if not (mine == other if alike is None else alike):
                yield p, q, kind, (_show(mine), _show(other))


def _identity(value: Any, attribute: str) -> Any:
    if value is None:
        return None
    if attribute == "regularizer":
        return regularizer_identity(value)
    config = value.get_config() if hasattr(value, "get_config") else {}
    return type(value).__name__, tuple(sorted((k, str(v)) for k, v in config.items()))


def _act_alike(acting: Sequence[Any], shape: tuple[int, ...]) -> bool | None:
    """Whether two regularisers or constraints do the same to weights of several sizes; None where that is not known."""
    generator = np.random.default_rng(9)
    try:
        for scale in (0.03, 1.0, 30.0):
            drawn = keras.ops.convert_to_tensor((scale * generator.standard_normal(shape)).astype("float32"))
            first, second = (np.asarray(keras.ops.convert_to_numpy(act(drawn))) for act in acting)
            if not np.allclose(first, second, rtol=1e-4, atol=1e-6 * scale):
                return False
    except Exception:  # a person's own code may fail in any way
        return None
    return True


def _show(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or "none"
    if value[0] == "L1L2":
        return ", ".join(f"{name}={factor:g}" for name, factor in zip(("l1", "l2"), value[1:], strict=True) if factor)
    return f"{value[0]}({', '.join(f'{k}={v}' for k, v in value[1])})" if len(value) > 1 else str(value[0])


def _owner(variable: Any, graph: Graph | None) -> tuple[Node, str] | None:
    if graph is None:
        return None
    for node in graph.nodes:
        for weight in node.weights:
            if weight.variable is variable:
                return node, weight.role.split("/")[-1]
    return None


def only_configured(variable: Any, graph: Graph | None) -> bool:
    """Whether a regulariser of a weight shows in its layer's configuration and adds nothing to the loss."""
    owner = _owner(variable, graph)
    if owner is None or getattr(variable, "regularizer", None) is not None:
        return False
    return bool(owner[0].regularizers.get(owner[1]))


def _activity(pair: Pair, a: Graph, b: Graph) -> list[Cause]:
    nodes_a, nodes_b = a.by_index(), b.by_index()
    found = []
    assert pair.alignment is not None  # noqa: S101 - the caller has looked
    for x, y in pair.alignment.pairs:
        mine, theirs = (node.regularizers.get("activity") for node in (nodes_a[x], nodes_b[y]))
        if mine != theirs:
            place = f"activity regularizer of {nodes_a[x].words()} / {nodes_b[y].words()}"
            detail = "the outputs of the layer are penalised differently"
            found.append(make_cause("regularization", place, _show(mine), _show(theirs), detail=detail))
    return found


def _without_effect(pair: Pair) -> list[Cause]:
    """Regularisers that show in a configuration of one side and add nothing to its loss."""
    found = []
    for p, q in pair.transfer.relations:
        late_a, late_b = only_configured(p, pair.a.graph), only_configured(q, pair.b.graph)
        if late_a == late_b:
            continue
        place = short_path(p) if short_path(p) == short_path(q) else f"{short_path(p)} / {short_path(q)}"
        words = ("none", "configured, but without effect") if late_b else ("configured, but without effect", "none")
        detail = f"{'B' if late_b else 'A'} shows a regulariser that was set after the layer was built: it adds no loss"
        found.append(make_cause("regularization", f"regularizer of {place}", *words, detail=detail, explains=False))
    return found


def _merged(causes: list[Cause]) -> list[Cause]:
    """One cause for one kind of difference that many layers share."""
    groups: dict[tuple[str, str, str, bool], list[Cause]] = {}
    for cause in causes:
        groups.setdefault((cause.code, cause.a, cause.b, cause.explains_lower_score), []).append(cause)
    merged = []
    for members in groups.values():
        first = members[0]
        if len(members) > 1:
            where = ", ".join(dict.fromkeys(member.where for member in members[:8]))
            if len(members) > 8:
                where += f" and {len(members) - 8} more"
            first = make_cause(
                first.code, where, first.a, first.b, detail=first.detail, explains=first.explains_lower_score
            )
        merged.append(first)
    return merged


def added_loss_causes(
    pair: Pair, arrays: Sequence[np.ndarray], causes: Sequence[Cause], coverage: Coverage
) -> list[Cause]:
    """Differences of what the models add to their losses, by value: in training mode, with equal weights and inputs.

    Args:
        pair: the models.
        arrays: one batch for each input of A; empty where none could be made up.
        causes: what is known to differ; a difference of penalties is told there already.
        coverage: where is reported what could not be compared.
    """
    if any(cause.code == "regularization" and cause.explains_lower_score for cause in causes):
        return []
    if not arrays or not pair.transfer.complete:
        coverage.not_tested("added losses", "they need equal weights and inputs, which could not be given")
        return []
    inputs = [np.clip(array, -3, 3) if array.dtype.kind == "f" else array for array in arrays]
    with kept(pair.a, pair.b), without_noise(pair.a.model, pair.b.model):
        give_random_weights(pair.transfer, 11)
        mine, again, theirs = (
            _added(one, fitted(inputs, one), seed) for one, seed in ((pair.a, 7), (pair.a, 8), (pair.b, 7))
        )
    if not mine and not theirs:
        coverage.not_applicable("added losses", "Neither model adds to its loss.")
        return []
    totals = [sum(values) for values in (mine, theirs, again)]
    if np.isclose(totals[0], totals[1], rtol=1e-4, atol=1e-7):
        return []
    if not np.isclose(totals[0], totals[2], rtol=1e-6) or not np.all(np.isfinite(totals)):
        coverage.not_tested("added losses", "they depend on random draws, or are no finite number")
        return []
    words = [f"{total:.6g} from {len(values)} losses" for total, values in zip(totals, (mine, theirs), strict=False)]
    detail = "with equal weights, on the same inputs, model.losses (regularisers, add_loss) adds another amount"
    fix = "Add the same losses on both sides."
    return [make_cause("regularization", "added losses (model.losses, add_loss)", *words, detail=detail, fix=fix)]


def _added(one: Subject, arrays: Sequence[np.ndarray], seed: int) -> list[float]:
    """What a model adds to its loss in one call in training mode."""
    with kept(one, only_state=True):
        keras.utils.set_random_seed(seed)
        outputs_of(one, arrays, training=True)
        return [float(keras.ops.convert_to_numpy(keras.ops.sum(loss))) for loss in one.model.losses]
