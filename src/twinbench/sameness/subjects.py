"""Two models brought together: traced, matched layer by layer, with the way to carry weights across."""

from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from twinbench.errors import first_cause
from twinbench.sameness.alignment import Alignment, align
from twinbench.sameness.canonical import canonical_graph, ensure_built
from twinbench.sameness.correspondence import match_numbers
from twinbench.sameness.graph import Difference, Graph
from twinbench.sameness.inputs import combined, input_ranges, placeholder_inputs, probe_inputs
from twinbench.sameness.inventory import inventory
from twinbench.sameness.signature import Signature, order_by_name
from twinbench.sameness.signs import match_signs
from twinbench.sameness.structure import structural_differences
from twinbench.sameness.transfer import Transfer, add_offstage, partial_transfers, transfer_by_graph, transfer_by_order

LARGE = 3_000_000
"""Above this many parameters a functional model is not called on zeros before it is traced."""


@dataclass
class Subject:
    """A built model with its inputs and, where it could be traced, its canonical graph."""

    model: keras.Model
    signature: Signature
    graph: Graph | None = None
    untraced: str = ""
    places: tuple[int, ...] | None = None

    def outputs(self, flat: list[Any]) -> list[Any]:
        """One thing per output, given in the model's own order, in the order in which outputs are compared.

        `places` are the positions of the outputs of B that belong to the outputs of A.
        """
        return flat if self.places is None or len(flat) != len(self.places) else [flat[k] for k in self.places]

    def in_its_own_order(self, flat: list[Any]) -> list[Any]:
        """One thing per output, given in the order in which outputs are compared, in the model's own order."""
        if self.places is None or len(flat) != len(self.places):
            return flat
        return [flat[self.places.index(k)] for k in range(len(flat))]

    def variables(self) -> list[Any]:
        """The variables that its outputs depend on; all of them where there is no graph."""
        if self.graph is not None:
            return self.graph.variables()
        return [v for v in self.model.variables if "seed_generator" not in v.path]


@dataclass
class Pair:
    """Two subjects and what connects them.

    `arrangeable` says whether A's numbers can be put into B so that the functions agree; None where that is not known.
    """

    a: Subject
    b: Subject
    alignment: Alignment | None
    transfer: Transfer
    differences: list[Difference] = field(default_factory=list)
    arrangeable: bool | None = None


def subject(model: keras.Model, signature: Signature, example: list[np.ndarray] | None = None) -> Subject:
    """Build a model by calling it once on an example (zeros, if none is given), and trace it.

    Raises:
        Exception: Whatever the model raises when it is called on a batch.
    """
    if not _large_and_built(model):
        ensure_built(model, signature, example or placeholder_inputs(signature))
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            layer.reset_state()  # what it remembers of earlier batches is no part of the function
    try:
        return Subject(model, signature, canonical_graph(model, signature))
    except Exception as error:  # what cannot be traced is probed as a function
        return Subject(model, signature, None, first_cause(error, 200))


def _large_and_built(model: keras.Model) -> bool:
    """Whether a model has all its variables and is so large that one more call is a matter of seconds."""
    return hasattr(model, "_inputs_struct") and model.built and count_parameters(model.variables) > LARGE


def pair(a: Subject, b: Subject) -> Pair:
    """Match two subjects layer by layer; without a graph on both sides, weight by weight."""
    if a.graph is None or b.graph is None:
        return _pair_untraced(a, b)
    _pair_outputs(a.graph, b)
    alignment = align(a.graph, b.graph)
    transfer = transfer_by_graph(a.graph, b.graph, alignment)
    add_offstage(transfer, _offstage(a), _offstage(b))
    differences = structural_differences(a.graph, b.graph, alignment)
    together = Pair(a, b, alignment, transfer, differences)
    if not transfer.complete or any(difference.code == "arch.wiring" for difference in differences):
        _arrange(together, *partial_transfers(a.graph, b.graph, alignment))
    if differences and together.arrangeable is None and (arrays := _probes(together)):
        match_signs(together, arrays)
    return together


