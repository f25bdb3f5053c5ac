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
        folded: names of figures that are folded away.
    """

    anchor: str
    title: str
    opening: str
    figures: tuple[str, ...]
    tables: tuple[str, ...]
    folded: tuple[str, ...] = ()


def _of(category: str) -> tuple[str, ...]:
    return tuple(entry.name for entry in FIGURES if entry.category == category)


SECTIONS: Final = (
    Section(
        "suspects",
        "What costs points",
        "Mistakes planted one at a time in the same network: what “the same” model that scores lower usually hides.",
        _of("What costs points"),
        ("suspects",),
    ),
    Section(
        "ladder",
        "Are the models the same?",
        "Nine tests of each variant against its reference, the cheapest first: the ladder of sameness.",
        _of("Are the models the same?"),
        ("ladder",),
    ),
    Section(
        "scores",
        "Scores and chance",
        "Every variant under every seed, beside how far one and the same model moves from seed to seed.",
        _of("Scores"),
        ("comparisons", "summary", "noise_floor", "agreement"),
    ),
    Section("parameters", "Parameters", "", _of("Parameters"), ("parameters",)),
    Section("learning", "Learning curves", "", _of("Learning curves"), ()),
    Section(
        "gradients",
        "Gradients",
        "Do gradients reach the first layers, with and without skip connections?",
        _of("Gradients"),
        ("gradients",),
        folded=("updates",),
    ),
    Section(
        "cost",
        "Cost",
        "What each API costs in time, operations and memory, and what bit-identical runs cost.",
        _of("Cost"),
        ("api_costs", "determinism_costs"),
    ),
    Section("seeds", "How many seeds", "", _of("How many seeds"), ("seeds_needed",)),
)
