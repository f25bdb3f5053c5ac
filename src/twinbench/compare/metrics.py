"""Compares what the metrics of two compiled models read on predictions and labels whose quality is known."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed
from twinbench.compare.labels import SCALES, UNKNOWN, example, possible_forms, same_code
from twinbench.compare.losses import ends_in_probabilities, output_shapes, wanted_labels
from twinbench.compare.report import Cause
from twinbench.sameness.keeping import as_it_was
from twinbench.sameness.subjects import Pair, Subject

_SKIPPED = {"loss", "compile_metrics"}

Names = tuple[str, str]
Forms = list[str]
"""The form of the labels of each output."""


def metric_causes(
    pair: Pair, coverage: Coverage, feeds: Sequence[Feed | None], *, other_loss: bool
) -> tuple[list[Cause], list[str]]:
    """Metrics that read another number on the same predictions, three quarters of them right.

    Args:
        pair: two compiled models.
        coverage: where metrics that could not be read are reported.
        feeds: what the models are trained on, where it was given: their labels tell the form.
        other_loss: whether the losses differ, so that the labels of one side may not be those of the other.
    """
    metrics = [getattr(one.model, "_compile_metrics", None) for one in (pair.a, pair.b)]
    missing = [letter for letter, given in zip("AB", metrics, strict=True) if given is None]
    if missing:
        coverage.not_applicable("metrics", f"{' and '.join(missing)} compiled without metrics.")
        some = len(missing) == 1
        return [], [f"{missing[0]} was compiled without metrics; only the loss can be compared there."] if some else []
    shapes = output_shapes(pair)
    if not shapes:
        raise ValueError("the shape of the outputs is not known")
    known = [
        [possible_forms(shape) if form == UNKNOWN else [form] for form, shape in zip(side, shapes, strict=True)]
        for side in wanted_labels(pair, feeds, shapes)
    ]
    certain = all(len(forms) == 1 for side in known for forms in side)
    outcomes: dict[Names, list[tuple[float | None, float | None]]] = {}
    for first, second in _attempts(known[0], known[1], other_loss=other_loss):
        read_at = [
            _compared(*(_read(*side, scale) for side in ((pair.a, shapes, first), (pair.b, shapes, second))))
            for scale in SCALES
        ]
        for names in read_at[0]:
            readings = [at.get(names, (None, None)) for at in read_at]
            outcomes.setdefault(names, []).append(next((r for r in readings if not _equal(*r)), readings[0]))
    causes: list[Cause] = []
    for names, results in outcomes.items():
        place = f"metric {names[0]}" if names[0] == names[1] else f"metric {names[0]} / {names[1]}"
        read = [(x, y) for x, y in results if x is not None and y is not None]
        equal = [values for values in read if _equal(*values)]
        if equal and (other_loss or len(equal) == len(read)):
            continue
        if not read and _same_metric(metrics, names):
            continue
        one_fails = certain and not read and all(any(value is not None for value in values) for values in results)
        if (read and not equal) or one_fails:
            values = (read or results)[0]
            words = [
                f"{name} {'raises an error' if value is None else f'reads {value:.3f}'}"
                for name, value in zip(names, values, strict=True)
            ]
            detail = "on the same predictions, three quarters of which are right, the metrics read different numbers"
            causes.append(make_cause("compile.metric", place, *words, detail=detail))
        else:
            coverage.not_tested("metrics", f"{place} takes labels in a form that is not known")
    more, warnings = _weighted_causes(metrics, coverage, feeds)
    return [*causes, *more], warnings


def _weighted_causes(
    metrics: Sequence[Any], coverage: Coverage, feeds: Sequence[Feed | None]
) -> tuple[list[Cause], list[str]]:
    """Metrics that stand under `metrics` on one side and under `weighted_metrics` on the other."""
    weighted, plain = (
        [{_name(m) for m in keras.tree.flatten(getattr(compiled, part)) if m is not None} for compiled in metrics]
        for part in ("_user_weighted_metrics", "_user_metrics")
    )
    apart = sorted((weighted[0] & plain[1] - weighted[1]) | (weighted[1] & plain[0] - weighted[0]))
    if not apart:
        return [], []
    words = ["weighted_metrics" if set(apart) & names else "metrics" for names in weighted]
    place = f"metric {', '.join(apart)}: metrics or weighted_metrics"
    if any(f is not None and (f.epoch.weights is not None or f.options.get("class_weight")) for f in feeds):
        detail = "samples or classes are weighted, and only weighted_metrics count the weights"
        return [make_cause("compile.metric", place, *words, detail=detail)], []
    if all(feed is not None for feed in feeds):
        return [], [f"The {place}: {words[0]} in A, {words[1]} in B; no sample of the feeds is weighted."]
    coverage.not_tested(
        "metrics", f"{place}: {words[0]} in A, {words[1]} in B; whether samples are weighted is unknown"
    )
    return [], []


def _equal(x: float | None, y: float | None) -> bool:
    """Whether two readings are the same, as far as both could be taken."""
    if x is None or y is None:
        return True
    return bool(np.isclose(x, y, rtol=1e-3, atol=1e-4, equal_nan=True))


def _attempts(a: list[list[str]], b: list[list[str]], *, other_loss: bool) -> Iterator[tuple[Forms, Forms]]:
    """The labels to try: those known, every form where none is, and with another loss those of each side for both."""
    longest = max((*a, *b), key=len)
    for form in longest:
        first, second = ([form if form in forms else forms[0] for forms in side] for side in (a, b))
        yield first, second
        if other_loss and first != second:
            yield first, first
            yield second, second


def _compared(a: dict[str, float | None], b: dict[str, float | None]) -> dict[Names, tuple[float | None, float | None]]:
    """Readings side by side: by name, and the others in their order."""
    names = [(name, name) for name in a if name in b]
    names += zip([name for name in a if name not in b], [name for name in b if name not in a], strict=False)
    return {(x, y): (a[x], b[y]) for x, y in names}


def _same_metric(metrics: Sequence[Any], names: Names) -> bool:
    """Whether a metric that cannot be read is the same code on both sides."""
    sides = [
        [m for m in keras.tree.flatten([c._user_metrics, c._user_weighted_metrics]) if _name(m) == name]
        for c, name in zip(metrics, names, strict=True)
    ]
    return all(sides) and same_code(sides[0][0], sides[1][0])


def _name(metric: Any) -> str:
    return str(getattr(metric, "name", None) or getattr(metric, "__name__", metric))


def _read(one: Subject, shapes: Sequence[tuple[int, ...]], forms: Forms, scale: float) -> dict[str, float | None]:
    """What each metric of a model reads on known predictions; None where it raises or reads no number.

    Predictions are probabilities where the model ends in softmax or sigmoid and logits where it does not.
    """
    ends = ends_in_probabilities(one)
    labels, predictions = [], []
    for k, (shape, form) in enumerate(zip(shapes, forms, strict=True)):
        squash = "sigmoid" if form.startswith("binary") else "softmax"
        end = squash if ends[min(k, len(ends) - 1)] else None
        label, prediction = example(form, shape, end, scale=scale)  # type: ignore[arg-type]
        labels.append(label)
        predictions.append(prediction)
    compiled = one.model._compile_metrics
    struct = _struct(one.model, len(shapes))
    y, p = (keras.tree.pack_sequence_as(struct, one.in_its_own_order(values)) for values in (labels, predictions))
    together = type(compiled)(
        compiled._user_metrics, compiled._user_weighted_metrics, output_names=compiled.output_names
    )
    objects = keras.tree.flatten([compiled._user_metrics, compiled._user_weighted_metrics])
    with as_it_was(*objects):
        for metric in objects:
            if isinstance(metric, keras.metrics.Metric):
                metric.reset_state()
        try:
            together.update_state(y, p)
            result = {k: float(np.mean(keras.ops.convert_to_numpy(v))) for k, v in together.result().items()}
        except Exception:
            return {_name(metric): None for metric in objects if metric is not None}
    return {name: value for name, value in result.items() if name not in _SKIPPED}


def _struct(model: keras.Model, count: int) -> Any:
    struct = getattr(model, "_outputs_struct", None)
    if struct is not None and len(keras.tree.flatten(struct)) == count > 1:
        return struct
    return 0 if count == 1 else [0] * count
