"""Whether a model is the same after it was saved and loaded: what is lost on the way, and how to keep it."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from twinbench.compare.apart import load_apart
from twinbench.compare.api import compare
from twinbench.compare.imported import Places
from twinbench.compare.marking import inputs_for, mark, outputs_of_model
from twinbench.compare.render import as_text
from twinbench.compare.report import Report
from twinbench.compare.sides import BuildError, Side, one_side
from twinbench.compare.surroundings import forget_default_policy, restored
from twinbench.errors import UsageError, first_cause
from twinbench.sameness.keeping import as_it_was

Verdict = Literal["survives", "loses", "not_fully_tested", "cannot_be_saved", "cannot_be_loaded"]

EXIT_STATUS: dict[Verdict, int] = {
    "survives": 0,
    "loses": 1,
    "not_fully_tested": 3,
    "cannot_be_saved": 1,
    "cannot_be_loaded": 1,
}
FORMATS = (".keras", ".h5")

_REGISTER = "Decorate the class or function with @keras.saving.register_keras_serializable()."
_FIXES = {
    "arch": "Return every argument of the layer's constructor from its get_config.",
    "precision": "Give the layers their dtype as an argument: a global setting is not in the file.",
    "init": "The initialiser is lost with the layer's configuration: return it from get_config.",
    "compile": f"Compile again after loading, or make it part of the file: {_REGISTER[0].lower()}{_REGISTER[1:]}",
    "training_loop": f"Keep the class with its train_step: {_REGISTER[0].lower()}{_REGISTER[1:]}",
    "mode": "Set trainable again after loading.",
    "weight": "Make the weight in the layer's __init__ or build, as an attribute of the layer (add_weight).",
    "optimizer": "Save as .keras, with the optimiser built when the model is saved.",
}
_COMPILED = ("run_eagerly", "jit_compile", "steps_per_execution", "auto_scale_loss")


@dataclass(frozen=True)
class Loss:
    """One thing that is not the same after loading: what and where, before and after, and how to keep it."""

    what: str
    before: str
    after: str
    fix: str


@dataclass
class Survival:
    """What became of a model that was saved and loaded.

    Attributes:
        verdict: The answer; `sentence` is it in words.
        losses: Everything that was lost, and how to keep it.
        loads: How it loads in a fresh process: `alone`, `with its code` (after the file with the function was
            imported), `not at all`; empty where that was not tried.
        comparison: The comparison of the model with what was loaded; None where nothing could be loaded.
        warnings: What else is to be told.
    """

    verdict: Verdict
    sentence: str
    losses: list[Loss] = field(default_factory=list)
    loads: Literal["", "alone", "with its code", "not at all"] = ""
    comparison: Report | None = None
    warnings: list[str] = field(default_factory=list)
    name: str = "the model"

    @property
    def exit_status(self) -> int:
        """0 if everything survives, 1 if something is lost, 3 if that cannot be told."""
        return EXIT_STATUS[self.verdict]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as `docs/roundtrip.md` documents it."""
        return {
            "schema": 1,
            "model": self.name,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "losses": [asdict(loss) for loss in self.losses],
            "loads": self.loads,
            "warnings": self.warnings,
            "comparison": None if self.comparison is None else self.comparison.to_dict(),
        }

    def text(self, width: int = 90) -> str:
        """The answer for a terminal."""
        lines = [f"{self.verdict.upper().replace('_', ' ')}  {self.sentence}"]
        for number, loss in enumerate(self.losses, start=1):
            lines += ["", f"{number}. {loss.what}", f"   before: {loss.before}", f"   after:  {loss.after}"]
            lines += [f"   fix:    {loss.fix}"]
        lines += [f"- {warning}" for warning in self.warnings]
        if self.comparison is not None and self.verdict != "survives":
            lines += ["", "The comparison of both", "", as_text(self.comparison, width)]
        return "\n".join(lines)


