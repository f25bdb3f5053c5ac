"""What the page shows beside the report itself: the layers, and what surrounds the models, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from twinbench.compare.coverage import Coverage
from twinbench.compare.feeds import Feed
from twinbench.compare.page.rows import Row, side_by_side
from twinbench.compare.page.surrounding import Part, surroundings
from twinbench.compare.report import Cause
from twinbench.compare.sides import Side
from twinbench.errors import first_cause, raise_if_memory_ran_out
from twinbench.sameness.evidence import Evidence
from twinbench.sameness.subjects import Pair


@dataclass
class View:
    """The layers side by side, how both are trained, and why something of it cannot be shown."""

    rows: list[Row] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    missing: str = "a model could not be built, run or traced to a graph"

    def renumber(self, numbers: dict[int, int]) -> None:
        """Give the causes other numbers."""
        self.rows = [replace(one, causes=tuple(sorted(numbers[k] for k in one.causes))) for one in self.rows]
        self.parts = [replace(one, causes=tuple(sorted(numbers[k] for k in one.causes))) for one in self.parts]


def view_of(
    pair: Pair,
    sides: tuple[Side, Side],
    feeds: tuple[Feed | None, Feed | None],
    *,
    evidence: Evidence,
    causes: Sequence[Cause],
    coverage: Coverage,
) -> View:
    """Take down what the page shows; what a person's own objects raise meanwhile stands in its place."""
    view = View()
    try:
        view.parts = surroundings((pair.a.model, pair.b.model), sides, feeds, causes, coverage)
        view.rows = side_by_side(pair, sides, evidence, causes)
    except Exception as error:
        raise_if_memory_ran_out(error)
        view.missing = first_cause(error)
    return view
