"""Loads the two sides of a comparison: builder functions, models, `file.py:function`, `package.module:function`, saved
models (`.keras`, `.h5`) and saved weights (`.weights.h5`). Files are read in safe mode, so that no code in them ever
runs; a side's own code runs among its own modules and in its own global state.
"""  # noqa: D205 - the list of forms is the summary

import functools
import inspect
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from keras.src.backend.common import variables

from twinbench.compare.checkpoint import load_weights_into
from twinbench.compare.holdings import Fit
from twinbench.compare.imported import Places, shortened
from twinbench.compare.lines import Line, Made, noted_lines
from twinbench.compare.saved import MODELS, holds_weights_alone, load_saved
from twinbench.compare.surroundings import GlobalState, Home, only_seed, resolved, under
from twinbench.errors import UsageError
from twinbench.sameness.probes import values_of
from twinbench.sameness.signature import runs_inside
from twinbench.sameness.subjects import count_parameters

Kind = Literal["builder", "model", "file", "weights"]

SMALL = 3_000_000
"""Up to this many parameters, models are built several times to compare how they start."""


_KERAS_2 = ("tf_keras.", "tensorflow.python.keras.", "keras.src.engine.", "keras.engine.")


class BuildError(Exception):
    """A builder of the person's raised; `str()` is its traceback, shortened to their own lines."""


@dataclass
class Side:
    """One side of a comparison: how to get its model, once or again and again.

    Attributes:
        name: What to call it.
        kind: A function that builds a model, a live model, a saved model, or saved weights for the other side's model.
        source: That function, model or path.
        home: The modules and the global state among which its code runs.
        state: The global state after its model was built.
        shared: Whether its function returns the same model, or uses the same layers, on each call.
        reuses: Whether weights that are trained are among what is the same on each call.
        made: The layers that its function made, with the lines that made them, by identity.
        assigned: The variables that its function gave values to, as it does where it loads weights.
        held: The weights that it comes with, as against those that are drawn anew.
        untested: What could not be had of it.
        of: Of saved weights, the side into whose model they go.
        fit: Of saved weights, how they fit that model.
    """

    name: str
    kind: Kind
    source: Any
    home: Home = field(default_factory=Home)
    state: GlobalState | None = None
    shared: bool = False
    reuses: bool = False
    made: dict[int, Made] = field(default_factory=dict)
    assigned: dict[int, Any] = field(default_factory=dict)
    held: dict[int, Any] = field(default_factory=dict)
    untested: list[str] = field(default_factory=list)
    of: "Side | None" = None
    fit: Fit | None = None

    @property
    def rebuilds(self) -> bool:
        """Whether a fresh model can be had at will."""
        return self.kind == "builder" and not self.reuses

    def must_rebuild(self) -> None:
        """Refuse a side that cannot be trained from scratch again and again.

        Raises:
            UsageError: Its weights would go on from one seed to the next.
        """
        if self.rebuilds:
            return
        reason = {
            "builder": "returns the same model, or layers with the same weights, on each call",
            "model": "is a live model, which goes on from the weights that it has",
        }.get(self.kind, "is a saved model, which starts from the weights that it holds")
        raise UsageError(
            f"--data trains each side from scratch under several seeds, and {self.name} {reason}. "
            "Name a function that builds a new model on each call."
        )

    def line_of(self, layer: Any) -> Line | None:
        """The line of the person's own that made a layer; None where that is not known."""
        return self.made[id(layer)].line if id(layer) in self.made else None

    @property
    def live(self) -> bool:
        """Whether its model, or a part of it, is an object of the person's own that is to be left as it was."""
        return self.kind == "model" or self.shared

    @property
    def comes_with_weights(self) -> bool:
        """Whether it holds weights that are not drawn anew."""
        return self.kind != "builder" or bool(self.held)

    def model(self, seed: int | None = None, *, alone: bool = False) -> keras.Model:
        """Build (or return) the model.

        Args:
            seed: A seed to build it under.
            alone: Whether that seed is the only one, so that the builder cannot replace it by its own.

        Raises:
            BuildError: The builder raised.
            UsageError: What it returned is no Keras model, or the saved file cannot be loaded safely.
        """
        if self.kind == "model":
            return self._settled(self.source)
        if self.of is not None:
            return self._settled(self._with_weights(self.of))
        with self.home.entered(), only_seed(seed or 0) if alone else nullcontext():
            if self.kind == "file":
                model, note = load_saved(self.source)
                if note:
                    self.untested.append(f"How {self.name} is compiled, which could not be loaded: {note}")
                return self._settled(model)
            if seed is not None and not alone:
                keras.utils.set_random_seed(seed)
            try:
                first = self.state is None
                with _noted_assignments(self.assigned if first else {}), noted_lines(self.made if first else {}):
                    model = self.source()
            except Exception as error:
                raise BuildError(shortened(error)) from error
            if not isinstance(model, keras.Model):
                raise UsageError(_no_model(model, self.name))
            return self._settled(model)

    def first_model(self) -> keras.Model:
        """Build the model under seed 0, and find out what of it each call of its function gives anew."""
        model = self.model(seed=0)
        if self.kind != "builder":
            self.held = {id(v): v for v in model.weights}
            return model
        self.held = {id(v): v for v in model.weights if id(v) in self.assigned}
        layers = {id(layer) for layer in _layers(model)}
        large = count_parameters(model.variables) > SMALL and not _reaches(self.source, layers)
        with suppress(BuildError, _NewWeightsError), _stopped_at_new_weights() if large else nullcontext():
            again = self.model(seed=1, alone=True)
            kept = [layer for layer in _layers(again) if id(layer) in layers]
            self.shared = bool(kept)
            self.reuses = any(layer.trainable_variables or not layer.built for layer in kept)
            fixed = {
                id(v): v
                for v, w in zip(model.weights, again.weights, strict=False)
                if np.array_equal(values_of(v), values_of(w))
            }
            self.held = {i: v for i, v in self.held.items() if i in fixed}
            self.held |= {id(v): v for layer in kept for v in layer.weights}
        return model

    def _with_weights(self, other: "Side") -> keras.Model:
        """A model of the other side's, with the weights of the file."""
        if other.kind == "builder":
            other.first_model()
        if other.shared:
            raise UsageError(
                f"{other.name} gives the same model on each call, so {self.name} cannot be loaded into one of its own."
            )
        model = other.model(seed=0)
        if not model.variables:
            raise UsageError(
                f"{self.name} cannot be loaded: {other.name} has no weights before it is called. Let the function "
                "call the model once."
            )
        self.fit = load_weights_into(model, self.source, other.name)
        return model

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Run the side's model among its own modules and under its own settings."""
        with self.home.visible(), under({} if self.state is None else self.state.settings):
            yield

    def _settled(self, model: keras.Model) -> keras.Model:
        if self.state is None:
            self.state = self.home.state if self.kind == "model" else GlobalState.capture()
        if self.home.modules or resolved(self.state.settings) != resolved(self.home.outside.settings):
            runs_inside(model, self.inside)
        return model


