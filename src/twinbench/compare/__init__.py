"""Are these two Keras models the same, and if not, why does one score lower?

`comparison.compare` loads both sides, matches and probes them with the tests of `twinbench.audit`, looks at what
surrounds the models (compilation, initial weights, training loop, data), and gives a `Report`: the verdict, the causes
with what would mend each, and the ladder.
"""

from twinbench.compare.comparison import assert_same_model, compare
from twinbench.compare.report import Cause, Report

__all__ = ["Cause", "Report", "assert_same_model", "compare"]
