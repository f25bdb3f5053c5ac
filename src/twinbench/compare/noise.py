"""How far the scores of two equal models lie apart by chance alone."""

import math

from twinbench.analysis.intervals import binomial_se


def binomial_noise() -> str:
    """What a test set alone does to a difference of two accuracies, in words."""
    parts = []
    for score, examples in ((0.98, 10_000), (0.90, 10_000), (0.95, 1_000)):
        spread = 1.96 * math.sqrt(2) * binomial_se(100 * score, examples)
        parts.append(f"{spread:.1f} points at {100 * score:.0f} % on {examples:,} test images")
    return (
        "Two equal models, each trained once, differ by chance. The choice of test images alone accounts for up to "
        f"{', '.join(parts)} (95 % of cases); other seeds for weights and batches come on top. "
        "To see how large that is here, run with --data NAME --seeds 5."
    )
