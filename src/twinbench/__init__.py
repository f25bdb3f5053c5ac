"""twinbench: are two ways to write the same Keras model the same, and do they score the same?"""

import importlib
from typing import Any

__version__ = "0.1.0"

__all__ = ["__version__", "assert_same_model", "compare"]


def __getattr__(name: str) -> Any:
    """Import `compare` and `assert_same_model`, and with them TensorFlow, when they are first used."""
    if name == "compare":
        return importlib.import_module("twinbench.compare")
    if name == "assert_same_model":
        return importlib.import_module("twinbench.compare").assert_same_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
