"""Steps of training and evaluation of two models from the same weights, after which everything is as it was."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from twinbench.compare.batches import ROWS
from twinbench.compare.report import Cause
from twinbench.sameness.keeping import as_it_was
from twinbench.sameness.probes import kept, numbers
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.signature import inside
from twinbench.sameness.subjects import Pair

TRAINING = (
    "train_step", "compute_loss", "_compute_loss", "fit", "make_train_function", "train_on_batch", "compute_metrics",
    "compute_loss_and_updates",
)  # fmt: skip
"""What a model may override to change how it is trained."""

LONG = 12
"""How many steps are taken with loops that are not the same code on both sides."""

EVALUATION = ("test_step", "evaluate", "make_test_function", "test_on_batch", "compute_loss", "predict_step", "predict")
"""What a model may override to change how it is scored."""


def overridden(model: keras.Model, methods: Sequence[str] = (*TRAINING, *EVALUATION)) -> dict[str, str]:
    """The parts of Keras's loops that a model or its own classes define, with the class of each."""
    parts = {}
    for name in methods:
        if callable(vars(model).get(name)):
            parts[name] = type(model).__name__
            continue
        for cls in type(model).__mro__:
            if name in vars(cls):
                if cls.__module__.split(".")[0] != "keras":
                    parts[name] = cls.__name__
                break
    return parts


class Trial:
    """Steps of both models from the same weights, after which everything is as it was."""

    def __init__(self, pair: Pair, causes: Sequence[Cause]) -> None:
        self.pair = pair
        self.subjects = (pair.a, pair.b)
        self.own_compile = [bool(overridden(one.model, ("compile",))) for one in self.subjects]
        codes = {cause.code for cause in causes if cause.explains_lower_score}
        self.same_optimizer = "compile.optimizer" not in codes
        losses = [getattr(one.model, "loss", None) if one.model.compiled else None for one in self.subjects]
        if "compile.loss" in codes or not all(one.model.compiled for one in self.subjects):
            losses = [next((loss for loss in losses if loss is not None), "mean_squared_error")] * 2
        self.losses = losses

    def blocked(self) -> str:
        """Why no step can be run; empty where it can."""
        for letter, own, one in zip("AB", self.own_compile, self.subjects, strict=True):
            if own and not one.model.compiled:
                return f"{letter} defines compile, and is not compiled"
        if any(self.own_compile) and not (all(self.own_compile) and self.same_optimizer):
            return "only one side can be compiled alike, as the other defines compile"
        return ""

    def trained(self, k: int, arguments: dict[str, Any], *, seed: int = 7, eagerly: bool = False) -> list[np.ndarray]:
        """The change of every weight in two steps of one side, arranged as B holds them."""
        return self._after(2, k, arguments, seed, eagerly)

    def trained_long(
        self, k: int, arguments: dict[str, Any], *, seed: int = 7, eagerly: bool = False
    ) -> list[np.ndarray]:
        """The change of every weight in more steps, in which a loop may act otherwise."""
        return self._after(LONG, k, arguments, seed, eagerly)

    def _after(self, steps: int, k: int, arguments: dict[str, Any], seed: int, eagerly: bool) -> list[np.ndarray]:
        with self._prepared(k, seed, eagerly) as model:
            before = self._weights(k)
            model.fit(**arguments, batch_size=ROWS, epochs=steps, shuffle=False, verbose=0)
            return [after - start for after, start in zip(self._weights(k), before, strict=True)]

    def scored(self, k: int, arguments: dict[str, Any], *, seed: int = 7, eagerly: bool = False) -> list[np.ndarray]:
        """What an evaluation of one side reads as its loss, and its predictions."""
        with self._prepared(k, seed, eagerly) as model:
            logs = model.evaluate(**arguments, batch_size=ROWS, verbose=0, return_dict=True)
            predictions = keras.tree.flatten(model.predict(arguments["x"], batch_size=ROWS, verbose=0))
            loss = [np.asarray(float(logs["loss"]))] if "loss" in logs else []
            return [*loss, *(np.asarray(p, dtype="float64") for p in predictions)]

    def _weights(self, k: int) -> list[np.ndarray]:
        carried = [(q, value) for _, q, value in self.pair.transfer.carried(numbers)]
        return [numbers(q) for q, _ in carried] if k else [value for _, value in carried]

    @contextmanager
    def _prepared(self, k: int, seed: int, eagerly: bool) -> Iterator[keras.Model]:
        one = self.subjects[k]
        eagerly = eagerly or bool(getattr(one.model, "run_eagerly", False))
        with kept(*self.subjects), without_noise(one.model), as_it_was(one.model), inside(one.model):
            self.pair.transfer.apply()
            if self.own_compile[k]:
                for name, optimizer in _optimizers(one.model).items():
                    setattr(one.model, name, type(optimizer).from_config(optimizer.get_config()))
                one.model.train_function = one.model.test_function = None
                one.model.run_eagerly = eagerly
            else:
                one.model.compile(keras.optimizers.SGD(0.01), self.losses[k], run_eagerly=eagerly)
            keras.utils.set_random_seed(seed)
            yield one.model


def _optimizers(model: keras.Model) -> dict[str, Any]:
    return {name: value for name, value in vars(model).items() if isinstance(value, keras.optimizers.Optimizer)}
