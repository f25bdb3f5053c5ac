"""What the evidence comes to: the verdict, and its sentence."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twinbench.analysis.intervals import binomial_se
from twinbench.compare.checkpoint import in_words
from twinbench.compare.coverage import Coverage
from twinbench.compare.holdings import Relation, Stored
from twinbench.compare.report import Cause, Verdict
from twinbench.sameness.evidence import Evidence
from twinbench.sameness.probes import compare_arrays, compare_gradients, give_random_weights, kept, outputs_of
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.rungs import Rung, make_rung
from twinbench.sameness.subjects import Pair, count_acting


def draw_verdict(evidence: Evidence, rungs: Sequence[Rung], causes: Sequence[Cause], coverage: Coverage) -> Verdict:
    """What can be said of two models: the same only if nothing that is there was left untested.

    Args:
        evidence: what structure and probes show.
        rungs: the first five rungs of the ladder at least.
        causes: everything that was found to differ.
        coverage: what was tested, and what not.
    """
    if any(cause.explains_lower_score for cause in causes):
        return "different"
    gaps = {test.subject for test in coverage.gaps}
    if {"graph", "outputs"} <= gaps:
        return "cannot_tell"
    if gaps:
        return "not_fully_tested"
    alike = rungs[2].outcome == "pass" and rungs[4].outcome != "fail" and not coverage.on_samples
    return "identical" if evidence.bit_identical and alike and not causes else "equivalent"


def verdict_sentence(verdict: Verdict, blamed: Sequence[Cause], evidence: Evidence, coverage: Coverage) -> str:
    """The verdict in a sentence or two; of the causes that are blamed, the first is named."""
    if verdict == "different":
        more = f", and {len(blamed) - 1} more" if len(blamed) > 1 else ""
        same = " The networks themselves are the same." if evidence.same_throughout else ""
        return f"They are different: {headline(blamed[0])}{more}.{same}"
    if verdict == "cannot_tell":
        return "It cannot be told: the models could be neither traced nor probed."
    if verdict == "not_fully_tested":
        return gaps_in_words(coverage)
    same = {
        "identical": "with the same weights, outputs in both modes and all gradients are the same bit for bit",
        "equivalent": "with the same weights they compute the same within float32 rounding"
        + " on all inputs that were tried" * evidence.tried_far
        if evidence.same_throughout
        else "with the same weights they train to the same weights",
    }[verdict]
    if verdict == "equivalent" and coverage.on_samples:
        same += f"; own code that the two wrote in different ways agreed on all that was tried ({named(coverage)})"
    return f"They are {'the same model' if verdict == 'identical' else 'equivalent'}: {same}. {chance(coverage)}"


def headline(cause: Cause) -> str:
    """A cause in short."""
    return f"{cause.where} ({cause.a} in A, {cause.b} in B)"


def named(coverage: Coverage) -> str:
    """The own code that was tried on samples, in words."""
    places = list(dict.fromkeys(coverage.on_samples))
    return ", ".join(places[:3]) + (f", and {len(places) - 3} more" if len(places) > 3 else "")


def gaps_in_words(coverage: Coverage) -> str:
    """The sentence of models that are the same in all that could be tested."""
    reasons: dict[str, list[str]] = {}
    for test in coverage.gaps:
        reasons.setdefault(test.reason.rstrip("."), []).append(test.subject)
    gaps = [f"{' and '.join(subjects)} ({reason})" for reason, subjects in reasons.items()]
    more = f"; and {len(gaps) - 3} more" if len(gaps) > 3 else ""
    return f"The same as far as could be tested; not tested: {'; '.join(gaps[:3])}{more}."


def chance(coverage: Coverage) -> str:
    """What a gap between the scores of two models without a difference can come from."""
    if coverage.not_given_of("feeds"):
        sources = ["what they were trained on", "how they were trained"]
    else:
        sources = ["how they were compiled"] if coverage.not_given_of("loss", "optimizer") else []
        sources += ["where their training started"] if coverage.not_given_of("initial weights") else []
    sources += coverage.asides
    if not sources:
        return "A gap between their scores is seed noise."
    return f"A gap between their scores can only come from {', '.join(sources)}, or chance."


def binomial_noise() -> str:
    """What a test set alone does to a difference of two accuracies, in words."""
    parts = []
    for score, examples in ((0.98, 10_000), (0.90, 10_000), (0.95, 1_000)):
        spread = 1.96 * math.sqrt(2) * binomial_se(100 * score, examples)
        parts.append(f"{spread:.1f} points at {100 * score:.0f} % on {examples:,} test images")
    return (
        "Two equal models, each trained once, differ by chance. The choice of test images alone accounts for up to "
        f"{', '.join(parts)} (95 % of cases); other seeds for weights and batches come on top. "
        "To see how large that is here, run with --data NAME --seeds 5."
    )


def with_stored(
    verdict: Verdict, sentence: str, stored: Stored, kinds: Sequence[str], *, other_function: bool
) -> tuple[Verdict, str, Stored]:
    """The verdict, its sentence, and which of four it is, where a side comes with weights of its own.

    Args:
        verdict: what was said of the models themselves.
        sentence: the same in words.
        stored: what the comparison of the weights showed.
        kinds: the kinds of both sides.
        other_function: whether the two compute something else with the same weights.
    """
    known = stored.everything and not stored.not_compared
    if verdict == "different":
        relation, words = _relation_of_different(stored, known=known, other_function=other_function)
        return verdict, f"{sentence} {words}".strip(), replace(stored, relation=relation)
    if verdict == "cannot_tell" or (verdict == "not_fully_tested" and stored.same):
        return verdict, sentence, stored
    if stored.weights or stored.state:
        return _with_other_numbers(verdict, stored, known=known, live="model" in kinds)
    models = sentence.partition(". ")[0]
    if not stored.same:
        fit = "" if stored.checkpoint is None else " " + in_words(stored.checkpoint)
        return verdict, f"{models}. But {stored.not_compared}. This says nothing of their scores.{fit}", stored
    if not stored.everything:
        return verdict, f"{sentence} The weights that both functions load or keep are the same.", stored
    if (stored.largest or stored.training_asides()) and verdict == "identical":
        verdict, models = "equivalent", models.replace("the same model", "equivalent")
    scored = "A gap between their scores can only come from how, or on what, they are scored"
    words = f"{models}, and {stored.sentence()}. {scored}."
    return verdict, words, replace(stored, relation="same model, same weights")


def _with_other_numbers(verdict: Verdict, stored: Stored, *, known: bool, live: bool) -> tuple[Verdict, str, Stored]:
    """The same of models that are the same, and that hold other weights, or other state."""
    models = "The same as far as could be tested" if verdict == "not_fully_tested" else "The same model"
    outputs = stored.outputs_in_words()
    if stored.weights:
        chance = " Whether they were trained, or are fresh and random, a live model does not say." * live
        words = f"{models}, but the two hold other weights: {stored.sentence()}. {outputs}".strip() + chance
        return "other_weights", words, replace(stored, relation="same model, other weights")
    weights = "Same weights, other function" if known else models
    words = f"{weights}: state that is no weight differs. {capital(stored.sentence())}. {outputs}".strip()
    return "other_state", words, replace(stored, relation="same weights, other function" if known else None)


def _relation_of_different(stored: Stored, *, known: bool, other_function: bool) -> tuple[Relation | None, str]:
    """Which of four it is, and a sentence on the weights, where something besides them differs."""
    if not known:
        return ("different models" if other_function and not stored.not_compared else None), ""
    if stored.weights or stored.missing:
        size = f"{len(stored.weights)} of {len(stored.of('weight'))} weight tensors" if stored.weights else "some"
        if other_function:
            return "different models", f"Different models: of the weights that they hold {size} differ too."
        return "same model, other weights", f"They hold other weights, too: {stored.sentence()}."
    if other_function or stored.state:
        state = f" State differs, too: {stored.sentence()}." * bool(stored.state)
        return "same weights, other function", f"Same weights, other function: they hold the same weights.{state}"
    return "same model, same weights", "They hold the same weights."


def capital(words: str) -> str:
    """Words as the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def compare_fed(pair: Pair, a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> list[Rung] | None:
    """The rungs of function and gradients on the samples that each side is fed, as each feed has them.

    For models that scale their inputs otherwise, because their feeds do.

    Returns:
        Both rungs, or None where the models do not agree.
    """
    with kept(pair.a, pair.b), without_noise(pair.a.model, pair.b.model):
        give_random_weights(pair.transfer, 11)
        for training in (False, True):
            with kept(pair.a, pair.b, only_state=True):
                left, right = (outputs_of(one, fed, training) for one, fed in ((pair.a, a), (pair.b, b)))
            if not compare_arrays(left, right, [1e-6 * float(np.abs(x).max()) for x in left]).equal:
                return None
        if not compare_gradients(pair, a, b)[0].equal:
            return None
    words = "With the same weights, each on the samples of its own feed,"
    return [
        make_rung(6, "pass", None, f"{words} the outputs agree in both modes."),
        make_rung(7, "pass", None, f"{words} the gradients agree."),
    ]


def report_function(evidence: Evidence, pair: Pair, coverage: Coverage) -> None:
    """Say what of graph, outputs and gradients was compared."""
    untraced = [
        f"{letter} cannot be traced ({one.untraced}), so settings without effect on a probe are unseen"
        for letter, one in (("A", pair.a), ("B", pair.b))
        if one.graph is None
    ]
    for reason in untraced:
        coverage.not_tested("graph", reason)
    if not untraced:
        coverage.tested("graph")
    why = "; ".join(evidence.untested) or "the weights could not be matched one to one"
    for subject, results in (
        ("outputs", (evidence.inference, evidence.training)),
        ("gradients", (evidence.gradients, evidence.updates)),
    ):
        if any(result is None for result in results):
            coverage.not_tested(subject, why)
        else:
            coverage.tested(subject)


def report_contradictions(
    evidence: Evidence,
    rungs: Sequence[Rung],
    causes: Sequence[Cause],
    coverage: Coverage,
    *,
    together: Pair,
    trained_alike: bool,
) -> None:
    """Count as not tested what differs and no cause explains."""
    if any(cause.explains_lower_score for cause in causes):
        return
    if not (evidence.same_throughout or trained_alike):
        failed = [rung for rung in rungs if rung.number in (6, 7) and rung.outcome == "fail"]
        for rung in failed:
            what = "outputs" if rung.number == 6 else "gradients"
            coverage.not_tested(what, f"a difference without a cause that could be found: {rung.sentence}")
    if rungs[3].outcome == "fail" and count_acting(together.a) != count_acting(together.b):
        coverage.not_tested("trainable weights", f"no cause was found: {rungs[3].sentence}")
