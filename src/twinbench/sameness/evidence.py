"""What probing two models as functions shows: outputs, running statistics, gradients, and which differences matter.

Both models are given the same random weights, and their own back afterwards. The rungs of function and gradients are
read from this evidence, by the benchmark and by `twinbench compare` alike.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from twinbench.errors import ANYTHING_RAISED, first_cause, raise_if_memory_ran_out
from twinbench.sameness.distribution import at_random, same_distribution, same_draws
from twinbench.sameness.graph import Difference
from twinbench.sameness.localise import harmless_differences, values_before_open_weights
from twinbench.sameness.probes import (
    QUIET,
    Comparison,
    compare_gradients,
    compare_outputs,
    compare_training,
    excite,
    give_random_weights,
    kept,
)
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.signature import call_model
from twinbench.sameness.subjects import Pair, count_parameters

if TYPE_CHECKING:
    from twinbench.sameness.divergence import Divergence


def short_path(variable: Any) -> str:
    """The last two parts of a variable's path: its layer and its role."""
    return "/".join(str(getattr(variable, "path", getattr(variable, "name", "?"))).split("/")[-2:])


@dataclass(frozen=True)
class Raised:
    """What the probes could not be run for: the mode, the model (0: A, 1: B), and what it raised."""

    mode: str
    side: int
    error: str


@dataclass
class Evidence:
    """What probing two models as functions showed; None where a test could not be run.

    Attributes:
        stale: Running statistics of B that are updated otherwise.
        unequal: The paths of weights whose gradients differ, in B.
        pulled: Weights whose gradients clearly differ though the outputs agree.
        unlike: What shows that two models differ whose weights cannot be carried across.
        noise: Where a layer of the person's own stands for one of Keras's noise layers: whether both were seen to draw
            the same numbers, or only numbers of the same distribution; "apart" where they draw otherwise in inference.
        harmless: The differences of the graphs that were seen to change nothing.
        tried_far: Whether outputs were compared on inputs of every size.
        parted: Where in the order of computation values first differ, as far as that was looked for.
        counted: A count of calls from which on the two act otherwise: where it is held, and what it was set to.
    """

    inference: Comparison | None = None
    training: Comparison | None = None
    gradients: Comparison | None = None
    updates: Comparison | None = None
    raised: Raised | None = None
    no_gradients: str = ""
    stale: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    pulled: list[str] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)
    transferable: bool = True
    unlike: str = ""
    noise: Literal["", "the same", "alike", "apart"] = ""
    harmless: list[Difference] = field(default_factory=list)
    parted: list["Divergence"] = field(default_factory=list)
    counted: tuple[str, int] | None = None
    tried_far: bool = False

    @property
    def same_function(self) -> bool | None:
        """Whether the same weights give the same outputs in both modes."""
        if self.unlike:
            return False
        results = [result for result in (self.inference, self.training) if result is not None]
        return None if not results else all(result.equal for result in results)

    @property
    def same_throughout(self) -> bool:
        """Whether outputs, running statistics and gradients were all seen to agree."""
        results = (self.inference, self.training, self.gradients, self.updates)
        return self.transferable and all(result is not None and result.equal for result in results)

    @property
    def only_mode(self) -> bool:
        """Whether the models were seen to agree in inference and to differ in training mode."""
        if not self.transferable or self.inference is None or self.training is None:
            return False
        return self.inference.equal and not self.training.equal

    @property
    def bit_identical(self) -> bool:
        """Whether outputs in both modes and gradients were seen to be the same bit for bit."""
        results = (self.inference, self.training, self.gradients)
        return self.transferable and all(result is not None and result.bit_identical for result in results)


def gather(pair: Pair, arrays: Sequence[np.ndarray], *, seed: int = 11) -> Evidence:
    """Give both models the same random weights, drawn from a seed on, and probe them; their own are restored."""
    evidence = Evidence(transferable=pair.transfer.complete)
    if not pair.transfer.complete:
        evidence.unlike = _unlike(pair)
        if not evidence.unlike:
            evidence.untested.append(_unmatched(pair, arrays))
        return evidence
    silenced, mode = True, False
    with kept(pair.a, pair.b):
        try:
            excite(pair, arrays, seed)
            evidence.inference, mode = compare_outputs(pair, arrays, training=False), True
            evidence.training, evidence.updates, stale = compare_training(pair, arrays)
            if evidence.inference.equal and not evidence.training.equal:
                loud = compare_training(pair, arrays, silenced=False)
                if loud[0].equal:
                    silenced, evidence.noise = False, "the same"
                    evidence.training, evidence.updates, stale = loud
            evidence.stale = [short_path(q) for _, q in stale]
            _weigh_chance(pair, arrays, evidence)
        except ANYTHING_RAISED as error:
            raise_if_memory_ran_out(error)
            words = "training" if mode else "inference"
            evidence.raised = Raised(words, _who_raises(pair, arrays, mode), first_cause(error))
            evidence.untested.append(f"The outputs could not be compared: {first_cause(error)}")
        if evidence.training is not None:
            with _noted(evidence, "The gradients could not be compared") as noted:
                evidence.gradients, unequal = compare_gradients(pair, arrays, silenced=silenced)
                evidence.unequal = [q.path for _, q in unequal]
                surely = _surely(pair, arrays, evidence, silenced)
                evidence.pulled = [short_path(p) for p, _ in unequal] if surely else []
            evidence.no_gradients = "".join(noted)
        if pair.differences and evidence.training is not None:
            with _noted(evidence, "Where the models part could not be looked for"):
                _locate(pair, arrays, evidence)
    return evidence


