"""Callbacks as a configuration names them: Keras's for early stopping, and its learning-rate schedules."""

from collections.abc import Mapping
from typing import Any, Final

_MONITORED: Final = {"monitor": str, "min_delta": float, "patience": int, "mode": str}
_DECAYED: Final = {"initial_learning_rate": float, "decay_steps": int}
# The settings of each, by name, and what they take.
CALLBACKS: Final[dict[str, dict[str, type]]] = {
    "EarlyStopping": {**_MONITORED, "baseline": float, "restore_best_weights": bool, "start_from_epoch": int},
    "ReduceLROnPlateau": {**_MONITORED, "factor": float, "cooldown": int, "min_lr": float},
}
# Schedules, in which a step is an epoch, with the settings that they need.
SCHEDULES: Final[dict[str, dict[str, type]]] = {
    "ExponentialDecay": {**_DECAYED, "decay_rate": float, "staircase": bool},
    "InverseTimeDecay": {**_DECAYED, "decay_rate": float, "staircase": bool},
    "PolynomialDecay": {**_DECAYED, "end_learning_rate": float, "power": float, "cycle": bool},
    "CosineDecay": {**_DECAYED, "alpha": float, "warmup_target": float, "warmup_steps": int},
    "CosineDecayRestarts": {
        "initial_learning_rate": float, "first_decay_steps": int, "t_mul": float, "m_mul": float, "alpha": float
    },
    "PiecewiseConstantDecay": {"boundaries": list, "values": list},
}  # fmt: skip
_NEEDED: Final = ("initial_learning_rate", "decay_steps", "first_decay_steps", "decay_rate", "boundaries", "values")
_WORDS: Final = {
    str: "text",
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
}


def checked(entry: Any) -> dict[str, dict[str, Any]]:
    """Return one entry of `callbacks` as a mapping of its name to its settings.

    Raises:
        ValueError: it names no such callback, or a setting that it does not have.
    """
    if isinstance(entry, str):
        entry = {entry: {}}
    known = CALLBACKS | SCHEDULES
    if not isinstance(entry, Mapping) or len(entry) != 1 or next(iter(entry)) not in known:
        raise ValueError(f"must be one of {', '.join(known)}, with its settings: EarlyStopping: {{patience: 3}}")
    ((name, settings),) = entry.items()
    settings = {} if settings is None else settings
    if not isinstance(settings, Mapping):
        raise ValueError(
            f"must give {name} its settings by their names, as in {name}: {{{next(iter(known[name]))}: ...}}"
        )
    for key, value in settings.items():
        if key not in known[name]:
            raise ValueError(f"must not set {key!r} of {name}, whose settings are {', '.join(known[name])}")
        kind = known[name][key]
        kinds = (int, float) if kind is float else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"must give {name} {_WORDS[kind]} for {key!r}, not {value!r}")
    if settings.get("mode", "auto") not in ("auto", "min", "max"):
        raise ValueError(f"must give {name} one of auto, min, max for 'mode', not {settings['mode']!r}")
    missing = [key for key in known[name] if key in _NEEDED and name in SCHEDULES and key not in settings]
    if missing:
        raise ValueError(f"must give {name} its {missing[0]!r}")
    return {name: dict(settings)}
