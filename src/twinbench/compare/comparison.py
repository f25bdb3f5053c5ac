"""The comparison itself: loads both sides, gathers evidence, and says what it means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import keras
import numpy as np

from twinbench.audit.canonical import canonical_graph
from twinbench.audit.inputs import combined, input_ranges, probe_inputs
from twinbench.audit.ladder import (
    NAMES,
    Rung,
    graph_rung,
    parameter_rung,
    stopped,
)
from twinbench.audit.pairing import Pair, Subject, count_parameters, pair, subject
from twinbench.audit.trace import is_builtin
from twinbench.compare.advice import make_cause
from twinbench.compare.attribution import UNEXPLAINED, Evidence, gather, inference_causes, structural_causes
from twinbench.compare.conclusion import draw_verdict, function_rungs, verdict_sentence, with_stored
from twinbench.compare.data import RECONCILED, feed_causes, label_causes
from twinbench.compare.environment import environment_causes, levelled
from twinbench.compare.feeds import Feed, read_feed
from twinbench.compare.inputs import both_signatures, fed_texts, input_causes, takes_texts
from twinbench.compare.keeping import as_it_was
from twinbench.compare.loop import loop_causes
from twinbench.compare.losses import loss_causes
from twinbench.compare.metrics import metric_causes
from twinbench.compare.noise import binomial_noise
from twinbench.compare.optimizers import optimizer_causes
from twinbench.compare.places import Places
from twinbench.compare.render import as_text
from twinbench.compare.report import CODES, Cause, Report, Stored
from twinbench.compare.sides import SMALL, BuildError, Side, both_sides
from twinbench.compare.starting import compare_starts
from twinbench.compare.stored import compare_stored, equal_tables, table_causes
from twinbench.compare.surroundings import forget_default_policy, restored
from twinbench.compare.weights import penalty_causes, trainable_causes
from twinbench.errors import UsageError, first_cause

Progress = Callable[[str], None]


def compare(
    a: Any,
    b: Any,
    *,
    input_shape: Sequence[Any] | None = None,
    feed_a: Any = None,
    feed_b: Any = None,
    data: str | None = None,
    seeds: int = 5,
    names: tuple[str, str] = ("A", "B"),
    progress: Progress = lambda stage: None,
) -> Report:
    """Compares two models.

    Args:
        a: A function that returns a `keras.Model` (compiled or not), a model, `"file.py:function"`,
            `"package.module:function"`, or the path of a saved model (`.keras`, `.h5`), which is loaded in safe mode,
            or of saved weights (`.weights.h5`) for the other side's model. A live model is left as it was.
        b: The other side.
        input_shape: The shape of one input without the batch axis, or a list of such shapes; only needed where
            neither model knows its own.
        feed_a: What A is trained on: batches of (inputs, labels), a pair of arrays, a dict of the arguments of
            `fit`, a `tf.data.Dataset`, a `keras.utils.PyDataset`, a function that returns one of these, or its place
            as text.
        feed_b: The same for B.
        data: Name of a dataset on which to train both under several seeds, to show how large seed noise is.
        seeds: How many seeds that takes.
        names: What to call the sides in the report.
        progress: Called with the name of each stage as it begins.

    Returns:
        The report. Models whose builder raises give the verdict `cannot_tell`.

    Raises:
        twinbench.errors.UsageError: A side, feed or shape that cannot be used.
    """
    if keras.backend.backend() != "tensorflow":
        raise UsageError(
            f"Keras runs on {keras.backend.backend()} here, and the comparison runs on TensorFlow: set "
            "KERAS_BACKEND=tensorflow before Keras is imported, or use the command `twinbench compare`."
        )
    with restored(), ExitStack() as stack:
        forget_default_policy()
        places = Places()
        sides = both_sides(a, b, names, places)
        feeds = [_feed(feed, letter, places) for letter, feed in (("A", feed_a), ("B", feed_b))]
        models: list[keras.Model] = []
        for letter, one in zip("AB", sides, strict=True):
            progress(f"building {letter}")
            try:
                models.append(one.first_model())
            except BuildError as error:
                return _cannot_build(letter, one, error, sides)
            if data is not None:
                one.must_rebuild()
            if one.live:
                stack.enter_context(as_it_was(models[-1]))
        signatures = both_signatures(models[0], models[1], input_shape, feeds)
        subjects: list[Subject] = []
        for letter, one, model, signature in zip("AB", sides, models, signatures, strict=True):
            progress(f"running {letter} on a batch")
            try:
                subjects.append(subject(model, signature, fed_texts(signature, feeds)))
            except Exception as error:
                return _cannot_run(letter, one, error, sides, made_up=takes_texts(signature))
        comparison = _Comparison(sides, pair(*subjects), (feeds[0], feeds[1]), progress)
        report = comparison.report()
        if data is not None:
            from twinbench.compare.seeds import train_both

            progress(f"training both on {data}")
            report.seeds = train_both(sides, data, seeds)
            report.noise = str(report.seeds["sentence"])
        return report


def _feed(source: Any, letter: str, places: Places) -> Feed | None:
    """Reads a feed among the modules of its own file, where its place is given as text."""
    if source is None:
        return None
    if not isinstance(source, str):
        return read_feed(source, f"of {letter}")
    source, home = places.named(source)
    with home.entered():
        return read_feed(source, f"of {letter}")


def assert_same_model(a: Any, b: Any, *, same_weights: bool = False, **options: Any) -> None:
    """Raises AssertionError, with the whole report as its message, unless two models are identical or equivalent.

    Args:
        a: As in `compare`.
        b: As in `compare`.
        same_weights: Whether two live models must hold the same weights, too. Saved models always must.
        options: The keyword arguments of `compare`.
    """
    report = compare(a, b, **options)
    live = isinstance(a, keras.Model) and isinstance(b, keras.Model) and not same_weights
    if report.verdict not in ("identical", "equivalent") and not (live and report.verdict == "other_weights"):
        raise AssertionError(as_text(report))


def _titles(sides: tuple[Side, Side]) -> tuple[str, str]:
    return sides[0].name, sides[1].name


def _cannot_build(letter: str, one: Side, error: BuildError, sides: tuple[Side, Side]) -> Report:
    last = str(error).splitlines()[-1]
    failed = Rung(1, NAMES[0], "fail", None, f"{letter} cannot be built: {last}")
    return Report(
        verdict="cannot_tell",
        sentence=f"It cannot be told: {letter} ({one.name}) raises while it is built: {last}",
        same_architecture=False,
        same_function=None,
        rungs=stopped([failed], f"{letter} cannot be built"),
        warnings=[f"{letter} raised:\n{error}"],
        untested=["Everything: mend the builder first."],
        names=_titles(sides),
    )


def _cannot_run(letter: str, one: Side, error: Exception, sides: tuple[Side, Side], *, made_up: bool) -> Report:
    reason = first_cause(error, 600)
    if made_up:
        reason += (
            " Its texts were made up, or come from a feed; give --feed-a and --feed-b with texts that it can read."
        )
    rungs = [Rung(1, NAMES[0], "pass", None, "Both build."), Rung(2, NAMES[1], "fail", None, f"{letter}: {reason}")]
    return Report(
        verdict="cannot_tell",
        sentence=f"It cannot be told: {letter} ({one.name}) builds, but raises on a batch: {reason}",
        same_architecture=False,
        same_function=None,
        rungs=stopped(rungs, f"{letter} runs on no batch"),
        warnings=[f"{letter} raised {reason}"],
        untested=["Everything that needs a model that runs; if the input is wrong, give --input-shape."],
        names=_titles(sides),
    )


class _Comparison:
    """Gathers causes and warnings from every test, and draws the conclusion."""

    def __init__(
        self, sides: tuple[Side, Side], together: Pair, feeds: tuple[Feed | None, Feed | None], progress: Progress
    ) -> None:
        self.sides = sides
        self.pair = together
        self.feeds = feeds
        self.progress = progress
        self.causes: list[Cause] = []
        self.warnings: list[str] = []
        self.untested: list[str] = []
        self.stored: Stored | None = None
        self.arrays: list[np.ndarray] = []

    def report(self) -> Report:
        rungs = [
            Rung(1, NAMES[0], "pass", None, "Both build."),
            Rung(2, NAMES[1], "pass", None, "Both run on a batch."),
            graph_rung(self.pair),
            parameter_rung(self.pair),
            self._initial(),
        ]
        evidence = self._functions()
        rungs += function_rungs(evidence, self.pair)
        rungs.append(Rung(8, NAMES[7], "not applicable", None, "Not trained here; give --data to train both."))
        self._compilation()
        self._loop(evidence)
        self._data()
        self.untested += [item for side in self.sides for item in side.untested]
        blamed = [cause for cause in self.causes if cause.explains_lower_score]
        traced = self.pair.alignment is not None
        verdict = draw_verdict(evidence, rungs, self.causes, traced=traced)
        sentence = verdict_sentence(verdict, blamed, evidence)
        if self.stored is not None:
            verdict, sentence = with_stored(verdict, sentence, self.stored, [side.kind for side in self.sides])
            if self.stored.not_compared:
                self.untested.append(f"Stored weights: {self.stored.not_compared}.")
        self.causes.sort(key=lambda cause: (not cause.explains_lower_score, CODES.index(cause.code)))
        structural = [c for c in blamed if c.code.split(".")[0] in ("arch", "masking") or _in_model(c)]
        return Report(
            verdict=verdict,
            sentence=sentence,
            same_architecture=not structural and verdict != "cannot_tell",
            same_function=evidence.same_function,
            causes=self.causes,
            rungs=rungs,
            warnings=list(dict.fromkeys(self.warnings)),
            untested=self.untested,
            noise=binomial_noise() if self.stored is None or not self.stored.everything else "",
            stored=self.stored,
            names=_titles(self.sides),
        )

    def _add(self, found: tuple[list[Cause], list[str]] | list[Cause]) -> None:
        causes, warnings = found if isinstance(found, tuple) else (found, [])
        self.causes += causes
        self.warnings += warnings

    # -- the tests -----------------------------------------------------------------------------------------

    def _initial(self) -> Rung:
        """Initial weights, looked at before anything changes them."""
        self.progress("comparing initial weights")
        found = compare_starts(self.sides, self.pair)
        self._add((found.causes, found.warnings))
        self.untested += found.untested
        return found.rung

    def _functions(self) -> Evidence:
        """Structure and function, weighed against each other."""
        self.progress("comparing outputs and gradients")
        together = self.pair
        self._add(trainable_causes(together))
        self._add(penalty_causes(together))
        inputs, comparable = input_causes(together)
        evidence = Evidence(transferable=together.transfer.complete)
        if comparable:
            ranges = combined(
                input_ranges(together.a.graph, together.a.model, together.a.signature),
                input_ranges(together.b.graph, together.b.model, together.b.signature),
            )
            large = count_parameters(together.a.variables()) > SMALL
            try:
                arrays = fed_texts(together.a.signature, self.feeds)
                arrays = arrays or probe_inputs(together.a.signature, ranges, rows_per_part=1 if large else 2)
                if large and together.a.signature.batch is None:
                    arrays = [array[[0, -1]] for array in arrays]
                self.arrays = arrays
                with levelled(together), equal_tables(together):
                    evidence = gather(together, arrays)
            except TypeError as error:
                evidence.untested.append(f"No inputs could be made up for the models: {first_cause(error)}")
        self.untested += evidence.untested
        self.stored = compare_stored(self.sides, together, self.arrays)
        self._add(table_causes(self.sides, together))
        if not (evidence.same_throughout and all(cause.detail.startswith("reshape") for cause in inputs)):
            self._add(inputs)
        elif inputs:
            self.warnings.append("The inputs have other shapes with the same values in the same order.")
        self._add(structural_causes(together, evidence))
        self._environment()
        self._modes(evidence)
        self._masks_of_outputs()
        return evidence

    def _environment(self) -> None:
        """Precision and global settings; what they explain is not blamed on anything else."""
        causes, warnings, untested = environment_causes(self.sides, self.pair)
        if any(cause.explains_lower_score for cause in causes):
            self.causes = [cause for cause in self.causes if cause.a not in UNEXPLAINED]
        self._add((causes, warnings))
        self.untested += untested

    def _modes(self, evidence: Evidence) -> None:
        together = self.pair
        if together.a.graph is None or together.b.graph is None:
            for letter, one in (("A", together.a), ("B", together.b)):
                if one.graph is None:
                    self.warnings.append(f"{letter} could not be traced to a graph ({one.untraced}); it was probed.")
            return
        if not any(_has_own_code(one.model) for one in (together.a, together.b)):
            return
        try:
            graphs = [canonical_graph(one.model, one.signature, training=False) for one in (together.a, together.b)]
        except Exception:
            return
        self._add(inference_causes(together, *graphs))

    def _masks_of_outputs(self) -> None:
        a, b = self.pair.a.graph, self.pair.b.graph
        if a is None or b is None or a.masked_outputs == b.masked_outputs:
            return
        if any(cause.code == "masking" or cause.code.startswith("arch") for cause in self.causes):
            return
        words = ["masked" if any(graph.masked_outputs) else "not masked" for graph in (a, b)]
        detail = "Keras leaves masked steps out of the loss and the metrics; on one side the mask is lost on the way"
        self.causes.append(make_cause("masking", "mask of the output", *words, detail=detail))

    def _compilation(self) -> None:
        self.progress("comparing how they are compiled")
        for test in (loss_causes, metric_causes):
            try:
                self._add(test(self.pair))
            except Exception as error:
                self.untested.append(f"{test.__name__.split('_')[0].title()}: {first_cause(error)}")
        self._add(optimizer_causes(self.pair.a.model, self.pair.b.model))

    def _loop(self, evidence: Evidence) -> None:
        self.progress("comparing a step of training")
        same = evidence.same_function is True and bool(self.arrays)
        self._add(loop_causes(self.pair, self.arrays, same_function=same))

    def _data(self) -> None:
        first, second = self.feeds
        misfits = [label_causes(feed, self.pair, letter) for letter, feed in (("A", first), ("B", second))]
        if not all(misfits):
            self._add([cause for found in misfits for cause in found])
        if first is None or second is None:
            self.untested.append("What they are trained on: give --feed-a and --feed-b.")
            return
        self._add(feed_causes(first, second, self.pair))
        if RECONCILED in self.warnings:
            self.causes = [cause for cause in self.causes if not (cause.code == "preprocessing" and _in_model(cause))]


def _in_model(cause: Cause) -> bool:
    return cause.code == "preprocessing" and not cause.where.startswith("range")


def _has_own_code(model: keras.Model) -> bool:
    layers = model._flatten_layers(include_self=True, recursive=True)
    return any(not is_builtin(type(layer)) or type(layer).__name__ == "Lambda" for layer in layers)
