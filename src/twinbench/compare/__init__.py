"""Are these two Keras models the same, and if not, why does one score lower?

`compare` loads both sides, matches and probes them with the tests of `twinbench.audit`, looks at what surrounds the
models (compilation, initial weights, training loop, data), and gives a `Report`: the verdict, the causes with what
would mend each, and the ladder. The package itself can be called: `twinbench.compare(a, b)`.
"""

import sys
from types import ModuleType
from typing import Any

from twinbench.compare.entry import assert_same_model, compare
from twinbench.compare.report import Cause, Report

__all__ = ["Cause", "Report", "assert_same_model", "compare"]


class _CallableModule(ModuleType):
    """Lets `twinbench.compare` be the function as well as the package that holds it."""

    def __call__(self, *arguments: Any, **options: Any) -> Report:
        return compare(*arguments, **options)


sys.modules[__name__].__class__ = _CallableModule
