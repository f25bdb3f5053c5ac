"""A variant compiled for training: whole epochs inside one TensorFlow function, and evaluation.

The images stay in memory as uint8 and are gathered and scaled inside the compiled function, so that an epoch is one
call. `twinbench.training.compilation` says how it is compiled.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from twinbench.architectures.recipe import Loss, Recipe
from twinbench.config import Training
from twinbench.errors import ANYTHING_RAISED, TwinbenchError, first_cause, memory_ran_out
from twinbench.training.building import State, write_state
from twinbench.training.compilation import Compilation
from twinbench.training.feed import Images, Positions
from twinbench.training.kernels import fused_batch_normalization

_EVALUATION_BATCH = 500


class UntrainableError(Exception):
    """A variant that fails, with what it says."""


@contextlib.contextmanager
def failure_of_the_variant(what: str) -> Iterator[None]:
    """Take whatever is raised inside for the failure of one variant, and of no other.

    Args:
        what: what fails, the begin of the reason.

    Raises:
        UntrainableError: from what someone's code raised. What is the machine's fault or a mistake that concerns the
            whole job is raised as it is.
    """
    try:
        yield
    except (TwinbenchError, UntrainableError):
        raise
    except ANYTHING_RAISED as error:
        if is_of_the_machine(error):
            raise
        raise UntrainableError(f"{what}: {first_cause(error)}") from error


@dataclass(frozen=True)
class Evaluation:
    """What a model gives on a set of images.

    Attributes:
        loss: its mean.
        score: the true one, in points.
        seen_score: the score that its owner sees, in points.
        predicted: the class predicted for each image, `(n,)` int64; of a reconstruction, none.
    """

    loss: float
    score: float
    seen_score: float
    predicted: NDArray[np.int64]


class Program:
    """One model, its optimiser, and the compiled functions that train and evaluate it."""

    resumable = True

    def __init__(self, model: Any, recipe: Recipe, training: Training, compilation: Compilation, train: Images) -> None:
        """Compile nothing yet: TensorFlow does at the first call.

        Args:
            model: a built model.
            recipe: how it is trained.
            training: the configured numbers.
            compilation: how the training is compiled.
            train: the images that `train_epoch` picks from.
        """
        self.model = model
        self.batch_size = training.batch_size * recipe.batch_factor
        self._recipe = recipe
        self._train = train
        self._loss = make_loss(recipe.loss)
        self.optimizer = make_optimizer(recipe, training)
        self.optimizer.build(model.trainable_variables)
        self._fresh_optimizer: State = [np.asarray(variable) for variable in self.optimizer.variables]
        self._update = self._apply
        self._fused = compilation == "fused" and not tf.config.list_physical_devices("GPU")
        if compilation == "fused":
            self._update = tf.function(self._apply, jit_compile=True)
        # Batches of any size run through one trace; tracing costs more than an epoch on few images.
        batches = [tf.TensorSpec((None, None), tf.int32)]
        self._steps = tf.function(self._train_batches, input_signature=batches, jit_compile=compilation == "xla")
        self._last_step = self._steps
        if compilation == "xla":
            # One step an epoch does not earn back what XLA takes to compile it, in time and in memory.
            self._last_step = tf.function(self._train_batches, input_signature=batches)
        pixels = tf.TensorSpec((None, *train.pixels.shape[1:]), tf.uint8)
        positions = tf.TensorSpec((None,), tf.int32)
        self._evaluate = tf.function(self._sums, input_signature=[pixels, positions, positions])

    @property
    def variables(self) -> list[Any]:
        """All that training changes: the model's variables, then the optimiser's."""
        return [*self.model.variables, *self.optimizer.variables]

    def reset(self, state: State) -> None:
        """Start over from a model's state with a fresh optimiser."""
        self.restore([*state, *self._fresh_optimizer])

    def restore(self, state: State) -> None:
        """Put back a state that `building.read_state` read of this program."""
        write_state(self.variables, state)

    def train_epoch(self, order: Positions) -> float:
        """Train one pass over the images that `order` lists, the last batch as small as it comes out.

        Returns:
            The mean loss over the images, each batch measured before its step.

        Raises:
            UntrainableError: the model raises on a batch.
        """
        full = len(order) // self.batch_size * self.batch_size
        total = 0.0
        with failure_of_the_variant("It cannot be trained"):
            if full:
                total += float(self._steps(tf.constant(order[:full].reshape(-1, self.batch_size))))
            if full < len(order):
                total += float(self._last_step(tf.constant(order[full:].reshape(1, -1))))
        return total / len(order)

    def ends_after(self, train_loss: float, validation: Evaluation) -> bool:
        """Tell what the last epoch gave, and return whether none is to follow, whatever the configured number."""
        return False

    def finish(self) -> bool:
        """Do what is left to do after the last epoch, and return whether the weights may be those of another."""
        return False

    def evaluate(self, images: Images, positions: Positions, total_squares: float) -> Evaluation:
        """Evaluate the model in inference mode.

        Args:
            images: what to pick from.
            positions: which of them to evaluate on.
            total_squares: of these images (`feed.total_squares`); used for what is no classifier.

        Raises:
            UntrainableError: the model raises on a batch.
        """
        with failure_of_the_variant("It cannot be evaluated"):
            *sums, classes = self._evaluate(images.pixels, images.labels, tf.constant(positions))
        loss, correct, squares, seen = (float(value) for value in sums)
        predicted = np.asarray(classes, np.int64)
        count = len(positions)
        if self._recipe.task == "reconstruct":
            score = 100 * (1 - squares / total_squares)
            return Evaluation(loss / count, score, score, predicted)
        score = 100 * correct / count
        seen_score = score if self._recipe.metric == "accuracy" else 100 * seen / count
        return Evaluation(loss / count, score, seen_score, predicted)

    def _train_batches(self, batches: Any) -> Any:
        total = tf.constant(0.0)
        for step in tf.range(tf.shape(batches)[0]):
            loss = self._train_step(batches[step])
            total += loss * tf.cast(tf.shape(batches)[1], tf.float32)
        return total

    def _train_step(self, indices: Any) -> Any:
        images = self._scaled(tf.gather(self._train.pixels, indices))
        targets = images if self._recipe.task == "reconstruct" else tf.gather(self._train.labels, indices)
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            with fused_batch_normalization() if self._fused else contextlib.nullcontext():
                outputs = tf.cast(self.model(images, training=True), tf.float32)
            loss = self._loss(targets, outputs)
            for penalty in self.model.losses:
                loss += penalty
        self._update(tape.gradient(loss, [variable.value for variable in variables]))
        return loss

    def _apply(self, gradients: Any) -> None:
        self.optimizer.apply(gradients, self.model.trainable_variables)

    def _sums(self, pixels: Any, labels: Any, positions: Any) -> Any:
        """Evaluate batch by batch.

        Returns:
            Sums over the images (loss, correct answers, squared errors, answers that the seen metric calls correct),
            and the predicted classes.
        """
        count = tf.shape(positions)[0]
        predicted = tf.TensorArray(tf.int32, 0, dynamic_size=True, infer_shape=False, element_shape=(None,))
        loss, correct, squares, seen = (tf.constant(0.0, tf.float64) for _ in range(4))
        for start in tf.range(0, count, _EVALUATION_BATCH):
            stop = tf.minimum(start + _EVALUATION_BATCH, count)
            chosen = positions[start:stop]
            images = self._scaled(tf.gather(pixels, chosen))
            outputs = tf.cast(self.model(images, training=False), tf.float32)
            targets = images if self._recipe.task == "reconstruct" else tf.gather(labels, chosen)
            loss += tf.cast(self._loss(targets, outputs) * tf.cast(stop - start, tf.float32), tf.float64)
            if self._recipe.task == "reconstruct":
                squares += tf.cast(tf.reduce_sum(tf.square(outputs - images)), tf.float64)
            else:
                hits = keras.metrics.sparse_categorical_accuracy(targets, outputs)
                correct += tf.cast(tf.reduce_sum(hits), tf.float64)
                misread = keras.metrics.categorical_accuracy(targets[:, None], outputs)
                seen += tf.cast(tf.reduce_sum(misread), tf.float64)
                predicted = predicted.write(predicted.size(), tf.argmax(outputs, axis=-1, output_type=tf.int32))
        return loss, correct, squares, seen, predicted.concat()

    def _scaled(self, pixels: Any) -> Any:
        return tf.cast(pixels, tf.float32) * self._recipe.scale


