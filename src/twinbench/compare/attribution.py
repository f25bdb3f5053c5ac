"""Decides which differences are to blame: a difference of words is a cause only where the functions differ too."""

from collections.abc import Sequence

from twinbench.compare.advice import cause_of, make_cause
from twinbench.compare.losses import PROBABILITY, ends_in_probabilities, resolved_losses
from twinbench.compare.report import Cause
from twinbench.compare.tried_code import counting_cause
from twinbench.sameness.alignment import align
from twinbench.sameness.evidence import Evidence, short_path
from twinbench.sameness.graph import Difference, Graph
from twinbench.sameness.scales import CONDITIONS
from twinbench.sameness.structure import other_mode
from twinbench.sameness.subjects import Pair

UNEXPLAINED = ("one function", "follows the mode", "updated")
"""What the causes say of A where functions differ and nothing that can be seen says why."""
TOLD_BY_SIDE = ("wiring", "layer_missing", "disconnected")
"""Many causes of these codes are one where one side has them all, whatever each of them is."""
_OF_STRUCTURE = {"arch.layer_missing", "arch.wiring", "arch.activation", "arch.hyperparameter", "arch.shared_layer"}


def structural_causes(pair: Pair, evidence: Evidence) -> tuple[list[Cause], list[str]]:
    """Differences of the graphs as causes, or as warnings where they were shown to change nothing."""
    causes: list[Cause] = []
    warnings: list[str] = []
    scored = _scored_alike(pair)
    dismissed = False
    without_effect: list[Difference] = []
    rewritten = evidence.only_mode and _by_hand(pair)
    unmatched = (not evidence.transferable and not evidence.unlike) or evidence.noise == "alike"
    added = [difference for part in evidence.parted for difference in part.added]
    for difference in (*pair.differences, *added) if evidence.counted is None else ():
        by_hand = rewritten and not _of_setting(difference)
        no_effect = evidence.same_throughout or by_hand or difference in evidence.harmless
        noise = evidence.noise in ("the same", "alike") and not _of_setting(difference)
        if (difference.effect == "function" or noise) and (no_effect or unmatched):
            without_effect += [] if unmatched else [difference]
        elif scored and _is_last_activation(difference, pair):
            dismissed = True
            warnings.append(
                f"The {difference.where} is {difference.a} in A and {difference.b} in B; each loss is told so, so both "
                "train alike, but predict() returns probabilities on one side and logits on the other."
            )
        else:
            causes.append(cause_of(difference))
    if not evidence.transferable:
        causes = _of_parts(pair, evidence, causes)
    elif not causes and not dismissed and not evidence.same_throughout and evidence.same_function is False:
        causes += unexplained(pair, evidence)
    elif not causes and evidence.pulled:
        causes.append(_other_gradients(pair, evidence))
    return _consolidated(causes), warnings + _noticed(without_effect)


def _other_gradients(pair: Pair, evidence: Evidence) -> Cause:
    """The cause of gradients that differ where the outputs agree: a gradient is stopped, or replaced."""
    sides = [one.graph.own_gradients if one.graph is not None else [] for one in (pair.a, pair.b)]
    places = [words for words in (*sides[0], *sides[1]) if words not in sides[0] or words not in sides[1]]
    place = " / ".join((places or [*sides[0], *sides[1]])[:2]) or f"what follows {evidence.pulled[-1]}"
    words = ["replaces it" if side else "the gradient of what it computes" for side in sides]
    if words[0] == words[1]:
        words = ["one gradient", "another gradient"]
    assert evidence.gradients is not None  # noqa: S101 - the caller has looked
    detail = (
        f"outputs agree, and the gradients of {', '.join(evidence.pulled[:3])} differ by up to "
        f"{evidence.gradients.relative:.2g} of the largest: a gradient is stopped or replaced on the way back"
    )
    why = "Training moves the weights in another direction, though both compute the same."
    fix = "Stop or replace the gradient in the same place, and in the same way, on both sides."
    return make_cause("training_loop", f"gradient of {place}", *words, detail=detail, why=why, fix=fix)


def _of_setting(difference: Difference) -> bool:
    """Whether a setting differs of layers or operations that correspond."""
    return difference.node_a is not None and difference.node_b is not None and "=" in difference.a


