"""What `determinism: strict` costs in time here, by architecture.

The reference's training step (`twinbench.measurement.steps`) is made twice, once with TensorFlow's deterministic
operations and once without, and both are timed in turn, repetition after repetition.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pandas as pd
import tensorflow as tf

# TensorFlow offers no public way back from deterministic operations, and a process of its own for each level would
# import TensorFlow twice more and leave the two apart in time.
from tensorflow.python.framework.config import disable_op_determinism

from twinbench.architectures.catalogue import Variant, architectures
from twinbench.architectures.keras_settings import forget_models
from twinbench.config import Configuration
from twinbench.data import LoadedDataset, load
from twinbench.measurement.columns import DETERMINISM_REPETITIONS
from twinbench.measurement.failures import Failures
from twinbench.measurement.steps import Batch, Step, batch_of, time_steps, trace_step
from twinbench.planning.plan import selected_variants
from twinbench.training.runtime import start_tensorflow

logger = logging.getLogger(__name__)

_SWITCHES: Final[dict[str, Callable[[], None]]] = {
    "strict": tf.config.experimental.enable_op_determinism,
    "seeded": disable_op_determinism,
}


def measure_determinism(configuration: Configuration, npz: Path) -> pd.DataFrame:
    """Measure every selected reference with deterministic operations and without.

    TensorFlow is left with the configured determinism.

    Args:
        configuration: the resolved configuration.
        npz: the prepared dataset, with its manifest beside it.

    Returns:
        The table `DETERMINISM_REPETITIONS`.

    Raises:
        TwinbenchError: the dataset cannot be used.
    """
    start_tensorflow(configuration.training)
    data = load(npz)
    selected = [variant for variant in selected_variants(configuration) if variant.kind == "reference"]
    failures = Failures()
    references = [reference for reference in selected if failures.check([reference], data)]
    rows: list[dict[str, Any]] = []
    try:
        for reference in references:
            logger.info("Measuring what determinism costs %s.", reference.architecture)
            training = architectures()[reference.architecture].training(configuration.training)
            batch = batch_of(data, training.batch_size)
            with failures.of(reference):
                milliseconds = _measure(reference, batch, data, configuration.measurements.cost_repeats)
                rows += [
                    {"architecture": reference.architecture, "quantity": f"{level}_ms", "repetition": n, "value": value}
                    for level, values in milliseconds.items()
                    for n, value in values.items()
                ]
            forget_models()
    finally:
        _SWITCHES["strict" if configuration.training.determinism == "strict" else "seeded"]()
    rows += [{"architecture": reference.architecture, "reason": reason} for reference, reason in failures.items()]
    return DETERMINISM_REPETITIONS.frame({"dataset": data.name, **row} for row in rows)


def _measure(reference: Variant, batch: Batch, data: LoadedDataset, repeats: int) -> dict[str, dict[int, float]]:
    """Return the milliseconds of a step by level and repetition."""
    steps = {level: step_at(level, reference, batch, data) for level in _SWITCHES}
    measured: dict[str, dict[int, float]] = {level: {} for level in steps}
    for repeat in range(repeats):
        turn = dict(list(steps.items())[:: 1 if repeat % 2 == 0 else -1])
        for level, milliseconds in time_steps(turn, batch).items():
            measured[level][repeat] = milliseconds
    return measured


def step_at(level: str, reference: Variant, batch: Batch, data: LoadedDataset) -> Step:
    """Return the reference's step at a level; some operations ask for the level when they are made, some when run."""
    switch = _SWITCHES[level]
    switch()
    step, _ = trace_step(reference, batch, data)
    step(*batch)

    def at_level(images: Any, labels: Any) -> Any:
        switch()
        return step(images, labels)

    return at_level
