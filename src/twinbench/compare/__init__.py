"""Are these two Keras models the same, and if not, why does one score lower?

`compare` loads both sides, matches and probes them with the tests of `twinbench.sameness`, looks at what surrounds the
models (compilation, initial weights, training loop, data), and gives a `Report`: the verdict, the causes with what
would fix each, and the ladder. The package itself can be called: `twinbench.compare(a, b)`.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

_MODULES = {
    "Cause": "twinbench.compare.report",
    "Report": "twinbench.compare.report",
    "assert_same_model": "twinbench.compare.api",
    "assert_survives_saving": "twinbench.compare.survival",
    "compare": "twinbench.compare.api",
}
__all__ = ["Cause", "Report", "assert_same_model", "assert_survives_saving", "compare"]  # found by __getattr__


def __getattr__(name: str) -> Any:
    """Import what compares, and with it TensorFlow, when it is first used: the command line starts without."""
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _CallableModule(ModuleType):
    """Lets `twinbench.compare` be the function as well as the package that holds it."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from twinbench.compare.api import compare

        return compare(*arguments, **options)


sys.modules[__name__].__class__ = _CallableModule
