"""The rule of C5: does a Sequential replica of a residual network pass gradients on to its first layer?"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from twinbench.analysis.claims.entry import LEAST_SEEDS, ClaimVerdict, Finding, Stance, unmeasured
from twinbench.analysis.claims.evidence import Evidence, Row, cite, is_sequential
from twinbench.analysis.claims.scores import score_phrase
from twinbench.analysis.intervals import t_interval

ARCHITECTURES = ("residual_cnn", "deep_residual_mlp")
# A first layer whose gradient is this many times larger or smaller than the reference's does not get what that gets.
# The number is a choice, so the verdicts with others are published beside it.
DISTORTED = 10.0
OTHER_FACTORS = (2.0, 3.0, 5.0, 20.0, 50.0, 100.0)
# Norms this close, relative to each other, are equal but for the order of float32 sums.
EQUAL = 1e-3
# Of all intervals of one dataset together, and the smallest spread of a ratio's logarithm that float32 can show.
_CONFIDENCE = 0.95
_RESOLUTION = 1e-6
_SMALLEST = float(np.finfo(np.float64).tiny)


def first_layer_ratios(gradients: pd.DataFrame, reference: pd.DataFrame, step: int) -> pd.Series:
    """Return, by seed, the first layer's gradient norm over the reference's.

    Args:
        gradients: rows of one variant, dataset, architecture and depth in the table `gradients`.
        reference: likewise of the reference.
        step: after how many steps; 0 is initialisation.
    """
    norms, reference_norms = (
        table[(table["step"] == step) & (table["layer_index"] == table["layer_index"].min())]
        .set_index("seed")["gradient_norm"]
        .clip(lower=_SMALLEST)
        for table in (gradients, reference)
    )
    ratios: pd.Series[float] = (norms / reference_norms).dropna()
    return ratios


def _equal_everywhere(gradients: pd.DataFrame, reference: pd.DataFrame) -> bool:
    """Return whether all norms equal the reference's, layer by layer and step by step."""
    key = ["seed", "step", "layer_index"]
    reference = reference[reference["seed"].isin(gradients["seed"])]
    norms, reference_norms = (table.set_index(key)["gradient_norm"] for table in (gradients, reference))
    if norms.empty or set(norms.index) != set(reference_norms.index):
        return False
    return bool(np.allclose(norms, reference_norms.reindex(norms.index), rtol=EQUAL, atol=0))


def distortion(ratios: pd.Series, factor: float, confidence: float) -> Stance:
    """Return whether the gradient fades or blows up on its way, by more than a factor.

    For when the whole interval over seeds lies beyond the factor on one side, against when it lies within, else open.
    """
    if len(ratios) < LEAST_SEEDS:
        return Stance.OPEN
    interval = t_interval(np.log(ratios.to_numpy(np.float64)), confidence=confidence, resolution=_RESOLUTION)
    low, high, limit = float(interval.low), float(interval.high), float(np.log(factor))
    if high < -limit or low > limit:
        return Stance.FOR
    return Stance.AGAINST if -limit < low and high < limit else Stance.OPEN


class _Measured:
    """What was measured of one Sequential variant of one architecture, by depth.

    Attributes:
        ratios: at each depth, those of initialisation and of the last measured step; none where all norms are equal.
        seeds: at each depth, how many there are.
    """

    def __init__(self, variant: Row, gradients: pd.DataFrame, reference: pd.DataFrame) -> None:
        self.variant = variant
        self.is_twin = variant["kind"] == "twin"
        self.ratios: dict[int, list[pd.Series[float]]] = {}
        self.seeds: dict[int, int] = {}
        words = []
        for depth in sorted(set(gradients["depth"]) & set(reference["depth"])):
            at_depth, reference_at_depth = (table[table["depth"] == depth] for table in (gradients, reference))
            self.seeds[depth], by_step = at_depth["seed"].nunique(), {}
            if _equal_everywhere(at_depth, reference_at_depth):
                words.append("equal in every layer")
            else:
                steps = sorted(set(at_depth["step"]) & set(reference_at_depth["step"]))
                by_step = {
                    step: first_layer_ratios(at_depth, reference_at_depth, step)
                    for step in (steps[:1] + steps[1:][-1:])
                }
                words.append(" and ".join(_times(ratios, step) for step, ratios in by_step.items()))
            self.ratios[depth] = list(by_step.values())
        depths = [f"{depth} blocks" for depth in self.ratios]
        said = words[:1] if len(set(words)) == 1 else words
        where = [", ".join(depths)] if len(set(words)) == 1 else depths
        name = f"{variant['architecture']}/{variant['variant']}"
        self.phrase = f"{name} {', '.join(f'{word} ({place})' for word, place in zip(said, where, strict=True))}"

    def stances(self, factor: float, confidence: float) -> list[Stance]:
        """Return at each depth whether the gradient is distorted there."""
        return [
            _worst([distortion(ratios, factor, confidence) for ratios in self.ratios[depth]])
            if self.seeds[depth] >= LEAST_SEEDS
            else Stance.OPEN
            for depth in self.ratios
        ]


