"""Compares training steps of the person's own with those of `fit`, or with each other, and says what makes them differ.

Both start from the same weights, on the same batch. Where they part, the usual mistakes are put right one after the
other, and together: what makes the step do what the other does is the cause.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import tensorflow as tf

from twinbench.compare.advice import make_cause
from twinbench.compare.batches import Batch, batches
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed
from twinbench.compare.optimizers import settings_causes
from twinbench.compare.report import Cause
from twinbench.compare.stepping import STEPS, Changes, Record, Step, take_steps, variable_of
from twinbench.errors import first_cause
from twinbench.sameness.evidence import Evidence, short_path
from twinbench.sameness.probes import compare_arrays, kept
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.signature import call_model
from twinbench.sameness.subjects import Pair

Steps = tuple[Step | None, Step | None]
_CLOSE = 1e-4
"""Gradients are explained where what is left is at most this share of the largest."""


@dataclass(frozen=True)
class _Explanation:
    """What makes one step do what the other does: changes, the factor that is left, and the share of the penalties."""

    changes: tuple[str, ...]
    factor: float = 1.0
    penalties: float = 1.0

    @property
    def count(self) -> int:
        return len(self.changes) + (self.factor != 1.0) + (self.penalties != 1.0)


def step_causes(
    pair: Pair,
    steps: Steps,
    arrays: Sequence[np.ndarray],
    feeds: Sequence[Feed | None],
    *,
    evidence: Evidence,
    coverage: Coverage,
) -> tuple[list[Cause], list[str]]:
    """Take a step on both sides and explain how they differ.

    Returns:
        The causes, and warnings.
    """
    for letter, step, one in zip("AB", steps, (pair.a, pair.b), strict=True):
        if step is None and not one.model.compiled:
            coverage.not_tested("training step", f"{letter} is not compiled, so `fit` has no step to compare with")
            return [], []
    if not pair.transfer.complete or evidence.same_function is False:
        coverage.not_tested("training step", "as the models differ, their steps cannot be compared")
        return [], []
    tried = [batch for batch in batches(pair, arrays, feeds) if "y" in batch.a and (batch.certain or batch.usual)]
    errors, warnings = [], []
    compared = 0
    for batch in tried:
        trial = _Trial(pair, steps, batch, coverage)
        try:
            causes, noticed = trial.causes()
        except Exception as error:
            errors.append(f"with {batch.form} a step raises {first_cause(error, 160)}")
            continue
        compared += 1
        if causes:
            return causes, noticed
        warnings += noticed
    own = [step for step in steps if step is not None]
    if compared and len({step.function for step in own}) + (len(own) == 1) > 1:
        coverage.on_samples.append(f"the training step {' and '.join(step.name for step in own)}")
    if not compared:
        coverage.not_tested(
            "training step", errors[0] if errors else "the form of the labels is not known: give a feed"
        )
    return [], list(dict.fromkeys(warnings))


class _Trial:
    """One batch, on which both sides take steps."""

    def __init__(self, pair: Pair, steps: Steps, batch: Batch, coverage: Coverage) -> None:
        self.pair, self.steps, self.batch, self.coverage = pair, steps, batch, coverage
        # B is held against A, unless only A's step is the person's own
        self.tried = 1 if steps[1] is not None else 0
        self.names = [step.name if step is not None else "fit" for step in steps]
        self.right = self._record(1 - self.tried)
        self.shown = self._record(self.tried)

    def _record(self, k: int, changes: Changes = Changes()) -> Record:  # noqa: B008
        return take_steps(self.pair, k, self.steps[k], (self.batch.a, self.batch.b)[k], changes)

    def causes(self) -> tuple[list[Cause], list[str]]:
        """What makes the steps differ."""
        missing = self._not_updated()
        if missing:
            names = ", ".join(short_path(v) for v in missing[:4])
            detail = f"the step never hands the gradients of {len(missing)} weight tensor(s) to the optimizer"
            fix = "Take the gradients of model.trainable_variables, and apply all of them."
            return [
                self._cause("mode.trainable", f"updates of {names}", ("updated", "not updated"), detail=detail, fix=fix)
            ], []
        if self._same(self.shown):
            found = self._settings() if self.right.optimizer is not None else []
            return found, [] if found else self._reported()
        explanation = self._explained()
        if explanation is None:
            start = f"from the same weights, on the same batch ({self.batch.form}), the steps do not do the same: "
            detail = start + self._deviation()
            return [self._cause("training_loop", "training step", ("one step", "another step"), detail=detail)], []
        return self._in_words(explanation), []

    # -- what was seen, arranged as B holds it -----------------------------------------------------------------

    def _arranged(self, first: dict[int, np.ndarray], second: dict[int, np.ndarray], *, raw: bool) -> Any:
        """The arrays of A (carried into B's places) and of B, for the weights that both train."""

        def read(values: dict[int, np.ndarray], v: Any) -> np.ndarray:
            return values.get(variable_of(v) if raw else id(v), np.zeros(tuple(v.shape)))

        carried = list(self.pair.transfer.carried(lambda p: read(first, p)))
        if raw:
            carried = [part for part in carried if part[0].trainable and part[1].trainable]
        left, right = [value for _, _, value in carried], [read(second, q) for _, q, _ in carried]
        return (left, right) if self.tried else (right, left)

    def _both(self, name: str, shown: Record) -> Any:
        """What both did: that of the side that is right, and that of the other."""
        values = getattr(self.right, name), getattr(shown, name)
        return self._arranged(*(values if self.tried else values[::-1]), raw=name != "moved")

    def _same(self, shown: Record) -> bool:
        """Whether a step clips to the same gradients, moves everything alike, and runs layers in the same mode."""
        if sorted(shown.modes.values()) != sorted(self.right.modes.values()):
            return False
        gradients, moved = self._both("clipped", shown), self._both("moved", shown)
        known = bool(shown.clipped and self.right.clipped)
        return (not known or _alike(gradients[0], gradients[1], 1e-5)) and _alike(moved[0], moved[1], 1e-3)

    def _deviation(self) -> str:
        name = "clipped" if self.shown.clipped and self.right.clipped else "moved"
        left, right = self._both(name, self.shown)
        compared = compare_arrays(left, right, [0.0] * len(left))
        words = "gradients" if name == "clipped" else "updates"
        return f"{words} differ by up to {compared.relative:.2g} of the largest"

    def _not_updated(self) -> list[Any]:
        if not self.shown.gradients or not self.right.gradients:
            return []
        relations = [(p, q) for p, q in self.pair.transfer.relations if p.trainable and q.trainable]
        ends = [(p, q) if self.tried else (q, p) for p, q in relations]
        return [
            shown
            for right, shown in ends
            if variable_of(right) in self.right.gradients and variable_of(shown) not in self.shown.gradients
        ]

    # -- what explains it --------------------------------------------------------------------------------------

    def _explained(self) -> _Explanation | None:
        """The fewest changes after which the step does what the other does."""
        optimizer = self.right.optimizer
        options: dict[str, dict[str, Any]] = {"training": {"training": True}, "labels": {"labels": True}}
        if not any(self.right.modes.values()):
            del options["training"]
        names = list(options)
        best: _Explanation | None = None
        for size in range(len(names) + 1):
            for chosen in combinations(names, size):
                settings = {key: value for name in chosen for key, value in options[name].items()}
                try:
                    shown = self._record(self.tried, Changes(**settings))
                except Exception:  # noqa: S112 - labels of another rank that the step does not take
                    continue
                found = self._of_record(shown, chosen)
                if found is None and optimizer is not None and shown.optimizer is not None:
                    fresh = type(optimizer).from_config(optimizer.get_config())
                    if self._same(self._record(self.tried, Changes(**settings, optimizer=fresh))):
                        found = _Explanation((*chosen, "optimizer"))
                if found is not None and (best is None or found.count < best.count):
                    best = found
        return best

    def _of_record(self, shown: Record, chosen: tuple[str, ...]) -> _Explanation | None:
        """What is left of the difference: nothing, a factor, the penalties, or both; None if it is something else."""
        if self._same(shown):
            return _Explanation(chosen)
        if not shown.gradients or not self.right.gradients:
            return None
        left, right = self._both("gradients", shown)
        if sorted(shown.modes.values()) != sorted(self.right.modes.values()):
            return None
        flat = [np.concatenate([np.ravel(part) for part in parts]) for parts in (left, right)]
        added = self._penalties()
        whole, gradient = flat
        data = whole - added
        columns = [data, added] if np.any(added) else [data]
        solved = np.linalg.lstsq(np.stack(columns, axis=1), gradient, rcond=None)[0]
        rest = gradient - np.stack(columns, axis=1) @ solved
        if np.abs(rest).max() > _CLOSE * max(np.abs(gradient).max(), np.abs(whole).max()):
            return None
        factor = float(solved[0])
        share = float(solved[1] / factor) if len(solved) > 1 and abs(factor) > 1e-9 else 1.0
        factor = 1.0 if np.isclose(factor, 1, rtol=1e-3) else factor
        share = 1.0 if np.isclose(share, 1, atol=1e-2) else 0.0 if abs(share) < 1e-2 else share
        if factor == 1.0 and share == 1.0:  # the gradients agree; something else does not
            return None
        return _Explanation(chosen, factor, share) if share in (0.0, 1.0) or factor == 1.0 else None

    def _penalties(self) -> np.ndarray:
        """The gradients of what the model adds to its loss, on the side that is right, in the order of `_arranged`."""
        k = 1 - self.tried
        one = (self.pair.a, self.pair.b)[k]
        batch = (self.batch.a, self.batch.b)[k]
        with kept(self.pair.a, self.pair.b), without_noise(one.model):
            self.pair.transfer.apply()
            held = [getattr(v, "_value", v) for v in one.model.trainable_variables]
            with tf.GradientTape() as tape:
                call_model(one.model, batch["x"], True)
                total = tf.add_n([tf.reduce_sum(p) for p in one.model.losses]) if one.model.losses else None
            gradients = [None] * len(held) if total is None else tape.gradient(total, held)
        values = {
            id(v): np.asarray(tf.convert_to_tensor(g), dtype="float64")
            for v, g in zip(held, gradients, strict=True)
            if g is not None
        }
        arranged, _ = self._arranged(*((values, {}) if k == 0 else ({}, values)), raw=True)
        return np.concatenate([np.ravel(part) for part in arranged])

    # -- in words ----------------------------------------------------------------------------------------------

    def _cause(self, code: str, where: str, words: tuple[str, str], *, detail: str, fix: str = "") -> Cause:
        a, b = words if self.tried else words[::-1]
        return make_cause(code, where, a, b, detail=detail, fix=fix)

    def _in_words(self, explanation: _Explanation) -> list[Cause]:
        name = self.names[self.tried]
        causes = []
        if "training" in explanation.changes:
            layers = ", ".join(f"'{layer}'" for layer, mode in self.right.modes.items() if mode)
            detail = f"{name} calls the model in inference mode, so {layers} act as in predict"
            fix = "Call the model with training=True: model(x, training=True)."
            words = ("training=True", "no training argument, or training=False")
            causes.append(self._cause("mode.bn_dropout", "training step: training=True", words, detail=detail, fix=fix))
        if "labels" in explanation.changes:
            detail = f"in {name} labels are broadcast against outputs of another rank ({self.batch.form})"
            fix = "Give the labels the shape of the outputs: y = y[:, None]."
            causes.append(
                self._cause("compile.loss", "training step: label rank", ("fits", "broadcast"), detail=detail, fix=fix)
            )
        if explanation.penalties != 1.0:
            detail = f"{name} does not add model.losses (regularisers, add_loss) to its loss"
            fix = "Add them: loss += sum(model.losses)."
            causes.append(
                self._cause(
                    "regularization", "training step: penalties", ("added", "not added"), detail=detail, fix=fix
                )
            )
        if explanation.factor != 1.0:
            causes.append(self._factor(explanation.factor))
        if "optimizer" in explanation.changes:
            causes += self._settings() or [
                self._cause(
                    "compile.optimizer", "training step: optimizer", ("one", "another"), detail="the updates differ"
                )
            ]
        return causes

    def _factor(self, factor: float) -> Cause:
        rows = len(np.asarray(self.batch.a["y"])) if hasattr(self.batch.a["y"], "shape") else 0
        words = f"{factor:.4g} times as large"
        detail = f"the gradients of {self.names[self.tried]} are {words}"
        if rows and np.isclose(factor * rows, 1, rtol=1e-3):
            detail += f", one part in {rows}, the rows of the batch: a mean is taken twice"
        elif rows and np.isclose(factor, rows, rtol=1e-3):
            detail += ", the rows of the batch: the loss is summed where a mean is meant"
        fix = "Average the loss over the batch once."
        return self._cause(
            "training_loop", "training step: size of the loss", ("a mean", words), detail=detail, fix=fix
        )

    def _settings(self) -> list[Cause]:
        """How the optimizers differ that the steps used."""
        records = (self.right, self.shown) if self.tried else (self.shown, self.right)
        optimizers = [record.optimizer for record in records]
        if None in optimizers:
            letter = "AB"[optimizers.index(None)]
            self.coverage.not_tested("optimizer", f"{letter}'s step moves weights without one; {STEPS} steps agreed")
            return []
        causes = settings_causes("optimizer of the step", optimizers[0], optimizers[1], self.pair, self.coverage)
        clipping = [cause for cause in causes if cause.where.endswith(("clipnorm", "clipvalue"))]
        return [cause for cause in causes if cause not in clipping or not self._clips_alike()]

    def _clips_alike(self) -> bool:
        """Whether large gradients end alike, clipped by the optimizer or by the step itself."""
        large = Changes(enlarged=True)
        right, shown = self._record(1 - self.tried, large).clipped, self._record(self.tried, large).clipped
        gradients = self._arranged(*((right, shown) if self.tried else (shown, right)), raw=True)
        return _alike(gradients[0], gradients[1], 1e-5)

    def _reported(self) -> list[str]:
        losses = self.right.loss, self.shown.loss
        if None in losses or np.isclose(losses[0], losses[1], rtol=1e-3, atol=1e-6):  # type: ignore[arg-type]
            return []
        return [
            f"{self.names[self.tried]} returns {losses[1]:.4g} as its loss where {self.names[1 - self.tried]} reports "
            f"{losses[0]:.4g}; both train alike."
        ]


def _alike(left: Sequence[np.ndarray], right: Sequence[np.ndarray], rounding: float) -> bool:
    """Whether arrays agree up to a share of the largest value of all."""
    largest = max((float(np.abs(array).max(initial=0.0)) for array in (*left, *right)), default=0.0)
    return all(np.allclose(x, y, rtol=0, atol=rounding * largest + 1e-12) for x, y in zip(left, right, strict=True))
