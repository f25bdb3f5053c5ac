"""Measure how well the statistics are calibrated, and write the tables of `docs/calibration.md`.

    python benchmarks/calibration.py                  # measure everything (10 minutes) and write docs/
    python benchmarks/calibration.py --table power    # measure one table again
    python benchmarks/calibration.py --render         # write the document's tables from the stored CSV files

Every number goes through the functions that make the tables of a real run.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from scipy import optimize, stats

from benchmarks import simulated_tables
from benchmarks.simulated_tables import collapse_rates, sequential_rates, settled_rates, table_rates
from twinbench.analysis.intervals import Floats, t_interval
from twinbench.analysis.paired_tests import equivalence_p, paired_t_p
from twinbench.analysis.power import difference_power, equivalence_power, smallest_number_of_seeds, upper_std

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
LEVEL: Final = 0.05
CONFIDENCE: Final = 1 - LEVEL
_SEED: Final = 20_250_130
SEEDS: Final = (3, 5, 8, 10, 15, 20, 30)

Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]


def _near(accuracy: float, spread: float, images: int) -> Draw:
    """Scores whose true accuracy varies between seeds on the logit scale, seen on a test set of `images`."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        logit = np.log(accuracy / (1 - accuracy)) + spread * rng.normal(size=shape)
        return 100 * rng.binomial(images, 1 / (1 + np.exp(-logit))) / images

    return draw


@dataclass(frozen=True)
class Scenario:
    """One kind of scores: how a seed draws them, and the test set's step in points."""

    name: str
    draw: Draw
    resolution: float


SCENARIOS: Final = (
    Scenario("normal, 0.3 points between seeds", lambda rng, shape: np.round(rng.normal(98, 0.3, shape), 2), 0.01),
    Scenario("near 100 %: 99.5 % of 10,000 images", _near(0.995, 0.15, 10_000), 0.01),
    Scenario("small test set: 98 % of 360 images", _near(0.98, 0.15, 360), 100 / 360),
    Scenario("small and near 100 %: 99.5 % of 360 images", _near(0.995, 0.15, 360), 100 / 360),
    Scenario(
        "bad seeds: 99.5 % less an exponential tail",
        lambda rng, shape: np.round(99.5 - rng.exponential(0.3, shape), 2),
        0.01,
    ),
)


def paired_differences(scenario: Scenario, simulations: int, n: int, rng: np.random.Generator) -> Floats:
    """Return A/A differences in points, float64 (simulations, n): two draws from the same scenario."""
    shape = (simulations, n)
    return np.round(scenario.draw(rng, shape) - scenario.draw(rng, shape), 9)


def error_rates(scenario: Scenario, n: int, *, simulations: int, rng: np.random.Generator) -> dict[str, object]:
    """Measure one scenario and number of seeds on A/A data.

    Args:
        scenario: how scores are drawn.
        n: seeds.
        simulations: comparisons to simulate.
        rng: draws everything.
    """
    resolution = scenario.resolution
    differences = paired_differences(scenario, simulations, n, rng)
    p = paired_t_p(differences, resolution=resolution)
    ends = t_interval(differences, confidence=CONFIDENCE, resolution=resolution)
    # A true difference at the margin itself is where a false claim of equivalence is likeliest.
    margin = 2 * float(np.std(differences))
    at_margin = equivalence_p(differences + margin, margin=margin, resolution=resolution)
    scores = scenario.draw(rng, (simulations, n))
    truth = float(np.mean(scenario.draw(rng, (1, 1_000_000))))
    mean_ends = t_interval(scores, confidence=CONFIDENCE, resolution=resolution)
    return {
        "scenario": scenario.name,
        "n": n,
        "simulations": simulations,
        "t_false_positives": float(np.mean(p <= LEVEL)),
        "false_equivalence": float(np.mean(at_margin <= LEVEL)),
        "t_coverage": float(np.mean((ends.low <= 0) & (ends.high >= 0))),
        "mean_coverage": float(np.mean((mean_ends.low <= truth) & (truth <= mean_ends.high))),
    }


def planted_power(scenario: Scenario, n: int, *, simulations: int, rng: np.random.Generator) -> dict[str, object]:
    """Measure how often a planted difference is found and equivalence is shown, beside what `power` says."""
    std = float(np.std(paired_differences(scenario, 1, 1_000_000, rng)))
    # The difference that n seeds find with a probability of 0.8.
    planted = float(optimize.brentq(lambda d: difference_power(d, std, n, level=LEVEL) - 0.8, 0, 100 * std))
    found = paired_t_p(paired_differences(scenario, simulations, n, rng) + planted, resolution=scenario.resolution)
    margin = 1.2 * planted
    shown = equivalence_p(
        paired_differences(scenario, simulations, n, rng), margin=margin, resolution=scenario.resolution
    )
    return {
        "scenario": scenario.name,
        "n": n,
        "simulations": simulations,
        "planted_difference": planted,
        "power_predicted": difference_power(planted, std, n, level=LEVEL),
        "power_measured": float(np.mean(found <= LEVEL)),
        "margin": margin,
        "equivalence_predicted": equivalence_power(margin, std, n, level=LEVEL),
        "equivalence_measured": float(np.mean(shown <= LEVEL)),
    }


