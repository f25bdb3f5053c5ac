"""Tables made by hand that support, refute or leave open a claim."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from twinbench.analysis.claims import decide_claims

DATASET = "digits"


def comparison(architecture: str, variant: str, verdict: str, mean: float = 0.0, **other: Any) -> dict[str, Any]:
    """One row of the table `comparisons`."""
    return {
        "dataset": DATASET,
        "architecture": architecture,
        "variant": variant,
        "kind": "twin",
        "n": 3,
        "failed_alone": 0,
        "verdict": verdict,
        "mean_difference": mean,
        "ci_low": mean - 0.1,
        "ci_high": mean + 0.1,
        "margin": 0.5,
        "collapsed": 0,
        "at_chance": False,
    } | other


def plan(architecture: str, variant: str, config_line: str, verdict: str = "undecided") -> dict[str, Any]:
    """One row of the table `seeds_needed`."""
    return {
        "dataset": DATASET,
        "architecture": architecture,
        "variant": variant,
        "verdict": verdict,
        "config_line": config_line,
    }


def counted(architecture: str, variant: str, parameters: int | None, **other: Any) -> dict[str, Any]:
    """One row of the table `parameters`."""
    return {
        "dataset": DATASET,
        "architecture": architecture,
        "variant": variant,
        "kind": "twin",
        "parameters": parameters,
        "parameters_per_call": parameters,
        "difference_to_reference": 0,
    } | other


def rungs(architecture: str, variant: str, outcomes: Mapping[int, str], **other: Any) -> list[dict[str, Any]]:
    """The rungs of one variant in the table `ladder`; those that are not named pass."""
    return [
        {
            "dataset": DATASET,
            "architecture": architecture,
            "variant": variant,
            "kind": "twin",
            "rung": number,
            "name": f"rung {number}",
            "outcome": outcomes.get(number, "pass"),
            "value": 0.0,
            "sentence": f"Sentence of rung {number}.",
        }
        | other
        for number in range(1, 9)
    ]


def gradient(architecture: str, variant: str, first_layer: Sequence[float], **other: Any) -> list[dict[str, Any]]:
    """Rows of the table `gradients`: one seed for each norm of the first of two layers, whose second has norm 1."""
    return [
        {
            "dataset": DATASET,
            "architecture": architecture,
            "variant": variant,
            "kind": "twin",
            "depth": 8,
            "seed": seed,
            "step": 0,
            "layer": ("first", "second")[index],
            "layer_index": index,
            "gradient_norm": (norm, 1.0)[index],
            "update_norm": 0.1,
        }
        | other
        for seed, norm in enumerate(first_layer, start=1)
        for index in (0, 1)
    ]


def cost(variant: str, quantity: str, verdict: str, percent: float, high: float, **other: Any) -> dict[str, Any]:
    """One row of the table `api_costs`."""
    return {
        "dataset": DATASET,
        "architecture": "mlp",
        "variant": variant,
        "kind": "twin",
        "quantity": quantity,
        "n": 7,
        "difference_percent": percent,
        "difference_low": 2 * percent - high,
        "difference_high": high,
        "verdict": verdict,
    } | other


def decided(claim: str, **tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The row of the table `claims` for one claim, from rows of tables."""
    frames = {name: pd.DataFrame(list(rows)) for name, rows in tables.items()}
    table = decide_claims(frames)
    return next(row for row in table.to_dict("records") if row["claim"] == claim)
