"""Carries the weights of one model into another along the match of their graphs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from twinbench.audit.alignment import Alignment
from twinbench.audit.graph import Graph, Node


@dataclass
class Transfer:
    """Which variable of B takes its value from which variable of A, and what was left without a partner.

    `permutations` hold, for a variable of B, the order along one axis in which A's values go into it.
    """

    pairs: list[tuple[Any, Any]] = field(default_factory=list)
    seeds: list[tuple[Any, Any]] = field(default_factory=list)
    permutations: dict[int, tuple[int, np.ndarray]] = field(default_factory=dict)
    left_a: list[Any] = field(default_factory=list)
    left_b: list[Any] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every variable of both models has exactly one partner."""
        return not (self.left_a or self.left_b or self.conflicts)

    def apply(self) -> None:
        """Copies A's values into B, random generator states included."""
        for source, target in self.pairs:
            value = keras.ops.convert_to_numpy(source)
            target.assign(self.arranged(value, target))
        for source, target in self.seeds:
            target.assign(keras.ops.convert_to_numpy(source))

    def arranged(self, value: np.ndarray, target: Any) -> np.ndarray:
        """A value of A in the shape and order in which B holds it."""
        value = value.reshape(tuple(target.shape))
        if id(target) in self.permutations:
            axis, order = self.permutations[id(target)]
            value = np.take(value, order, axis=axis)
        return value


def transfer_by_graph(a: Graph, b: Graph, alignment: Alignment) -> Transfer:
    """Pairs variables along the pairs of nodes; leftovers of equal shape are paired in order of use."""
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
    _pair_by_shape(rest_a, rest_b, made)
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
