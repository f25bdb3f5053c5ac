"""Tables of runs drawn at random, put through the code that makes the tables and verdicts of a real run.

Each simulated table is a dataset of its own, whose variants all stand beside one reference, as in a real table. So
thousands of tables go through `compare_variants` at once, since a dataset changes nothing in another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from twinbench.analysis.claims.evidence import Evidence
from twinbench.analysis.claims.scores import sequential_scores_lower
from twinbench.analysis.comparisons import SAME, Verdict, compare_variants
from twinbench.analysis.settling import compare_at_looks
from twinbench.config.model import Settle

MARGIN: Final = 0.5
CONFIDENCE: Final = 0.95
# Variants in a table.
FAMILY: Final = 6
# Numbers of seeds at which someone looks who adds seeds until a comparison is decided.
LOOKS: Final = (3, 5, 10)
_IMAGES: Final = 10_000

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
Fail = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(std: float) -> Draw:
    """Scores with this standard deviation between seeds, in points."""
    return lambda rng, shape: np.round(rng.normal(98, std, shape), 2)


def small_test_set(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Scores on 360 images."""
    logit = np.log(0.98 / 0.02) + 0.15 * rng.normal(size=shape)
    return 100 * rng.binomial(360, 1 / (1 + np.exp(-logit))) / 360