def _pair_outputs(a: Graph, b: Subject) -> None:
    """Bring B's outputs into the order of A's, by name where one of the models names them in a dict."""
    graph = b.graph
    if graph is None or b.places is not None or not (a.named_outputs or graph.named_outputs):
        return
    places = order_by_name(a.output_names, graph.output_names)
    if places is None or places == tuple(range(len(places))):
        return
    b.places = places
    graph.outputs, graph.output_names = b.outputs(graph.outputs), b.outputs(graph.output_names)
    graph.masked_outputs = b.outputs(graph.masked_outputs)


def made_up_inputs(a: Subject, b: Subject, rows_per_part: int = 2) -> list[np.ndarray]:
    """Inputs for A that fit both models.

    Raises:
        TypeError: None can be made up for an input.
    """
    ranges = combined(*(input_ranges(one.graph, one.model, one.signature) for one in (a, b)))
    return probe_inputs(a.signature, ranges, rows_per_part=rows_per_part)


def _arrange(together: Pair, guesses: list[Transfer], sound: list[Transfer]) -> None:
    """Look for the places of A's numbers in B where one variable does not correspond to one."""
    a, b = together.a, together.b
    if count_parameters(a.variables()) != count_parameters(b.variables()):
        return
    if arrays := _probes(together):
        together.arrangeable = match_numbers(together, guesses, sound, arrays)


def _probes(together: Pair) -> list[np.ndarray]:
    """Inputs to probe both models with; none where none can be made up."""
    try:
        return made_up_inputs(together.a, together.b)
    except TypeError:
        return []


def _pair_untraced(a: Subject, b: Subject) -> Pair:
    """Match the layers that both use by their order; failing that, weights of equal shape by theirs."""
    everything = [[v for v in one.model.variables if "seed_generator" not in v.path] for one in (a, b)]
    try:
        saved = [(v, np.array(keras.ops.convert_to_numpy(v))) for v in (*a.model.variables, *b.model.variables)]
        chain_a, chain_b = (inventory(one.model, one.signature) for one in (a, b))
        for variable, value in saved:
            variable.assign(value)
    except Exception:
        together = Pair(a, b, None, transfer_by_order(*everything))
        _arrange(together, [], [Transfer(left_a=everything[0], left_b=everything[1])])
        return together
    alignment = align(chain_a, chain_b)
    transfer = transfer_by_graph(chain_a, chain_b, alignment)
    used = {id(v) for chain in (chain_a, chain_b) for v in chain.variables()}
    add_offstage(transfer, *[[v for v in own if id(v) not in used] for own in everything])
    differences = [
        replace(difference, node_a=None, node_b=None)
        for difference in structural_differences(chain_a, chain_b, alignment)
        if difference.code not in ("arch.wiring", "masking")
    ]
    together = Pair(a, b, None, transfer, differences)
    if not transfer.complete:
        _arrange(together, [], [Transfer(left_a=everything[0], left_b=everything[1])])
    return together


def _offstage(one: Subject) -> list[Any]:
    """The variables of a model that its outputs do not depend on in the traced mode."""
    read = {id(v) for v in one.variables()}
    return [v for v in one.model.variables if id(v) not in read and "seed_generator" not in v.path]


def count_parameters(variables: list[Any]) -> int:
    """How many numbers unique variables hold, random generators' states left out."""
    unique = {id(v): v for v in variables if "seed_generator" not in str(getattr(v, "path", ""))}
    return int(sum(np.prod(tuple(v.shape), dtype="int64") for v in unique.values()))


def count_acting(one: Subject) -> int:
    """How many numbers a model trains or computes with; a count of calls that nothing reads is neither."""
    read = {id(v) for v in one.variables()}
    return count_parameters([v for v in one.model.weights if v.trainable or id(v) in read])
