"""Train the runs of one variant, one after the other, on one compiled program."""

import gc
import logging
import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from twinbench.architectures.catalogue import Variant, architectures
from twinbench.architectures.keras_settings import forget_models, settings_kept
from twinbench.architectures.recipe import Recipe, fitted, recipe_of
from twinbench.config import TrainingSection
from twinbench.store.predictions import pack
from twinbench.store.record import Cost, Epoch, Outcome
from twinbench.training.building import State, build_model, match_weights, read_state, weights_sha256
from twinbench.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from twinbench.training.compilation import choose_compilation
from twinbench.training.feed import DatasetTensors, Feed
from twinbench.training.fit_program import FitProgram, brings_its_training
from twinbench.training.limit import OutOfTime, time_limit
from twinbench.training.memory import forget_peak, peak_memory_mb
from twinbench.training.program import Evaluation, Program, UntrainableError, failure_of_the_variant
from twinbench.training.seeds import Seeds, streams

logger = logging.getLogger(__name__)
# Only what runs the variant's own code stands under this: a fault of the engine is not recorded as a variant's.
_CANNOT_BE_TRAINED = "It cannot be trained"
# Told after every epoch: the epoch's number and its training loss.
Progress = Callable[[int, float], None]


@dataclass(frozen=True)
class Result:
    """What training a run gave."""

    outcome: Outcome
    history: tuple[Epoch, ...]
    cost: Cost
    predictions: str | None = None


@dataclass
class _Clock:
    """Seconds of a run so far, those of earlier attempts included."""

    before: float = 0.0
    training: float = 0.0
    images: int = 0

    def __post_init__(self) -> None:
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self.before + time.perf_counter() - self._started

    def cost(self, device: str) -> Cost:
        rate = self.images / self.training if self.training > 0 else 0.0
        return Cost(device, self.seconds, self.training, rate, peak_memory_mb())