def long_tail(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Scores of which a few are much worse."""
    return np.round(99.5 - rng.exponential(0.3, shape), 2)


@dataclass(frozen=True)
class TableScenario:
    """How the scores of a table come about.

    Attributes:
        name: in the documentation.
        reference: draws the reference's scores.
        variant: draws a variant's, before its difference is added.
        differences: true difference of each variant, in points.
        failing: probability that a run fails, of the reference's and of a variant's.
        images: in the test set.
    """

    name: str
    reference: Draw
    variant: Draw
    differences: tuple[float, ...]
    failing: tuple[float, float] = (0.0, 0.0)
    images: int = _IMAGES


_NONE: Final = (0.0,) * FAMILY
_HALF: Final = (0.0,) * (FAMILY // 2) + (-MARGIN,) * (FAMILY // 2)
# A step of the small test set nearest to the margin: differences are whole images there.
_STEPS: Final = tuple(difference and -100 * 2 / 360 for difference in _HALF)
TABLES: Final = (
    TableScenario("nothing differs", normal(0.3), normal(0.3), _NONE),
    TableScenario("half differ by the margin", normal(0.3), normal(0.3), _HALF),
    TableScenario("all differ by the margin", normal(0.3), normal(0.3), (-MARGIN,) * FAMILY),
    TableScenario("all differ by half the margin", normal(0.1), normal(0.1), (-MARGIN / 2,) * FAMILY),
    TableScenario("half, variants spread 4 times as much", normal(0.1), normal(0.4), _HALF),
    TableScenario("half, 360 test images", small_test_set, small_test_set, _STEPS, images=360),
    TableScenario("half, long tails", long_tail, long_tail, _HALF),
    TableScenario("half, 10 % of runs fail", normal(0.3), normal(0.3), _HALF, failing=(0.1, 0.1)),
)
_LARGE: Final = 12
SETTLED: Final = (
    *TABLES,
    TableScenario("nothing differs", normal(0.35), normal(0.35), (0.0,) * _LARGE),
    TableScenario("all differ by a point", normal(0.35), normal(0.35), (-1.0,) * _LARGE),
    TableScenario(
        "half differ by a point", normal(0.35), normal(0.35), (0.0,) * (_LARGE // 2) + (-1.0,) * (_LARGE // 2)
    ),
)


def simulated_runs(scenario: TableScenario, n: int, tables: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the table `runs` of many simulated tables, with `n` seeds each."""
    variants = len(scenario.differences)
    scores = scenario.variant(rng, (tables, variants, n)) + np.array(scenario.differences)[:, None]
    scores = np.concatenate([scenario.reference(rng, (tables, 1, n)), scores], axis=1)
    failing = np.array([scenario.failing[0], *[scenario.failing[1]] * variants])[:, None]
    return table_of(scores, rng.random(scores.shape) < failing, scenario.images)


def table_of(scores: np.ndarray, failed: np.ndarray, images: int = _IMAGES) -> pd.DataFrame:
    """Return the table `runs` of scores (tables, 1 + variants, n), whose first variant is the reference."""
    names = ["functional", *(f"sequential_{number}" for number in range(scores.shape[1] - 1))]
    table, variant, seed = (index.ravel() for index in np.indices(scores.shape))
    return pd.DataFrame(
        {
            "dataset": pd.Series(table).map(str),
            "architecture": "mlp",
            "variant": np.array(names)[variant],
            "kind": np.where(variant == 0, "reference", "twin"),
            "seed": seed,
            "status": np.where(failed.ravel(), "failed", "ok"),
            "score_name": "accuracy",
            "test_examples": images,
            "test_score": np.where(failed, np.nan, scores).ravel(),
            "final_weights_sha256": None,
        }
    )


def compared(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the table `comparisons` of simulated runs."""
    return compare_variants(runs, margin=MARGIN, confidence=CONFIDENCE)


def false_claims(comparisons: pd.DataFrame, differences: tuple[float, ...]) -> "tuple[pd.Series, pd.Series]":
    """Return by table whether a difference is claimed where there is none, and equality at the margin or beyond."""
    names = [f"sequential_{number}" for number in range(len(differences))]
    truth = comparisons["variant"].map(dict(zip(names, differences, strict=True)))
    claimed = comparisons["verdict"].isin([Verdict.DIFFERENT, Verdict.DIFFERENT_WITHIN_MARGIN])
    alike = comparisons["verdict"].isin(SAME)
    by_table = comparisons["dataset"]
    return (claimed & (truth == 0)).groupby(by_table).any(), (alike & (truth.abs() >= MARGIN)).groupby(by_table).any()


def table_rates(scenario: TableScenario, n: int, *, tables: int, rng: np.random.Generator) -> dict[str, object]:
    """Measure how often a table of one scenario holds a false claim, and how often claim C1 is decided wrongly."""
    comparisons = compared(simulated_runs(scenario, n, tables, rng))
    difference, equality = false_claims(comparisons, scenario.differences)
    evidence = {dataset: Evidence({"comparisons": rows}) for dataset, rows in comparisons.groupby("dataset")}
    verdicts = pd.Series([str(sequential_scores_lower(rows, str(name)).verdict) for name, rows in evidence.items()])
    # C1 is about more than the margin: it is false of every table here, and of those of half it is not refuted either.
    wrong = verdicts.isin(["supported"]) | (verdicts.eq("refuted") & (min(scenario.differences) <= -MARGIN))
    return {
        "scenario": scenario.name,
        "n": n,
        "tables": tables,
        "any_false_difference": float(difference.mean()),
        "any_false_equality": float(equality.mean()),
        "any_false_claim": float((difference | equality).mean()),
        "c1_wrong": float(wrong.mean()),
        "undecided": float(comparisons["verdict"].eq(Verdict.UNDECIDED).mean()),
    }


def sequential_rates(scenario: TableScenario, *, tables: int, rng: np.random.Generator) -> dict[str, object]:
    """Measure false claims where seeds are added until a comparison is decided, and the first verdict is kept."""
    runs = simulated_runs(scenario, max(LOOKS), tables, rng)
    looks = [compared(runs[runs["seed"] < n]) for n in LOOKS]
    kept = looks[0]
    for comparisons in looks[1:]:
        waiting = kept["verdict"] == Verdict.UNDECIDED
        kept.loc[waiting, "verdict"] = comparisons.loc[waiting, "verdict"]
    difference, equality = false_claims(kept, scenario.differences)
    return {
        "scenario": scenario.name,
        "looks": " ".join(map(str, LOOKS)),
        "tables": tables,
        "any_false_claim": float((difference | equality).mean()),
    }


def settled_rates(scenario: TableScenario, *, tables: int, rng: np.random.Generator) -> dict[str, object]:
    """Measure false claims, verdicts and seeds where these are added at looks declared beforehand (`seeds: settle`)."""
    looks = Settle().looks
    runs = simulated_runs(scenario, looks[-1], tables, rng)
    comparisons = compare_at_looks(runs.assign(seed=runs["seed"] + 1), looks, margin=MARGIN, confidence=CONFIDENCE)
    difference, equality = false_claims(comparisons, scenario.differences)
    seeds = comparisons["look"].map(dict(enumerate(looks, 1)))
    return {
        "scenario": scenario.name,
        "comparisons": len(scenario.differences),
        "tables": tables,
        "any_false_claim": float((difference | equality).mean()),
        "decided": float(comparisons["verdict"].ne(Verdict.UNDECIDED).mean()),
        "mean_seeds": float(seeds.mean()),
        "mean_seeds_of_longest": float(seeds.groupby(comparisons["dataset"]).max().mean()),
    }


def collapse_rates(n: int, rate: float, *, tables: int, rng: np.random.Generator) -> dict[str, object]:
    """Measure what is said of a variant that loses 80 points in a share of its seeds, and is the same in all others."""
    scores = np.round(rng.normal(98, 0.1, (tables, 2, n)), 2)
    scores[:, 1] -= 80 * (rng.random((tables, n)) < rate)
    comparisons = compared(table_of(scores, np.zeros(scores.shape, bool)))
    alike = comparisons["verdict"].isin(SAME)
    limit = comparisons.loc[alike, "unseen_collapse"]
    return {
        "n": n,
        "collapse_rate": 100 * rate,
        "tables": tables,
        "called_alike": float(alike.mean()),
        "not_excluded": float(limit.iloc[0]) if len(limit) else float("nan"),
        "called_alike_and_rate_excluded": float((alike & (comparisons["unseen_collapse"] < 100 * rate)).mean()),
    }