def _worst(stances: Sequence[Stance]) -> Stance:
    """Return what initialisation and the last measured step say together: distorted at either is distorted."""
    return next((stance for stance in (Stance.FOR, Stance.OPEN) if stance in stances), Stance.AGAINST)


def _times(ratios: pd.Series, step: int) -> str:
    when = "at initialisation" if step == 0 else f"after {step} steps"
    if ratios.empty:
        return f"unpaired {when}"
    ratio = float(np.exp(np.log(ratios).mean()))
    return f"{f'{ratio:,.0f}' if ratio >= 10 else f'{ratio:.2g}'} times {when}"


def sequential_loses_gradients(evidence: Evidence, dataset: str) -> Finding:
    """C5: written with Sequential, a residual network does not pass gradients on to its first layers.

    Two Sequentials stand for the replica: one that keeps the skip connection inside a composite layer (a twin), and
    one that drops it (a lookalike). If only in the second it fades or blows up, it depends on the skip, not the API.
    """
    measured = [result for name in ARCHITECTURES for result in _measure(evidence, dataset, name)]
    twins = [result for result in measured if result.is_twin]
    if not twins:
        return unmeasured(
            "Gradients were not measured in a Sequential that keeps the skip connection",
            f"Add {' or '.join(ARCHITECTURES)} to `architectures`, with all variants",
        )
    without_skip = [result for result in measured if not result.is_twin]
    intervals = sum(len(ratios) for result in measured for ratios in result.ratios.values())
    confidence = 1 - (1 - _CONFIDENCE) / max(intervals, 1)

    def verdict_at(factor: float) -> ClaimVerdict:
        return _verdict(
            *([s for m in several for s in m.stances(factor, confidence)] for several in (twins, without_skip))
        )

    verdict = verdict_at(DISTORTED)
    because = f"Gradient norm of the first layer against the Functional one's: {'; '.join(m.phrase for m in measured)}."
    because += f" {_robustness(verdict, {factor: verdict_at(factor) for factor in OTHER_FACTORS})}"
    scores = [row for result in measured for row in evidence.rows("comparisons", **_where(result.variant))]
    if scores:
        because += f" Scores: {'; '.join(score_phrase(row) for row in scores)}."
    lacking = ""
    if verdict is ClaimVerdict.INCONCLUSIVE:
        lacking = (
            "A Sequential that drops the skip connection, to compare with."
            if not without_skip
            else f"Intervals of the ratio over seeds that hold neither {DISTORTED:g} nor 1/{DISTORTED:g}."
        )
    variants = [result.variant for result in measured]
    return Finding(verdict, because, (*cite("gradients", variants), *cite("comparisons", scores)), lacking)


def _verdict(twins: Sequence[Stance], without_skip: Sequence[Stance]) -> ClaimVerdict:
    if Stance.FOR in twins:
        return ClaimVerdict.DEPENDS if Stance.AGAINST in twins else ClaimVerdict.SUPPORTED
    if Stance.OPEN in twins or not without_skip:
        return ClaimVerdict.INCONCLUSIVE
    if Stance.FOR in without_skip:
        return ClaimVerdict.DEPENDS
    return ClaimVerdict.INCONCLUSIVE if Stance.OPEN in without_skip else ClaimVerdict.REFUTED


def _robustness(verdict: ClaimVerdict, others: Mapping[float, ClaimVerdict]) -> str:
    """Return at which other factors the verdict is the same, as a sentence."""
    limits = f"from {min(others):g} to {max(others):g}"
    changed = [f"{other} at {factor:g}" for factor, other in others.items() if other is not verdict]
    if not changed:
        return f"Distorted means by a factor of {DISTORTED:g}; the verdict is the same for factors {limits}."
    return f"Distorted means by a factor of {DISTORTED:g}; of others {limits} the verdict is {', '.join(changed)}."


def _where(variant: Row) -> Row:
    return {name: variant[name] for name in ("dataset", "architecture", "variant")}


def _measure(evidence: Evidence, dataset: str, architecture: str) -> list[_Measured]:
    rows = pd.DataFrame(evidence.rows("gradients", dataset=dataset, architecture=architecture))
    if rows.empty:
        return []
    rows = rows[rows["layer_index"].notna()]  # without are those that could not be measured
    reference = rows[rows["kind"] == "reference"]
    results = []
    for _, gradients in rows[rows["kind"] != "reference"].groupby("variant", sort=False):
        variant = gradients.iloc[0].to_dict()
        if is_sequential(variant):
            results.append(_Measured(variant, gradients, reference))
    return [result for result in results if result.ratios]
