"""What a comparison gathers of two built models: evidence from every test, and what it means."""

import operator
from collections.abc import Callable

import keras
import numpy as np

from twinbench.compare.advice import CODES, make_cause
from twinbench.compare.attribution import UNEXPLAINED, inference_causes, structural_causes, without_witness
from twinbench.compare.batches import arranged, fed_batches
from twinbench.compare.conclusion import (
    binomial_noise,
    compare_fed,
    draw_verdict,
    report_contradictions,
    report_function,
    verdict_sentence,
    with_stored,
)
from twinbench.compare.coverage import Coverage
from twinbench.compare.damage import lost_points
from twinbench.compare.data import feed_causes, label_causes
from twinbench.compare.environment import environment_causes, levelled
from twinbench.compare.feeds import Feed
from twinbench.compare.holdings import Stored
from twinbench.compare.loop import loop_causes
from twinbench.compare.losses import last_layers, loss_causes
from twinbench.compare.metrics import metric_causes
from twinbench.compare.optimizers import optimizer_causes
from twinbench.compare.page.view import view_of
from twinbench.compare.report import Cause, Report
from twinbench.compare.samples import RECONCILED
from twinbench.compare.sides import SMALL, Side
from twinbench.compare.signatures import fed_texts, input_causes
from twinbench.compare.sourced import with_lines
from twinbench.compare.starting import compare_starts
from twinbench.compare.steps import Steps, step_causes
from twinbench.compare.stored import compare_stored, equal_tables, table_causes
from twinbench.compare.tokens import with_token_ids
from twinbench.compare.tried_code import tried_on_samples, try_own_code
from twinbench.compare.weights import added_loss_causes, penalty_causes, trainable_causes
from twinbench.errors import first_cause
from twinbench.sameness.canonical import canonical_graph
from twinbench.sameness.divergence import divergence_noted, own_place, with_places
from twinbench.sameness.evidence import Evidence, gather
from twinbench.sameness.rungs import Rung, function_rungs, graph_rung, make_rung, parameter_rung
from twinbench.sameness.subjects import Pair, count_parameters, made_up_inputs
from twinbench.sameness.trace import is_builtin

Progress = Callable[[str], None]