def _noticed(differences: Sequence[Difference]) -> list[str]:
    """Differences that were seen to change nothing, as warnings: other settings one by one, the rest together."""
    settings = [d for d in differences if d.node_a is not None and d.node_b is not None and "wiring" not in d.code]
    warnings = [f"{d.where}: {d.a} in A and {d.b} in B; no effect was seen in the probes." for d in settings[:8]]
    others = list(dict.fromkeys(d.where for d in differences if d not in settings))
    if others:
        more = f" and in {len(others) - 4} more places" if len(others) > 4 else ""
        warnings.append(f"Written in another way, without effect on the function: {'; '.join(others[:4])}{more}.")
    return warnings


def _of_parts(pair: Pair, evidence: Evidence, causes: list[Cause]) -> list[Cause]:
    """Causes where weights could not be carried across: what is written otherwise on both sides is one cause."""
    if not evidence.unlike or pair.alignment is None or pair.a.graph is None or pair.b.graph is None:
        return causes
    parts = []
    for graph, left in ((pair.a.graph, pair.transfer.left_a), (pair.b.graph, pair.transfer.left_b)):
        open_weights = {id(variable) for variable in left}
        parts.append([node.words() for node in graph.nodes if open_weights & set(node.identity)])
    if causes and (pair.arrangeable is None or not all(parts)):
        return causes
    causes = [cause for cause in causes if cause.code not in _OF_STRUCTURE]
    words = [
        ", ".join(dict.fromkeys(part[:4])) + (f" and {len(part) - 4} more" if len(part) > 4 else "") for part in parts
    ]
    where = f"{words[0] or 'the model'} / {words[1] or 'the model'}"
    detail = f"these parts are written in different ways, and they do not compute the same: {evidence.unlike}"
    return [make_cause("arch.wiring", where, words[0] or "A's", words[1] or "B's", detail=detail), *causes]


def _by_hand(pair: Pair) -> bool:
    """Whether the differences are between layers and operations of the person's own that stand for them."""
    for difference in pair.differences:
        sides = ((difference.node_a, pair.a.graph), (difference.node_b, pair.b.graph))
        for index, graph in sides:
            if index is not None and graph is not None and graph.by_index()[index].spelling.startswith("operation"):
                return True
    return False


def _scored_alike(pair: Pair) -> bool:
    """Whether both losses fit their outputs, so that a softmax or sigmoid at the end changes nothing in training."""
    mine, theirs = resolved_losses(pair.a.model), resolved_losses(pair.b.model)
    if not mine or not theirs or len(mine) != len(theirs):
        return False
    theirs = pair.b.outputs(theirs)
    ends = ends_in_probabilities(pair.a), ends_in_probabilities(pair.b)
    if len(ends[0]) != len(mine) or len(ends[1]) != len(mine):
        return False
    for k in range(len(mine)):
        for loss, end in ((mine[k], ends[0][k]), (theirs[k], ends[1][k])):
            if loss.on_logits is None or end is None or not (loss.on_logits or end):
                return False
    return True


def _is_last_activation(difference: Difference, pair: Pair) -> bool:
    if difference.code != "arch.activation" or not ({difference.a, difference.b} <= PROBABILITY | {"linear"}):
        return False
    sides: list[tuple[int | None, Graph | None]] = [
        (difference.node_a, pair.a.graph),
        (difference.node_b, pair.b.graph),
    ]
    ends = [graph is not None and index in {end for end, _ in graph.outputs} for index, graph in sides]
    return any(ends)


