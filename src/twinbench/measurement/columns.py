"""The tables of what is measured, declared apart from what measures them, so that naming them imports no Keras."""

from typing import Final

from twinbench.table import Table, columns_of, number, text, whole
from twinbench.training.record import Outcome

WHO: Final = columns_of(Outcome, "dataset architecture variant")
REASON: Final = text("reason", "why it could not be measured; empty where it was")

LADDER: Final = Table(
    "ladder",
    columns=(
        text("dataset", "name of the dataset, whose images are the batches"),
        text("architecture", "name of the architecture; published_autoencoder for the article's examples as published"),
        text("variant", "name of the variant that is held against its reference"),
        text("kind", "twin, lookalike, suspect or published"),
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
    made_by="the audit stage makes it",
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
            "layer_index",
            "position among the layers that have weights, from the input; comparable between variants",
        ),
        number(
            "gradient_norm",
            "Euclidean norm of the loss's gradient for all of the layer's weights together",
        ),
        number("update_norm", "Euclidean norm of what the optimiser then adds to these weights"),
        REASON,
    ),
    category="Gradients",
    caption="Norms of gradients and updates by layer, depth and step.",
    title="Norms of gradients and updates by layer",
    short=False,
    made_by="the audit stage makes it",
)
API_COSTS: Final = Table(
    "api_costs",
    columns=(
        *WHO,
        text("kind", "reference or twin"),
        text(
            "quantity",
            "step_ms (CPU milliseconds, or on a GPU those of the clock, of one compiled training step: forward, loss "
            "and backward pass on a batch in memory), flops (floating-point operations of that step, counted on its "
            "graph by TensorFlow's profiler), peak_memory_mb (how far the process's resident memory rises during one "
            "such step, in MiB) or build_s (CPU seconds to construct the model and trace the step)",
        ),
        whole("n", "repetitions; a count needs one"),
        number("mean", "mean over the repetitions, in the unit of the quantity"),
        number("ci_low", "lower end of Student's t interval for that mean"),
        number("ci_high", "upper end of that interval"),
        number("difference_percent", "mean paired difference to the reference, in percent of the reference's mean"),
        number(
            "difference_low",
            "lower end of Student's t interval for that, at a level that makes all intervals of the quantity in this "
            "table hold together (Bonferroni)",
        ),
        number("difference_high", "upper end of that interval"),
        text("verdict", "none (the interval holds zero: inside the noise), more, less, not measured, or reference"),
        REASON,
    ),
    category="Cost",
    caption="Time per step, operations, memory and building time of each API.",
    title="Cost by API",
    made_by="the audit stage makes it",
)
DETERMINISM_COSTS: Final = Table(
    "determinism_costs",
    columns=(
        WHO[0],
        text("architecture", "name of the architecture; its reference was measured"),
        whole("n", "repetitions"),
        number(
            "strict_ms",
            "mean milliseconds of a training step with deterministic operations (as `step_ms` of `api_costs`)",
        ),
        number("seeded_ms", "the same without"),
        number("difference_percent", "mean paired difference of strict to seeded, in percent of seeded"),
        number(
            "difference_low",
            "lower end of Student's t interval for that, at a level that makes all intervals of this table hold "
            "together (Bonferroni)",
        ),
        number("difference_high", "upper end of that interval"),
        text("verdict", "none (the interval holds zero: inside the noise), more, less or not measured"),
        REASON,
    ),
    category="Cost",
    caption="Time per step with deterministic operations, and without.",
    title="Cost of determinism",
    made_by="the audit stage makes it",
)
