"""What the same network costs when it is written with another API.

Measured is one compiled training step (`twinbench.measurement.steps`): the engine's own loop and XLA, which would hide
differences, are left out.

Repetitions are interleaved (all variants of an architecture in turn, then again, in the other direction), so that
`twinbench.analysis.costs` can compare each variant with its reference within the repetition.
"""

import ctypes
import gc
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pandas as pd
import tensorflow as tf

from twinbench.architectures.catalogue import Variant, architectures
from twinbench.architectures.keras_settings import forget_models
from twinbench.config import Configuration
from twinbench.data import LoadedDataset, load
from twinbench.measurement.columns import COST_REPETITIONS
from twinbench.measurement.failures import Failures
from twinbench.measurement.steps import batch_of, time_steps, trace_step
from twinbench.planning.plan import selected_variants
from twinbench.training.memory import forget_peak, peak_memory_mb
from twinbench.training.runtime import start_tensorflow

logger = logging.getLogger(__name__)

# Building is slow, so it is repeated less often than steps are.
_MOST_BUILDS: Final = 3
# Builds whose steps are timed, in turn, so that what is luck of one build does not stay with its variant.
_TIMED_BUILDS: Final = 2
# Resident memory that forgetting the peak may leave above the present; more means that the system does not forget.
_FORGETS_MB: Final = 64.0


def measure_costs(configuration: Configuration, npz: Path) -> pd.DataFrame:
    """Measure every selected reference, its twins, and what a person would compare with it."""
    start_tensorflow(configuration.training)
    data = load(npz)
    samples: dict[Variant, _Samples] = {}
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
            forget_models()
        failures.without_reference_none(selected)
    gc.unfreeze()
    rows: list[dict[str, Any]] = []
    for variant in [*(variant for variant in samples if variant not in failures), *failures]:
        row = {"dataset": data.name, "architecture": variant.architecture, "variant": variant.name}
        row |= {"kind": variant.kind}
        if variant in failures:
            rows.append(row | {"reason": failures[variant]})
        else:
            measured = samples[variant].repetitions
            rows += [row | {"quantity": name, "repetition": n, "value": value} for name, n, value in measured]
    return COST_REPETITIONS.frame(rows)


@dataclass
class _Samples:
    """The steps built of one variant, and what was measured of them: quantity, number of the repetition, value."""

    steps: list[Any] = field(default_factory=list)
    repetitions: list[tuple[str, int, float]] = field(default_factory=list)


def _measure(
    variants: Sequence[Variant], batch: tuple[Any, Any], data: LoadedDataset, repeats: int, failures: Failures
) -> dict[Variant, _Samples]:
    samples = {variant: _Samples() for variant in variants}
    for repeat in range(repeats):
        turn = variants if repeat % 2 == 0 else variants[::-1]
        if repeat < _MOST_BUILDS:
            gc.collect()
            for variant in turn:
                with failures.of(variant):
                    _measure_build(samples[variant], variant, repeat, batch, data)
        running = [variant for variant in turn if variant not in failures]
        steps = {variant: samples[variant].steps[repeat % len(samples[variant].steps)] for variant in running}
        for variant, step in list(steps.items()):
            with failures.of(variant):
                step(*batch)
                _measure_memory(samples[variant], step, repeat, batch)
            if variant in failures:
                del steps[variant]
        for variant, milliseconds in time_steps(steps, batch).items():
            samples[variant].repetitions.append(("step_ms", repeat, milliseconds))
    return samples


def _measure_build(
    samples: _Samples, variant: Variant, repeat: int, batch: tuple[Any, Any], data: LoadedDataset
) -> None:
    began = time.process_time()
    step, graph = trace_step(variant, batch, data)
    samples.repetitions.append(("build_s", repeat, time.process_time() - began))
    if not samples.steps:
        samples.repetitions.append(("flops", repeat, _count_flops(graph)))
    if len(samples.steps) < _TIMED_BUILDS:
        samples.steps.append(step)


def _measure_memory(samples: _Samples, step: Any, repeat: int, batch: tuple[Any, Any]) -> None:
    """Run one step and note how far resident memory rises; nothing where the system does not forget its peak."""
    _return_free_memory()
    forget_peak()
    before = peak_memory_mb()
    if before - _resident_mb() < _FORGETS_MB:
        step(*batch)
        samples.repetitions.append(("peak_memory_mb", repeat, peak_memory_mb() - before))


def _count_flops(graph: Any) -> float:
    """Return the floating-point operations of one execution of a graph, by TensorFlow's own profiler.

    It counts the operations that it knows (convolutions, matrix products, element-wise ones and their gradients) by
    their shapes; the others count as none in every API.
    """
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    counted = profiler.profile(graph=graph, cmd="op", options=options.with_empty_output().build())
    return float(counted.total_float_ops)


def _resident_mb() -> float:
    """Return the resident memory of this process in MiB; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * 4096 / 2**20


def _return_free_memory() -> None:
    """Give freed memory back to the system where the C library can, so that a peak is its owner's."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        logger.debug("This C library cannot return freed memory.")
