"""What a check of one model says: warnings, notes, two explanations, and what was not looked at."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from twinbench.compare.advice import ADVICE, CODES
from twinbench.compare.coverage import Coverage

Verdict = Literal["nothing_found", "warnings", "not_fully_tested", "cannot_tell"]

EXIT_STATUS: dict[Verdict, int] = {"nothing_found": 0, "warnings": 1, "not_fully_tested": 3, "cannot_tell": 3}
"""Exit status of the command by verdict; 2 is an error of use."""

SUBJECTS = (
    "graph",
    "layers",
    "layer modes",
    "masks",
    "initial weights",
    "trainable weights",
    "penalties",
    "loss",
    "feed",
    "fit against evaluate",
    "repeatability",
)
"""All that a check looks at."""


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong: its code, its place, what it is, why it matters, and the fix.

    A note (`warning` is false) can be meant as it is.
    """

    code: str
    where: str
    what: str
    why: str = ""
    fix: str = ""
    warning: bool = True


def found(code: str, where: str, what: str, fix: str, *, why: str = "", warning: bool = True) -> Finding:
    """A finding with the reason that belongs to its code, unless a better one is given."""
    return Finding(code, where, what, why or ADVICE[code][0], fix, warning)


@dataclass(frozen=True)
class Part:
    """One part of a gap between two numbers, in the unit of the number itself."""

    name: str
    size: float
    what: str = ""


@dataclass(frozen=True)
class Gap:
    """Why `fit` and `evaluate` read one number (the loss, a metric) differently on the same samples."""

    number: str
    fit: float
    evaluate: float
    parts: tuple[Part, ...]

    @property
    def size(self) -> float:
        """What `fit` reads minus what `evaluate` does."""
        return self.fit - self.evaluate


@dataclass(frozen=True)
class Repeat:
    """Whether two trainings are the same, and where they part.

    Attributes:
        outcome: "repeats" as the code stands; "repeats when seeded"; or "does not repeat" even under one seed.
        steps: How many steps were taken.
        source: What makes them differ.
        step: The first step in which they differ; 0 before the first.
        tensor: The first tensor that differs.
    """

    outcome: Literal["repeats", "repeats when seeded", "does not repeat"]
    steps: int
    source: str = ""
    step: int | None = None
    tensor: str = ""
    sentence: str = ""
    fix: str = ""


@dataclass
class CheckReport:
    """The answer of a check."""

    verdict: Verdict
    sentence: str
    name: str = "the model"
    findings: list[Finding] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    repeat: Repeat | None = None
    coverage: Coverage = field(default_factory=lambda: Coverage(SUBJECTS))

    @property
    def warnings(self) -> list[Finding]:
        """The findings that are wrong as they stand, most damaging first."""
        return [finding for finding in self.findings if finding.warning]

    @property
    def notes(self) -> list[Finding]:
        """The findings that may be meant as they are."""
        return [finding for finding in self.findings if not finding.warning]

    @property
    def exit_status(self) -> int:
        """0 where nothing was found, 1 for warnings, 3 for not fully tested and cannot tell."""
        return EXIT_STATUS[self.verdict]

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON, as `docs/check.md` documents it."""
        return {
            "schema": 1,
            "model": self.name,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "warnings": [_plain(finding) for finding in self.warnings],
            "notes": [_plain(finding) for finding in self.notes],
            "fit_against_evaluate": [asdict(gap) | {"gap": gap.size} for gap in self.gaps],
            "repeatability": None if self.repeat is None else asdict(self.repeat),
            "tests": [asdict(test) for test in self.coverage.tests()],
            "untested": self.coverage.in_words(),
        }


def _plain(finding: Finding) -> dict[str, Any]:
    return {key: value for key, value in asdict(finding).items() if key != "warning"}


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """Findings once each, most damaging first."""
    return sorted(dict.fromkeys(findings), key=lambda finding: CODES.index(finding.code))