def unexplained(pair: Pair, evidence: Evidence) -> list[Cause]:
    """A cause for functions that differ though no difference of the graphs says why."""
    inference, training = evidence.inference, evidence.training
    if evidence.counted is not None:
        return [counting_cause(*evidence.counted)]
    trained_apart = {id(v) for v in pair.a.model.trainable_variables} and any(
        p.trainable != q.trainable for p, q in pair.transfer.relations if "moving_" not in short_path(p)
    )
    if inference is not None and inference.equal:
        if trained_apart:
            return []  # a frozen normalisation runs in inference mode: told under mode.trainable
        first = evidence.parted[0].place if evidence.parted else ""
        places = ", ".join(dict.fromkeys(evidence.stale)) or first or "a layer with a mode"
        detail = "the models agree in inference and differ in training mode"
        words = (
            ("follows the mode", "does not, or otherwise") if not evidence.stale else ("updated", "updated otherwise")
        )
        return [make_cause("mode.bn_dropout", f"training mode of {places}", *words, detail=detail)]
    if inference is None and training is None:
        return []
    if evidence.noise == "apart":
        detail = (
            "in inference at least one of the models draws random numbers, and the outputs are distributed otherwise"
        )
        words = ("one distribution", "another distribution")
        return [make_cause("mode.bn_dropout", "random numbers drawn in inference", *words, detail=detail)]
    which = inference or training
    assert which is not None  # noqa: S101 - one of them is there
    detail = (
        f"with the same weights the outputs differ by up to {which.deviation:.3g} (values reach {which.scale:.3g}), "
        "and no layer or setting that can be seen explains it: a custom layer or operation computes something else"
    )
    place = (evidence.parted and evidence.parted[0].place) or f"output {which.worst}"
    return [make_cause("arch.wiring", place, "one function", "another function", detail=detail)]


def _consolidated(causes: list[Cause]) -> list[Cause]:
    """Many alike become one: a lost activation in thirty blocks is one mistake."""
    groups: dict[tuple[str, str, str, str], list[Cause]] = {}
    for cause in causes:
        setting = cause.where.rsplit(": ", 1)[-1] if ": " in cause.where else ""
        same = (cause.a, cause.b) if not cause.code.endswith(TOLD_BY_SIDE) else ("", "")
        groups.setdefault((cause.code, setting if same != ("", "") else cause.detail[:1], *same), []).append(cause)
    made = []
    for members in groups.values():
        if len(members) < 4:
            made += members
            continue
        first = members[0]
        more = "1 more place" if len(members) == 4 else f"{len(members) - 3} more places"
        where = "; ".join(member.where for member in members[:3]) + f"; and {more}"
        made.append(make_cause(first.code, where, first.a, first.b, detail=f"{first.detail} ({len(members)} places)"))
    return made


def without_witness(pair: Pair, evidence: Evidence) -> list[str]:
    """Differences that no probe can dismiss, where none showed an effect: limits, factors and the like.

    A layer's size or padding acts on every input or on none; a number may act only on inputs that were not tried.
    """
    places = []
    for difference in pair.differences:
        dismissed = evidence.same_throughout or difference in evidence.harmless
        number = difference.where.startswith("operation ") and not _decides(difference)
        tried = evidence.tried_far and (number or difference.code == "arch.activation")
        if difference.effect == "function" and dismissed and not tried and _is_number(difference):
            places.append(f"{difference.where}: {difference.a} in A and {difference.b} in B, without effect on a probe")
    return places


def _decides(difference: Difference) -> bool:
    """Whether an operation of own code differs that acts on some inputs, and on others not at all."""
    return difference.where.startswith(tuple(f"operation {kind} " for kind in CONDITIONS))


def _is_number(difference: Difference) -> bool:
    """Whether two numbers differ that are no counts, two activations, or what own code compares or calls."""
    if difference.node_a is None or difference.node_b is None:
        return False
    if difference.code == "arch.activation":
        return True
    if "(own code)" in difference.a + difference.b or (_decides(difference) and ": operand " in difference.where):
        return True
    try:
        numbers = [float(value.partition("=")[2]) for value in (difference.a, difference.b)]
    except ValueError:
        return False
    return not all(number.is_integer() and abs(number) < 1e4 for number in numbers)


def inference_causes(a: Graph, b: Graph) -> list[Cause]:
    """Layers that run in training mode during inference on one side only, from graphs traced in inference mode."""
    nodes_a, nodes_b = a.by_index(), b.by_index()
    modes, detail = (
        ("training mode", "inference mode"),
        "in predict and evaluate one side runs this layer as in training",
    )
    pairs = align(a, b).pairs
    return [cause_of(d) for x, y in pairs for d in other_mode(nodes_a[x], nodes_b[y], modes, detail)]
