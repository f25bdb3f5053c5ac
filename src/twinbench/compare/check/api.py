"""The way into a check: loads the model and its feed, looks for what is wrong, and leaves everything as it was."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import keras
import numpy as np

from twinbench.compare.api import load_feed
from twinbench.compare.check.architecture import (
    frozen_at_random,
    lost_layers,
    lost_masks,
    models_kept_alive,
    untracked_weights,
    useless_activations,
    wrong_modes,
)
from twinbench.compare.check.compilation import loss_findings
from twinbench.compare.check.feeding import feed_findings
from twinbench.compare.check.gap import explain_gap
from twinbench.compare.check.repeating import explain_repeats
from twinbench.compare.check.report import SUBJECTS, CheckReport, Finding, found, ordered
from twinbench.compare.comparison import Progress
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed
from twinbench.compare.imported import Places
from twinbench.compare.initial import equal_groups
from twinbench.compare.sides import BuildError, Side, both_sides
from twinbench.compare.signatures import both_signatures, fed_texts
from twinbench.compare.surroundings import forget_default_policy, restored
from twinbench.compare.weights import only_configured
from twinbench.errors import UsageError, first_cause
from twinbench.sameness.evidence import short_path
from twinbench.sameness.keeping import as_it_was
from twinbench.sameness.probes import values_of
from twinbench.sameness.signature import signature_of
from twinbench.sameness.subjects import Subject, made_up_inputs, subject


def check(
    model: Any,
    *,
    feed: Any = None,
    input_shape: Sequence[Any] | None = None,
    epochs: int = 2,
    train: bool = True,
    name: str = "the model",
    progress: Progress = lambda stage: None,
) -> CheckReport:
    """Look for what is wrong with one model.

    Args:
        model: As one side of `twinbench.compare`.
        feed: What it is trained on, as in `twinbench.compare`.
        input_shape: As in `twinbench.compare`.
        epochs: How many epochs to train before `fit` and `evaluate` are set against each other.
        train: Whether to train for the two explanations, which need a compiled model and a feed.
        name: What to call it in the report.
        progress: Called with the name of each stage as it begins.

    Returns:
        The report. A model that cannot be built or run gives the verdict `cannot_tell`.

    Raises:
        twinbench.errors.UsageError: A model, feed or shape that cannot be used.
    """
    if keras.backend.backend() != "tensorflow":
        raise UsageError("The check runs on TensorFlow: set KERAS_BACKEND=tensorflow before Keras is imported.")
    with restored(), ExitStack() as stack:
        forget_default_policy()
        places = Places()
        side = both_sides(model, model, (name, name), places)[0]
        given = load_feed(feed, "A", places)
        progress("building the model")
        try:
            with models_kept_alive() as models:
                built = side.first_model()
        except BuildError as error:
            return _cannot_tell(side, f"it raises while it is built: {str(error).splitlines()[-1]}")
        if side.live:
            stack.enter_context(as_it_was(built))
        if signature_of(built) is None and input_shape is None and given is None:
            raise UsageError(
                f"{name} has not been built, so it does not say what it takes in; give --input-shape, as in "
                "--input-shape 28,28,1 (without the batch axis), or --feed."
            )
        signature = both_signatures(built, built, input_shape, [given, given])[0]
        progress("running it on a batch")
        try:
            one = subject(built, signature, fed_texts(signature, [given]))
        except Exception as error:
            return _cannot_tell(side, f"it builds, but raises on a batch: {first_cause(error, 600)}")
        looking = _Check(side, one, given, models, progress)
        looking.look()
        if train:
            looking.explain(model, feed, epochs)
        else:
            for part in ("fit against evaluate", "repeatability"):
                looking.coverage.not_given(part, "it needs training, which was not wanted.")
        return looking.report()


class _Check:
    """Gathers what every test finds of one model."""

    def __init__(
        self, side: Side, one: Subject, feed: Feed | None, models: list[keras.Model], progress: Progress
    ) -> None:
        self.side, self.one, self.feed, self.models, self.progress = side, one, feed, models, progress
        self.coverage = Coverage(SUBJECTS)
        self.findings: list[Finding] = []
        self.result = CheckReport("nothing_found", "", side.name, coverage=self.coverage)

    def look(self) -> None:
        """Run every test that needs no training."""
        self.progress("looking at the network")
        one, graph, coverage = self.one, self.one.graph, self.coverage
        with coverage.test("initial weights"):
            random = self._starts()
        arrays: list[np.ndarray] = []
        with coverage.test("graph"):
            arrays = made_up_inputs(one, one)
        with coverage.test("layers"):
            self.findings += lost_layers(one, self.models, coverage)
        if graph is None:
            for part in ("graph", "layer modes", "masks", "trainable weights", "penalties"):
                coverage.not_tested(part, f"the model cannot be traced ({one.untraced})")
        else:
            self.findings += useless_activations(graph)
            with coverage.test("layer modes"):
                self.findings += wrong_modes(one, graph)
            with coverage.test("masks"):
                self.findings += lost_masks(one, graph, arrays, coverage)
            with coverage.test("trainable weights"):
                self.findings += untracked_weights(graph) + frozen_at_random(one.model, random)
            with coverage.test("penalties"):
                self._penalties()
        self.progress("looking at the loss and the feed")
        with coverage.test("loss"):
            self.findings += loss_findings(one, arrays, self.feed, coverage)
        if self.feed is None:
            coverage.not_given("feed", "what it is trained on: give --feed.")
        else:
            held = {id(v) for v in one.model.weights} if self.side.kind != "builder" else set(self.side.held)
            with coverage.test("feed"):
                self.findings += feed_findings(self.feed, one, held, coverage)

    def _starts(self) -> set[int]:
        """Look at the initial weights; return those that are drawn anew on each build, by identity."""
        variables = list(self.one.model.variables)
        if not self.side.rebuilds:
            self.coverage.not_given("initial weights", "give the function that builds the model.")
            return set()
        again = list(self.side.model(seed=1, alone=True).variables)
        if [tuple(v.shape) for v in again] != [tuple(v.shape) for v in variables]:
            self.coverage.not_tested("initial weights", "the model is built when it is first called")
            return set()
        groups = [equal_groups(variables), equal_groups(again)]
        order = {id(v): k for k, v in enumerate(variables)}, {id(v): k for k, v in enumerate(again)}
        other = [{order[1][id(v)] for v in group} for group in groups[1]]
        for group in groups[0]:
            members = {order[0][id(v)] for v in group}
            values = values_of(group[0])
            drawn = len(np.unique(values)) > max(3, values.size // 4)
            copied = any(id(v) in self.side.assigned for v in group)
            if drawn and not copied and any(members <= known for known in other):
                names = ", ".join(short_path(v) for v in group)
                what = "they start with the same values: they share one initialiser object, or one seed"
                fix = "Give every layer its own initialiser object, without a seed or with another one."
                self.findings.append(found("init", f"initial values of {names}", what, fix))
        return {
            id(v)
            for v, w in zip(variables, again, strict=True)
            if v.dtype.startswith("float")
            and np.ptp(values_of(v)) > 0
            and not np.array_equal(values_of(v), values_of(w))
        }

    def _penalties(self) -> None:
        late = [v for v in self.one.model.variables if only_configured(v, self.one.graph)]
        if late:
            names = ", ".join(short_path(v) for v in late[:4]) + (f" and {len(late) - 4} more" if len(late) > 4 else "")
            what = "the layer's configuration shows a regulariser that was set after it was built: it adds no loss"
            fix = "Give the regulariser to the layer's constructor."
            self.findings.append(found("regularization", f"regularizer of {names}", what, fix))

    def explain(self, model: Any, feed: Any, epochs: int) -> None:
        """Train for the two explanations."""
        compiled = bool(getattr(self.one.model, "compiled", False))
        if self.feed is None or not compiled:
            missing = "what it is trained on: give --feed." if compiled else "the model is not compiled."
            for part in ("fit against evaluate", "repeatability"):
                self.coverage.not_given(part, missing)
            return
        self.progress("training twice, to see whether it repeats")
        with self.coverage.test("repeatability"):
            self.result.repeat = explain_repeats(model, feed, self.feed, self.side.name)
        self.progress("training, to set fit against evaluate")
        with self.coverage.test("fit against evaluate"), as_it_was(self.one.model):
            self.result.gaps = explain_gap(self.one, self.feed, epochs, self.coverage)

    def report(self) -> CheckReport:
        """Draw the conclusion."""
        result = self.result
        result.findings = ordered(self.findings)
        warnings, gaps = result.warnings, self.coverage.gaps
        unrepeatable = result.repeat is not None and result.repeat.outcome == "does not repeat"
        not_tested = f" Not tested: {'; '.join(f'{gap.subject} ({gap.reason})' for gap in gaps[:3])}." if gaps else ""
        not_given = [test.subject for test in self.coverage.tests() if test.outcome == "not given"]
        aside = f" Not looked at: {', '.join(not_given)}." if not_given else ""
        if warnings or unrepeatable:
            result.verdict = "warnings"
            first = f"{warnings[0].where}: {warnings[0].what}." if warnings else "The training cannot be repeated."
            count = len(warnings) + unrepeatable
            result.sentence = f"{count} warning{'s' if count > 1 else ''}. {first}"
        else:
            result.verdict = "not_fully_tested" if gaps else "nothing_found"
            result.sentence = f"Nothing wrong was found in what was looked at.{aside}{not_tested}"
        return result


def _cannot_tell(side: Side, why: str) -> CheckReport:
    coverage = Coverage(SUBJECTS)
    for part in SUBJECTS:
        coverage.not_tested(part, "that needs a model that runs.")
    return CheckReport("cannot_tell", f"It cannot be told: {why}", side.name, coverage=coverage)
