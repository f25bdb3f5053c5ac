"""Models that bring their own training along: compiled ones, and those that override a step of Keras's loop.

Such a model is trained by Keras's own `fit`, one epoch a call, under the run's seeds and in the run's order of images,
so that its loss, optimiser, schedules, weights of losses and overridden methods act as they do for their author.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from twinbench.architectures.recipe import Recipe
from twinbench.config import Training
from twinbench.data import LoadedDataset
from twinbench.training.building import State, write_state
from twinbench.training.callbacks import Callbacks, direction, plain_names
from twinbench.training.feed import Images, Positions
from twinbench.training.program import (
    Evaluation,
    Program,
    UntrainableError,
    failure_of_the_variant,
    make_loss,
    make_optimizer,
)
from twinbench.training.seeds import Seeds

_EVALUATION_BATCH = 500
_EVALUATIONS = ("evaluate", "test_step", "compute_loss", "test_function", "make_test_function")
_STEPS = ("fit", "train_step", "compute_loss", "train_function", "make_train_function", "train_on_batch")
_ACCURACIES = ("accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy")


def brings_its_training(model: Any) -> bool:
    """Whether a model is compiled, overrides how Keras trains, or ends in a sigmoid, which the engine cannot train."""
    return bool(model.compiled) or _overrides(model, _STEPS) or _ends_in_sigmoid(model)


class FitProgram(Program):
    """One model that Keras trains. It holds one run: what a model keeps in Python no state can put back."""

    resumable = False

    def __init__(
        self,
        model: Any,
        recipe: Recipe,
        training: Training,
        data: LoadedDataset,
        seeds: Seeds,
        *,
        score: str | None = None,
    ) -> None:
        """Compile a model that is not, with the configuration's optimiser and the loss that fits its outputs.

        Args:
            model: a built model.
            recipe: what it is trained for.
            training: the configured numbers.
            data: the examples.
            score: the model's metric that it is scored by; None for that of its task.
            seeds: of the run; what a model draws from TensorFlow while it trains follows from that of dropout.
        """
        self.model = model
        self.batch_size = training.batch_size * recipe.batch_factor
        self._recipe = recipe
        self._binary = recipe.loss.startswith("binary")  # one output for two classes
        self._data = data
        self._score = score
        self._weights = _weights(data, training)
        if not model.compiled:
            sigmoid = recipe.loss.startswith("crossentropy") and _ends_in_sigmoid(model)
            loss = keras.losses.BinaryCrossentropy() if sigmoid else make_loss(recipe.loss)
            model.compile(optimizer=make_optimizer(recipe, training), loss=loss)
        self.optimizer = model.optimizer
        self.loss_name = _name(model.loss)
        # Keras puts averaged weights (`use_ema`) in place when `fit` ends, which is to be after the last epoch.
        self._finalize = getattr(self.optimizer, "finalize_variable_values", None)
        if self._finalize is not None:
            self.optimizer.finalize_variable_values = lambda variables: None
        self._callbacks = Callbacks(training.callbacks, model) if training.callbacks else None
        self._told: dict[str, float] = {}
        tf.random.set_seed(seeds.dropout)

    @property
    def variables(self) -> list[Any]:
        """All that training changes: the model's variables, then the optimiser's."""
        return [*self.model.variables, *getattr(self.optimizer, "variables", [])]

    def reset(self, state: State) -> None:
        """Start from a model's state; the optimiser is fresh, since this program holds one run."""
        write_state(self.model.variables, state)

    def train_epoch(self, order: Positions) -> float:
        """Train one pass over the images that `order` lists, and return the mean loss that Keras reports."""
        images, targets = self._examples("train", order)
        with failure_of_the_variant("It cannot be trained"):
            if self._callbacks is not None:
                self._callbacks.begin_epoch()
            # A model's own `fit` need not know of weights.
            weights = {} if self._weights is None else {"sample_weight": self._weights[order]}
            result = self.model.fit(
                images, targets, batch_size=self.batch_size, epochs=1, shuffle=False, verbose=0, **weights
            )
            reported = getattr(result, "history", None) or {}
            self._told = {name: float(np.mean(values[-1])) for name, values in reported.items()}
            if "loss" in reported:
                return float(reported["loss"][-1])
            return self._told_by_evaluating(images, targets)[1]["loss"]

    def ends_after(self, train_loss: float, validation: Evaluation) -> bool:
        """Let the callbacks see what Keras would show them, and the score as `val_score`."""
        if self._callbacks is None:
            return False
        logs = {"loss": train_loss, **plain_names(self._told), "val_loss": validation.loss, **self._told_of_validation}
        return self._callbacks.end_epoch({**logs, "val_score": validation.score})

    def finish(self) -> bool:
        """Do what `fit` does when it ends."""
        if self._finalize is not None:
            self._finalize(self.model.trainable_variables)
        if self._callbacks is not None:
            self._callbacks.end()
        return self._callbacks is not None

    def evaluate(self, images: Images, positions: Positions, total_squares: float) -> Evaluation:
        """Evaluate the model in inference mode by Keras's own loop."""
        inputs, targets = self._examples(images.part, positions)
        with failure_of_the_variant("It cannot be evaluated"):
            outputs, told = self._told_by_evaluating(inputs, targets)
        loss = told["loss"]
        self._told_of_validation = {f"val_{name}": value for name, value in told.items()}
        own = None if self._score is None else self._own_score(told)
        if self._recipe.task != "classify":
            score = 100 * (1 - float(np.square(outputs - targets).sum()) / total_squares)
            score = score if own is None else own
            return Evaluation(loss, score, score, np.zeros(0, np.int64))
        second = outputs[..., 0] > _threshold(self.model, self._recipe)
        predicted = (second if self._binary else outputs.argmax(axis=-1)).astype(np.int64)
        score = 100 * float(np.mean(predicted == self._data.labels(images.part)[positions]))
        if own is not None:
            return Evaluation(loss, own, own, predicted)
        seen = next((100 * told[name] for name in _ACCURACIES if name in told), score)
        return Evaluation(loss, score, seen, predicted)

    def _told_by_evaluating(self, inputs: Any, targets: Any) -> tuple[NDArray[np.float64], dict[str, float]]:
        """Outputs, and what the model reports by name: with the loss that fits its outputs where it reports none."""
        predicted = self.model.predict(inputs, batch_size=_EVALUATION_BATCH, verbose=0)
        told: dict[str, Any] = {}
        if self.model.loss is not None or _overrides(self.model, _EVALUATIONS):
            told = self.model.evaluate(inputs, targets, batch_size=_EVALUATION_BATCH, verbose=0, return_dict=True) or {}
        if "loss" not in told:
            told["loss"] = make_loss(self._recipe.loss)(targets, predicted)
        return np.asarray(predicted, np.float64), plain_names({name: float(np.mean(v)) for name, v in told.items()})

    def _own_score(self, told: dict[str, float]) -> float:
        """The metric that the model is scored by, in points.

        Raises:
            UntrainableError: the model has no such metric, or one that falls as it gets better.
        """
        if self._score not in told:
            raise UntrainableError(
                f"It is to be scored by '{self._score}', and reports only {', '.join(sorted(told))}: compile it with "
                "that metric."
            )
        if self._score == "loss" or direction(self.model, self._score) == "down":
            raise UntrainableError(f"It is to be scored by '{self._score}', which falls as a model gets better.")
        return 100 * told[self._score]

    def _examples(self, part: str, positions: Positions) -> tuple[Any, Any]:
        """Inputs as the engine scales them, and the targets in the form that the model's loss takes."""
        inputs = self._data.given(part, positions, scale=self._recipe.scale)
        if self._recipe.task == "reconstruct":
            return inputs, inputs
        labels = self._data.labels(part)[positions]
        if self._recipe.task == "regress":
            return inputs, labels
        if self._binary:
            return inputs, labels[:, np.newaxis].astype(np.float32)
        if takes_classes(self.model):
            return inputs, labels.astype(np.int32)
        return inputs, np.eye(self._data.classes, dtype=np.float32)[labels]


