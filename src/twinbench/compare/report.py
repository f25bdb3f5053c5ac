"""What a comparison says: the verdict, the causes, the rungs of the ladder, and what was left untested."""

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from twinbench.compare.coverage import Coverage
from twinbench.compare.damage import damage_in_words
from twinbench.compare.holdings import Stored
from twinbench.sameness.rungs import Rung

if TYPE_CHECKING:
    from twinbench.compare.page.view import View

Verdict = Literal[
    "identical", "equivalent", "not_fully_tested", "other_weights", "other_state", "different", "cannot_tell"
]

EXIT_STATUS: dict[Verdict, int] = {
    "identical": 0,
    "equivalent": 0,
    "other_weights": 1,
    "other_state": 1,
    "different": 1,
    "not_fully_tested": 3,
    "cannot_tell": 3,
}
"""Exit status of the command by verdict; 2 is an error of use."""


@dataclass(frozen=True)
class Cause:
    """One difference that matters: its code, the layer or setting in words, both sides, and the fix."""

    code: str
    where: str
    a: str
    b: str
    detail: str
    explains_lower_score: bool = True
    why: str = ""
    fix: str = ""
    line_a: str = ""
    line_b: str = ""


@dataclass(frozen=True)
class Fix:
    """What came of changing a copy of B as the fixes of some causes say.

    Attributes:
        causes: The numbers of the causes, from 1.
        outcome: `verified`: then the two are the same; `no difference left`: and something was not tested;
            `not enough`; or `not tried`.
        sentence: The same in words.
        lines: The lines of B's function with what to change in each.
    """

    causes: tuple[int, ...]
    outcome: Literal["verified", "no difference left", "not enough", "not tried"]
    sentence: str
    lines: tuple[str, ...]


@dataclass
class Report:
    """The answer of a comparison."""

    verdict: Verdict
    sentence: str
    same_architecture: bool
    same_function: bool | None
    causes: list[Cause] = field(default_factory=list)
    rungs: list[Rung] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    noise: str = ""
    seeds: dict[str, Any] | None = None
    stored: Stored | None = None
    fixes: list[Fix] | None = None
    view: "View | None" = None
    names: tuple[str, str] = ("A", "B")

    @property
    def code(self) -> str:
        """The code of the answer: that of the first cause, or `none.identical` or `none.equivalent`."""
        blamed = [cause for cause in self.causes if cause.explains_lower_score] or self.causes
        if blamed:
            return blamed[0].code
        return {"identical": "none.identical", "equivalent": "none.equivalent"}.get(self.verdict, self.verdict)

    @property
    def untested(self) -> list[str]:
        """What was not tested, in words."""
        return self.coverage.in_words()

    @property
    def exit_status(self) -> int:
        """0 for identical or equivalent, 1 for different, 3 for not fully tested and cannot tell."""
        return EXIT_STATUS[self.verdict]

    def to_html(self) -> str:
        """The report as a page: one self-contained file with both graphs side by side."""
        from twinbench.compare.page.building import as_page

        return as_page(self)

    def _repr_html_(self) -> str:
        from twinbench.compare.page.building import in_a_frame

        return in_a_frame(self)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON, as `docs/compare.md` documents it."""
        return {
            "schema": 2,
            "a": self.names[0],
            "b": self.names[1],
            "verdict": self.verdict,
            "code": self.code,
            "sentence": self.sentence,
            "same_architecture": self.same_architecture,
            "same_function": self.same_function,
            "causes": [asdict(cause) | {"measured": damage_in_words(cause)} for cause in self.causes],
            "rungs": [_finite(asdict(rung)) for rung in self.rungs],
            "warnings": self.warnings,
            "tests": [asdict(test) for test in self.coverage.tests()],
            "untested": self.untested,
            "noise": self.noise,
            "seeds": self.seeds,
            "fixes": None
            if self.fixes is None
            else [{**asdict(fix), "causes": list(fix.causes), "lines": list(fix.lines)} for fix in self.fixes],
            "stored": None if self.stored is None else self.stored.to_dict(),
        }


def _finite(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON knows neither infinity nor NaN."""
    value = fields["value"]
    return fields | {"value": value if value is None or math.isfinite(value) else None}
