"""What a cause cost where the benchmark made the same mistake on purpose, from the results that are kept."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from twinbench.compare.report import Cause

FILE: Final = Path(__file__).with_name("damage.json")
"""One entry for each suspect, written by `twinbench.report.findings` (`make findings`)."""

_SUSPECTS: Final = (
    ("compile.loss", "from_logits", "logits_as_probabilities"),
    ("data", "distinct samples", "repeated_first_batch"),
    ("data", "tail", "sorted_validation_tail"),
    ("init", "distribution", "initializer_scale"),
    ("training_loop", "batch size", "larger_batch"),
    ("arch.layer_missing", "Conv", "layer_missing"),
    ("mode.trainable", "frozen", "frozen_layers"),
    ("arch.activation", "linear", "activation_missing"),
    ("arch.hyperparameter", "padding", "padding_valid"),
    ("preprocessing", "range", "inputs_not_scaled"),
    ("mode.bn_dropout", "Normalization", "normalization_stuck"),
    ("compile.optimizer", "learning_rate", "default_learning_rate"),
    ("regularization", "after the layer was built", "late_regularizer"),
    ("compile.metric", "categorical_accuracy", "wrong_metric"),
)
"""Which suspect made the mistake of a cause: its code, and a word of its place, its sides or its detail."""


@cache
def _measured() -> dict[str, dict[str, Any]]:
    return dict(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.is_file() else {}


def suspect_of(cause: "Cause") -> str | None:
    """The suspect of the benchmark that made the mistake of a cause; None where there is none."""
    words = " ".join((cause.where, cause.a, cause.b, cause.detail))
    return next((name for code, word, name in _SUSPECTS if code == cause.code and word in words), None)


def lost_points(cause: "Cause") -> float:
    """How many points a cause cost in the benchmark, as far as that is clear of chance; 0 where it is not known."""
    measured = _measured().get(suspect_of(cause) or "")
    return max(0.0, -measured["difference"]) if measured is not None and measured["clear"] else 0.0


def damage_in_words(cause: "Cause") -> str:
    """What a cause cost in the benchmark, in a sentence; empty where no suspect made its mistake."""
    measured = _measured().get(suspect_of(cause) or "")
    if measured is None:
        return ""
    difference, half = measured["difference"], measured["half_interval"]
    where = f"{measured['architecture']}, {measured['dataset']}, {measured['seeds']} seeds: {measured['changes']}"
    if measured["clear"] and difference < 0:
        return f"In the benchmark this cost {-difference:.1f} +/- {half:.1f} points ({where})."
    if not half and not difference:
        return f"In the benchmark this left the true score as it was, bit for bit ({where})."
    return f"In the benchmark this had no clear effect: {difference:+.1f} +/- {half:.1f} points ({where})."
