"""The answer at the top of the page, made from the tables: is it the API, what does chance do, what costs points?

Where models of a person's own were trained, it is about them (`own_models`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from twinbench.analysis.agreement import agreement_sentence
from twinbench.analysis.claims.entry import Stance
from twinbench.analysis.claims.evidence import Evidence, Row, is_sequential, known, named, number_of
from twinbench.analysis.claims.lines import CHECK, Line, chance_line, seed_gaps
from twinbench.analysis.claims.own_models import OwnModelsAnswer, answer_on_own_models
from twinbench.analysis.claims.scores import lower_score
from twinbench.analysis.comparisons import Verdict
from twinbench.analysis.outputs import API_ROW
from twinbench.analysis.suspects import Standing, standing_of

_MOST = 4
_NOT_THE_API = "It isn't the API:"
QUESTION = "My Sequential model scores lower than my Functional one, though they are the same. Why?"


@dataclass(frozen=True)
class Cost:
    """What one change does to the score.

    Attributes:
        name: of the change.
        points: that it costs, as a negative number, or gains; the mean over all datasets.
        sure: whether that holds after correction for the number of changes that were tried.
    """

    name: str
    points: float
    sure: bool = True


@dataclass(frozen=True)
class Answer:
    """The first screen.

    Attributes:
        api: is it the API?
        chance: how far do two runs of one model end apart?
        costs: what does cost points; the changes follow it.
        worst: the costliest changes, at most four.
        chance_points: the smallest and the largest mean gap between two seeds; None where that is not known.
        api_points: the largest mean difference between the two of a pair; None where no pair was trained.
        identical: whether every pair ended bit-identical.
        images: on how many test images runs disagree, in a sentence; empty where that was not counted.
    """

    api: Line
    chance: Line
    costs: Line
    worst: tuple[Cost, ...]
    chance_points: tuple[float, float] | None
    api_points: float | None
    identical: bool
    images: str = ""
    question: ClassVar = QUESTION
    next: ClassVar = Line("Check your own two models:", CHECK)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the first screen."""
        return self.api, self.chance, self.costs

    @property
    def sentences(self) -> list[str]:
        """The same in words alone."""
        worst = ", ".join(
            f"{cost.name} ({cost.points:+.1f}{'' if cost.sure else ', unconfirmed'})" for cost in self.worst
        )
        lines = [f"**{line.lead}** {line.text}" for line in self.lines]
        costs = lines[2].removesuffix(".") + (f": {worst}." if worst else ".")
        return [*lines[:2], *([self.images] if self.images else []), costs]


def answer(tables: Mapping[str, pd.DataFrame]) -> Answer | OwnModelsAnswer:
    """Return the answer.

    Args:
        tables: tables by name: `comparisons`, `noise_floor` and `suspects`, of which a missing or empty one makes its
            line say so; `ladder` and `runs`, if there are models of a person's own; and `agreement`, whose sentence is
            there if it is.
    """
    evidence = Evidence(tables)
    images = agreement_sentence(tables["agreement"]) if evidence.rows("agreement") else ""
    pairs = [row for row in evidence.rows("comparisons", kind="twin") if is_sequential(row)]
    if evidence.rows("comparisons", kind="candidate") or evidence.rows("ladder", kind="candidate"):
        return answer_on_own_models(evidence, images, [api_line(pairs)] if pairs else [])
    gaps = seed_gaps(evidence)
    costs, worst = _costs(evidence)
    measured = [float(row["mean_difference"]) for row in pairs if known(row["mean_difference"])]
    return Answer(
        api=api_line(pairs),
        chance=chance_line(gaps),
        costs=costs,
        worst=worst,
        chance_points=(gaps[0], gaps[-1]) if gaps else None,
        api_points=max(measured, key=abs, default=None),
        identical=bool(pairs) and all(row["verdict"] == Verdict.IDENTICAL for row in pairs),
        images=images,
    )


