"""What surrounds one side of a comparison: the modules of its own files, and the global state that its code sets.

Keras, TensorFlow, Python and the process hold settings that outlive whoever sets them: precision, epsilon, seeds,
environment variables, modules. Each side starts from the same clean state, keeps what it sets to itself, and is run
under its own; the process is left as it was.
"""

import copy
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state
from keras.src.saving import object_registration
from tensorflow.python.eager import context
from tensorflow.python.framework import config as tf_config

from twinbench.own_files import is_librarys

Setting = tuple[Callable[[], Any], Callable[[Any], Any]]


def _set_determinism(value: bool) -> None:
    if value:
        tf_config.enable_op_determinism()
    else:
        tf_config.disable_op_determinism()


def _kept_by_keras(name: str) -> Setting:
    """A setting that Keras fixes when it is first asked for, so that it is read without asking."""
    return lambda: global_state.get_global_attribute(name), lambda value: global_state.set_global_attribute(name, value)


SETTINGS: dict[str, Setting] = {
    "floatx": (keras.config.floatx, keras.config.set_floatx),
    "epsilon": (keras.config.epsilon, keras.config.set_epsilon),
    "image_data_format": (keras.config.image_data_format, keras.config.set_image_data_format),
    "dtype_policy": _kept_by_keras("dtype_policy"),
    "flash_attention": _kept_by_keras("flash_attention"),
    "max_epochs": (keras.config.max_epochs, keras.config.set_max_epochs),
    "max_steps_per_epoch": (keras.config.max_steps_per_epoch, keras.config.set_max_steps_per_epoch),
    "run_functions_eagerly": (tf.config.functions_run_eagerly, tf.config.run_functions_eagerly),
    "op_determinism": (tf_config.is_op_determinism_enabled, _set_determinism),
    "tensor_float_32": (tf_config.tensor_float_32_execution_enabled, tf_config.enable_tensor_float_32_execution),
    "soft_device_placement": (tf.config.get_soft_device_placement, tf.config.set_soft_device_placement),
    "optimizer_jit": (lambda: bool(tf.config.optimizer.get_jit()), tf.config.optimizer.set_jit),
}
"""Settings that act while a model is built or run: how each is read and set."""


def current_settings() -> dict[str, Any]:
    """The value of every setting as it is now."""
    return {name: read() for name, (read, _) in SETTINGS.items()}


