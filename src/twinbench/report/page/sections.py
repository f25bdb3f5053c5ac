"""What the page shows, in which order: sections, their figures, and the columns of the tables behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


def _of(category: str) -> tuple[str, ...]:
    return tuple(entry.name for entry in FIGURES if entry.category == category)


SUSPECTS: Final = Section(
    "suspects",
    "What really lowers the score",
    "Deliberate faults, one at a time, in the same network: this is what 'the same' model that scores lower "
    "usually hides.",
    _of("Suspects"),
    ("suspects",),
)
LADDER: Final = Section(
    "ladder",
    "The ladder of sameness",
    "Are the two models the same at all? Nine tests, the cheapest first.",
    _of("Ladder"),
    ("ladder",),
)
SCORES: Final = Section(
    "scores",
    "Scores, and the noise they drown in",
    "Every variant under every seed, its difference to the reference, and how far apart one and the same model lands.",
    _of("Scores"),
    ("summary", "comparisons", "noise_floor"),
)
PARAMETERS: Final = Section(
    "parameters",
    "Parameters",
    "A shared layer counts once. Unique weights are counted after a call; the count per call adds a layer "
    "once for every use.",
    _of("Parameters"),
    ("parameters",),
)
LEARNING: Final = Section(
    "learning",
    "Learning curves",
    "How the variants get there, epoch by epoch.",
    _of("Learning curves"),
)
GRADIENTS: Final = Section(
    "gradients",
    "Gradients",
    "Do gradients reach the first layers, with and without skip connections?",
    _of("Gradients"),
    ("gradients",),
)
COST: Final = Section(
    "cost",
    "Cost",
    "What each API costs in time, operations and memory, and what bit-identical runs cost.",
    ("api_costs", "training_time"),
    ("api_costs", "determinism_costs"),
)
SEEDS: Final = Section(
    "seeds",
    "How many seeds",
    "What the present seeds can show, and how many would settle what they leave open.",
    _of("Seeds"),
    ("seeds_needed",),
)


@dataclass(frozen=True)
class View:
    """How a table is shown.

    Attributes:
        title: in words.
        columns: column to heading, in order; columns that the table lacks are left out.
    """

    title: str
    columns: Mapping[str, str] = field(default_factory=dict)


_WHO: Final = {"dataset": "dataset", "architecture": "architecture", "variant": "variant"}

VIEWS: Final[Mapping[str, View]] = {
    "suspects": View(
        "Effect of each suspect",
        {
            "dataset": "dataset",
            "suspect": "suspect",
            "changes": "what it changes",
            "cause": "cause",
            "n": "seeds",
            "mean_difference": "difference (points)",
            "ci_low": "from",
            "ci_high": "to",
            "seen_difference": "seen (points)",
            "p_holm": "p (Holm)",
            "verdict": "verdict",
            "sentence": "in words",
        },
    ),
    "ladder": View(
        "Every rung of every variant",
        {**_WHO, "rung": "rung", "name": "test", "outcome": "outcome", "value": "value", "sentence": "in words"},
    ),
    "summary": View(
        "Score by variant",
        {
            **_WHO,
            "kind": "kind",
            "n": "seeds",
            "failed": "failed",
            "mean": "mean (points)",
            "std": "std",
            "ci_low": "from",
            "ci_high": "to",
            "binomial_se": "binomial SE",
        },
    ),
    "comparisons": View(
        "Difference to the reference",
        {
            **_WHO,
            "n": "pairs",
            "mean_difference": "difference (points)",
            "ci_low": "from",
            "ci_high": "to",
            "t_p_holm": "p difference (Holm)",
            "tost_p_holm": "p equivalence (Holm)",
            "verdict": "verdict",
            "sentence": "in words",
        },
    ),
    "noise_floor": View(
        "Chance of a gap between two seeds of one model",
        {
            **_WHO,
            "n": "seeds",
            "std": "std (points)",
            "range": "range",
            "gap_0.1": "P(gap ≥ 0.1)",
            "gap_0.5": "P(gap ≥ 0.5)",
            "gap_1": "P(gap ≥ 1)",
            "source": "source",
        },
    ),
    "parameters": View(
        "Parameters by variant",
        {
            **_WHO,
            "parameters": "unique",
            "trainable_parameters": "trainable",
            "parameters_per_call": "per call",
            "keras_count": "Keras says",
            "difference_to_reference": "against the reference",
        },
    ),
    "gradients": View("Norms of gradients and updates by layer"),
    "api_costs": View("Cost by API"),
    "determinism_costs": View("Cost of determinism"),
    "seeds_needed": View(
        "Seeds needed",
        {
            **_WHO,
            "n": "pairs",
            "verdict": "verdict",
            "power_difference": "power now",
            "seeds_difference": "to find a difference",
            "seeds_equivalence": "to show equivalence",
            "cautious_seeds": "to be cautious",
            "config_line": "line for the configuration",
            "sentence": "in words",
        },
    ),
    "provenance": View("Machines and versions behind the runs"),
    "failed": View(
        "Failed runs",
        {**_WHO, "seed": "seed", "reason": "reason", "learning_rate": "learning rate", "epochs": "epochs"},
    ),
}
