"""What the same network costs when it is written with another API.

Measured is one compiled training step (`twinbench.measurement.steps`): the engine's own loop and XLA, which would hide
differences, are left out. What it does is counted from its graph, once; how long it takes is measured again and again.

Each repetition builds every variant anew, since a build has luck of its own that further timings of it would only
repeat. Repetitions are interleaved (all variants of an architecture in turn, then again, in the other direction), so
that `twinbench.analysis.costs` can compare each variant with its reference within the repetition.
"""

import gc
import logging
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from twinbench.architectures.catalogue import Variant, architectures
from twinbench.architectures.keras_settings import forget_models
from twinbench.config import Configuration
from twinbench.data import LoadedDataset, load
from twinbench.measurement.columns import COST_REPETITIONS
from twinbench.measurement.counting import count_step
from twinbench.measurement.failures import Failures
from twinbench.measurement.steps import Batch, Step, batch_of, time_steps, trace_step
from twinbench.planning.plan import selected_variants
from twinbench.training.runtime import start_tensorflow

logger = logging.getLogger(__name__)

# What was measured of a variant: quantity, number of the repetition, value.
Samples = list[tuple[str, int, float]]


def measure_costs(configuration: Configuration, npz: Path) -> pd.DataFrame:
    """Measure every selected reference, its twins, and what a person would compare with it.

    Args:
        configuration: the resolved configuration.
        npz: the prepared dataset, with its manifest beside it.

    Returns:
        The table `COST_REPETITIONS`; no rows where no twin is selected.

    Raises:
        TwinbenchError: the dataset cannot be used.
    """
    start_tensorflow(configuration.training)
    data = load(npz)
    samples: dict[Variant, Samples] = {}
    failures = Failures()
    warmed_up = False
    gc.freeze()  # TensorFlow's million objects stay; looking through them again would take most of the time
    for architecture, group in groupby(selected_variants(configuration), key=lambda variant: variant.architecture):
        selected = [variant for variant in group if variant.kind in ("reference", "twin", "candidate")]
        if len(selected) == 1:
            continue
        if variants := failures.check(selected, data):
            logger.info("Measuring the cost of %s in %d ways.", architecture, len(variants))
            batch = batch_of(data, architectures()[architecture].training(configuration.training).batch_size)
            if not warmed_up:  # the first build of a process also sets up what the others then find
                with failures.of(variants[0]):
                    trace_step(variants[0], batch, data)
                warmed_up = True
            samples |= _measure(variants, batch, data, configuration.measurements.cost_repeats, failures)
        failures.without_reference_none(selected)
    gc.unfreeze()
    rows: list[dict[str, Any]] = []
    for variant in [*(variant for variant in samples if variant not in failures), *failures]:
        row = {"dataset": data.name, "architecture": variant.architecture, "variant": variant.name}
        row |= {"kind": variant.kind}
        if variant in failures:
            rows.append(row | {"reason": failures[variant]})
        else:
            rows += [row | {"quantity": name, "repetition": n, "value": value} for name, n, value in samples[variant]]
    return COST_REPETITIONS.frame(rows)


def _measure(
    variants: Sequence[Variant], batch: Batch, data: LoadedDataset, repeats: int, failures: Failures
) -> dict[Variant, Samples]:
    samples: dict[Variant, Samples] = {variant: [] for variant in variants}
    for repeat in range(repeats):
        steps: dict[Variant, Step] = {}
        gc.collect()
        for variant in variants if repeat % 2 == 0 else variants[::-1]:
            if variant in failures:
                continue
            with failures.of(variant):
                began = time.process_time()
                step, graph = trace_step(variant, batch, data)
                samples[variant].append(("build_s", repeat, time.process_time() - began))
                if repeat == 0:
                    samples[variant] += [(name, repeat, count) for name, count in count_step(graph).items()]
                step(*batch)
                steps[variant] = step
        for variant, milliseconds in time_steps(steps, batch, failures.of).items():
            samples[variant].append(("step_ms", repeat, milliseconds))
        del steps
        forget_models()
    return samples
