"""What both sides of a comparison come with: weights, state and tables, as a report tells it."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from twinbench.sameness.held import Held
from twinbench.sameness.probes import Comparison
from twinbench.sameness.rungs import Rung

Relation = Literal[
    "same model, same weights", "same model, other weights", "same weights, other function", "different models"
]


@dataclass(frozen=True)
class Fit:
    """How a file of weights fits a model: what each holds that the other has no place for.

    Attributes:
        tensors: How many weights and other variables of layers the file holds.
        lost: Those of the file that the model has no place for.
        unfilled: Variables of the model that the file does not hold: they stay at their initial values.
        reshaped: Tensors that have another shape in the model, with both shapes.
        renamed: Layers whose weights go into a layer that has another name, although one has that name.
        optimizer: What becomes of the optimiser's state that the file holds; empty where it holds none.
    """

    tensors: int
    lost: tuple[str, ...] = ()
    unfilled: tuple[str, ...] = ()
    reshaped: tuple[tuple[str, str, str], ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    optimizer: str = ""

    @property
    def fits(self) -> bool:
        """Whether every tensor of the file has a place in the model, and every variable of the model a value."""
        return not (self.lost or self.unfilled or self.reshaped)


@dataclass(frozen=True)
class Stored:
    """What the comparison of all that the two sides hold showed.

    Attributes:
        held: One entry for each weight, state, table and variable of an optimiser.
        everything: Whether the sides come with all their weights, not only with some that their functions load.
        not_compared: Why what a side holds was compared with nothing; empty where all was compared.
        outputs: The outputs of both in inference mode, each with its own weights and state; None where not compared.
        checkpoint: Where a side is a file of weights, how it fits the other side's model.
        relation: Which of four it is; None where that cannot be said.
    """

    held: tuple[Held, ...] = ()
    everything: bool = True
    not_compared: str = ""
    outputs: Comparison | None = None
    checkpoint: Fit | None = None
    relation: Relation | None = None

    def of(self, *kinds: str) -> list[Held]:
        """The entries of some kinds that were compared."""
        return [one for one in self.held if one.kind in kinds and one.status not in ("not compared", "missing")]

    @property
    def tensors(self) -> list[Held]:
        """All weights, states and tables that were compared."""
        return self.of("weight", "state", "table")

    @property
    def differing(self) -> list[Held]:
        """Those of them that differ by more than rounding, the largest deviation first, tables last."""
        return sorted((one for one in self.tensors if one.differs), key=lambda one: -(one.deviation or 0.0))

    @property
    def weights(self) -> list[Held]:
        """The weights that differ."""
        return [one for one in self.differing if one.kind == "weight"]

    @property
    def missing(self) -> list[Held]:
        """What one side holds and the other has no counterpart for."""
        return [one for one in self.held if one.status == "missing"]

    @property
    def state(self) -> list[Held]:
        """The state and tables that differ and that the outputs may depend on: a table, or outputs that differ."""
        inert = self.outputs is not None and self.outputs.bit_identical
        return [one for one in self.differing if one.kind == "table" or (one.kind == "state" and not inert)]

    @property
    def largest(self) -> float | None:
        """The largest deviation of a number; None where no number deviates."""
        return max((one.deviation or 0.0 for one in self.tensors), default=0.0) or None

    @property
    def same(self) -> bool:
        """Whether both sides were seen to hold the same, up to rounding, as far as outputs depend on it."""
        return not (self.weights or self.state or self.missing or self.not_compared)

    def sentence(self) -> str:
        """What was seen, as the second half of a sentence."""
        deviation = "" if self.largest is None else f" by up to {self.largest:.3g}"
        if self.same:
            return f"they hold the same weights{f' (they deviate{deviation}: rounding)' if deviation else ''}"
        words = []
        if self.weights:
            words.append(_differ(self.weights, len(self.of("weight")), "weight tensors"))
        if self.state:
            words.append(_differ(self.state, len(self.of("state", "table")), "states and tables"))
        return "; ".join(words) or self.not_compared or f"{len(self.missing)} have no counterpart"

    def outputs_in_words(self) -> str:
        """What the outputs show, each side with its own weights; empty where they were not compared."""
        if self.outputs is None:
            return ""
        if self.outputs.bit_identical:
            return "Each with its own weights, the two give the same outputs bit for bit on the inputs that were tried."
        if self.outputs.equal:
            return "Each with its own weights, the outputs agree within rounding on the inputs that were tried."
        size = f"{self.outputs.deviation:.3g} where values reach {self.outputs.scale:.3g}"
        return f"Each with its own weights, the outputs differ by {size}."

    def asides(self) -> list[str]:
        """What differs and changes no output: to be told, not blamed."""
        told = self.training_asides()
        inert = [one for one in self.differing if one.kind == "state" and one not in self.state]
        if inert:
            told.append(f"State without effect on the outputs that were tried: {named(inert)}.")
        if generators := [one for one in self.of("generator") if one.differs]:
            told.append(f"Random generators stand elsewhere ({named(generators)}): further training draws otherwise.")
        return told

    def training_asides(self) -> list[str]:
        """What differs in the state of the optimisers, on which further training depends."""
        training = [one for one in self.of("optimizer") if one.differs]
        told = []
        if training:
            first = f" ({training[0].note})" if training[0].note else ""
            told.append(
                f"The optimisers hold other state: {named(training)}{first}. Predictions are the same; training that "
                "goes on from here goes on otherwise."
            )
        return told

    def rung(self) -> Rung:
        """The rung "same stored weights" of the ladder; number 9, the same score over seeds, is the benchmark's."""
        if self.not_compared or not self.tensors:
            reason = self.not_compared or "There is nothing that both sides hold"
            sentence = f"{reason[0].upper()}{reason[1:]}."
            return Rung(10, "same stored weights", "not applicable", None, sentence)
        differ = self.weights + self.state
        sentence = self.sentence()
        words = f"{sentence[0].upper()}{sentence[1:]}. {self.outputs_in_words()}".strip()
        outcome: Literal["pass", "fail"] = "pass" if self.same else "fail"
        return Rung(10, "same stored weights", outcome, float(len(differ) + len(self.missing)), words)

    def listing(self, most: int = 12) -> list[str]:
        """Everything that is not equal on both sides, one line each, under a heading; nothing where all is equal."""
        shown = [*self.weights, *self.missing, *self.state]
        shown += [one for one in self.held if one.status not in ("equal", "rounding") and one not in shown]
        if not shown:
            return []
        counts = Counter(one.status for one in self.held)
        heading = ", ".join(f"{count} {status}" for status, count in counts.items())
        lines = [f"  - {one.place} ({one.kind}): {one.in_words()}" for one in shown[:most]]
        more = [f"  - and {len(shown) - most} more (--json lists all)"] if len(shown) > most else []
        return ["", f"What they hold: {heading}", *lines, *more]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as `docs/stored.md` documents it."""
        outputs = self.outputs and {
            "deviation": _finite(self.outputs.deviation),
            "scale": self.outputs.scale,
            "equal": self.outputs.equal,
        }
        return {
            "relation": self.relation,
            "compared": len(self.tensors),
            "differ": len(self.weights + self.state),
            "largest": _finite(self.largest),
            "where": self.differing[0].place if self.differing else "",
            "everything": self.everything,
            "not_compared": self.not_compared,
            "outputs": outputs,
            "checkpoint": None if self.checkpoint is None else asdict(self.checkpoint) | {"fits": self.checkpoint.fits},
            "tensors": [asdict(one) | {"deviation": _finite(one.deviation)} for one in self.held],
        }


def named(held: Sequence[Held], most: int = 3) -> str:
    """The places of some entries, in words."""
    more = f" and {len(held) - most} more" if len(held) > most else ""
    return ", ".join(one.place for one in held[:most]) + more


def _differ(differing: Sequence[Held], compared: int, what: str) -> str:
    sizes = [one.deviation for one in differing if one.deviation is not None]
    size = f" by up to {max(sizes):.3g}" if sizes else ""
    verb = "differs" if len(differing) == 1 else "differ"
    words = f"{len(differing)} of {compared} {what} {verb}{size} ({named(differing)})"
    swapped = [one for one in differing if one.status == "swapped"]
    fresh = [one for one in differing if one.status == "initial"]
    if swapped:
        words += f"; of these {len(swapped)} swapped or in another order: {swapped[0].place}, {swapped[0].note}"
    if fresh:
        words += f"; of these {len(fresh)} still at the initial value: {fresh[0].place}, {fresh[0].note}"
    return words


def _finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None
