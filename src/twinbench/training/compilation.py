"""How the training of a run is compiled: a property of the architecture and of the amount of work, of nothing else.

All variants of an architecture are compiled alike, or they would differ in the last bits; and a run is compiled alike
whatever trains beside it, or it would not equal itself trained alone.
"""

from typing import Literal

from twinbench.architectures.catalogue import Architecture

Compilation = Literal["graph", "fused", "xla"]
# XLA takes seconds to compile, which this many image passes earn back.
_WORTH_COMPILING = 200_000


def choose_compilation(architecture: Architecture, train_examples: int, epochs: int) -> Compilation:
    """Return how to compile the training of a run.

    `graph`: TensorFlow's own kernels, as Keras calls them. `fused`: batch normalisation by one kernel (`kernels`), and
    the optimiser's update compiled with XLA, which fuses its many small operations. `xla`: the whole epoch compiled
    with XLA, for the architectures that ask for it.
    """
    if train_examples * epochs < _WORTH_COMPILING:
        return "graph"
    return "xla" if architecture.compiler == "xla" else "fused"
