"""Every table that the analysis writes, declared once; light enough to be asked for whenever the workflow is read."""

from typing import Final

from twinbench.analysis.record_tables import COSTS, HISTORY, PARAMETERS, PROVENANCE, RUNS
from twinbench.measurement.columns import GRADIENTS, LADDER, REASON, WHO
from twinbench.store.record import Outcome
from twinbench.table import Table, columns_of, flag, number, text, whole

# Gaps in points between two seeds of which `noise_floor` says how probable they are.
GAPS: Final = (0.1, 0.5, 1.0)
# The row of `suspects` that is no fault.
API_ROW: Final = "Sequential instead of Functional"
_WHO: Final = "dataset architecture variant"
# The article that makes the claims: title and date; its address is not known.
ARTICLE: Final = (
    "Why does a Keras Sequential model achieve lower accuracy than a Functional model, despite using the same "
    "architecture?, 2025-01-30"
)
_KIND: Final = text("kind", "twin, lookalike, suspect or candidate")
_SCORE: Final = text("score_name", "accuracy or explained variance, in points, higher is better")
_SIMULTANEOUS_ENDS: Final = (
    number("ci_low", "lower end of the t interval for that mean, in points; a dataset's hold all together", "from"),
    number("ci_high", "upper end of that simultaneous interval", "to"),
)
_OWN_ENDS: Final = (
    number("own_low", "lower end of the t interval for that mean by itself, in points", "from (by itself)"),
    number("own_high", "upper end of the interval by itself", "to (by itself)"),
)


def gap_column(gap: float) -> str:
    """Return the name of the column that holds the probability of a gap: `gap_0.1`."""
    return f"gap_{gap:g}"


