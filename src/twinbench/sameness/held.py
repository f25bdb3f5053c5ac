"""Compares what two models hold, tensor by tensor: weights, state that is no weight, and what their optimisers hold."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import keras
import numpy as np

from twinbench.sameness.evidence import short_path
from twinbench.sameness.probes import values_of
from twinbench.sameness.subjects import Pair, Subject

Kind = Literal["weight", "state", "table", "generator", "optimizer"]
Status = Literal["equal", "rounding", "differs", "initial", "swapped", "missing", "not compared"]

ROUNDING = 1e-6
"""Up to this part of a tensor's largest value, a deviation is what another file format or machine leaves."""


@dataclass(frozen=True)
class Held:
    """One thing that both sides should hold, and how the two compare.

    Attributes:
        kind: A weight that training changes by its gradient; state of a layer (moving statistics, means and variances
            of data, counts); a table (vocabulary, boundaries); the state of a random generator; state of an optimiser.
        a: Where A holds it (layer and role); empty where it has none.
        b: The same for B.
        status: `equal`; `rounding`; `differs`; `initial`: it differs, and one side holds what its layer starts with;
            `swapped`: it differs, and the other side holds these numbers in another place; `missing` on one side;
            `not compared`: the other side's is not stored, but drawn anew.
        deviation: The largest difference of two numbers; None where there is no such thing.
        note: What else is known, in words.
    """

    kind: Kind
    a: str
    b: str
    status: Status
    deviation: float | None = None
    note: str = ""

    @property
    def place(self) -> str:
        """Where it is held, in the words of one side at least."""
        return self.a or self.b

    @property
    def differs(self) -> bool:
        """Whether both sides were seen to hold something else."""
        return self.status in ("differs", "initial", "swapped")

    def in_words(self) -> str:
        """What became of it, with the deviation."""
        size = "" if self.deviation is None or self.status == "equal" else f" by up to {self.deviation:.3g}"
        words = {"initial": f"differs{size}", "swapped": f"differs{size}"}.get(self.status, f"{self.status}{size}")
        return f"{words}: {self.note}" if self.note else words


def compare_tensors(pair: Pair, held: Sequence[set[int]]) -> list[Held]:
    """Compare the variables of two models along the match of their weights; tables and optimisers are not among these.

    Args:
        pair: Both models and the match of their weights.
        held: For each side the variables (by identity) that it came with; what it drew anew is not compared.

    Returns:
        One entry for each variable of B with a partner in A, and one for each that has none and that a side came with.
    """
    kinds = kinds_of(pair.a.model) | kinds_of(pair.b.model)
    sources: dict[int, set[int]] = defaultdict(set)
    for p, q in pair.transfer.relations:
        sources[id(q)].add(id(p))
    starts = starting_values(pair.a.model), starting_values(pair.b.model)
    tensors: list[Held] = []
    open_values: list[tuple[int, Any, np.ndarray, np.ndarray]] = []
    for p, q, value in pair.transfer.carried(values_of):
        other = values_of(q)
        places = kinds.get(id(q), "weight"), short_path(p), short_path(q)
        deviation, exceeds = deviation_of(value, other)
        with_a, with_b = bool(sources[id(q)] & held[0]), id(q) in held[1]
        if not (sources[id(q)] <= held[0] and with_b):
            if (with_a or with_b) and exceeds:
                initial = _as_it_starts(starts, (p, q), (with_a, with_b))
                note = f"{'B' if with_a else 'A'} draws it anew" + (f"; {initial}" if initial else "")
                tensors.append(Held(*places, "not compared", note=note))
            continue
        if exceeds:
            open_values.append((len(tensors), q, value, other))
            note = _as_it_starts(starts, (p, q), (True, True))
            tensors.append(Held(*places, "initial" if note else "differs", deviation, note))
        else:
            tensors.append(Held(*places, "rounding" if deviation else "equal", deviation))
    for number, note in _elsewhere(open_values):
        swapped = tensors[number].status != "initial"
        tensors[number] = replace(tensors[number], note=note, status="swapped") if swapped else tensors[number]
    for source, target in _generators(pair):
        same = np.array_equal(values_of(source), values_of(target))
        places = "generator", short_path(source), short_path(target)
        tensors.append(Held(*places, "equal" if same else "differs"))
    return tensors + _without_partner(pair, held, kinds)