def api_line(pairs: Sequence[Row]) -> Line:
    """Return whether it is the API, from the rows of `comparisons` of the Sequential twins."""
    if not pairs:
        return Line("Not tested here:", "no network was trained both as Sequential and as Functional.")
    stances = {stance: [row for row in pairs if lower_score(row) is stance] for stance in Stance}
    lower, undecided = stances[Stance.FOR], stances[Stance.OPEN]
    against = stances[Stance.AGAINST]
    identical = [row for row in against if row["verdict"] == Verdict.IDENTICAL]
    apart = [row for row in against if row["verdict"] == Verdict.DIFFERENT]
    total = number_of(len(pairs), "pair")
    if lower:
        lead = "It is the API:" if len(lower) == len(pairs) else "In part it is the API:"
        text = f"Sequential scores lower in {len(lower)} of {total} ({_listed(lower)})."
        return Line(lead, f"{text}{_failures(pairs)}")
    if len(identical) == len(pairs):
        return Line(
            _NOT_THE_API, f"Sequential and Functional end with bit-identical weights in {len(pairs)} of {total}."
        )
    small = len(against) - len(identical) - len(apart)
    parts = [f"bit-identical in {len(identical)}"] if identical else []
    if small:
        unseen = [row["unseen_collapse"] for row in against if known(row.get("unseen_collapse"))]
        beside = f" (a collapse in up to {max(unseen):.0f} % of seeds not excluded)" if unseen else ""
        parts.append(f"within {pairs[0]['margin']:g} points in {small}{beside}")
    parts += [f"higher in {len(apart)} ({_listed(apart)})"] if apart else []
    if not undecided:
        return Line(_NOT_THE_API, f"of {total}, Sequential is {', '.join(parts)}, and lower in none.")
    if not parts:
        text = f"these runs cannot say whether Sequential scores lower, in any of {total}."
        return Line("Undecided:", f"{text}{_failures(pairs)}")
    text = f"of {total}, Sequential is {', '.join(parts)}, and undecided in {len(undecided)}"
    return Line("No sign that it is the API:", f"{text}; shown to be lower in none.{_failures(pairs)}")


def _failures(rows: Sequence[Row]) -> str:
    """Return in which pairs only one of the two failed, as a sentence; empty where in none."""
    alone = [row for row in rows if row["failed_alone"]]
    names = ", ".join(f"{named(row)} in {number_of(int(row['failed_alone']), 'seed')}" for row in alone)
    return f" Only one of the two failed: {names}." if alone else ""


def _listed(rows: Sequence[Row]) -> str:
    return ", ".join(f"{named(row)} {row['mean_difference']:+.2f} points" for row in rows)


def _costs(evidence: Evidence) -> tuple[Line, tuple[Cost, ...]]:
    lead = "What does cost points:"
    suspects = [row for row in evidence.rows("suspects") if standing_of(row) is not Standing.CONTROL]
    suspects = [row for row in suspects if row["suspect"] != API_ROW]
    if suspects:
        worst = _worst([(str(row["suspect"]).replace("_", " "), standing_of(row), row) for row in suspects])
        tried = number_of(len({row["suspect"] for row in suspects}), "planted mistake")
        none = f"none of {tried} is shown to, with so few seeds."
        return Line(lead, _up_to("mistakes", worst) or none), worst
    others = evidence.rows("comparisons", kind="lookalike")
    shown = {Verdict.DIFFERENT: Standing.SHOWN}
    worst = _worst([(named(row), shown.get(row["verdict"], Standing.OPEN), row) for row in others])
    return Line(lead, _up_to("other networks", worst) or "not tested here; no mistake was planted."), worst


def _up_to(what: str, worst: Sequence[Cost]) -> str:
    """Return how many points those cost that are shown to, or that none is; empty without a change that may."""
    if not worst:
        return ""
    shown = [abs(cost.points) for cost in worst if cost.sure]
    if not shown:
        return f"none of the {what} is shown to, with so few seeds; some may."
    return f"{what} that are easy to miss, up to {max(shown):.0f} points."


def _worst(changes: Sequence[tuple[str, Standing, Row]]) -> tuple[Cost, ...]:
    """Return the costliest changes among those that cost points on every dataset."""
    by_name: dict[str, list[tuple[Standing, Row]]] = {}
    for name, standing, row in changes:
        by_name.setdefault(name, []).append((standing, row))
    costs = [
        Cost(
            name,
            sum(float(row["mean_difference"]) for _, row in rows) / len(rows),
            all(standing is Standing.SHOWN for standing, _ in rows),
        )
        for name, rows in by_name.items()
        if all(standing is not Standing.OPEN and row["mean_difference"] < 0 for standing, row in rows)
    ]
    # What is shown comes first: a large number of few seeds is no ground to stand on.
    return tuple(sorted(costs, key=lambda cost: (not cost.sure, cost.points))[:_MOST])