def pilot_plans(pilot: int, *, strata: int = 400) -> dict[str, object]:
    """Return what plans from a pilot reach: the true power of the seeds that `seeds_difference` asks for.

    The pilot's standard deviation takes one value for each of `strata` equally likely strata of its sampling
    distribution; true standard deviation and margin are 0.5 points.
    """
    true_std = margin = 0.5
    quantiles = stats.chi2.ppf((np.arange(strata) + 0.5) / strata, pilot - 1)
    reached: dict[str, list[float]] = {"estimate": [], "cautious": []}
    for std in true_std * np.sqrt(quantiles / (pilot - 1)):
        for plan, assumed in (("estimate", std), ("cautious", upper_std(std, pilot))):
            n = smallest_number_of_seeds(
                lambda k, assumed=assumed: difference_power(margin, assumed, k, level=LEVEL), 0.8
            )
            reached[plan].append(difference_power(margin, true_std, n or 0, level=LEVEL))
    return {
        "pilot_seeds": pilot,
        "power_planned": 0.8,
        "mean_power_of_plan": float(np.mean(reached["estimate"])),
        "plans_that_reach_it": float(np.mean(np.array(reached["estimate"]) >= 0.8)),
        "mean_power_of_cautious_plan": float(np.mean(reached["cautious"])),
        "cautious_plans_that_reach_it": float(np.mean(np.array(reached["cautious"]) >= 0.8)),
    }


TABLES: Final = ("tables", "sequential", "settled", "collapses", "error_rates", "power", "pilots")
# Numbers of seeds of whole tables, and how many of them there are for one simulated comparison.
TABLE_SEEDS: Final = (3, 5, 10)
TABLES_PER_SIMULATION: Final = 0.05


def csv_of(table: str) -> Path:
    """Return the stored file of a table."""
    return DOCS / f"calibration_{table}.csv"


def measure(table: str, simulations: int) -> None:
    """Measure one table and store it under docs/; every row has random numbers of its own."""
    cells = [(k, s, n) for k, s in enumerate(SCENARIOS) for n in SEEDS]
    if table == "error_rates":
        rows = [
            error_rates(s, n, simulations=simulations, rng=np.random.default_rng([_SEED, k, n])) for k, s, n in cells
        ]
    elif table == "power":
        rows = [
            planted_power(s, n, simulations=simulations, rng=np.random.default_rng([_SEED, k, n])) for k, s, n in cells
        ]
    elif table == "pilots":
        rows = [pilot_plans(n) for n in (3, 5, 10, 20)]
    else:
        rows = _whole_tables(table, round(simulations * TABLES_PER_SIMULATION))
    pd.DataFrame(rows).to_csv(csv_of(table), index=False, float_format="%.4f", lineterminator="\n")


def _whole_tables(table: str, tables: int) -> list[dict[str, object]]:
    """Measure what goes through the code that makes tables."""
    scenarios = list(enumerate(simulated_tables.TABLES))
    if table == "sequential":
        return [sequential_rates(s, tables=tables, rng=np.random.default_rng([_SEED, k])) for k, s in scenarios[:3]]
    if table == "settled":
        settled = enumerate(simulated_tables.SETTLED)
        return [settled_rates(s, tables=tables, rng=np.random.default_rng([_SEED, k])) for k, s in settled]
    if table == "collapses":
        cells = [(n, rate) for n in TABLE_SEEDS for rate in (0.05, 0.2, 0.5)]
        return [
            collapse_rates(n, rate, tables=tables, rng=np.random.default_rng([_SEED, n, round(100 * rate)]))
            for n, rate in cells
        ]
    return [
        table_rates(s, n, tables=tables, rng=np.random.default_rng([_SEED, k, n]))
        for k, s in scenarios
        for n in TABLE_SEEDS
    ]


def rendered(table: str) -> str:
    """Return a stored table as Markdown; one of many rows in brief, a row for each scenario."""
    rows = pd.read_csv(csv_of(table))
    if table in _IN_BRIEF:
        rows = rows.assign(shortfall=rows.get("equivalence_predicted", 0) - rows.get("equivalence_measured", 0))
        scenarios = rows.groupby("scenario", sort=False)
        rows = pd.DataFrame(
            {title: scenarios[column].agg(worst) for title, (column, worst) in _IN_BRIEF[table].items()}
        )
        rows = rows.reset_index()
    rows.columns = [name.replace("_", " ") for name in rows.columns]
    return rows.map(_shown).to_markdown(index=False, disable_numparse=True)


def _shown(value: object) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


# Title, column of the stored table, and which of the numbers of seeds is shown: the worst.
_IN_BRIEF: Final = {
    "tables": {
        "any false difference": ("any_false_difference", "max"),
        "any false equality": ("any_false_equality", "max"),
        "any false claim": ("any_false_claim", "max"),
        "C1 wrong": ("c1_wrong", "max"),
        "undecided": ("undecided", "max"),
    },
    "error_rates": {
        "t false positives": ("t_false_positives", "max"),
        "false equivalence": ("false_equivalence", "max"),
        "t coverage": ("t_coverage", "min"),
        "mean coverage": ("mean_coverage", "min"),
    },
    "power": {
        "power, least": ("power_measured", "min"),
        "power, most": ("power_measured", "max"),
        "equivalence, most below its prediction": ("shortfall", "max"),
    },
}


def with_tables(document: str) -> str:
    """Return the document with what stands between each table's markers replaced by the stored table."""
    for table in TABLES:
        begin, end = f"<!-- calibration {table} -->\n", f"\n<!-- end of {table} -->"
        before, rest = document.split(begin)
        document = before + begin + "\n" + rendered(table) + "\n" + end + rest.split(end, maxsplit=1)[1]
    return document


def main() -> None:
    """Measure, unless only asked to render, and write the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--render", action="store_true", help="only write the stored tables into the document")
    parser.add_argument("--table", choices=TABLES, action="append", help="measure only this table")
    parser.add_argument("--simulations", type=int, default=20_000)
    options = parser.parse_args()
    for table in [] if options.render else options.table or TABLES:
        measure(table, options.simulations)
    document = DOCS / "calibration.md"
    document.write_text(with_tables(document.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
