"""The columns of the measured tables; apart from what measures them, so that naming them imports no Keras."""

from typing import Final

GRADIENTS_COLUMNS: Final[dict[str, str]] = {
    "dataset": "name of the dataset",
    "architecture": "name of the architecture",
    "variant": "name of the variant",
    "kind": "reference, twin or lookalike",
    "depth": "number of blocks that it was built with",
    "seed": "seed of the initial weights and of the order of the images",
    "step": "optimiser steps before; 0 is initialisation",
    "layer": "path of the layer in its own model, which differs between APIs",
    "layer_index": "position among the layers that have weights, from the input; comparable between variants",
    "gradient_norm": "Euclidean norm of the loss's gradient for all of the layer's weights together",
    "update_norm": "Euclidean norm of what the optimiser then adds to these weights",
}
API_COSTS_COLUMNS: Final[dict[str, str]] = {
    "dataset": "name of the dataset",
    "architecture": "name of the architecture",
    "variant": "name of the variant",
    "kind": "reference or twin",
    "quantity": "step_ms (CPU milliseconds, or on a GPU those of the clock, of one compiled training step: forward, "
    "loss and backward pass on a batch in memory), flops (floating-point operations of that step, counted on its "
    "graph by TensorFlow's profiler), peak_memory_mb (how far the process's resident memory rises during one such "
    "step, in MiB) or build_s (CPU seconds to construct the model and trace the step)",
    "n": "repetitions; a count needs one",
    "mean": "mean over the repetitions, in the unit of the quantity",
    "ci_low": "lower end of Student's t interval for that mean",
    "ci_high": "upper end of that interval",
    "difference_percent": "mean paired difference to the reference, in percent of the reference's mean",
    "difference_low": "lower end of Student's t interval for that, at a level that makes all intervals of the "
    "quantity in this table hold together (Bonferroni)",
    "difference_high": "upper end of that interval",
    "verdict": "none (the interval holds zero: inside the noise), more, less, not measured, or reference",
}
DETERMINISM_COSTS_COLUMNS: Final[dict[str, str]] = {
    "dataset": "name of the dataset",
    "architecture": "name of the architecture; its reference was measured",
    "n": "repetitions",
    "strict_ms": "mean milliseconds of a training step with deterministic operations (as `step_ms` of `api_costs`)",
    "seeded_ms": "the same without",
    "difference_percent": "mean paired difference of strict to seeded, in percent of seeded",
    "difference_low": "lower end of Student's t interval for that, at a level that makes all intervals of this table "
    "hold together (Bonferroni)",
    "difference_high": "upper end of that interval",
    "verdict": "none (the interval holds zero: inside the noise), more, less or not measured",
}
