"""What the evidence comes to: the rungs of function and gradients, the verdict, and its sentence."""

from __future__ import annotations

from collections.abc import Sequence

from twinbench.audit.ladder import NAMES, Rung, function_rung_of, gradient_rung_of
from twinbench.audit.pairing import Pair
from twinbench.compare.attribution import Evidence
from twinbench.compare.report import CODES, Cause, Stored, Verdict


def draw_verdict(evidence: Evidence, rungs: Sequence[Rung], causes: Sequence[Cause], *, traced: bool) -> Verdict:
    """What can be said of two models.

    Args:
        evidence: what structure and probes show.
        rungs: the first five rungs of the ladder at least.
        causes: everything that was found to differ.
        traced: whether both models could be traced to graphs.
    """
    if any(cause.explains_lower_score for cause in causes):
        return "different"
    if evidence.same_function is None and not traced:
        return "cannot_tell"
    alike = rungs[2].outcome == "pass" and rungs[4].outcome != "fail"
    return "identical" if evidence.bit_identical and alike and not causes else "equivalent"


def verdict_sentence(verdict: Verdict, blamed: Sequence[Cause], evidence: Evidence) -> str:
    """The verdict in a sentence or two; of the causes that are blamed, the gravest is named."""
    if verdict == "different":
        first = min(blamed, key=lambda cause: CODES.index(cause.code))
        more = f", and {len(blamed) - 1} more" if len(blamed) > 1 else ""
        same = " The networks themselves are the same." if evidence.same_throughout else ""
        return f"They are different: {first.where} ({first.a} in A, {first.b} in B){more}.{same}"
    if verdict == "identical":
        return (
            "They are identical: with the same weights, outputs in both modes and all gradients are the same bit "
            "for bit. A gap between their scores is seed noise."
        )
    if verdict == "cannot_tell":
        return "It cannot be told: the models could be neither traced nor probed."
    if evidence.same_throughout:
        return (
            "They are equivalent: with the same weights they compute the same within float32 rounding. A gap "
            "between their scores is seed noise."
        )
    return "They are equivalent as far as could be seen: no difference was found that could explain a lower score."


def with_stored(verdict: Verdict, sentence: str, stored: Stored, kinds: Sequence[str]) -> tuple[Verdict, str]:
    """The verdict and its sentence, where a side comes with weights of its own.

    Args:
        verdict: what was said of the models themselves.
        sentence: the same in words.
        stored: what the comparison of the weights showed.
        kinds: the kinds of both sides.
    """
    if verdict in ("different", "cannot_tell"):
        return verdict, sentence
    if stored.differ:
        chance = " Whether they were trained, or are fresh and random, a live model does not say." * ("model" in kinds)
        return "other_weights", f"The same model, but the two hold other weights: {stored.sentence()}.{chance}"
    models = sentence.partition(". ")[0]
    if not stored.same:
        reason = stored.not_compared
        return verdict, f"{models}. But {reason}. This says nothing of their scores."
    if not stored.everything:
        return verdict, f"{sentence} The weights that both functions load or keep are the same."
    if stored.largest and verdict == "identical":
        verdict, models = "equivalent", models.replace("identical", "equivalent")
    scored = "A gap between their scores can only come from how, or on what, they are scored"
    return verdict, f"{models}, and {stored.sentence()}. {scored}."


def function_rungs(evidence: Evidence, together: Pair) -> list[Rung]:
    """The rungs of the same function and the same gradients."""
    made = []
    results = {False: evidence.inference, True: evidence.training}
    known = {mode: result for mode, result in results.items() if result is not None}
    if not evidence.transferable:
        missing = [v.path for v in (*together.transfer.left_a, *together.transfer.left_b)][:1]
        missing = missing or together.transfer.conflicts[:1] or ["a weight"]
        sentence = f"The weights do not correspond one to one ({missing[0]})."
        made.append(Rung(6, NAMES[5], "fail", None, sentence))
    elif known:
        made.append(function_rung_of(known))
    else:
        made.append(Rung(6, NAMES[5], "not applicable", None, "The outputs could not be compared."))
    if evidence.gradients is not None:
        made.append(gradient_rung_of(evidence.gradients))
    else:
        made.append(Rung(7, NAMES[6], "not applicable", None, "The gradients were not compared."))
    return made
