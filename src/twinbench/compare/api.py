"""The way into a comparison: loads both sides and their feeds, compares them, and leaves everything as it was."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import keras

from twinbench.compare.checkpoint import MisfitError
from twinbench.compare.comparison import Comparison, Progress
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed, read_feed
from twinbench.compare.holdings import Stored
from twinbench.compare.imported import Places
from twinbench.compare.render import as_text
from twinbench.compare.report import Report
from twinbench.compare.sides import BuildError, Side, both_sides
from twinbench.compare.signatures import both_signatures, fed_texts, takes_texts
from twinbench.compare.stepping import load_step
from twinbench.compare.stored import misfit_causes
from twinbench.compare.surroundings import forget_default_policy, restored
from twinbench.errors import UsageError, first_cause
from twinbench.sameness.keeping import as_it_was
from twinbench.sameness.rungs import Rung, make_rung, stopped
from twinbench.sameness.subjects import Subject, pair, subject


def compare(
    a: Any,
    b: Any,
    *,
    input_shape: Sequence[Any] | None = None,
    feed_a: Any = None,
    feed_b: Any = None,
    step_a: Any = None,
    step_b: Any = None,
    data: str | None = None,
    seeds: int = 5,
    output: str = "study",
    settings: Sequence[str] = (),
    fix: bool = False,
    names: tuple[str, str] = ("A", "B"),
    progress: Progress = lambda stage: None,
) -> Report:
    """Compare two models.

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
        step_a: How A is trained, where not by `fit`: a function `step(model, x, y)` that takes one step and may return
            the loss, or its place as text.
        step_b: The same for B.
        data: Name of a dataset on which to train both under several seeds, as `twinbench study` does; each side is then
            a function at the top of a file, or its place.
        seeds: How many seeds that takes.
        output: The folder of that study, whose store keeps the runs.
        settings: Further keys of its configuration, as `KEY=VALUE`.
        fix: Whether to make the changes that fix the causes on a copy of B, and to compare again.
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
    if data is not None and (step_a is not None or step_b is not None):
        raise UsageError(
            "--data trains both sides by the loop of a study, which knows no training step of your own: leave out "
            "either --data or --step-a and --step-b."
        )
    with restored(), ExitStack() as stack:
        forget_default_policy()
        places = Places()
        sides = both_sides(a, b, names, places)
        feeds = [load_feed(feed, letter, places) for letter, feed in (("A", feed_a), ("B", feed_b))]
        steps = load_step(step_a, "A", places), load_step(step_b, "B", places)
        models: list[keras.Model] = []
        for letter, one in zip("AB", sides, strict=True):
            progress(f"building {letter}")
            try:
                models.append(one.first_model())
            except BuildError as error:
                return _cannot_build(letter, one, error, sides)
            except MisfitError as error:
                return _misfit(letter, error, sides)
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
        comparison = Comparison(sides, pair(*subjects), (feeds[0], feeds[1]), progress, steps)
        report = comparison.report()
        if fix:
            from twinbench.compare.fixes import add_fixes

            progress("trying the fixes on a copy of B")
            options: dict[str, Any] = {"input_shape": input_shape, "names": names, "feed_a": feed_a, "feed_b": feed_b}
            options |= {"step_a": step_a, "step_b": step_b}
            add_fixes(report, comparison.pair, sides, lambda x, y: compare(x, y, **options))
        if data is not None:
            from twinbench.compare.trained import add_training

            progress(f"training both on {data}")
            add_training(report, (a, b), data, seeds=seeds, output=output, settings=settings)
        return report


def load_feed(source: Any, letter: str, places: Places) -> Feed | None:
    """Read a feed, if one is given, among the modules of its own file where its place is given as text."""
    if source is None:
        return None
    if not isinstance(source, str):
        return read_feed(source, f"of {letter}")
    source, home = places.named(source)
    with home.entered():
        return read_feed(source, f"of {letter}")


def assert_same_model(a: Any, b: Any, *, same_weights: bool = False, **options: Any) -> None:
    """Raise AssertionError, with the whole report as its message, unless two models are identical or equivalent.

    Args:
        a: As in `compare`.
        b: As in `compare`.
        same_weights: Whether two live models must hold the same weights, too. Saved models always must.
        options: The keyword arguments of `compare`.
    """
    report = compare(a, b, **options)
    live = isinstance(a, keras.Model) and isinstance(b, keras.Model) and not same_weights
    if report.verdict not in ("identical", "equivalent") and not (
        live and report.verdict in ("other_weights", "other_state")
    ):
        raise AssertionError(as_text(report))


def _cannot_build(letter: str, one: Side, error: BuildError, sides: tuple[Side, Side]) -> Report:
    last = str(error).splitlines()[-1]
    return _stopped(
        f"{letter} ({one.name}) raises while it is built: {last}",
        [make_rung(1, "fail", None, f"{letter} cannot be built: {last}")],
        sides,
        why=f"{letter} cannot be built",
        raised=f"{letter} raised:\n{error}",
        advice="the builder has to be fixed first.",
    )


def _misfit(letter: str, error: MisfitError, sides: tuple[Side, Side]) -> Report:
    """The report on a file of weights that does not fit the other side's model: of another network, so different."""
    report = _stopped(
        str(error),
        [make_rung(1, "pass", None, "The model builds."), make_rung(2, "fail", None, "The file does not fit it.")],
        sides,
        why="the file does not fit the model",
        raised="Nothing of the file was loaded.",
        advice="the file does not fit the model.",
    )
    return replace(
        report,
        verdict="different",
        sentence=f"They are different: {str(error)[:1].lower()}{str(error)[1:]}",
        causes=misfit_causes(error.fit, letter),
        stored=Stored(everything=False, not_compared="the file was not loaded", checkpoint=error.fit),
    )


def _cannot_run(letter: str, one: Side, error: Exception, sides: tuple[Side, Side], *, made_up: bool) -> Report:
    reason = first_cause(error, 600)
    if made_up:
        reason += (
            " Its texts were made up, or come from a feed; give --feed-a and --feed-b with texts that it can read."
        )
    return _stopped(
        f"{letter} ({one.name}) builds, but raises on a batch: {reason}",
        [make_rung(1, "pass", None, "Both build."), make_rung(2, "fail", None, f"{letter}: {reason}")],
        sides,
        why=f"{letter} fails on every batch",
        raised=f"{letter} raised {reason}",
        advice="that needs a model that runs; if the input is wrong, give --input-shape.",
    )


def _stopped(
    sentence: str, rungs: list[Rung], sides: tuple[Side, Side], *, why: str, raised: str, advice: str
) -> Report:
    """The report where a model cannot be built or run, and nothing else can be tested."""
    return Report(
        verdict="cannot_tell",
        sentence=f"It cannot be told: {sentence}",
        same_architecture=False,
        same_function=None,
        rungs=stopped(rungs, why),
        warnings=[raised],
        coverage=Coverage.stopped(advice),
        names=(sides[0].name, sides[1].name),
    )