def _generators(pair: Pair) -> list[tuple[Any, Any]]:
    """The states of random generators that correspond: along the graphs, or by their order in the models."""
    if pair.transfer.seeds:
        return pair.transfer.seeds
    own = [[v for v in one.model.variables if "seed_generator" in v.path] for one in (pair.a, pair.b)]
    return list(zip(*own, strict=True)) if len(own[0]) == len(own[1]) else []


def kinds_of(model: keras.Model) -> dict[int, Kind]:
    """For each variable of a model by identity, whether it is a weight, state, or that of a random generator.

    A weight that is frozen stays a weight: what counts is how its layer made it.
    """
    kinds: dict[int, Kind] = {}
    for layer in model._flatten_layers(include_self=True, recursive=True):
        kinds |= {id(v): "weight" for v in layer._trainable_variables}
        kinds |= {id(v): "state" for v in layer._non_trainable_variables}
    return kinds | {id(v): "generator" for v in model.variables if "seed_generator" in v.path}


def deviation_of(one: np.ndarray, other: np.ndarray) -> tuple[float, bool]:
    """The largest deviation of two arrays, and whether it exceeds rounding."""
    if np.array_equal(one, other):
        return 0.0, False
    left, right = (np.asarray(array, dtype="float64") for array in (one, other))
    finite = np.isfinite(left)
    if not np.array_equal(finite, np.isfinite(right)) or not np.array_equal(
        left[~finite], right[~finite], equal_nan=True
    ):
        return float("inf"), True
    size = float(np.abs(left[finite] - right[finite]).max(initial=0.0))
    return size, size > ROUNDING * float(np.abs(left[finite]).max(initial=0.0))


def starting_values(model: keras.Model) -> dict[int, Callable[[], np.ndarray]]:
    """For each variable by identity, how to have again what its layer gave it first: Keras's own initialisers only.

    Those that draw at random give the same again where the object that made the model is at hand; a loaded model
    has others.
    """
    starts: dict[int, Callable[[], np.ndarray]] = {}
    for layer in model._flatten_layers(include_self=True, recursive=True):
        for variable in (*layer._trainable_variables, *layer._non_trainable_variables):
            initializer = getattr(layer, f"{variable.name}_initializer", None)
            known = type(initializer).__module__.startswith("keras.") and callable(initializer)
            if known and isinstance(getattr(initializer, "seed", 0), int):
                starts[id(variable)] = lambda i=initializer, v=variable: np.asarray(  # type: ignore[misc]
                    keras.ops.convert_to_numpy(i(tuple(v.shape), dtype=v.dtype))
                )
    return starts


def _as_it_starts(
    starts: Sequence[dict[int, Callable[[], np.ndarray]]], couple: tuple[Any, Any], asked: tuple[bool, bool]
) -> str:
    """Say which side's variable still holds what it started with; nothing where neither does, or both do."""
    fresh = []
    for letter, start, variable, wanted in zip("AB", starts, couple, asked, strict=True):
        if wanted and id(variable) in start and np.array_equal(start[id(variable)](), values_of(variable)):
            fresh.append(letter)
    return f"{fresh[0]}'s is still at its initial value" if len(fresh) == 1 else ""


def _elsewhere(values: Sequence[tuple[int, Any, np.ndarray, np.ndarray]]) -> Iterator[tuple[int, str]]:
    """Tensors of A whose numbers B holds in another place, or in another order: their number, and that in words."""
    holders: dict[bytes, list[Any]] = defaultdict(list)
    for _, q, _, other in values:
        holders[_digest(other)].append(q)
    for number, q, value, other in values:
        if np.ptp(value.astype("float64")) == 0 if value.size else True:
            continue
        if others := [holder for holder in holders[_digest(value)] if holder is not q]:
            yield number, f"A's numbers are those of {short_path(others[0])} in B"
        elif np.array_equal(np.sort(value, axis=None), np.sort(other, axis=None)):
            yield number, "the same numbers in another order"


