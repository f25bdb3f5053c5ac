"""The files of the tables, by name; light enough to be asked for whenever the workflow is read."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class TableEntry:
    """One table.

    Attributes:
        name: stem of its files.
        category: section of Snakemake's report.
        caption: what its rows are, in a sentence.
        latex: whether it is written for papers too.
        whole: whether it is short enough to be shown on a page whatever the number of runs.
    """

    name: str
    category: str
    caption: str
    latex: bool = False
    whole: bool = True

    @property
    def formats(self) -> tuple[str, ...]:
        """Endings of its files."""
        return ("csv", "md", *(("tex",) if self.latex else ()), *(("html",) if self.whole else ()))


TABLES: Final = (
    TableEntry("runs", "Runs", "One row for each run: what it was and what came out, nothing of time or place."),
    TableEntry("history", "Runs", "One row for each epoch of each run: losses and score.", whole=False),
    TableEntry("costs", "Cost", "One row for each run: time, speed and memory, and the machine it ran on."),
    TableEntry("provenance", "Runs", "One row for each combination of machine, software, commit and configuration."),
    TableEntry(
        "parameters", "Parameters", "Parameters of each variant: each once, once per call, and as Keras counts."
    ),
    TableEntry("summary", "Scores", "Mean test score of each variant over its seeds, with its interval.", latex=True),
    TableEntry(
        "comparisons", "Scores", "Each variant against its reference, paired by seed, with a verdict.", latex=True
    ),
    TableEntry("noise_floor", "Scores", "How far apart two runs of one and the same model land."),
    TableEntry("seeds_needed", "Seeds", "How many seeds each comparison needs to be decided."),
    TableEntry("ladder", "Ladder", "Each variant on each rung of the ladder of sameness."),
    TableEntry("suspects", "Suspects", "What each deliberate fault does to the score, and what the person sees."),
    TableEntry("gradients", "Gradients", "Norms of gradients and updates by layer, depth and step.", whole=False),
    TableEntry("api_costs", "Cost", "Time per step, operations, memory and building time of each API."),
    TableEntry("determinism_costs", "Cost", "Time per step with deterministic operations, and without."),
    TableEntry("claims", "Claims", "The verdict on each claim, with the numbers and what would change it."),
)
