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
        title: what the figure shows, as a heading.
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


FIGURES: Final = (
    FigureEntry(
        name="suspects",
        title="What really lowers the score",
        category="Suspects",
        needs=("suspects",),
        caption="Each row is one deliberate change to the same network, trained under the same seeds as the untouched "
        "reference; the largest damage is on top. Left: the whole scale; right: the same rows close to zero, where "
        "the green band is the equivalence margin. A hollow square: the interval misses zero, "
        "but not after Holm's correction for the number of suspects, so more seeds are needed. An open diamond is what "
        "the person sees where that differs from what is true. Writing the network with Sequential instead of "
        "Functional is one of the rows.",
        alt="Dot plot, one row per suspect, sorted by the mean difference in test score to the untouched reference, in "
        "percentage points with intervals; a second panel zooms in on zero.",
    ),
    FigureEntry(
        name="ladder",
        title="The ladder of sameness",
        category="Ladder",
        needs=("ladder",),
        caption="Each variant climbs nine rungs against its reference, from 'it builds' to 'it scores the same over "
        "seeds'. Twins should pass every rung; where a lookalike stops is where it is another model. The numbers: "
        "3 differences between the graphs, 4 parameters more or fewer, 5 share of equal weight tensors, 6 to 8 "
        "relative deviation, 9 points of score.",
        alt="Grid of variants (rows) by the nine rungs of the ladder (columns); each cell says pass, fail or not "
        "applicable by sign and colour.",
    ),
    FigureEntry(
        name="accuracy",
        title="Score by variant, every seed a point",
        category="Scores",
        needs=("runs", "summary"),
        caption="Small circles are single seeds, large marks their means with intervals. The dark and the light band "
        "are one and two binomial standard errors of the test set around the reference's mean: what is "
        "inside them the choice of test images alone could have made. An arrow is a variant far below the panel; its "
        "mean is at the right.",
        alt="Dot plots of the test score in points, one panel per architecture and one row per variant, every seed a "
        "point, with the mean, its interval and the test set's binomial standard error as a band.",
    ),
    FigureEntry(
        name="differences",
        title="Difference to the reference, paired by seed",
        category="Scores",
        needs=("comparisons",),
        caption="Mean of variant minus reference under the same seed, with its interval. An interval inside the green "
        "equivalence margin shows that the two are equal for practical purposes; one that misses zero, a difference; "
        "'identical' means bit-identical weights in every pair.",
        alt="Dot plot, one row per variant, of the mean paired difference in score to the reference, in points, with "
        "intervals and the equivalence margin as a band around zero.",
    ),
    FigureEntry(
        name="noise_floor",
        title="Two runs of the same model",
        category="Scores",
        needs=("noise_floor",),
        caption="The chance that someone who trains one and the same model twice, under two seeds, sees the scores at "
        "least this far apart. A single run of each of two models cannot tell a smaller gap from this.",
        alt="Dot plot, one row per architecture's reference, of the probability that two seeds end at least 0.1, 0.5 "
        "and 1 points apart.",
    ),
    FigureEntry(
        name="parameters",
        title="Parameters against score",
        category="Parameters",
        needs=("parameters", "summary"),
        caption="Unique weights, counted after a call, against the mean test score. Twins lie on their reference; a "
        "thin line ties each lookalike to its own. More parameters do not by themselves mean a better score.",
        alt="Scatter plot of the mean test score in points against the number of parameters on a logarithmic axis, "
        "coloured by architecture, with a marker for each kind of variant.",
    ),
    FigureEntry(
        name="learning_curves",
        title="Learning curves",
        category="Learning curves",
        needs=("history",),
        caption="Mean over seeds, with bands from the lowest to the highest. Twins that train bit-identically lie on "
        "one line: each is drawn thinner than the one before, so all can be seen.",
        alt="Line charts by epoch, one row per architecture: validation score in points on the left, training "
        "loss on a logarithmic axis on the right, one line per variant with a band over seeds.",
    ),
    FigureEntry(
        name="training_time",
        title="Training time by variant",
        category="Cost",
        needs=("costs",),
        caption="Seconds spent in training, every seed a point. Runs share a machine while they train: small "
        "differences here are noise, and the figure of cost by API measures them properly.",
        alt="Dot plot of training time in seconds, one row per variant grouped by architecture, every seed a point "
        "with the mean.",
    ),
    FigureEntry(
        name="gradients",
        title="Gradients by depth",
        category="Gradients",
        needs=("gradients",),
        caption="Norm of the loss's gradient for each layer, first layer at the left: solid at initialisation with a "
        "band over seeds, dashed at the last step measured. A line that falls to the left is a gradient that fades on "
        "its way to the input, one that rises there a gradient that explodes. Normalisation layers are in the table.",
        alt="Line charts of the gradient norm per layer on a logarithmic axis, panels by number of blocks, one line "
        "per variant.",
    ),
    FigureEntry(
        name="updates",
        title="Updates by depth",
        category="Gradients",
        needs=("gradients",),
        caption="Norm of what the optimiser adds to each layer's weights, first layer at the left: solid at "
        "initialisation, dashed at the last step measured. Adam scales each step, so updates differ far less than "
        "gradients.",
        alt="Line charts of the norm of the weight update per layer on a logarithmic axis, panels by number of "
        "blocks, one line per variant.",
    ),
    FigureEntry(
        name="api_costs",
        title="Cost by API",
        category="Cost",
        needs=("api_costs",),
        caption="Difference to the reference in percent, from interleaved repetitions, with intervals. An open mark "
        "is a difference within noise.",
        alt="Dot plots, one panel per quantity (time per step, floating-point operations, peak memory, build time), "
        "of the difference to the reference in percent with intervals, one row per variant.",
    ),
    FigureEntry(
        name="seeds_needed",
        title="How many seeds",
        category="Seeds",
        needs=("seeds_needed",),
        caption="Seeds at present against the seeds that tell a difference of the equivalence margin from none with "
        "the power aimed at. A mark to the right of the present number means: more seeds, before anything is claimed.",
        alt="Dot plot, one row per comparison, of the number of seeds needed, on a logarithmic axis, beside the "
        "number at present.",
    ),
)
_BY_NAME: Final = {entry.name: entry for entry in FIGURES}


def figure_entry(name: str) -> FigureEntry:
    """Return a figure's entry."""
    return _BY_NAME[name]


def figure_file(name: str, dataset: str, file_format: str) -> str:
    """Return the file name of a figure: `suspects-digits.svg`."""
    return f"{_BY_NAME[name].name}-{dataset}.{file_format}"
