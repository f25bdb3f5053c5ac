"""Carries the weights of one model into another along the match of their graphs."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from twinbench.sameness.alignment import Alignment, past_hashes, settings_key
from twinbench.sameness.graph import Graph, Node

Reader = Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class Rearrangement:
    """Variables of A whose numbers, one after the other and taken in `order`, are those of variables of B."""

    sources: tuple[Any, ...]
    targets: tuple[Any, ...]
    order: np.ndarray

    def parts(self, read: Reader) -> list[tuple[Any, Any, np.ndarray]]:
        """For each variable of B the variable of A that its first number comes from, itself, and A's numbers."""
        flat = np.concatenate([np.ravel(read(source)) for source in self.sources])[self.order]
        starts = np.cumsum([0, *map(_size, self.sources)])
        carried, begin = [], 0
        for target in self.targets:
            numbers = flat[begin : begin + _size(target)]
            source = self.sources[int(np.searchsorted(starts, self.order[begin], side="right")) - 1]
            carried.append((source, target, numbers.reshape(tuple(target.shape))))
            begin += _size(target)
        return carried

    def relations(self) -> list[tuple[Any, Any]]:
        """Every variable of A with every variable of B that takes a number from it."""
        ends = np.cumsum([_size(source) for source in self.sources])
        origin = np.split(np.searchsorted(ends, self.order, side="right"), np.cumsum([*map(_size, self.targets)])[:-1])
        return [(self.sources[k], q) for q, part in zip(self.targets, origin, strict=True) for k in np.unique(part)]


@dataclass
class Transfer:
    """Which variable of B takes its value from which variable of A, and what was left without a partner.

    `pairs` hold the same numbers in the same order, maybe in another shape; `rearrangements` anything else. B holds
    the variables that are `negated` (by identity) with the opposite sign.
    """

    pairs: list[tuple[Any, Any]] = field(default_factory=list)
    seeds: list[tuple[Any, Any]] = field(default_factory=list)
    rearrangements: list[Rearrangement] = field(default_factory=list)
    left_a: list[Any] = field(default_factory=list)
    left_b: list[Any] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    negated: frozenset[int] = frozenset()

    @property
    def complete(self) -> bool:
        """Whether every number of both models has exactly one partner."""
        return not (self.left_a or self.left_b or self.conflicts)

    @property
    def sources(self) -> list[Any]:
        """The variables of A that have a partner."""
        return [p for p, _ in self.pairs] + [p for block in self.rearrangements for p in block.sources]

    @property
    def relations(self) -> list[tuple[Any, Any]]:
        """Every variable of A with every variable of B that takes a number from it."""
        return [*self.pairs, *(pair for block in self.rearrangements for pair in block.relations())]

    def carried(
        self, read: Reader, wanted: Callable[[Any, Any], bool] = lambda p, q: True
    ) -> Iterator[tuple[Any, Any, np.ndarray]]:
        """For each variable of B that has a partner: that partner, itself, and A's numbers as B holds them.

        One after the other, so that no second copy of a large model is held.

        Args:
            read: Gives the numbers that belong to a variable of A: its value, its gradient, ...
            wanted: Which pairs of variables.
        """
        for p, q in self.pairs:
            if wanted(p, q):
                numbers = np.reshape(read(p), tuple(q.shape))
                yield p, q, -numbers if id(q) in self.negated else numbers
        for block in self.rearrangements:
            yield from (part for part in block.parts(read) if wanted(*part[:2]))

    def apply(self) -> None:
        """Copy A's values into B, random generator states included."""
        for _, target, value in self.carried(keras.ops.convert_to_numpy):
            target.assign(value)
        for source, target in self.seeds:
            target.assign(keras.ops.convert_to_numpy(source))


def rearranged(start: Transfer, sources: list[Any], targets: list[Any], order: np.ndarray) -> Transfer:
    """A transfer and all variables that it leaves open: number i of these in B is number `order[i]` of these in A."""
    result = Transfer(list(start.pairs), list(start.seeds), list(start.rearrangements))
    whole = Rearrangement(tuple(sources), tuple(targets), order)
    place_a = np.split(np.arange(len(order)), np.cumsum([_size(v) for v in sources])[:-1])
    place_b = np.split(np.arange(len(order)), np.cumsum([_size(v) for v in targets])[:-1])
    position = {id(v): k for side in (sources, targets) for k, v in enumerate(side)}
    groups: list[tuple[set[int], set[int]]] = []
    for p, q in whole.relations():
        merged = {position[id(p)]}, {position[id(q)]}
        for group in [g for g in groups if g[0] & merged[0] or g[1] & merged[1]]:
            groups.remove(group)
            merged = merged[0] | group[0], merged[1] | group[1]
        groups.append(merged)
    for mine, theirs in groups:
        numbers = np.concatenate([place_a[k] for k in sorted(mine)])
        wanted = order[np.concatenate([place_b[k] for k in sorted(theirs)])]
        local = np.searchsorted(numbers, wanted)
        if len(mine) == len(theirs) == 1 and np.array_equal(local, np.arange(len(local))):
            result.pairs.append((sources[min(mine)], targets[min(theirs)]))
            continue
        block = tuple(sources[k] for k in sorted(mine)), tuple(targets[k] for k in sorted(theirs))
        result.rearrangements.append(Rearrangement(*block, local))
    return result


