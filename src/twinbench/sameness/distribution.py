"""Compares models that draw random numbers in ways of their own by the distribution of their outputs."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from twinbench.sameness.graph import TRAINING_ONLY
from twinbench.sameness.probes import draws_at_random, fitted, kept, outputs_of
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.subjects import Pair, Subject

DRAWS = 64
"""How often each model is called."""

SIGNIFICANCE = 1e-6


def at_random(pair: Pair, arrays: Sequence[np.ndarray], *, training: bool) -> bool:
    """Whether one of two models draws random numbers; B holds A's weights, and there is one batch for each input."""
    with without_noise(pair.a.model, pair.b.model, silenced=False):
        for one, inputs in ((pair.a, list(arrays)), (pair.b, fitted(arrays, pair.b))):
            with kept(one, only_state=True):
                base = outputs_of(one, inputs, training)
            if draws_at_random(one, inputs, base, training):
                return True
    return False


def same_draws(pair: Pair) -> bool:
    """Whether both models draw by the same operations without a state, so that both get the same numbers."""
    sides = []
    for one in (pair.a, pair.b):
        kinds = [node.kind for node in one.graph.nodes] if one.graph is not None else ["Random"]
        sides.append(sorted(kind for kind in kinds if "Random" in kind or kind in TRAINING_ONLY))
    return sides[0] == sides[1] and all(kind.startswith("Stateless") or "Random" not in kind for kind in sides[0])


def same_distribution(pair: Pair, arrays: Sequence[np.ndarray], *, training: bool) -> bool:
    """Whether the outputs of two models have the same mean and spread over many draws.

    Args:
        pair: The models, B with A's weights.
        arrays: One batch for each input.
        training: The mode in which they are called.
    """
    sides = [(pair.a, list(arrays)), (pair.b, fitted(arrays, pair.b))]
    first, second = (_drawn(one, inputs, training) for one, inputs in sides)
    extent = np.sqrt(first.var(0) + second.var(0))
    random = extent > 1e-5 * (np.abs(first.mean(0)) + 1e-6)
    if not np.allclose(first[:, ~random].mean(0), second[:, ~random].mean(0), rtol=1e-4, atol=1e-6):
        return False
    first, second = (values[:, random] / extent[random] for values in (first, second))
    means = stats.ttest_ind(first, second, equal_var=False).pvalue
    spreads = [np.abs(values - values.mean(0)).mean(1) for values in (first, second)]
    spread = stats.ttest_ind(*spreads, equal_var=False).pvalue
    return bool(np.nanmin(means, initial=1.0) >= SIGNIFICANCE / max(1, first.shape[1]) and spread >= SIGNIFICANCE)


def _drawn(one: Subject, arrays: Sequence[np.ndarray], training: bool) -> np.ndarray:
    """All outputs of many calls, one row a call."""
    rows: list[np.ndarray] = []
    for seed in range(DRAWS):
        with kept(one, only_state=True), without_noise(silenced=False, seed=seed + 100, repeated=False):
            rows.append(np.concatenate([output.ravel() for output in outputs_of(one, arrays, training)]))
    return np.stack(rows)