def roundtrip(
    source: Any,
    *,
    ending: str = ".keras",
    fresh: bool = True,
    input_shape: Any = None,
    progress: Callable[[str], None] = lambda stage: None,
    **options: Any,
) -> Survival:
    """Save a model, load it, and compare everything: weights, state, compilation, metrics, predictions.

    A model that a function builds, or that is loaded from a file, gets values that no initialiser gives before it is
    saved, its optimiser's state too, so that nothing that is lost looks the same by chance. A live model is left as it
    was.

    Args:
        source: As a side of `compare`.
        ending: The format: `.keras` or `.h5`.
        fresh: Whether it is also loaded in a process of its own, which knows of nothing but the file.
        input_shape: As in `compare`.
        progress: Called with the name of each stage as it begins.
        options: Further keyword arguments of `compare`.

    Raises:
        UsageError: The source or the format cannot be used.
    """
    if ending not in FORMATS:
        raise UsageError(f"A model is saved as .keras or .h5, not as {ending}.")
    with restored(), tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        forget_default_policy()
        side = one_side(source, "the model", Places())
        progress("building the model")
        try:
            model = side.first_model()
        except BuildError as error:
            raise UsageError(f"{side.name} raises while it is built: {str(error).splitlines()[-1]}") from error
        own = side.live
        if own:
            stack.enter_context(as_it_was(model))
        arrays = inputs_for(model, input_shape)
        if not own:
            mark(model)
        path = Path(folder) / f"saved{ending}"
        progress("saving it")
        try:
            with side.home.entered():  # where its own classes are registered
                model.save(path)
        except Exception as error:
            words = f"The model cannot be saved: {first_cause(error, 600)}"
            return Survival("cannot_be_saved", words, [Loss("the model", "built", "not saved", _advice(error))])
        before = outputs_of_model(model, arrays) if arrays is not None else None
        result = _compared(side, model, path, progress, {"input_shape": input_shape, **options})
        if fresh and result.comparison is not None:
            progress("loading it in a fresh process")
            _load_elsewhere(result, side, path, arrays, before)
        return result


def assert_survives_saving(
    model: keras.Model | Callable[[], keras.Model] | str | Path, *, fresh: bool = False, **options: Any
) -> None:
    """Raise AssertionError unless a model, saved (`.keras`) and loaded, is the one that it was, weights included.

    It is loaded in safe mode, in which no code of the file runs; classes of your own must be registered.

    Args:
        model: A built model, or a function that returns one, or the place of either.
        fresh: Whether it is also loaded in a process of its own, which takes some seconds.
        options: The keyword arguments of `twinbench.compare`.
    """
    result = roundtrip(model, fresh=fresh, **options)
    if result.verdict != "survives":
        raise AssertionError(result.text())


def _compared(
    side: Side, model: keras.Model, path: Path, progress: Callable[[str], None], options: dict[str, Any]
) -> Survival:
    """What the comparison of a model with its file shows."""
    options = {"names": ("the model", "the same, saved and loaded"), **options}
    try:
        with side.home.entered():
            report = compare(model, str(path), progress=progress, **options)
    except UsageError as error:
        words = f"The model was saved, and cannot be loaded: {error}"
        return Survival("cannot_be_loaded", words, [Loss("the model", "saved", "not loaded", _advice(error))])
    losses = list(_losses(model, report, path))
    gaps = [test for test in report.coverage.gaps if not (losses and "compiled" in test.reason)]
    name = side.name
    if losses:
        count = "one thing is" if len(losses) == 1 else f"{len(losses)} things are"
        more = f", and {len(losses) - 1} more" if len(losses) > 1 else ""
        words = f"Saved and loaded, it is not the same: {count} lost: {losses[0].what}{more}."
        return Survival("loses", words, losses, comparison=report, name=name)
    if report.verdict not in ("identical", "equivalent") or gaps:
        return Survival("not_fully_tested", report.sentence, comparison=report, name=name)
    held = report.stored
    parts = f"{len(held.tensors)} weights and states" if held is not None else "its weights"
    state = " and the optimiser's state" if held is not None and held.of("optimizer") else ""
    compiled = ", how it is compiled and its metrics" if getattr(model, "compiled", False) else ""
    words = f"Saved and loaded, it is the same: {parts}{state}{compiled}, and what it predicts."
    return Survival("survives", words, comparison=report, name=name, warnings=_harmless(model, path))