class Comparison:
    """Gathers causes and warnings from every test, and draws the conclusion."""

    def __init__(
        self,
        sides: tuple[Side, Side],
        together: Pair,
        feeds: tuple[Feed | None, Feed | None],
        progress: Progress,
        steps: Steps = (None, None),
    ) -> None:
        self.steps = steps
        self.sides = sides
        self.pair = together
        self.feeds = feeds
        self.progress = progress
        self.causes: list[Cause] = []
        self.warnings: list[str] = []
        self.coverage = Coverage()
        self.stored: Stored | None = None
        self.arrays: list[np.ndarray] = []

    def report(self) -> Report:
        """Run every test and draw the conclusion."""
        rungs = [
            make_rung(1, "pass", None, "Both build."),
            make_rung(2, "pass", None, "Both run on a batch."),
            graph_rung(self.pair),
            parameter_rung(self.pair),
            self._initial(),
        ]
        evidence = self._functions()
        rungs += with_places(function_rungs(evidence, self.pair), evidence, self.pair)
        rungs.append(make_rung(8, "not applicable", None, "Not trained here; give --data to train both."))
        self._compilation()
        structural = self._structural()
        trained_alike = self._loop(evidence)
        fed_alike = self._data(evidence)
        rungs[5:7] = fed_alike or rungs[5:7]
        for side in self.sides:
            for reason in side.untested:
                self.coverage.not_tested("loss", reason)
        seen = evidence, rungs, self.causes, self.coverage
        report_contradictions(*seen, together=self.pair, trained_alike=trained_alike)
        self.causes.sort(
            key=lambda cause: (not cause.explains_lower_score, CODES.index(cause.code), -lost_points(cause))
        )
        blamed = [cause for cause in self.causes if cause.explains_lower_score]
        self.coverage.on_samples += tried_on_samples(self.pair)
        verdict = draw_verdict(evidence, rungs, self.causes, self.coverage)
        sentence = verdict_sentence(verdict, blamed, evidence, self.coverage)
        if self.stored is not None:
            verdict, sentence, self.stored = with_stored(
                verdict,
                sentence,
                self.stored,
                [side.kind for side in self.sides],
                other_function=evidence.same_function is False,
            )
            self.warnings += self.stored.asides()
            rungs.append(self.stored.rung())
            if verdict == "other_weights":
                sentence += own_place(self.pair, [*fed_batches(self.pair, self.feeds)[:1], self.arrays][0])
        self.causes = with_token_ids(self.causes, self.pair, self.arrays)
        self.causes = [with_lines(cause, self.sides) for cause in self.causes]
        return Report(
            verdict=verdict,
            sentence=sentence,
            same_architecture=(not structural or fed_alike is not None) and verdict != "cannot_tell",
            same_function=evidence.same_function,
            causes=self.causes,
            rungs=rungs,
            warnings=list(dict.fromkeys(self.warnings)),
            coverage=self.coverage,
            noise=binomial_noise() if self.stored is None or not self.stored.everything else "",
            stored=self.stored,
            view=view_of(
                self.pair, self.sides, self.feeds, evidence=evidence, causes=self.causes, coverage=self.coverage
            ),
            names=(self.sides[0].name, self.sides[1].name),
        )

    def _add(self, result: tuple[list[Cause], list[str]] | list[Cause]) -> None:
        causes, warnings = result if isinstance(result, tuple) else (result, [])
        self.causes += causes
        self.warnings += warnings

    def _structural(self) -> bool:
        """Whether a difference of the networks is to blame; one that the loss makes harmful is told with the loss."""
        structural = any(
            cause.explains_lower_score and (cause.code.split(".")[0] in ("arch", "masking") or _in_model(cause))
            for cause in self.causes
        )
        if any(cause.code == "compile.loss" and "from_logits" in cause.where for cause in self.causes):
            ends = [f"activation of {end}" for end in last_layers(self.pair)]
            self.causes = [
                c for c in self.causes if not (c.code == "arch.activation" and c.where.startswith(tuple(ends)))
            ]
        return structural

    # -- the tests -----------------------------------------------------------------------------------------

    def _initial(self) -> Rung:
        """Initial weights, looked at before anything changes them."""
        self.progress("comparing initial weights")
        start = compare_starts(self.sides, self.pair)
        self._add((start.causes, start.warnings))
        for reason in start.untested:
            self.coverage.not_tested("initial weights", reason)
        if start.widths:
            self.coverage.asides.append(f"the width of their initial weights ({', '.join(start.widths[:3])})")
        if not all(side.rebuilds for side in self.sides):
            self.coverage.not_given("initial weights", "give the builder functions instead of models or files.")
        with self.coverage.test("initial weights"):
            pass
        return start.rung

    def _functions(self) -> Evidence:
        """Structure and function, weighed against each other."""
        self.progress("comparing outputs and gradients")
        together = self.pair
        with self.coverage.test("trainable weights"):
            self._add(trainable_causes(together))
        with self.coverage.test("penalties"):
            self._add(penalty_causes(together))
        inputs, comparable = input_causes(together)
        evidence = Evidence(transferable=together.transfer.complete)
        undecided: list[str] = []
        if comparable:
            large = count_parameters(together.a.variables()) > SMALL
            try:
                arrays = fed_texts(together.a.signature, self.feeds)
                arrays = arrays or made_up_inputs(together.a, together.b, rows_per_part=1 if large else 2)
                if large and together.a.signature.batch is None:
                    arrays = [array[[0, -1]] for array in arrays]
                self.arrays = arrays
                with levelled(together), equal_tables(together):
                    evidence = gather(together, arrays)
                    undecided = try_own_code(together, arrays, fed_batches(together, self.feeds), evidence)
                    probes = [*fed_batches(together, self.feeds)[:1], arrays]
                    self.warnings += divergence_noted(together, probes, evidence, only_first=large)
            except TypeError as error:
                evidence.untested.append(f"No inputs could be made up for the models: {first_cause(error)}")
        else:
            evidence.untested.append("the models take inputs of another form")
        report_function(evidence, together, self.coverage)
        with self.coverage.test("stored weights"):
            self._stored()
        if not (evidence.same_throughout and all(cause.detail.startswith("reshape") for cause in inputs)):
            self._add(inputs)
        elif inputs:
            self.warnings.append("The inputs have other shapes with the same values in the same order.")
        self._add(structural_causes(together, evidence))
        for place in (*without_witness(together, evidence), *undecided):
            self.coverage.not_tested("outputs", place)
        with self.coverage.test("environment"):
            self._environment()
        with self.coverage.test("layer modes"):
            self._modes()
        with self.coverage.test("masks"):
            self._masks_of_outputs()
        with self.coverage.test("added losses"):
            self._add(added_loss_causes(together, self.arrays, self.causes, self.coverage))
        return evidence

    def _stored(self) -> None:
        """The weights that the sides come with."""
        self.stored = compare_stored(self.sides, self.pair, self.arrays)
        self._add(table_causes(self.sides, self.pair))
        if self.stored is None:
            self.coverage.not_applicable("stored weights", "Neither side comes with weights of its own.")
        elif self.stored.not_compared:
            started = any(side.rebuilds for side in self.sides)
            report = self.coverage.not_given if started else self.coverage.not_tested
            report("stored weights", self.stored.not_compared)

    def _environment(self) -> None:
        """Precision and global settings; what they explain is not blamed on anything else."""
        causes, warnings, untested = environment_causes(self.sides, self.pair)
        if any(cause.explains_lower_score for cause in causes):
            self.causes = [cause for cause in self.causes if cause.a not in UNEXPLAINED]
        self._add((causes, warnings))
        for reason in untested:
            self.coverage.not_tested("environment", reason)

    def _modes(self) -> None:
        together = self.pair
        if together.a.graph is None or together.b.graph is None:
            for letter, one in (("A", together.a), ("B", together.b)):
                if one.graph is None:
                    self.warnings.append(f"{letter} could not be traced to a graph ({one.untraced}); it was probed.")
            return
        if not any(_has_own_code(one.model) for one in (together.a, together.b)):
            self.coverage.not_applicable("layer modes", "Neither model has custom layers.")
            return
        graphs = [canonical_graph(one.model, one.signature, training=False) for one in (together.a, together.b)]
        self._add(inference_causes(*graphs))

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
        compiled = [bool(getattr(one.model, "compiled", False)) for one in (self.pair.a, self.pair.b)]
        if any(self.steps) and all(map(operator.or_, compiled, map(bool, self.steps))) and not all(compiled):
            for part in ("loss", "metrics", "optimizer"):
                self.coverage.not_applicable(part, "A step of your own is compared instead of how a side is compiled.")
            return
        for part in ("loss", "metrics", "optimizer"):
            if not any(compiled):
                self.coverage.not_given(part, "neither model is compiled.")
            elif not all(compiled):
                self.coverage.not_tested(part, f"{'B' if compiled[0] else 'A'} is not compiled.")
        if not all(compiled):
            return
        with self.coverage.test("loss"):
            self._add(loss_causes(self.pair, self.coverage, self.feeds))
        with self.coverage.test("metrics"):
            other_loss = any(cause.code == "compile.loss" for cause in self.causes)
            self._add(metric_causes(self.pair, self.coverage, self.feeds, other_loss=other_loss))
        with self.coverage.test("optimizer"):
            self._add(optimizer_causes(self.pair, self.coverage))

    def _loop(self, evidence: Evidence) -> bool:
        """Steps of training; says whether both were seen to end with the same weights."""
        self.progress("comparing a step of training")
        alike = False
        with self.coverage.test("training step"):
            if any(self.steps):
                self._add(
                    step_causes(
                        self.pair, self.steps, self.arrays, self.feeds, evidence=evidence, coverage=self.coverage
                    )
                )
                return False
            causes, warnings, alike = loop_causes(
                self.pair, self.arrays, self.feeds, evidence=evidence, causes=self.causes, coverage=self.coverage
            )
            self._add((causes, warnings))
        return alike

    def _data(self, evidence: Evidence) -> list[Rung] | None:
        """The feeds; and where they make up for what the models do, the rungs of the function on what they are fed."""
        first, second = self.feeds
        misfits = [label_causes(feed, self.pair, letter) for letter, feed in (("A", first), ("B", second))]
        if not all(misfits):
            self._add([cause for causes in misfits for cause in causes])
        if first is None and second is None:
            self.coverage.not_given("feeds", "what they are trained on: give --feed-a and --feed-b.")
            return None
        if first is None or second is None:
            letter = "A" if first is None else "B"
            self.coverage.not_tested("feeds", f"only one was given: give --feed-{letter.lower()} too.")
            return None
        rungs = None
        with self.coverage.test("feeds"):
            causes, warnings, partners = feed_causes(
                first, second, self.pair, self.coverage, same=evidence.same_throughout
            )
            moved = RECONCILED in warnings or any(cause.code == "preprocessing" for cause in causes)
            if moved and not evidence.same_throughout and self.pair.transfer.complete:
                rows = np.flatnonzero(partners >= 0)[:32]
                fed = (
                    [array[rows] for array in arranged(first, self.pair.a)],
                    [array[partners[rows]] for array in arranged(second, self.pair.b)],
                )
                rungs = compare_fed(self.pair, *fed) if len(rows) > 1 else None
            if rungs is not None:  # what the feeds do differently, the models undo
                causes = [cause for cause in causes if cause.code != "preprocessing"]
                self.causes = [c for c in self.causes if not (c.code.startswith("arch.") or c.code == "preprocessing")]
                warnings = [RECONCILED, *(warning for warning in warnings if warning != RECONCILED)]
            self._add((causes, warnings))
        return rungs


def _in_model(cause: Cause) -> bool:
    return cause.code == "preprocessing" and not cause.where.startswith("range")


def _has_own_code(model: keras.Model) -> bool:
    layers = model._flatten_layers(include_self=True, recursive=True)
    return any(not is_builtin(type(layer)) or type(layer).__name__ == "Lambda" for layer in layers)
