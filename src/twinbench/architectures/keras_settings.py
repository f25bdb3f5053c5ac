"""Keras's global settings, which one variant may set and the next must not inherit."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import keras

_SETTINGS = {
    "dtype_policy": (keras.config.dtype_policy, keras.config.set_dtype_policy),
    "floatx": (keras.config.floatx, keras.config.set_floatx),
    "epsilon": (keras.config.epsilon, keras.config.set_epsilon),
    "image_data_format": (keras.config.image_data_format, keras.config.set_image_data_format),
}
_set_by_module: dict[ModuleType, dict[str, Any]] = {}


@contextmanager
def settings_kept() -> Iterator[None]:
    """Put Keras's settings back afterwards, whatever was built inside."""
    before = _current()
    try:
        yield
    finally:
        _apply(before)


def import_with_settings(name: str) -> ModuleType:
    """Import a module, and set what its import set the first time: a process imports it once for all its variants."""
    before = _current()
    module = importlib.import_module(name)
    set_now = {setting: value for setting, value in _current().items() if value != before[setting]}
    _apply(_set_by_module.setdefault(module, set_now))
    return module


def _current() -> dict[str, Any]:
    return {name: read() for name, (read, _) in _SETTINGS.items()}


def _apply(values: dict[str, Any]) -> None:
    for name, value in values.items():
        read, write = _SETTINGS[name]
        if read() != value:
            write(value)