def _losses(model: keras.Model, report: Report, path: Path) -> Iterator[Loss]:
    """Everything that differs after loading, and how to keep it."""
    broken = [rung.sentence for rung in report.rungs if rung.number <= 2 and rung.outcome == "fail"]
    if broken and broken[0].startswith("B"):
        remedy = (
            "Save as .keras: the older format leaves vocabularies and the like out." if path.suffix == ".h5" else ""
        )
        yield Loss("what was loaded fails on a batch", "runs", broken[0], remedy or _FIXES["arch"])
        return
    for cause in report.causes:
        family = cause.code.split(".")[0]
        fix = _FIXES["arch"] if family in ("arch", "masking", "preprocessing", "regularization") else _FIXES.get(family)
        yield Loss(cause.where, cause.a, cause.b, fix or cause.fix)
    if getattr(model, "compiled", False) and any("B is not compiled" in test.reason for test in report.coverage.gaps):
        reason = next((t.reason for t in report.coverage.gaps if "could not be loaded" in t.reason), "")
        fix = _FIXES["compile"]
        yield Loss("how it is compiled: loss, metrics, optimiser", "compiled", f"not compiled. {reason}".strip(), fix)
    stored = report.stored
    if stored is None:
        return
    for one in (*stored.weights, *stored.state, *stored.missing):
        yield Loss(f"{one.kind} {one.place}", "as the model holds it", one.in_words(), _FIXES["weight"])
    training = [one for one in stored.of("optimizer") if one.differs]
    if training:
        words = training[0].note.replace("in A", "before").replace("in B", "after") or training[0].in_words()
        what = f"the optimiser's state ({len(training)} of {len(stored.of('optimizer'))} tensors)"
        yield Loss(what, "as training left it", words, _FIXES["optimizer"])


def _harmless(model: keras.Model, path: Path) -> list[str]:
    """Settings of compile that decide how fast a step is, and not what it does."""
    if not getattr(model, "compiled", False):
        return []
    with suppress(Exception):
        loaded = keras.saving.load_model(path, safe_mode=True)
        pairs = [(name, getattr(model, name, None), getattr(loaded, name, None)) for name in _COMPILED]
        return [f"{name} is {x} before and {y} after: how fast a step runs." for name, x, y in pairs if x != y]
    return []


def _advice(error: Exception) -> str:
    text = str(error)
    if "ambda" in text:
        return "Write what the Lambda layer does as a class of your own, registered, with its settings in get_config."
    if any(
        words in text for words in ("get_config", "not registered", "could not be deserialized", "locate", "__init__")
    ):
        return f"{_REGISTER} Return every argument of its constructor from get_config."
    return _REGISTER


def _load_elsewhere(
    result: Survival, side: Side, path: Path, arrays: list[np.ndarray] | None, before: list[np.ndarray] | None
) -> None:
    """Load the file where nothing else is known, and hold its predictions against the model's."""
    code = side.name if side.kind in ("builder", "model") and ":" in side.name else ""
    answers: dict[str, Any] = {}
    for loads, imported in (("alone", ""), ("with its code", code)):
        if loads == "with its code" and not imported:
            continue
        answers = load_apart(path, arrays, imported)
        if "error" not in answers:
            result.loads = loads  # type: ignore[assignment]
            break
    else:
        result.loads = "not at all"
        fix = f"{_REGISTER} And import the module with that class before loading."
        result.losses.append(Loss("loading in a fresh process", "loads where it was built", answers["error"], fix))
        result.verdict = "cannot_be_loaded"
        result.sentence = f"It loads only in the process that built it: {answers['error']}"
        return
    if result.loads == "with its code":
        result.warnings.append(
            f"It loads only after its own code was imported: import {code.rpartition(':')[0]} first."
        )
    if before is None or answers.get("outputs") is None:
        result.warnings.append("Its predictions in a fresh process were not compared: no inputs could be made up.")
        return
    after = [np.asarray(values, dtype="float32") for values in answers["outputs"]]
    agree = len(before) == len(after) and all(
        np.allclose(x, y.reshape(x.shape) if x.size == y.size else y, rtol=1e-4, atol=1e-5 * np.abs(x).max(initial=1.0))
        for x, y in zip(before, after, strict=True)
    )
    if not agree:
        fix = "Keep in the layers what their results depend on: a global setting or a value of the module is not saved."
        result.losses.append(Loss("what it predicts in a fresh process", "as built", "other values", fix))
        result.verdict = "loses"
        result.sentence = "Loaded in a fresh process, it predicts something else than where it was built."
    elif result.verdict == "survives":
        result.sentence += " In a fresh process it predicts the same."
