"""Compares steps of training and evaluation where a model replaces a part of Keras's loops."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.batches import Batch, batches
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed
from twinbench.compare.losses import resolved_losses
from twinbench.compare.report import Cause
from twinbench.compare.trials import EVALUATION, LONG, Trial, overridden
from twinbench.errors import first_cause
from twinbench.sameness.evidence import Evidence
from twinbench.sameness.own_code import own_loop, told_apart
from twinbench.sameness.probes import compare_arrays
from twinbench.sameness.subjects import Pair


def loop_causes(
    pair: Pair,
    arrays: Sequence[np.ndarray],
    feeds: Sequence[Feed | None],
    *,
    evidence: Evidence,
    causes: Sequence[Cause],
    coverage: Coverage,
) -> tuple[list[Cause], list[str], bool]:
    """Run steps of both models on one batch where either overrides a loop, and compare what they do.

    Both hold the same weights. They are compiled with the same optimiser, and with their own losses where these are
    equal, so that only the loop can differ.

    Returns:
        The causes, warnings, and whether the steps that ran were seen to give equal weights.
    """
    mine, theirs = overridden(pair.a.model), overridden(pair.b.model)
    names = sorted(set(mine) | set(theirs))
    apart = bool(names) and bool(told_apart(own_loop(pair.a.model), own_loop(pair.b.model)))
    blamed = any(cause.explains_lower_score for cause in causes)
    losses = [resolved_losses(one.model) for one in (pair.a, pair.b)]
    on_logits = [[loss.on_logits for loss in side or []] for side in losses]
    logits_apart = None not in losses and on_logits[0] != on_logits[1]
    if not names and (blamed or None in losses or (evidence.same_throughout and not logits_apart)):
        coverage.not_applicable("training step", "Both are trained and scored by Keras's own loops.")
        return [], [], False
    where = ", ".join(f"{name} of {mine.get(name) or theirs.get(name)}" for name in names) or "training step"
    alike = evidence.same_function or (evidence.transferable and not blamed)
    if not alike or not arrays:
        if apart:
            why = "as the models differ, its effect cannot be told apart" if blamed else "the models cannot be compared"
            coverage.not_tested("training step", f"{where} is overridden; {why}")
        return [], [], False
    words = [_words(side) for side in (mine, theirs)]
    if not names:
        words = [", ".join(loss.words() for loss in side or []) for side in losses]
    trial = Trial(pair, causes)
    reasons = trial.blocked()
    if reasons:
        coverage.not_tested("training step", f"{where} is overridden; {reasons}")
        return [], [], False
    trials: list[tuple[str, Callable[..., list[np.ndarray]]]] = [("two steps of training", trial.trained)]
    if apart:
        trials.append((f"{LONG} steps of training", trial.trained_long))
    if set(names) & set(EVALUATION):
        trials.append(("an evaluation", trial.scored))
    found: list[Cause] = []
    warnings: list[str] = []
    tried = batches(pair, arrays, feeds)
    for what, run in trials:
        if found:
            break
        results = [_result(run, batch, multiple=500 if run == trial.trained_long else 1) for batch in tried]
        cause, more = _judged(results, where, words, what, coverage)
        found += [cause] if cause is not None else []
        warnings += more
    if found and logits_apart and not names:
        detail = f"{found[0].detail}; the outputs keep no logits that from_logits=True could recover"
        found = [make_cause("compile.loss", "loss: from_logits", *words, detail=detail)]
    alike = not found and not any(t.subject == "training step" for t in coverage.gaps)
    if alike and apart:
        steps = " and ".join(what for what, _ in trials)
        coverage.not_tested("training step", f"{where} is not the same code on both sides; {steps} gave the same")
    return found, warnings, alike


@dataclass
class _Result:
    """What came of one batch: whether both did the same, or what each raised."""

    batch: Batch
    equal: bool | None = None
    deviation: float = 0.0
    errors: tuple[str, str] = ("", "")
    random: bool = False


def _judged(
    results: Sequence[_Result], where: str, words: Sequence[str], what: str, coverage: Coverage
) -> tuple[Cause | None, list[str]]:
    compared = [result for result in results if result.equal is not None]
    unequal = [result for result in compared if not result.equal]
    warnings = []
    certain = [result for result in unequal if result.batch.certain]
    if certain or (unequal and len(unequal) == len(compared)):
        worst = (certain or unequal)[0]
        detail = (
            f"from the same weights, on the same batch ({worst.batch.form}), {what} on each side do not end alike "
            f"(they differ by up to {worst.deviation:.2g})"
        )
        return make_cause("training_loop", where, words[0], words[1], detail=detail), []
    for result in results:
        failed = [k for k in (0, 1) if result.errors[k]]
        if len(failed) != 1:
            continue
        side = "AB"[failed[0]]
        sentence = f"with {result.batch.form} {side} raises {result.errors[failed[0]]}, and {'BA'[failed[0]]} does not"
        if result.batch.certain and result.batch.usual:
            return make_cause("training_loop", where, words[0], words[1], detail=sentence), []
        if compared and result.batch.certain:
            warnings.append(f"{where}: {sentence}.")
    if unequal:
        coverage.not_tested(
            "training step", f"{where}: the steps differ with {unequal[0].batch.form}, and agree otherwise"
        )
    elif not compared:
        drawn = any(result.random for result in results)
        error = next((error for result in results for error in result.errors if error), "it changes nothing")
        why = (
            "it draws random numbers, so two runs cannot be compared" if drawn else f"no batch could be tried ({error})"
        )
        coverage.not_tested("training step", f"{where} is overridden; {why}")
    else:
        coverage.tested("training step")
        if where != "training step":
            forms = ", ".join(result.batch.form for result in compared)
            warnings.append(f"{where} is overridden; {what} gave the same on both sides ({forms}).")
    return None, warnings


def _result(run: Callable[..., list[np.ndarray]], batch: Batch, *, multiple: float = 1) -> _Result:
    """Run both sides on a batch; where they differ, make sure that it is not by chance.

    Rounding may be a `multiple` of what it is after two steps.
    """
    ends: list[list[np.ndarray]] = []
    errors = ["", ""]
    for k, arguments in enumerate((batch.a, batch.b)):
        try:
            ends.append(run(k, arguments))
        except Exception as error:
            errors[k] = first_cause(error, 160)
    if any(errors):
        return _Result(batch, errors=(errors[0], errors[1]))
    comparison = _compare(ends[0], ends[1], multiple)
    if comparison is None:
        return _Result(batch)
    if not comparison.equal and not _compare_equal(ends[0], run(0, batch.a, seed=8), multiple):
        comparison = _compare(run(0, batch.a, eagerly=True), run(1, batch.b, eagerly=True), multiple)
        if comparison is None or not comparison.equal:
            return _Result(batch, random=True)
    return _Result(batch, comparison.equal, comparison.deviation)


def _compare(left: list[np.ndarray], right: list[np.ndarray], multiple: float = 1) -> Any:
    """Two lists of changes compared; None where nothing changed, or what came out is no number."""
    if not all(np.all(np.isfinite(array)) for array in (*left, *right)):
        return None
    largest = max((float(np.abs(array).max()) for array in (*left, *right) if array.size), default=0.0)
    if largest == 0.0:
        return None
    return compare_arrays(left, right, [2e-6 * multiple * largest] * len(left))


def _compare_equal(left: list[np.ndarray], right: list[np.ndarray], multiple: float = 1) -> bool:
    comparison = _compare(left, right, multiple)
    return comparison is not None and bool(comparison.equal)


def _words(methods: dict[str, str]) -> str:
    return "Keras's own loop" if not methods else ", ".join(f"{cls}.{name}" for name, cls in methods.items())