SUMMARY: Final = Table(
    "summary",
    columns=(
        *columns_of(Outcome, f"{_WHO} kind"),
        _SCORE,
        whole("n", "runs (seeds) that ended well; the others are in no average", "seeds"),
        whole("failed", "runs that failed"),
        number("mean", "mean score over seeds, in points", "mean (points)"),
        number("std", "standard deviation of the score over seeds (n - 1), in points; empty with one run"),
        number("ci_low", "lower end of the mean's t interval, each by itself, cut at what the score can reach", "from"),
        number("ci_high", "upper end of that interval", "to"),
        number(
            "binomial_se", "standard error that the size of the test set gives an accuracy, in points", "binomial SE"
        ),
    ),
    category="Scores",
    caption="Mean test score of each variant over its seeds, with its interval.",
    title="Score by variant",
    shown=f"{_WHO} kind n failed mean std ci_low ci_high binomial_se",
    latex=f"{_WHO} n failed mean std ci_low ci_high",
)
COMPARISONS: Final = Table(
    "comparisons",
    columns=(
        *WHO,
        _KIND,
        text("reference", "variant that it is compared with; empty where that was not run"),
        _SCORE,
        whole("n", "pairs: seeds in which both runs ended well", "pairs"),
        whole("failed", "runs of the variant that failed"),
        whole("reference_failed", "runs of the reference that failed"),
        whole("failed_alone", "seeds in which one of the two failed and the other ended well"),
        whole("unpaired", "seeds left out because only one of the two runs ended well"),
        text(
            "verdict",
            "identical (bit-identical weights and equal scores in every pair), equivalent (shown to lie inside the "
            "margin), different (shown to differ), different but within the margin (both), or undecided (neither); "
            "none of the three that call two variants alike where a seed failed in one of them only, and of the two "
            "that rest on tests none where a seed collapsed or both score like a guess",
        ),
        number("mean_difference", "mean of variant minus reference, in points", "difference (points)"),
        number("std_difference", "standard deviation of the differences (n - 1), in points"),
        number("std_used", "the same, or where all are equal the smallest that the test set can show (one image)"),
        *_SIMULTANEOUS_ENDS,
        *_OWN_ENDS,
        number("t_p", "p of the paired t test for no difference, two-sided"),
        number(
            "t_p_corrected",
            "the same times family_size (Bonferroni), over the look's share; at most 1 - confidence: they differ",
            "p difference (corrected)",
        ),
        number("margin", "points within which two variants count as equal"),
        number("tost_p", "p of two one-sided t tests for a mean difference inside the margin"),
        number(
            "tost_p_corrected",
            "the same times family_size (Bonferroni), over the look's share; at most 1 - confidence: equivalent",
            "p equivalence (corrected)",
        ),
        number("worst_difference", "lowest score minus the reference's lowest, in points", "worst seed (points)"),
        whole(
            "collapsed",
            "seeds in which one of the two ended ten margins (and median deviations) below the median",
        ),
        number(
            "unseen_collapse",
            "percent of seeds in which a collapse cannot be excluded that n seeds have not shown (rule of three); of "
            "variants that tests call alike",
            "collapse not excluded (% of seeds)",
        ),
        flag("at_chance", "whether both score no better than the best constant guess"),
        text("family", "comparisons that are corrected together: all tested ones of a dataset"),
        whole("family_size", "comparisons tested in that family"),
        whole("look", "look at which the verdict fell, from 1; empty where the number of seeds is fixed"),
        text("sentence", "the result in words, with what was left out", "in words"),
    ),
    category="Scores",
    caption="Each variant against its reference, paired by seed, with a verdict.",
    title="Difference to the reference",
    shown=f"{_WHO} n mean_difference ci_low ci_high t_p_corrected tost_p_corrected unseen_collapse verdict sentence",
    latex=f"{_WHO} n mean_difference ci_low ci_high verdict",
    made_by="the rule `tables` makes it",
)
NOISE_FLOOR: Final = Table(
    "noise_floor",
    columns=(
        *columns_of(Outcome, f"{_WHO} kind"),
        _SCORE,
        whole("n", "runs (seeds) that ended well", "seeds"),
        number("std", "standard deviation of the score over seeds (n - 1), in points", "std (points)"),
        number("range", "highest minus lowest score, in points"),
        number("mean_gap", "mean distance between two different seeds, in points"),
        *(
            number(
                gap_column(gap), f"probability that two seeds end at least {gap:g} points apart", f"P(gap ≥ {gap:g})"
            )
            for gap in GAPS
        ),
        *(
            number(
                f"{gap_column(gap)}_{end}", f"{word} end of that probability's interval; all references' hold together"
            )
            for end, word in (("low", "lower"), ("high", "upper"))
            for gap in GAPS
        ),
        text("source", "pairs of seeds (every ordered pair that was run: from 10 seeds on) or t model"),
    ),
    category="Scores",
    caption="How far apart two runs of one and the same model land.",
    title="Chance of a gap between two seeds of one model",
    shown=f"{_WHO} n std range {' '.join(map(gap_column, GAPS))} source",
)
AGREEMENT: Final = Table(
    "agreement",
    columns=(
        *columns_of(Outcome, f"{_WHO} kind"),
        text("compared_with", "`next seed`, of the same variant, or the reference, under the same seed", "against"),
        whole("pairs", "pairs of runs that both ended well and predict classes"),
        whole("images", "test images"),
        number("disagreement", "percent of the test images to which the two give another class, mean over the pairs"),
        number("lowest", "the same for the pair that agrees most", "from"),
        number("highest", "the same for the pair that agrees least", "to"),
        number(
            "mcnemar_p",
            "p of McNemar's exact test that the two networks are right equally often; with one pair only, since with "
            "more the test over seeds (table comparisons) says more",
            "p (McNemar)",
        ),
        whole(
            "mcnemar_different",
            "pairs that McNemar's test calls different at 1 - confidence: between seeds of one model, false alarms for "
            "whoever takes it for a test of models",
            "pairs different (McNemar)",
        ),
        text("sentence", "the same in words", "in words"),
    ),
    category="Scores",
    caption="On how many test images two runs give another class: two seeds, or two variants under one seed.",
    title="Agreement image by image",
    shown=f"{_WHO} compared_with pairs disagreement lowest highest mcnemar_p mcnemar_different sentence",
)
SEEDS_NEEDED: Final = Table(
    "seeds_needed",
    columns=(
        *WHO,
        _KIND,
        text("reference", "variant that it is compared with"),
        text("verdict", "what the present seeds say (table comparisons)"),
        whole("n", "pairs of seeds at present", "pairs"),
        number("std_used", "standard deviation of the differences that the plan takes for the true one, in points"),
        number("margin", "points within which two variants count as equal"),
        number("level", "level of each test in the plan: (1 - confidence) / family_size"),
        number("target_power", "probability of success that the plan aims at"),
        number("power_difference", "probability that the present seeds find a difference of the margin", "power now"),
        number("power_equivalence", "probability that the present seeds show equivalence where nothing differs"),
        whole("seeds_difference", "seeds that find a difference of the margin with that power", "to find a difference"),
        whole("seeds_equivalence", "seeds that show equivalence where nothing differs", "to show equivalence"),
        whole(
            "seeds_observed", "seeds that settle it, one way or the other, if the observed difference is the true one"
        ),
        whole("cautious_seeds", "the larger of the two, were the spread at its upper 80 % limit", "to be cautious"),
        text(
            "config_line", "what settles it; empty where it is settled, or beyond 10,000", "line for the configuration"
        ),
        text("sentence", "the same in words", "in words"),
    ),
    category="Seeds",
    caption="How many seeds each comparison needs to be decided; empty where that is more than 10,000.",
    title="Seeds needed",
    shown=f"{_WHO} n verdict power_difference seeds_difference seeds_equivalence cautious_seeds config_line sentence",
)
SUSPECTS: Final = Table(
    "suspects",
    columns=(
        WHO[0],
        text("suspect", f"name of the suspect, or `{API_ROW}`"),
        text("cause", "the code under which `twinbench compare` names it"),
        text("changes", "what it changes, in a few words", "what it changes"),
        text("sentence", "what it does to the score, in words", "in words"),
        whole("n", "pairs: seeds in which both it and the untouched reference ended well", "seeds"),
        whole("failed", "runs of it that failed"),
        number("mean_difference", "mean of its test score minus the reference's, in points", "difference (points)"),
        *_SIMULTANEOUS_ENDS,
        *_OWN_ENDS,
        number(
            "p_corrected",
            "p of the paired t test, corrected; empty for identical pairs",
            "p (corrected)",
        ),
        text("verdict", "as in the table comparisons"),
        number("seen_difference", "the same difference as its own metric reads it, in points", "seen (points)"),
        number("misread", "seen_difference minus mean_difference, in points: how far its own metric is off"),
        text("variant", "name of the variant in the tables runs and comparisons"),
    ),
    category="Suspects",
    caption="What each deliberate fault does to the score, and what the person sees.",
    title="Effect of each suspect",
    shown="dataset suspect changes cause n mean_difference ci_low ci_high seen_difference p_corrected verdict sentence",
    made_by="no suspect was trained: list some under `suspects` in the configuration",
)
_DIFFERENCE_ENDS: Final = (
    number(
        "difference_low",
        "lower end of Student's t interval for that; all that are timed hold together (Bonferroni)",
    ),
    number("difference_high", "upper end of that interval"),
)
API_COSTS: Final = Table(
    "api_costs",
    columns=(
        *WHO,
        text("kind", "reference, twin or candidate"),
        text(
            "quantity",
            "counted of one compiled training step on a batch in memory: operations, flops (floating-point operations, "
            "by TensorFlow's profiler), tensor_mb (all tensors that it makes, MiB) and peak_tensor_mb (those that it "
            "holds at once, MiB); measured: step_ms (its CPU milliseconds, on a GPU those of the clock) and build_s "
            "(CPU seconds to construct the model and trace the step)",
        ),
        whole("n", "repetitions, each with a build of its own; a count needs one"),
        number("mean", "mean over the repetitions, in the unit of the quantity"),
        number("ci_low", "lower end of Student's t interval for that mean, each by itself"),
        number("ci_high", "upper end of that interval"),
        number("difference_percent", "mean paired difference to the reference, in percent of the reference's mean"),
        *_DIFFERENCE_ENDS,
        text(
            "verdict",
            "more or less (the whole interval lies beyond 10 percent on that side), none (it lies within 10 percent on "
            "both), unclear (neither), not measured, or reference",
        ),
        REASON,
    ),
    category="Cost",
    caption="Operations, tensors, time per step and building time of each API.",
    title="Cost by API",
    made_by="the rule `measure` makes it",
)
DETERMINISM_COSTS: Final = Table(
    "determinism_costs",
    columns=(
        WHO[0],
        text("architecture", "name of the architecture; its reference was measured"),
        whole("n", "repetitions"),
        number("strict_ms", "mean milliseconds of a step with deterministic operations; all repetitions of one build"),
        number("seeded_ms", "the same without"),
        number("difference_percent", "mean paired difference of strict to seeded, in percent of seeded"),
        *_DIFFERENCE_ENDS,
        text("verdict", "none (the interval holds zero: within noise), more, less or not measured"),
        REASON,
    ),
    category="Cost",
    caption="Time per step with deterministic operations, and without.",
    title="Cost of determinism",
    made_by="the rule `measure` makes it",
)
CLAIMS: Final = Table(
    "claims",
    columns=(
        text("claim", "C1 to C8"),
        text("statement", "the claim, in our own words"),
        text(
            "article", f"the same as the article makes it, in close paraphrase ({ARTICLE})", "as the article makes it"
        ),
        text("verdict", "supported, refuted, depends (the evidence contradicts itself) or inconclusive"),
        text("because", "the numbers that decide it"),
        text(
            "evidence", "rows that it rests on, as `table: dataset architecture/variant`; of `runs` all of the variant"
        ),
        text("would_change", "what would change the verdict; for an inconclusive one, what would settle it"),
        whole(
            "seeds_needed", "seeds that are planned to settle what is open; empty where seeds are not what is lacking"
        ),
    ),
    category="Claims",
    caption="The verdict on each claim, with the numbers and what would change it.",
    made_by="the rule `tables` makes it",
)
# In the order in which people read them.
TABLES: Final = (
    *(RUNS, HISTORY, COSTS, PROVENANCE, PARAMETERS, SUMMARY, COMPARISONS, NOISE_FLOOR, AGREEMENT, SEEDS_NEEDED),
    *(LADDER, SUSPECTS, GRADIENTS, API_COSTS, DETERMINISM_COSTS, CLAIMS),
)
BY_NAME: Final = {table.name: table for table in TABLES}
