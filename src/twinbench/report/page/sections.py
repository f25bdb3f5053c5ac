"""What the page shows, in which order: sections, their figures, and the tables behind them."""

from dataclasses import dataclass
from typing import Final

from twinbench.report.catalogue import FIGURES


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Attributes:
        anchor: its id.
        title: its heading.
        opening: what it answers, in a sentence or two.
        figures: names of the catalogue.
        tables: names of tables shown under the figures, folded away.
    """

    anchor: str
    title: str
    opening: str
    figures: tuple[str, ...]
    tables: tuple[str, ...]


def _of(category: str) -> tuple[str, ...]:
    return tuple(entry.name for entry in FIGURES if entry.category == category)


SECTIONS: Final = (
    Section(
        "suspects",
        "What really lowers the score",
        "Deliberate faults, one at a time, in the same network: this is what 'the same' model that scores lower "
        "usually hides.",
        _of("Suspects"),
        ("suspects",),
    ),
    Section(
        "ladder",
        "The ladder of sameness",
        "Are the two models the same at all? Nine tests, the cheapest first.",
        _of("Ladder"),
        ("ladder",),
    ),
    Section(
        "scores",
        "Scores, and the noise they drown in",
        "Every variant under every seed, its difference to the reference, and how far apart one and the same model "
        "lands.",
        _of("Scores"),
        ("summary", "comparisons", "noise_floor", "agreement"),
    ),
    Section(
        "parameters",
        "Parameters",
        "A shared layer counts once. Unique weights are counted after a call; the count per call adds a layer "
        "once for every use.",
        _of("Parameters"),
        ("parameters",),
    ),
    Section("learning", "Learning curves", "How the variants get there, epoch by epoch.", _of("Learning curves"), ()),
    Section(
        "gradients",
        "Gradients",
        "Do gradients reach the first layers, with and without skip connections?",
        _of("Gradients"),
        ("gradients",),
    ),
    Section(
        "cost",
        "Cost",
        "What each API costs in time, operations and memory, and what bit-identical runs cost.",
        ("api_costs", "training_time"),
        ("api_costs", "determinism_costs"),
    ),
    Section(
        "seeds",
        "How many seeds",
        "What the present seeds can show, and how many would settle what they leave open.",
        _of("Seeds"),
        ("seeds_needed",),
    ),
)
