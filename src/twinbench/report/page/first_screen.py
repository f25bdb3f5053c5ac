"""The chart of the first screen: what the API, chance and the costliest changes do to the score, as bars."""

from dataclasses import dataclass

from twinbench.analysis.claims import Answer


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        name: what it is the effect of.
        text: the effect in points, in words.
        percent: its length, 0 to 100.
        look: api, chance or fault.
    """

    name: str
    text: str
    percent: float
    look: str


def bars(answer: Answer) -> list[Bar]:
    """Return the bars: the API, chance, then the costliest changes; none where there is nothing to compare."""
    largest = max([abs(cost.points) for cost in answer.worst], default=0.0)
    shown = []
    if answer.api_points is not None:
        points = answer.api_points
        text = "0 (bit-identical)" if answer.identical else f"at most {abs(points):.1f}"
        shown.append((answer.words.change, text, points, "api"))
        largest = max(largest, abs(points))
    if answer.chance_points is not None:
        low, high = answer.chance_points
        shown.append(("another seed", f"±{low:.1f} to {high:.1f}" if low < high else f"±{high:.1f}", high, "chance"))
        largest = max(largest, high)
    shown += [
        (cost.name, f"\N{MINUS SIGN}{abs(cost.points):.1f}" + ("" if cost.sure else " (likely)"), cost.points, "fault")
        for cost in answer.worst
    ]
    return [Bar(name, text, round(100 * abs(points) / (largest or 1.0), 1), look) for name, text, points, look in shown]