def _layers(model: keras.Model) -> list[Any]:
    """The model and its layers, as far as they have variables or may yet have some."""
    layers = model._flatten_layers(include_self=True, recursive=True)
    return [layer for layer in layers if layer.variables or not layer.built]


def _reaches(builder: Any, layers: set[int]) -> bool:
    """Whether a function can reach one of these layers, as it can where it keeps its model between calls."""
    while isinstance(builder, functools.partial):
        builder = builder.func
    if hasattr(builder, "cache_info"):
        return True
    known: list[Any] = []
    for holder in (builder, getattr(builder, "__self__", None)):
        known += getattr(holder, "__dict__", {}).values()
    known += getattr(builder, "__defaults__", None) or ()
    with suppress(TypeError):  # no Python function
        known += [value for group in inspect.getclosurevars(builder)[:2] for value in group.values()]
    parts = [part for v in known for part in (v.values() if isinstance(v, dict) else v if isinstance(v, list) else [v])]
    return any(id(part) in layers for part in parts)


class _NewWeightsError(BaseException):
    """A builder makes weights of its own; no error of the person's, so that no code of theirs catches it."""


@contextmanager
def _stopped_at_new_weights() -> Iterator[None]:
    """Stop a builder where it makes its first weights: enough to know that it does not return an old model."""
    original = variables.Variable.__init__

    def stopping(*_: Any, **__: Any) -> None:
        raise _NewWeightsError

    variables.Variable.__init__ = stopping
    try:
        yield
    finally:
        variables.Variable.__init__ = original


@contextmanager
def _noted_assignments(assigned: dict[int, Any]) -> Iterator[None]:
    """Note the variables that are given values after they exist: weights that are loaded, statistics of data."""
    original = variables.Variable.assign

    def noting(variable: Any, value: Any) -> Any:
        assigned[id(variable)] = variable
        return original(variable, value)

    variables.Variable.assign = noting
    try:
        yield
    finally:
        variables.Variable.assign = original


def _no_model(value: Any, name: str, verb: str = "returned") -> str:
    if _is_keras_2(value):
        return (
            f"{name} {verb} a model of Keras 2 ({type(value).__name__} of tf_keras); only models of Keras 3 are "
            "compared. Build it with `import keras`, and start without TF_USE_LEGACY_KERAS=1."
        )
    wanted = "name a function that takes no arguments and returns the model"
    return f"{name} {verb} {type(value).__name__}, not a keras.Model; {wanted}."


def _is_keras_2(value: Any) -> bool:
    classes = [f"{cls.__module__}." for cls in type(value).__mro__]
    return any(cls.startswith(_KERAS_2) for cls in classes) and not isinstance(value, keras.Model)


def both_sides(a: Any, b: Any, names: tuple[str, str], places: Places) -> tuple[Side, Side]:
    """Make sides of two models, builder functions, or texts that name them.

    Raises:
        UsageError: One of them is or names none of these, or both are weights without a model.
    """
    first, second = (one_side(source, name, places) for source, name in zip((a, b), names, strict=True))
    for weights, other in ((first, second), (second, first)):
        if weights.kind != "weights":
            continue
        if other.kind not in ("builder", "file"):
            raise UsageError(
                f"{weights.name} holds weights and no model; they are loaded into a model of the other side's, which "
                "must be a function that builds one or a saved model."
            )
        weights.of = other
    return first, second


def one_side(source: Any, name: str, places: Places) -> Side:
    """Make a side of a model, a builder function, or a text that names one.

    Raises:
        UsageError: It is or names none of these.
    """
    if isinstance(source, Side):
        return source
    if isinstance(source, keras.Model):
        return Side(name, "model", source)
    if isinstance(source, str | Path):
        text = str(source)
        if text.endswith(MODELS):
            path = Path(text)
            return Side(text, "weights" if holds_weights_alone(path) else "file", path)
        value, home = places.named(text)
        if isinstance(value, keras.Model):
            return Side(text, "model", value, home)
        if not callable(value) or _is_keras_2(value):
            raise UsageError(_no_model(value, text, "is"))
        return Side(text, "builder", value, home)
    if callable(source) and not _is_keras_2(source):
        return Side(name, "builder", source)
    raise UsageError(_no_model(source, name, "is"))