def _digest(array: np.ndarray) -> bytes:
    shape = str(tuple(axis for axis in array.shape if axis != 1))
    return hashlib.blake2b(shape.encode() + np.ascontiguousarray(array).tobytes(), digest_size=16).digest()


def _without_partner(pair: Pair, held: Sequence[set[int]], kinds: dict[int, Kind]) -> list[Held]:
    relations = pair.transfer.relations
    paired = {id(p) for p, _ in relations} | {id(q) for _, q in relations}
    missing = []
    for letter, ids, one in zip("AB", held, (pair.a, pair.b), strict=True):
        for v in {id(v): v for v in (*one.variables(), *_weights(one))}.values():
            if id(v) in ids and id(v) not in paired:
                place = short_path(v)
                places = (place, "") if letter == "A" else ("", place)
                note = f"{'B' if letter == 'A' else 'A'} has no counterpart"
                missing.append(Held(kinds.get(id(v), "weight"), *places, "missing", note=note))
    return missing


def _weights(one: Subject) -> list[Any]:
    return [v for v in one.model.weights if "seed_generator" not in v.path]


# -- optimisers ----------------------------------------------------------------------------------------------------


def compare_optimizer_state(pair: Pair) -> list[Held]:
    """What the optimisers of two models hold: their steps and, weight by weight, momenta and the like.

    Nothing where one of the models has no optimiser, or neither has taken a step.
    """
    optimizers = [_inner(getattr(one.model, "optimizer", None)) for one in (pair.a, pair.b)]
    if None in optimizers:
        return []
    steps = [int(values_of(one.iterations)) for one in optimizers]
    if not any(steps):
        return []
    same: Status = "equal" if steps[0] == steps[1] else "differs"
    note = "" if same == "equal" else f"{steps[0]:,} steps in A, {steps[1]:,} in B"
    result = [Held("optimizer", "optimizer/iterations", "optimizer/iterations", same, None, note)]
    if type(optimizers[0]) is not type(optimizers[1]) or not all(steps):
        return result
    slots = [_slots(one) for one in optimizers]
    for role in sorted(set(slots[0]) & set(slots[1])):
        result += _compare_slots(pair, role, slots[0][role], slots[1][role])
    return result


def _compare_slots(pair: Pair, role: str, mine: dict[int, Any], other: dict[int, Any]) -> Iterator[Held]:
    def read(variable: Any) -> np.ndarray:
        return values_of(mine[id(variable)]) if id(variable) in mine else np.zeros(tuple(variable.shape))

    for p, q, value in pair.transfer.carried(read, lambda p, q: id(p) in mine and id(q) in other):
        deviation, exceeds = deviation_of(value, np.reshape(values_of(other[id(q)]), value.shape))
        places = f"{role} of {short_path(p)}", f"{role} of {short_path(q)}"
        yield Held("optimizer", *places, "differs" if exceeds else "rounding" if deviation else "equal", deviation)


def _inner(optimizer: Any) -> Any:
    return getattr(optimizer, "inner_optimizer", optimizer)


def _slots(optimizer: Any) -> dict[str, dict[int, Any]]:
    """For each role, the variable that belongs to each weight (by identity), where it has that weight's shape."""
    weights = getattr(optimizer, "_trainable_variables", [])
    slots = {}
    for name, value in vars(optimizer).items():
        if not isinstance(value, list) or len(value) != len(weights) or name in ("_trainable_variables", "_variables"):
            continue
        couples = [(w, v) for w, v in zip(weights, value, strict=True) if hasattr(v, "assign")]
        if couples and all(tuple(v.shape) == tuple(w.shape) for w, v in couples):
            slots[name.strip("_").removesuffix("s")] = {id(w): v for w, v in couples}
    return slots
