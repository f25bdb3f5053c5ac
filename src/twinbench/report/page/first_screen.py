"""The chart of the first screen: what the API or a model of one's own, chance and the costliest changes do, as bars."""

from dataclasses import dataclass

from twinbench.analysis.claims import Answer, OwnModelsAnswer


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


def bars(answer: Answer | OwnModelsAnswer) -> list[Bar]:
    """Return the bars: the API, chance, then the costliest changes, or models of a person's own and chance.

    There are none where there is nothing to compare.
    """
    chance = []
    if answer.chance_points is not None:
        low, high = answer.chance_points
        chance = [("another seed", f"±{low:.1f} to {high:.1f}" if low < high else f"±{high:.1f}", high, "chance")]
    if isinstance(answer, OwnModelsAnswer):
        shown = [(effect.name, effect.text, effect.points, effect.look) for effect in answer.effects]
        shown += chance
    else:
        shown = []
        if answer.api_points is not None:
            points = answer.api_points
            text = "0 (bit-identical)" if answer.identical else f"at most {abs(points):.1f}"
            shown.append(("Sequential instead of Functional", text, points, "api"))
        shown += chance
        shown += [
            (
                cost.name,
                f"\N{MINUS SIGN}{abs(cost.points):.1f}" + ("" if cost.sure else " (unconfirmed)"),
                cost.points,
                "fault",
            )
            for cost in answer.worst
        ]
    largest = max((abs(points) for _, _, points, _ in shown), default=0.0) or 1.0
    return [Bar(name, text, round(100 * abs(points) / largest, 1), look) for name, text, points, look in shown]
