"""The figures there are: names, titles, captions and the tables they are drawn from.

Imports neither matplotlib nor pandas, so that a workflow can ask for file names while it is being parsed. Every
figure is drawn once for each dataset, into `<figure>-<dataset>.<format>`.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class FigureEntry:
    """One figure.

    Attributes:
        name: stem of the file name; letters and underscores.
        title: its topic, where there is no finding to name it by.
        category: section of the page and category in Snakemake's report.
        needs: tables without which there is nothing to draw.
        caption: what to see in it, in one to three sentences.
        alt: what a reader who cannot see it is told; names the kind of chart and its axes.
    """

    name: str
    title: str
    category: str
    needs: tuple[str, ...]
    caption: str
    alt: str

    @property
    def rests_on_runs(self) -> bool:
        """Whether it shows trained runs; what is measured beside them has seeds of its own, or none."""
        return not {"gradients", "api_costs"} & set(self.needs)


FIGURES: Final = (
    FigureEntry(
        name="suspects",
        title="What costs points",
        category="What costs points",
        needs=("suspects",),
        caption="Each row is one deliberate change to the same network, trained under the same seeds as the untouched "
        "reference. Left: the whole range. Right: a close-up of the grey strip; an arrow with a number lies further "
        "out. Inside the green equivalence margin a difference is too small to matter. A hollow square is significant "
        "only before correction for the number of suspects: run more seeds. An open diamond is what the person sees "
        "where a metric reads wrong.",
        alt="Dot plot, one row per suspect in groups, sorted by the mean difference in test score to the untouched "
        "reference, in points with intervals; a second panel zooms in on zero.",
    ),
    FigureEntry(
        name="ladder",
        title="Are the models the same?",
        category="Are the models the same?",
        needs=("ladder",),
        caption="Twins should pass every test; where a lookalike fails is where it is another model. The number in a "
        "cell has its unit under the name of the test; a deviation is in percent of the reference's.",
        alt="Grid of variants (rows) by the nine tests of the ladder (columns); each cell says pass, fail, undecided "
        "or not applicable by sign and colour.",
    ),
    FigureEntry(
        name="accuracy",
        title="Test scores",
        category="Scores",
        needs=("runs", "summary"),
        caption="Small circles are single seeds, large marks their means. Twins sit on the same points as their "
        "reference. The grey band is one standard error that the size of the test set gives the reference's mean: "
        "with other test images it could have been anywhere there.",
        alt="Dot plots of the test score in points, one panel per architecture and one row per variant, every seed a "
        "point, with the mean, and the test set's standard error as a band.",
    ),
    FigureEntry(
        name="differences",
        title="Differences to the reference",
        category="Scores",
        needs=("comparisons",),
        caption="An interval inside the green equivalence margin: equal for practical purposes. An interval that "
        "misses zero: a difference. 'Identical' means bit-identical weights in every pair.",
        alt="Dot plot, one row per variant, of the mean paired difference in score to the reference, in points, with "
        "intervals and the equivalence margin as a band around zero.",
    ),
    FigureEntry(
        name="noise_floor",
        title="What chance does",
        category="Scores",
        needs=("noise_floor",),
        caption="The chance that two runs of one and the same model, under two seeds, end at least this far apart. "
        "A single run of each of two models cannot tell a smaller gap from chance.",
        alt="Dot plot, one row per architecture's reference, of the probability that two seeds end at least 0.1, 0.5 "
        "and 1 points apart.",
    ),
    FigureEntry(
        name="parameters",
        title="Parameters",
        category="Parameters",
        needs=("parameters",),
        caption="Each variant is tied to its reference, the small hollow diamond. A shared layer counts once.",
        alt="Dumbbell chart, one row per variant, of the number of unique parameters on a logarithmic axis, tied to "
        "that of its reference.",
    ),
    FigureEntry(
        name="learning_curves",
        title="Learning curves",
        category="Learning curves",
        needs=("history",),
        caption="Variants whose every number is equal are one line, named by all of them.",
        alt="Line charts, one panel per architecture, of the validation score in points by epoch, one line for each "
        "group of identical variants with a band over seeds.",
    ),
    FigureEntry(
        name="gradients",
        title="Gradients by depth",
        category="Gradients",
        needs=("gradients",),
        caption="The first layer is at the left. A line that falls to the left is a gradient that fades on its way to "
        "the input; one that rises there, a gradient that explodes. Variants whose every number is equal are one "
        "line. Normalisation layers are in the table.",
        alt="Line charts of the gradient norm per layer on a logarithmic axis, panels by number of blocks, one line "
        "for each group of identical variants.",
    ),
    FigureEntry(
        name="updates",
        title="Updates by depth",
        category="Gradients",
        needs=("gradients",),
        caption="What the optimiser adds to each layer's weights. Adam scales each step, so updates differ far less "
        "than gradients.",
        alt="Line charts of the norm of the weight update per layer on a logarithmic axis, panels by number of "
        "blocks, one line for each group of identical variants.",
    ),
    FigureEntry(
        name="api_costs",
        title="Cost by API",
        category="Cost",
        needs=("api_costs",),
        caption="Reference and variant were measured in turns. An open mark is not shown to lie beyond 10 percent.",
        alt="Dot plots, one panel per quantity (time per step, peak memory, build time), of the difference to the "
        "reference in percent with intervals, one row per variant.",
    ),
    FigureEntry(
        name="training_time",
        title="Training time",
        category="Cost",
        needs=("costs",),
        caption="Small circles are later runs, the large mark their median; the open square is the first run of a "
        "variant, which also compiles. Runs share a machine while they train: small differences here are noise, and "
        "the figure of cost by API measures them properly.",
        alt="Dot plot of training time in seconds, one row per variant grouped by architecture: the first run, every "
        "later run, and their median.",
    ),
    FigureEntry(
        name="seeds_needed",
        title="How many seeds",
        category="How many seeds",
        needs=("seeds_needed",),
        caption="Seeds at present against the seeds that tell a difference of the equivalence margin from none. What "
        "needs more than the second dashed line is not worth it.",
        alt="Dot plot, one row per comparison, of the number of seeds needed, on a logarithmic axis, beside the "
        "number at present.",
    ),
)
# The categories of Snakemake's report, in the order of the page; it sorts them by name, and so they are numbered.
_DRAWN: Final = tuple(dict.fromkeys(entry.category for entry in FIGURES))
CATEGORIES: Final = ("The page", *_DRAWN[:2], "Verdicts", *_DRAWN[2:], "Runs")
_OF_TABLES: Final = {
    "Suspects": "What costs points",
    "Ladder": "Are the models the same?",
    "Claims": "Verdicts",
    "Seeds": "How many seeds",
}
_BY_NAME: Final = {entry.name: entry for entry in FIGURES}


def numbered(category: str) -> str:
    """Return the category of a figure or a table as Snakemake's report has it: `02 What costs points`."""
    name = _OF_TABLES.get(category, category)
    return f"{CATEGORIES.index(name) + 1:02d} {name}"


def figure_entry(name: str) -> FigureEntry:
    """Return a figure's entry.

    Raises:
        KeyError: there is no figure of this name.
    """
    return _BY_NAME[name]


def figure_file(name: str, dataset: str, file_format: str) -> str:
    """Return the file name of a figure: `suspects-digits.svg`."""
    return f"{_BY_NAME[name].name}-{dataset}.{file_format}"
