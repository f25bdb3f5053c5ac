"""twinbench: are two ways to write the same Keras model the same, and do they score the same?"""

import importlib
from typing import Any

__version__ = "0.1.0"

__all__ = ["__version__", "assert_same_model", "assert_survives_saving", "check", "compare"]


def __getattr__(name: str) -> Any:
    """Import what compares, and with it TensorFlow, when it is first used."""
    if name == "compare":
        return importlib.import_module("twinbench.compare")
    if name == "check":
        return importlib.import_module("twinbench.compare.check.api").check
    if name in ("assert_same_model", "assert_survives_saving"):
        return getattr(importlib.import_module("twinbench.compare"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
