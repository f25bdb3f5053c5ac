"""Keras's global settings, which one variant may set and the next must not inherit."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
from keras.src.backend.common import global_state

from twinbench.architectures.importing import import_file


def _dtype_policy() -> Any:
    """The precision, or None where it follows `floatx`: Keras's own reading settles it, and it follows no longer."""
    policy = global_state.get_global_attribute("dtype_policy")
    return None if policy is None or policy.name == keras.config.floatx() else policy


def _set_dtype_policy(policy: Any) -> None:
    global_state.set_global_attribute("dtype_policy", policy)


_SETTINGS = {
    "floatx": (keras.config.floatx, keras.config.set_floatx),
    "dtype_policy": (_dtype_policy, _set_dtype_policy),
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


def forget_models() -> None:
    """Give up what Keras keeps of models that are no longer needed; clearing its session alone resets the precision."""
    with settings_kept():
        keras.backend.clear_session(free_memory=False)


def import_with_settings(name: str | Path) -> ModuleType:
    """Import a module, and set what its import set the first time: a process imports it once for all its variants.

    Args:
        name: of a module of the package, or a person's own file.
    """
    before = _current()
    module = import_file(name) if isinstance(name, Path) else importlib.import_module(name)
    set_now = {setting: value for setting, value in _current().items() if value != before[setting]}
    _apply(_set_by_module.setdefault(module, set_now))
    return module


def _current() -> dict[str, Any]:
    _set_dtype_policy(_dtype_policy())
    return {name: read() for name, (read, _) in _SETTINGS.items()}


def _apply(values: dict[str, Any]) -> None:
    for name, value in values.items():
        read, write = _SETTINGS[name]
        if read() != value:
            write(value)