def transfer_by_graph(a: Graph, b: Graph, alignment: Alignment, *, guess: bool = True) -> Transfer:
    """Pairs variables along the pairs of nodes and, to `guess`, leftovers of equal shape in their order of use."""
    made = Transfer()
    nodes_a, nodes_b = a.by_index(), b.by_index()
    partner: dict[int, Any] = {}
    source_of: dict[int, Any] = {}
    for index_a, index_b in alignment.pairs:
        for weight_a, weight_b in _roles(nodes_a[index_a], nodes_b[index_b]):
            _bind(weight_a, weight_b, partner, source_of, made)
        for seed_a, seed_b in zip(nodes_a[index_a].seeds, nodes_b[index_b].seeds, strict=False):
            made.seeds.append((seed_a, seed_b))
    rest_a = [v for v in a.variables() if id(v) not in partner]
    rest_b = [v for v in b.variables() if id(v) not in source_of]
    if guess:
        _pair_by_shape(rest_a, rest_b, made)
    else:
        made.left_a, made.left_b = rest_a, rest_b
    return made


def add_offstage(made: Transfer, spare_a: list[Any], spare_b: list[Any]) -> None:
    """Pairs variables that no output of the traced mode reads: statistics that are only written, and unused layers.

    They may be the counterparts of variables that the other model does read; where they are not, they do not count as
    left without a partner.
    """
    fresh = Transfer()
    _pair_by_shape([*made.left_a, *spare_a], [*made.left_b, *spare_b], fresh)
    read = {id(v) for v in (*made.left_a, *made.left_b)}
    made.pairs += fresh.pairs
    made.left_a = [v for v in fresh.left_a if id(v) in read]
    made.left_b = [v for v in fresh.left_b if id(v) in read]


def partial_transfers(a: Graph, b: Graph, alignment: Alignment) -> tuple[list[Transfer], list[Transfer]]:
    """Transfers of fewer variables, that leave the others open.

    Returns:
        Guesses: the variables of equal operations, and of those among them to which the same leads in both graphs.
        Then what no arrangement can contradict: none at all.
    """
    nodes_a, nodes_b = a.by_index(), b.by_index()
    alike = [(x, y) for x, y in alignment.pairs if settings_key(nodes_a[x]) == settings_key(nodes_b[y])]
    of_a, of_b = past_hashes(a), past_hashes(b)
    sure = [(x, y) for x, y in alike if x in of_a and of_a[x] == of_b.get(y)]
    made = [transfer_by_graph(a, b, replace(alignment, pairs=p), guess=False) for p in (tuple(alike), tuple(sure), ())]
    return made[:2], made[2:]


def transfer_by_order(variables_a: list[Any], variables_b: list[Any]) -> Transfer:
    """Pairs variables of equal shape in order: all that can be done where a model has no graph."""
    made = Transfer()
    _pair_by_shape(variables_a, variables_b, made)
    return made


def _roles(x: Node, y: Node) -> list[tuple[Any, Any]]:
    roles_x = {w.role: w.variable for w in x.weights}
    roles_y = {w.role: w.variable for w in y.weights}
    if set(roles_x) == set(roles_y) and len(roles_x) == len(x.weights):
        return [(variable, roles_y[role]) for role, variable in roles_x.items()]
    if len(x.weights) == len(y.weights):
        return [(p.variable, q.variable) for p, q in zip(x.weights, y.weights, strict=True)]
    return [(variable, roles_y[role]) for role, variable in roles_x.items() if role in roles_y]


def _size(variable: Any) -> int:
    return int(np.prod(tuple(variable.shape), dtype="int64"))


def _bind(source: Any, target: Any, partner: dict[int, Any], source_of: dict[int, Any], made: Transfer) -> None:
    if partner.get(id(source)) is target:
        return
    if _size(source) != _size(target) or _squeezed(source) != _squeezed(target):
        return
    if id(target) in source_of or id(source) in partner:
        held = source if id(source) in partner else target
        made.conflicts.append(str(getattr(held, "path", held)))
        if id(target) not in source_of:  # one weight of A plays the part of two in B
            source_of[id(target)] = source
            made.pairs.append((source, target))
        return
    partner[id(source)] = target
    source_of[id(target)] = source
    made.pairs.append((source, target))


def _squeezed(variable: Any) -> tuple[int, ...]:
    return tuple(int(axis) for axis in variable.shape if axis != 1)


def _pair_by_shape(rest_a: list[Any], rest_b: list[Any], made: Transfer) -> None:
    by_shape: dict[tuple[tuple[int, ...], str], list[Any]] = defaultdict(list)
    for variable in rest_b:
        by_shape[tuple(variable.shape), _short(variable)].append(variable)
    unnamed: list[Any] = []
    for variable in rest_a:
        same = by_shape[tuple(variable.shape), _short(variable)]
        if same:
            made.pairs.append((variable, same.pop(0)))
        else:
            unnamed.append(variable)
    remaining = [v for group in by_shape.values() for v in group]
    for variable in unnamed:
        partner = next((v for v in remaining if tuple(v.shape) == tuple(variable.shape)), None)
        if partner is None:
            made.left_a.append(variable)
        else:
            remaining = [v for v in remaining if v is not partner]
            made.pairs.append((variable, partner))
    made.left_b += remaining


def _short(variable: Any) -> str:
    return str(getattr(variable, "path", getattr(variable, "name", ""))).split("/")[-1].split(":")[0]
