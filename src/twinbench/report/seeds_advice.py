"""How many seeds are worth running: what 10 and 50 of them would settle, in sentences computed from the plan."""

from typing import Final

import pandas as pd

from twinbench.analysis.comparisons import Verdict

# More seeds than the last of these are not worth their time for any of the questions here.
MILESTONES: Final = (10, 50, 200)


def open_to_chance(plan: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons of the table `seeds_needed` that chance has a part in: not the bit-identical ones."""
    return plan[plan["verdict"] != "identical"].reset_index(drop=True)


def seeds_wanted(plan: pd.DataFrame) -> "pd.Series[float]":
    """Return for each comparison the seeds that settle it: 0 where it is settled, NaN where no number does.

    Args:
        plan: rows of the table `seeds_needed`.
    """
    wanted = pd.to_numeric(plan["config_line"].astype("string").str.extract(r"(\d+)", expand=False)).astype(float)
    return wanted.mask(plan["verdict"].ne("undecided"), 0.0)


def milestones(plan: pd.DataFrame) -> tuple[int, int]:
    """Return the two numbers of seeds of which to say what they settle: beyond the present one."""
    present = int(plan["n"].max()) if len(plan) else 0
    beyond = [seeds for seeds in MILESTONES if seeds > present]
    return (beyond[0], beyond[1]) if len(beyond) > 1 else (2 * present, 5 * present)


def plan_in_brief(plan: pd.DataFrame) -> str:
    """Return what 10 and 50 seeds settle, in a clause."""
    wanted = seeds_wanted(plan)
    settled = int(wanted.eq(0).sum())
    total = len(plan)
    if not total:
        return "Every comparison is bit-identical: more seeds change nothing"
    if settled == total:
        return f"The present seeds settle {'the only comparison' if total == 1 else f'all {total:,} comparisons'}"
    few, many = milestones(plan)
    with_few, with_many = (int(wanted.le(seeds).sum()) for seeds in (few, many))
    if with_many == settled:
        return f"The present seeds settle {settled:,} of {total:,} comparisons, {many} seeds would settle no more"
    return f"{few} seeds settle {with_few:,} of {total:,} comparisons, {many} settle {with_many:,}"


def looks_in_brief(comparisons: pd.DataFrame, runs: pd.DataFrame) -> str:
    """Return how many verdicts fell at each look and what that cost; empty where the number of seeds is fixed.

    Args:
        comparisons: the table of that name.
        runs: the table `runs`.
    """
    if "look" not in comparisons or comparisons["look"].isna().all():
        return ""
    parts = []
    for look, rows in comparisons.groupby("look"):
        settled = int(rows["verdict"].ne(Verdict.UNDECIDED).sum())
        parts.append(f"look {look} ({rows['n'].max()} seeds) settled {settled} of {len(rows)}")
    trained = runs.groupby(["dataset", "architecture", "variant"])["seed"].size()
    alike = int(trained.groupby("dataset").agg(lambda counts: len(counts) * counts.max()).sum())
    left = int(comparisons["verdict"].eq(Verdict.UNDECIDED).sum())
    return (
        "Seeds were added at looks that were declared beforehand, and the error is spread over them. Of the "
        f"comparisons that ended there, {'; '.join(parts)}. {f'{left} stayed undecided. ' if left else ''}It took "
        f"{int(trained.sum()):,} runs; as many seeds for every variant would have taken {alike:,}."
    )


def seeds_advice(plan: pd.DataFrame) -> str:
    """Return how many seeds to run next, and which comparisons are not worth it; empty without a plan."""
    if plan.empty:
        return ""
    plan = open_to_chance(plan)
    wanted = seeds_wanted(plan)
    opening = f"{plan_in_brief(plan)}."
    few, many = milestones(plan)
    settled, with_few, with_many = (int(wanted.le(seeds).sum()) for seeds in (0, few, many))
    if settled == len(plan):
        return opening
    left = len(plan) - with_many
    parts = [opening]
    if left:
        parts.append(
            f"The other {left:,} {'is' if left == 1 else 'are'} not worth the time: "
            f"{'it needs' if left == 1 else 'they need'} more than {many} seeds, or {'has' if left == 1 else 'have'} "
            "nothing to compare with."
        )
    step = few if with_few > settled else many if with_many > settled else 0
    if step:
        parts.append(
            f"To go on: `seeds: {step}` in the configuration; finished runs are kept. Choose the number once: adding "
            "seeds until a comparison is decided more than doubles the false verdicts. `seeds: settle` adds them at "
            "looks declared beforehand, and pays for each."
        )
    return " ".join(parts)