@contextmanager
def _noted(evidence: Evidence, what: str) -> Iterator[list[str]]:
    """Note what a block raises as not tested; yields a list that then holds it."""
    causes: list[str] = []
    try:
        yield causes
    except ANYTHING_RAISED as error:
        raise_if_memory_ran_out(error)
        causes.append(first_cause(error))
        evidence.untested.append(f"{what}: {causes[0]}")


def _who_raises(pair: Pair, arrays: Sequence[np.ndarray], training: bool) -> int:
    """Which of two models raised something: A if it does so again, else B."""
    try:
        call_model(pair.a.model, pair.a.signature.pack(list(arrays)), training)
    except ANYTHING_RAISED:
        return 0
    return 1


def _surely(pair: Pair, arrays: Sequence[np.ndarray], evidence: Evidence, silenced: bool) -> bool:
    """Whether gradients differ clearly while outputs agree, and again with other weights: no kink was hit by chance."""
    if not evidence.same_function or evidence.gradients is None or evidence.gradients.equal:
        return False
    give_random_weights(pair.transfer, 23)
    again, _ = compare_gradients(pair, [array[::-1] for array in arrays], silenced=silenced)
    return all(1e-3 < result.relative < np.inf for result in (evidence.gradients, again))


def _weigh_chance(pair: Pair, arrays: Sequence[np.ndarray], evidence: Evidence) -> None:
    """Take back a difference that may come from random numbers which the two draw in different ways."""
    apart = [result is not None and not result.equal for result in (evidence.inference, evidence.training)]
    if not any(apart) or not at_random(pair, arrays, training=not apart[0]):
        return
    if same_draws(pair) or not same_distribution(pair, arrays, training=not apart[0]):
        evidence.noise = "apart" if apart[0] else evidence.noise
        return
    evidence.noise = "alike"
    evidence.inference, evidence.training = (None if apart[0] else evidence.inference), None
    evidence.untested.append(
        "the two draw random numbers in different ways; over many draws their outputs have the same mean and spread"
    )


def _unlike(pair: Pair) -> str:
    """What shows that two models differ whose weights cannot be carried across; nothing where that is not known."""
    counts = [count_parameters(one.variables()) for one in (pair.a, pair.b)]
    if counts[0] != counts[1]:
        return f"they compute with {counts[0]:,} and {counts[1]:,} parameters"
    if pair.arrangeable is False:
        return "wherever the weights of one are put into the other, the two do not compute the same"
    shapes = [[g.by_index()[k].shape for k, _ in g.outputs] if g else [] for g in (pair.a.graph, pair.b.graph)]
    return f"the outputs have shapes {shapes[0]} and {shapes[1]}" if all(shapes) and shapes[0] != shapes[1] else ""


def _unmatched(pair: Pair, arrays: Sequence[np.ndarray]) -> str:
    """Say that the weights could not be matched, which, and what was compared all the same."""
    names = [[short_path(v) for v in left] for left in (pair.transfer.left_a, pair.transfer.left_b)]
    words = [", ".join(part[:3]) + (" and more" if len(part) > 3 else "") or "none" for part in names]
    known = f"both compute with {count_parameters(pair.a.variables()):,} parameters"
    if pair.a.graph is not None and pair.b.graph is not None:
        known += " and have outputs of the same shapes"
    with suppress(Exception):  # then it is not known
        equal, count = values_before_open_weights(pair, arrays)
        known += f"; {equal} of the {count} operations before the first of these weights compute the same" * bool(count)
    return (
        f"the weights could not be matched (left over in A: {words[0]}; in B: {words[1]}), so the functions could not "
        f"be compared with equal weights, which is no sign of a difference; {known}"
    )


def _locate(pair: Pair, arrays: Sequence[np.ndarray], evidence: Evidence) -> None:
    """Look which differences matter, with signals of ordinary size and with small ones, where an epsilon shows."""
    candidates = [d for d in pair.differences if d.effect == "function"]
    if not candidates:
        return
    same = evidence.same_throughout
    apart = evidence.training is not None and not evidence.training.equal
    with without_noise(pair.a.model, pair.b.model):
        if apart and len(candidates) > 1:
            evidence.harmless = harmless_differences(pair, arrays)
        if not same and not evidence.harmless:
            return
        give_random_weights(pair.transfer, 11, quiet=True)
        small = [array * np.float32(QUIET) if array.dtype.kind == "f" else array for array in arrays]
        results = [compare_outputs(pair, small, training=mode) for mode in (False, True)]
        if all(result.equal or result.relative < QUIET for result in results):
            return
        dismissed = harmless_differences(pair, small) if len(candidates) > 1 else []
        if same:
            evidence.inference, evidence.training = results
            evidence.harmless = dismissed
        else:
            evidence.harmless = [d for d in evidence.harmless if d in dismissed]