def is_of_the_machine(error: BaseException) -> bool:
    """Whether the machine failed (memory, a broken device) and not the model: another attempt may succeed."""
    return memory_ran_out(error) or isinstance(error, tf.errors.InternalError)


def make_loss(loss: Loss) -> Any:
    """Return the Keras loss that a recipe names; it averages over the batch."""
    match loss:
        case "crossentropy on logits":
            return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        case "crossentropy on probabilities":
            return keras.losses.SparseCategoricalCrossentropy(from_logits=False)
        case "binary crossentropy on logits":
            return keras.losses.BinaryCrossentropy(from_logits=True)
        case "binary crossentropy on probabilities":
            return keras.losses.BinaryCrossentropy(from_logits=False)
        case "mean squared error":
            return keras.losses.MeanSquaredError()


def make_optimizer(recipe: Recipe, training: Training) -> Any:
    """Return the configured Keras optimiser, at the configured rate or, if the recipe says so, at its default."""
    settings = {} if recipe.learning_rate == "default" else {"learning_rate": training.learning_rate}
    optimizer = keras.optimizers.get({"class_name": training.optimizer, "config": settings})
    # Keras sums the gradients over replicas through tf.custom_gradient, which TensorFlow registers for the rest of
    # the process, and with it the whole compiled function: 10 MB a variant. There is one replica, so nothing to sum.
    optimizer._all_reduce_sum_gradients = list
    return optimizer
