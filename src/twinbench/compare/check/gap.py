"""Why `fit` and `evaluate` read different numbers on the same samples: the gap, split into what makes it.

The model is trained for some epochs. From what `fit` reports of the last one to what `evaluate` reads there is one step
for each thing that differs between the two: the epoch is run again with the weights held, then without noise, then with
the moving statistics of batch normalisation, and so on. Each part is the change that its step makes, so the parts add
up to the gap exactly.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from typing import Any

import keras
import numpy as np

from twinbench.compare.check.report import Gap, Part
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed
from twinbench.sameness.probes import kept, values_of
from twinbench.sameness.randomness import noise_of, without_noise
from twinbench.sameness.signature import inside
from twinbench.sameness.subjects import Subject

ROWS = 2_048
"""How many samples are trained on at most."""

DEFAULT_BATCH = 32
"""The batch size of `evaluate` where none is given."""

Logs = dict[str, float]


def explain_gap(one: Subject, feed: Feed, epochs: int, coverage: Coverage) -> list[Gap]:
    """Train a model for some epochs and explain what `fit` and `evaluate` then read; the model is left trained.

    Args:
        one: A compiled model.
        feed: What it is trained on.
        epochs: How many epochs; the last one is explained.
        coverage: Where is reported what could not be tested.
    """
    if not feed.epoch.targets:
        coverage.not_given("fit against evaluate", "the feed holds no labels.")
        return []
    trial = _Trial(one, feed)
    with inside(one.model):
        steps = trial.steps(epochs)
    if steps is None:
        coverage.not_tested("fit against evaluate", "the model's own training step moves weights without its optimizer")
        return []
    if set(feed.options) & {"callbacks"}:
        coverage.not_tested("fit against evaluate", "callbacks of fit were left out")
    names = [name for name in steps[-1][1] if all(name in logs for _, logs, _ in steps)]
    return [
        Gap(
            name,
            steps[0][1][name],
            steps[-1][1][name],
            tuple(
                Part(part, before[name] - after[name], words)
                for (_, before, _), (part, after, words) in pairwise(steps)
            ),
        )
        for name in names
    ]


class _Trial:
    """Epochs of one model on the samples of a feed, each under another condition."""

    def __init__(self, one: Subject, feed: Feed) -> None:
        rows = slice(0, ROWS)
        self.one, self.model = one, one.model
        self.batch = min(int(feed.epoch.batch_size or DEFAULT_BATCH), feed.epoch.samples)
        inputs = [np.asarray(array[rows]) for array in feed.epoch.inputs]
        self.data: dict[str, Any] = {
            "x": one.signature.pack(inputs) if len(inputs) > 1 else inputs[0],
            "y": _labels(one, [np.asarray(array[rows]) for array in feed.epoch.targets]),
        }
        self.weighing: dict[str, Any] = {}
        if feed.epoch.weights is not None:
            self.weighing["sample_weight"] = np.asarray(feed.epoch.weights[rows])
        if feed.class_weight is not None:
            self.weighing["class_weight"] = feed.class_weight
        self.shuffle = feed.shuffled_by_fit
        self.arrays = feed.kind == "arrays"

    def steps(self, epochs: int) -> list[tuple[str, Logs, str]] | None:
        """What is read under each condition, from `fit`'s to `evaluate`'s, and the part that each step is.

        None where the weights do not stay in their places when the optimizer does nothing.
        """
        keras.utils.set_random_seed(0)
        steps = [("fit", self._fit(self.weighing, epochs=epochs), "")]
        trained = self.model.trainable_variables
        weights = [values_of(v) for v in trained]
        held = self._held(self.weighing)
        if not all(np.array_equal(w, values_of(v)) for w, v in zip(weights, trained, strict=True)):
            return None
        words = "fit averages over the epoch while the weights still move; evaluate uses the last ones"
        steps.append(("running mean over the epoch", held, words))
        if self.weighing:
            words = f"fit weighs samples ({', '.join(self.weighing)}), and evaluate does not"
            steps.append(("weights of samples and classes", self._held({}), words))
        noise, normalising = noise_of(self.model), _normalising(self.model)
        with ExitStack() as stack:
            if noise:
                stack.enter_context(without_noise(self.model))
                names = ", ".join(dict.fromkeys(f"'{holder.name}'" for holder, _, _ in noise[:3]))
                steps.append(("dropout and noise", self._held({}), f"{names} act in training only"))
            if normalising:
                stack.enter_context(_by_moving_statistics(normalising))
                names = ", ".join(f"'{layer.name}'" for layer in normalising[:3])
                words = f"{names} normalise by the batch in training, and by moving statistics in evaluate"
                steps.append(("batch normalisation", self._held({}), words))
            if self.shuffle:
                words = "fit shuffles the rows into other batches, which matters for what is averaged by batch"
                steps.append(("order of rows", self._held({}, shuffle=False), words))
        same_batches = self._evaluate(self.batch)
        steps.append(self._rest(steps[-1][1], same_batches))
        if self.arrays and self.batch != DEFAULT_BATCH:
            words = f"evaluate takes batches of {DEFAULT_BATCH} where none are given, fit was given {self.batch}"
            steps.append(("metric averaged over batches", self._evaluate(DEFAULT_BATCH), words))
        return steps

    def _rest(self, training: Logs, evaluated: Logs) -> tuple[str, Logs, str]:
        """What is left between an epoch without noise and `evaluate` on the same batches: penalties, or own code."""
        with kept(self.one, only_state=True):
            penalties = float(sum(float(keras.ops.convert_to_numpy(keras.ops.sum(p))) for p in self.model.losses))
        rest = training.get("loss", 0.0) - evaluated.get("loss", 0.0)
        left = abs(rest) > 1e-4 * max(1e-3, abs(training.get("loss", 0.0)))
        if penalties and (not left or np.isclose(abs(rest), abs(penalties), rtol=0.02)):
            both = f"{penalties:.4g}, in both losses"
            return "penalties", evaluated, "only one of the losses holds them" if left else both
        acting = [
            f"'{layer.name}'"
            for layer in self.model._flatten_layers(include_self=False, recursive=True)
            if type(layer).__name__.startswith("Random")
        ]
        words = f"{', '.join(acting[:3])} act in training only" if acting else "layers, losses or metrics of your own"
        return "what else acts in training only", evaluated, words if left else "nothing is left"

    def _fit(self, weighing: dict[str, Any], *, epochs: int = 1, shuffle: bool | None = None) -> Logs:
        shuffle = self.shuffle if shuffle is None else shuffle
        self.model.train_function = None
        history = self.model.fit(
            **self.data, **weighing, batch_size=self.batch, epochs=epochs, shuffle=shuffle, verbose=0
        )
        return {name: float(values[-1]) for name, values in history.history.items() if np.ndim(values[-1]) == 0}

    def _held(self, weighing: dict[str, Any], *, shuffle: bool | None = None) -> Logs:
        """An epoch in which the optimizer does nothing, and after which the state is what it was."""
        optimizer = self.model.optimizer
        optimizer.apply = lambda *_, **__: None
        try:
            with kept(self.one, only_state=True):
                return self._fit(weighing, shuffle=shuffle)
        finally:
            del optimizer.apply
            self.model.train_function = None

    def _evaluate(self, batch: int) -> Logs:
        logs = self.model.evaluate(**self.data, batch_size=batch, verbose=0, return_dict=True)
        return {name: float(value) for name, value in logs.items() if np.ndim(value) == 0}


def _labels(one: Subject, labels: list[np.ndarray]) -> Any:
    struct = getattr(one.model, "_outputs_struct", None)
    if struct is not None and len(keras.tree.flatten(struct)) == len(labels) > 1:
        return keras.tree.pack_sequence_as(struct, labels)
    return labels[0] if len(labels) == 1 else labels


def _normalising(model: keras.Model) -> list[Any]:
    layers = model._flatten_layers(include_self=False, recursive=True)
    return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable]


@contextmanager
def _by_moving_statistics(layers: Sequence[Any]) -> Iterator[None]:
    """Let layers of batch normalisation run as in inference."""
    for layer in layers:
        layer.trainable = False
    try:
        yield
    finally:
        for layer in layers:
            layer.trainable = True