def _overrides(model: Any, names: Sequence[str]) -> bool:
    """Whether a model has a method of its own; Sequential and Functional, Keras's own, override none of these."""
    return any(getattr(type(model), name, None) is not getattr(keras.Model, name, None) for name in names)


def _weights(data: LoadedDataset, training: Training) -> NDArray[np.float32] | None:
    """How much each training example counts, by its own weight and its class's; None where all count alike."""
    given = training.class_weight
    if not given:
        return data.weights
    counts = np.bincount(data.y_train, minlength=data.classes)
    by_class = (
        len(data.y_train) / (data.classes * counts)
        if given == "balanced"
        else np.array([given.get(name, 1.0) for name in data.class_names])
    )
    weights = by_class[data.y_train].astype(np.float32)
    return weights if data.weights is None else weights * data.weights


def _threshold(model: Any, recipe: Recipe) -> float:
    """Above what a model's one output means the second of two classes."""
    from_logits = getattr(_only(model.loss), "from_logits", recipe.loss.endswith("logits"))
    return 0.0 if from_logits or "hinge" in _name(model.loss) else 0.5


def takes_classes(model: Any) -> bool:
    """Whether a model's loss takes the classes as numbers; else they are given one-hot.

    A loss of Keras says so by its name. A function of one's own is asked: it is given numbers unless it raises on them.
    """
    loss = _only(model.loss)
    name = _name(loss).lower().replace("_", "")
    if "sparse" in name or loss is None:
        return True
    own = not isinstance(loss, str) and (getattr(type(loss), "__module__", "") + getattr(loss, "__module__", ""))
    if not own or "keras." in own:
        return False
    try:
        # More examples than classes, or numbers would be spread over the outputs, as the classes' probabilities.
        value = loss(tf.constant([0, 1, 1]), tf.constant([[0.6, 0.4], [0.3, 0.7], [0.2, 0.8]]))
        return bool(np.isfinite(np.asarray(value)).all())
    except Exception:  # whatever a person's function raises on what is not for it
        return False


def _name(loss: Any) -> str:
    """What a loss is called."""
    loss = _only(loss)
    if loss is None or isinstance(loss, str):
        return loss or "its own"
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", None) or type(loss).__name__)


def _only(loss: Any) -> Any:
    """The loss of a model's only output, which may be given in a list or by the output's name."""
    losses = [*loss.values()] if isinstance(loss, Mapping) else loss
    return losses[0] if isinstance(losses, Sequence) and not isinstance(losses, str) and len(losses) == 1 else loss


def _ends_in_sigmoid(model: Any) -> bool:
    last = model.layers[-1] if getattr(model, "layers", None) else None
    return getattr(last, "activation", None) is keras.activations.sigmoid