class VariantTrainer:
    """Trains runs of one variant on one dataset; the model is compiled once, whatever the number of seeds.

    A run trained here equals the same run alone: before it begins, everything that training changes is set to what
    a freshly built model has under the run's seed.
    """

    def __init__(self, variant: Variant, tensors: DatasetTensors, training: TrainingSection, device: str) -> None:
        self.variant = variant
        self._architecture = architectures()[variant.architecture]
        self._tensors = tensors
        self._training = self._architecture.training(training)
        self.epochs = self._training.epochs
        self.compilation = choose_compilation(self._architecture, len(tensors.data.y_train), self.epochs)
        self._device = device
        self._recipe: Recipe | None = None
        self._feeds: dict[int, Feed] = {}
        self._program: Program | None = None
        self._settings = ExitStack()
        self._settings.enter_context(settings_kept())

    def train(self, seed: int, checkpoint: Path, progress: Progress) -> Result:
        """Train one run, from its checkpoint if there is one.

        Whatever the variant's code raises, and a loss that is no longer finite, make a failed run with its reason.

        Args:
            seed: the run's seed.
            checkpoint: where checkpoints are read and written.
            progress: told after every epoch.

        Raises:
            DataError: a checkpoint cannot be written, or the validation fraction leaves too few images.
        """
        forget_peak()
        clock = _Clock()
        minutes = self._training.minutes
        try:
            with time_limit(minutes):
                return self._trained(seed, checkpoint, progress, clock)
        except OutOfTime:
            self._program = None  # which was left in the middle of something
            reason = f"It took longer than the {minutes:g} minutes that `training.minutes` allows a run."
            logger.warning("%s/%s fails: %s", self.variant.architecture, self.variant.name, reason)
            return Result(replace(self._blank_outcome(seed), reason=reason), (), clock.cost(self._device))

    def _trained(self, seed: int, checkpoint: Path, progress: Progress, clock: _Clock) -> Result:
        outcome = self._blank_outcome(seed)
        try:
            with failure_of_the_variant("It cannot be built"):
                recipe = self._recipe = self._recipe or recipe_of(self.variant)
                seeds = self._seeds(seed + recipe.seed_offset)
                model, outcome = self._build(recipe, seeds, outcome)
                recipe = self._recipe
            feed = self._feed_of(recipe, seeds.split)
            outcome = replace(
                outcome, train_examples=len(feed.train_positions), validation_examples=len(feed.validation_positions)
            )
            if outcome.task != "classify" and not (feed.validation_squares() and feed.test_squares()):
                raise UntrainableError(
                    "All images are the same: there is no variance that a reconstruction could explain."
                    if outcome.task == "reconstruct"
                    else "All labels are the same in the validation part or the test: there is nothing to explain."
                )
            with failure_of_the_variant(_CANNOT_BE_TRAINED):
                start = read_state(model)
                program = self._program_of(model, recipe, seeds)
                if isinstance(program, FitProgram):
                    outcome = replace(
                        outcome,
                        loss=f"{program.loss_name}, by Keras's own loop",
                        # Not its name, which Keras numbers through a process; and a rate in float32's own digits.
                        optimizer=type(program.optimizer).__name__.lower(),
                        learning_rate=float(f"{float(program.optimizer.learning_rate):.7g}"),
                    )
            return self._train(
                program,
                start=start,
                feed=feed,
                seeds=seeds,
                outcome=outcome,
                checkpoint=checkpoint,
                progress=progress,
                clock=clock,
            )
        except UntrainableError as error:
            logger.exception("%s/%s fails.", self.variant.architecture, self.variant.name)
            return Result(replace(outcome, reason=str(error)), (), clock.cost(self._device))

    def release(self) -> None:
        """Give back the memory of the model and of its compiled functions, if there are any, and Keras's settings."""
        self._settings.close()
        if self._recipe is None:
            return
        self._program = None
        forget_models()
        gc.collect()

    def _program_of(self, model: Any, recipe: Recipe, seeds: Seeds) -> Program:
        """Return the program of the variant's first model, which trains all others of its shapes."""
        training, data = self._training, self._tensors.data
        asked = training.callbacks or training.class_weight or self._architecture.score
        by_keras = asked or brings_its_training(model) or not data.plain or recipe.loss.startswith("binary")
        if not self.variant.packaged and by_keras:
            return FitProgram(model, recipe, training, data, seeds, score=self._architecture.score)
        if self._program is None:
            self._program = Program(model, recipe, self._training, self.compilation, self._tensors.train)
        shapes = [[tuple(weight.shape) for weight in network.variables] for network in (self._program.model, model)]
        if shapes[0] != shapes[1]:
            raise UntrainableError("It cannot be trained: its builder returns another network each time it is called.")
        return self._program

    def _build(self, recipe: Recipe, seeds: Seeds, outcome: Outcome) -> tuple[Any, Outcome]:
        """Build the model with the run's initial weights, and write down what it is."""
        data = self._tensors.data
        model, parameters = build_model(recipe, data, seeds)
        if not self.variant.packaged:
            recipe = self._recipe = fitted(recipe, model, data.given("train", slice(8)))
        if self._training.init == "matched" and self.variant.kind != "reference":
            with failure_of_the_variant("The reference, whose weights it is to get, cannot be built"):
                reference, _ = build_model(recipe_of(self._architecture.reference), data, seeds)
            match_weights(model, reference)
        return model, replace(
            outcome,
            parameters=parameters.unique,
            trainable_parameters=parameters.trainable,
            non_trainable_parameters=parameters.unique - parameters.trainable,
            parameters_per_call=parameters.per_call,
            keras_count=parameters.keras_count,
            initial_weights_sha256=weights_sha256(model),
            loss=recipe.loss,
            batch_size=self._training.batch_size * recipe.batch_factor,
            learning_rate=(
                self._training.learning_rate
                if recipe.learning_rate == "configured"
                else float(keras.optimizers.get(self._training.optimizer).learning_rate)
            ),
        )

    def _feed_of(self, recipe: Recipe, split: int) -> Feed:
        """Return the feed of a split, the last one again where a run has the same."""
        if split not in self._feeds:
            self._feeds = {split: Feed(self._tensors, recipe, self._training, split=split)}
        return self._feeds[split]

    def _train(
        self,
        program: Program,
        *,
        start: State,
        feed: Feed,
        seeds: Seeds,
        outcome: Outcome,
        checkpoint: Path,
        progress: Progress,
        clock: _Clock,
    ) -> Result:
        """Train the remaining epochs and look at the test images once, at the end."""
        with failure_of_the_variant(_CANNOT_BE_TRAINED):
            program.reset(start)
            present = read_state(program)
        history: list[Epoch] = []
        resumed = load_checkpoint(checkpoint, present) if program.resumable else None
        # Without seeds a resumed run would not be the one that began.
        if resumed is not None and self._training.determinism != "off":
            logger.info("Resumed after epoch %d from %s.", len(resumed.history), checkpoint)
            program.restore(resumed.state)
            history = list(resumed.history)
            clock.before, clock.training = resumed.seconds, resumed.train_seconds
            clock.images = len(history) * len(feed.train_positions)
        saved = time.perf_counter()
        squares = feed.validation_squares() if outcome.task != "classify" else math.nan
        for epoch in range(len(history) + 1, self._training.epochs + 1):
            began = time.perf_counter()
            train_loss = program.train_epoch(feed.order(seeds.order, epoch))
            clock.training += time.perf_counter() - began
            clock.images += len(feed.train_positions)
            validation = program.evaluate(feed.validation, feed.validation_positions, squares)
            if not (math.isfinite(train_loss) and math.isfinite(validation.loss)):
                reason = f"The loss became {_in_words(train_loss, validation.loss)} in epoch {epoch}."
                return Result(replace(outcome, reason=reason), tuple(history), clock.cost(self._device))
            history.append(Epoch(epoch, train_loss, validation.loss, validation.score))
            due = program.resumable and epoch % self._training.checkpoint_every == 0 and epoch < self._training.epochs
            if due and time.perf_counter() - saved >= self._training.checkpoint_seconds:
                with failure_of_the_variant("Its state cannot be read for a checkpoint"):
                    state = read_state(program)
                began_with = outcome.initial_weights_sha256 or ""
                kept = Checkpoint(tuple(history), state, began_with, clock.seconds, clock.training)
                save_checkpoint(checkpoint, kept)
                saved = time.perf_counter()
            progress(epoch, train_loss)
            with failure_of_the_variant(_CANNOT_BE_TRAINED):
                if program.ends_after(train_loss, validation):
                    outcome = replace(outcome, epochs=epoch)
                    break
        last = history[-1]
        with failure_of_the_variant(_CANNOT_BE_TRAINED):
            changed = program.finish()
        if changed:
            validation = program.evaluate(feed.validation, feed.validation_positions, squares)
            last = replace(last, validation_loss=validation.loss, validation_score=validation.score)
        squares = feed.test_squares() if outcome.task != "classify" else math.nan
        test = program.evaluate(feed.tensors.test, feed.test_positions, squares)
        with failure_of_the_variant(_CANNOT_BE_TRAINED):
            digest = weights_sha256(program.model)
        outcome = _finished(outcome, last, test, digest)
        predictions = None
        if outcome.status == "ok" and outcome.task == "classify":
            predictions = pack(test.predicted, self._tensors.data.y_test, self._tensors.data.classes)
        return Result(outcome, tuple(history), clock.cost(self._device), predictions)

    def _seeds(self, seed: int) -> Seeds:
        seeds = streams(seed, self._training.vary)
        if self._training.determinism == "off":
            drawn = np.random.SeedSequence().generate_state(3, np.uint32) >> np.uint32(1)
            init, order, dropout = map(int, drawn)
            return replace(seeds, init=init, order=order, dropout=dropout)
        return seeds

    def _blank_outcome(self, seed: int) -> Outcome:
        """A failed run of which nothing is known yet."""
        training, data = self._training, self._tensors.data
        return Outcome(
            dataset=data.name,
            architecture=self.variant.architecture,
            variant=self.variant.name,
            kind=self.variant.kind,
            seed=seed,
            status="failed",
            reason="",
            task=self._architecture.task,
            score_name=self._architecture.score
            or ("accuracy" if self._architecture.task == "classify" else "explained variance"),
            optimizer=training.optimizer,
            learning_rate=training.learning_rate,
            batch_size=training.batch_size,
            epochs=training.epochs,
            loss="",
            precision=training.precision,
            determinism=training.determinism,
            threads=training.threads,
            init=training.init,
            vary=" ".join(training.vary),
            train_examples=0,
            validation_examples=0,
            test_examples=len(data.y_test),
            dataset_sha256=data.sha256,
        )


def _finished(outcome: Outcome, last: Epoch, test: Evaluation, digest: str) -> Outcome:
    if not math.isfinite(test.loss):
        return replace(outcome, reason=f"The loss on the test images is {_in_words(test.loss)}.")
    return replace(
        outcome,
        status="ok",
        train_loss=last.train_loss,
        validation_loss=last.validation_loss,
        validation_score=last.validation_score,
        test_loss=test.loss,
        test_score=test.score,
        seen_score=test.seen_score,
        final_weights_sha256=digest,
    )


def _in_words(*losses: float) -> str:
    return "NaN" if any(math.isnan(loss) for loss in losses) else "infinite"