def resolved(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with the precision that follows from them, where none was set."""
    policy = settings["dtype_policy"]
    return settings | {"dtype_policy": settings["floatx"] if policy is None else policy.name}


def forget_default_policy() -> None:
    """Let the precision follow `floatx` again, as in a fresh process, where nobody has set another."""
    policy = global_state.get_global_attribute("dtype_policy")
    if policy is not None and policy.name == keras.config.floatx():
        global_state.set_global_attribute("dtype_policy", None)


def _apply_settings(values: dict[str, Any]) -> None:
    for name, value in values.items():
        read, write = SETTINGS[name]
        if read() != value:
            write(value)


@dataclass
class GlobalState:
    """The global state of the process at one moment."""

    settings: dict[str, Any]
    keras: dict[str, Any]
    registered: tuple[dict[str, Any], dict[Any, Any]]
    environment: dict[str, str]
    folder: str | None
    path: list[str]
    arguments: list[str]
    errors: dict[str, Any]
    draws: tuple[Any, ...]

    @classmethod
    def capture(cls) -> "GlobalState":
        """Take down the state as it is now."""
        eager = context.context()
        generator = getattr(eager, "_rng", None)
        seeds = global_state.get_global_attribute("global_seed_generator")
        folder = None
        with suppress(OSError):  # the folder may be gone
            folder = os.getcwd()  # noqa: PTH109 - what os.chdir takes back
        return cls(
            settings=current_settings(),
            keras=_copies(vars(global_state.GLOBAL_STATE_TRACKER)),
            registered=(dict(object_registration.GLOBAL_CUSTOM_OBJECTS), dict(object_registration.GLOBAL_CUSTOM_NAMES)),
            environment=dict(os.environ),
            folder=folder,
            path=list(sys.path),
            arguments=list(sys.argv),
            errors=dict(np.geterr()),
            draws=(
                random.getstate(),
                np.random.get_state(),  # noqa: NPY002 - the person's code draws from it
                (getattr(eager, "_seed", None), generator, generator.getstate() if generator else None),
                None if seeds is None else np.array(keras.ops.convert_to_numpy(seeds.state)),
            ),
        )

    def apply(self) -> None:
        """Make the state what it was."""
        tracker = vars(global_state.GLOBAL_STATE_TRACKER)
        tracker.clear()
        tracker.update(_copies(self.keras))
        _apply_settings(self.settings)
        for current, saved in zip(
            (object_registration.GLOBAL_CUSTOM_OBJECTS, object_registration.GLOBAL_CUSTOM_NAMES),
            self.registered,
            strict=True,
        ):
            current.clear()
            current.update(saved)
        for name in set(os.environ) - set(self.environment):
            del os.environ[name]
        os.environ.update({k: v for k, v in self.environment.items() if os.environ.get(k) != v})
        with suppress(OSError):
            if self.folder is not None:
                os.chdir(self.folder)
        sys.path[:], sys.argv[:] = self.path, self.arguments
        np.seterr(**self.errors)
        python, numpy, (seed, generator, generated), keras_seed = self.draws
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002 - as above
        eager = context.context()
        eager._seed, eager._rng = seed, generator
        if generator:
            generator.setstate(generated)
        seeds = global_state.get_global_attribute("global_seed_generator")
        if seeds is not None and keras_seed is not None:
            seeds.state.assign(keras_seed)


def _copies(values: dict[str, Any]) -> dict[str, Any]:
    return {name: copy.copy(v) if isinstance(v, dict | list | set) else v for name, v in values.items()}


@contextmanager
def restored() -> Iterator[GlobalState]:
    """Leave the global state as it was; yield it."""
    saved = GlobalState.capture()
    try:
        yield saved
    finally:
        saved.apply()


@contextmanager
def under(settings: dict[str, Any]) -> Iterator[None]:
    """Run a model under the settings that its side has made."""
    saved = current_settings()
    _apply_settings(settings)
    try:
        yield
    finally:
        _apply_settings(saved)


@contextmanager
def only_seed(seed: int = 0) -> Iterator[None]:
    """Seed everything, and let calls that would seed it otherwise pass without effect."""
    keras.utils.set_random_seed(seed)
    saved = random.seed, np.random.seed, tf.random.set_seed
    random.seed = np.random.seed = tf.random.set_seed = lambda *_, **__: None
    try:
        yield
    finally:
        random.seed, np.random.seed, tf.random.set_seed = saved


@dataclass
class Home:
    """Where one file's code lives: its folder, the modules that it has imported, and the state that importing it set.

    Code that comes from no file of its own has no folder, and shares the modules of the process.
    """

    folder: Path | None = None
    state: GlobalState = field(default_factory=GlobalState.capture)
    modules: dict[str, ModuleType] = field(default_factory=dict)
    outside: GlobalState = field(default_factory=GlobalState.capture)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Run code with this file's modules and state; leave the process as it was."""
        with restored():
            self.state.apply()
            with self.visible():
                yield

    @contextmanager
    def visible(self) -> Iterator[None]:
        """Put this file's folder on the path and its modules in the place of everybody else's."""
        if self.folder is None:
            yield
            return
        hidden = _own_modules()
        _replace(hidden, self.modules)
        sys.path.insert(0, str(self.folder))
        try:
            yield
        finally:
            with suppress(ValueError):
                sys.path.remove(str(self.folder))
            self.modules = _own_modules()
            _replace(self.modules, hidden)


def _replace(modules: dict[str, ModuleType], others: dict[str, ModuleType]) -> None:
    for name in modules:
        del sys.modules[name]
    sys.modules.update(others)


def _own_modules() -> dict[str, ModuleType]:
    """The modules that come from files of the person's own: neither installed nor part of Python or this package."""
    return {name: module for name, module in list(sys.modules.items()) if _is_own(name, module)}


def _is_own(name: str, module: Any) -> bool:
    if name in ("__main__", "__mp_main__") or name.split(".", maxsplit=1)[0] == "twinbench":
        return False
    file = getattr(module, "__file__", None)
    places = [file] if file else list(getattr(module, "__path__", None) or [])[:1]
    if not places or (file and not str(file).endswith(".py")):
        return False
    return not is_librarys(places[0])
