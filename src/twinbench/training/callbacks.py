"""Keras's callbacks around epochs of one call of `fit` each: early stopping and learning-rate schedules."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from twinbench.config.callbacks import SCHEDULES
from twinbench.training.program import UntrainableError


class Callbacks:
    """The configured callbacks of one run.

    A metric's name is as its author gave it, without the number by which Keras tells those of several models apart.
    """

    def __init__(self, entries: Sequence[Mapping[str, Mapping[str, Any]]], model: Any) -> None:
        """Make the callbacks that a configuration names (`twinbench.config.callbacks`) and begin the training."""
        made = [_callback(name, settings) for entry in entries for name, settings in entry.items()]
        self._model = model
        self._epoch = -1  # Keras counts from 0
        self._watching = [callback for callback in made if hasattr(callback, "monitor")]
        self._list = keras.callbacks.CallbackList(made, model=model)
        self._list.on_train_begin()

    def begin_epoch(self) -> None:
        """Set the epoch's learning rate."""
        self._epoch += 1
        self._list.on_epoch_begin(self._epoch)

    def end_epoch(self, logs: dict[str, float]) -> bool:
        """Tell the callbacks what an epoch gave, and return whether training is to stop.

        Raises:
            UntrainableError: a callback watches what the model does not report.
        """
        for callback in self._watching:
            if callback.monitor not in logs:
                raise UntrainableError(
                    f"{type(callback).__name__} watches '{callback.monitor}', and there is only "
                    f"{', '.join(sorted(logs))}."
                )
            if callback.mode == "auto" and callback.monitor.removeprefix("val_") != "loss":
                callback.mode = (
                    "min" if direction(self._model, callback.monitor.removeprefix("val_")) == "down" else "max"
                )
        self._model.stop_training = False
        self._list.on_epoch_end(self._epoch, logs)
        return bool(self._model.stop_training)

    def end(self) -> None:
        """Do what they do when training ends: put the best weights back."""
        self._list.on_train_end()


def plain_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Add to metrics by their names those that they have in a process of one model: `auc`, `auc_1` for a second.

    In a process of several, Keras counts on: those of the next model are `auc_2` and `auc_3`.
    """
    plain: dict[str, Any] = {}
    for name, value in values.items():
        first = re.sub(r"_\d+$", "", name)
        count = sum(re.sub(r"_\d+$", "", other) == first for other in plain)
        plain[f"{first}_{count}" if count else first] = value
    return plain | dict(values)


def direction(model: Any, metric: str) -> str | None:
    """Whether a metric goes `up` or `down` as a model gets better; None where Keras does not know."""
    inner = [part for whole in model.metrics for part in getattr(whole, "metrics", [whole])]
    return getattr(plain_names({part.name: part for part in inner}).get(metric), "_direction", None)


def _callback(name: str, settings: Mapping[str, Any]) -> Any:
    if name in SCHEDULES:
        schedule = getattr(keras.optimizers.schedules, name)(**settings)
        return keras.callbacks.LearningRateScheduler(lambda epoch, rate: float(schedule(epoch)))
    return getattr(keras.callbacks, name)(**settings)
