"""The tables that hold the runs' records as they are, declared."""

from dataclasses import replace
from typing import Final

from twinbench.store.record import Cost, Epoch, Outcome
from twinbench.table import Table, columns_of, flag, text, whole

IDENTITY: Final = "dataset architecture variant kind seed"
_WHO: Final = "dataset architecture variant"
_RUN: Final = text("run", "the run's name in the store: the first digits of its key")
_OUTCOME: Final = [
    column for column in columns_of(Outcome) if column.name not in ("parameters_per_call", "keras_count")
]
RUNS: Final = Table(
    "runs",
    # Hashes last, where they push nothing out of sight.
    columns=(_RUN, *sorted(_OUTCOME, key=lambda column: column.name.endswith("_sha256"))),
    category="Runs",
    caption="One row for each run: what it was and what came out, nothing of time or place.",
    title="Failed runs",
    shown=f"{_WHO} seed reason learning_rate epochs",
)
HISTORY: Final = Table(
    "history",
    columns=(_RUN, *columns_of(Outcome, IDENTITY), *columns_of(Epoch)),
    category="Runs",
    caption="One row for each epoch of each run: losses and score.",
    short=False,
)
COSTS: Final = Table(
    "costs",
    columns=(_RUN, *columns_of(Outcome, IDENTITY), *columns_of(Cost), text("manifest", "row of the table provenance")),
    category="Cost",
    caption="One row for each run: time, speed and memory, and the machine it ran on.",
)
PROVENANCE: Final = Table(
    "provenance",
    columns=(
        text("manifest", "name of this combination"),
        whole("runs", "how many runs were made on it"),
        *(text(name, "version") for name in ("tensorflow", "keras", "numpy", "python", "twinbench")),
        text("os", "operating system"),
        text("cpu", "processor"),
        text("instruction_sets", "of the processor, as far as they matter"),
        text("gpu", "graphics cards used"),
        whole("threads", "CPU threads of a run"),
        text("git_commit", "commit of the code"),
        flag("git_dirty", "whether the tree had uncommitted changes"),
        text("configuration_digest", "first digits of the SHA-256 of the resolved configuration"),
    ),
    category="Runs",
    caption="One row for each combination of machine, software, commit and configuration.",
    title="Machines and versions behind the runs",
)
_COUNTS: Final = "parameters trainable_parameters non_trainable_parameters parameters_per_call keras_count"
_COUNTED: Final = ("unique", "trainable", "", "per call", "Keras says")
PARAMETERS: Final = Table(
    "parameters",
    columns=(
        *columns_of(Outcome, f"{_WHO} kind"),
        *(
            replace(column, heading=heading)
            for column, heading in zip(columns_of(Outcome, _COUNTS), _COUNTED, strict=True)
        ),
        whole("difference_to_reference", "parameters minus the reference's", "against the reference"),
    ),
    category="Parameters",
    caption="Parameters of each variant: each once, once per call, and as Keras counts.",
    title="Parameters by variant",
    shown=f"{_WHO} parameters trainable_parameters parameters_per_call keras_count difference_to_reference",
)
