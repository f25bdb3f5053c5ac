"""The tables of what is measured, declared apart from what measures them, so that naming them imports no Keras."""

from typing import Final

from twinbench.store.record import Outcome
from twinbench.table import Table, columns_of, number, text, whole

WHO: Final = columns_of(Outcome, "dataset architecture variant")
REASON: Final = text("reason", "why it could not be measured; empty where it was")

LADDER: Final = Table(
    "ladder",
    columns=(
        text("dataset", "name of the dataset, whose images are the batches"),
        text("architecture", "name of the architecture; published_autoencoder for the article's examples as published"),
        text("variant", "name of the variant that is held against its reference"),
        text("kind", "twin, lookalike, candidate, suspect or published"),
        whole("rung", "number of the rung, from 1"),
        text("name", "what the rung tests", "test"),
        text("outcome", "pass, fail or not applicable"),
        number("value", "the number behind it, where there is one"),
        text("sentence", "the finding in words", "in words"),
    ),
    category="Ladder",
    caption="Each variant on each rung of the ladder of sameness.",
    title="Every rung of every variant",
    shown="dataset architecture variant rung name outcome value sentence",
    made_by="the rule `ladder` makes it",
)
GRADIENTS: Final = Table(
    "gradients",
    columns=(
        *WHO,
        text("kind", "reference, twin or lookalike"),
        whole("depth", "number of blocks that it was built with"),
        whole("seed", "seed of the initial weights and of the order of the images"),
        whole("step", "optimiser steps before; 0 is initialisation"),
        text("layer", "path of the layer in its own model, which differs between APIs"),
        whole(
            "layer_index", "position among the layers that have weights, from the input; comparable between variants"
        ),
        number("gradient_norm", "Euclidean norm of the loss's gradient for all of the layer's weights together"),
        number("update_norm", "Euclidean norm of what the optimiser then adds to these weights"),
        REASON,
    ),
    category="Gradients",
    caption="Norms of gradients and updates by layer, depth and step.",
    title="Norms of gradients and updates by layer",
    short=False,
    made_by="the rule `measure` makes it",
)
# What is counted of a compiled training step, the same in every repetition and on every machine, in words.
COUNTS: Final = {
    "operations": "operations",
    "flops": "floating-point operations",
    "tensor_mb": "size of all tensors",
    "peak_tensor_mb": "size of the tensors held at once",
}
# What a clock measures, in words.
TIMES: Final = {"step_ms": "time per step", "build_s": "time to build"}
QUANTITIES: Final = COUNTS | TIMES
_REPETITION: Final = (
    whole("repetition", "number of the repetition, within which values are compared"),
    number("value", "in the unit of the quantity"),
    REASON,
)
COST_REPETITIONS: Final = Table(
    "api_costs",
    columns=(
        *columns_of(Outcome, "dataset architecture variant kind"),
        text("quantity", f"{', '.join(list(QUANTITIES)[:-1])} or {list(QUANTITIES)[-1]}"),
        *_REPETITION,
    ),
)
DETERMINISM_REPETITIONS: Final = Table(
    "determinism_costs",
    columns=(*columns_of(Outcome, "dataset architecture"), text("quantity", "strict_ms or seeded_ms"), *_REPETITION),
)
