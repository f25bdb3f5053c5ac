"""What a comparison tested and what it did not: every test reports here, and the verdict is computed from it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from twinbench.errors import TwinbenchError, first_cause, raise_if_memory_ran_out

Outcome = Literal["tested", "not applicable", "not given", "not tested"]

SUBJECTS = (
    "environment",
    "graph",
    "initial weights",
    "stored weights",
    "outputs",
    "gradients",
    "trainable weights",
    "penalties",
    "added losses",
    "masks",
    "layer modes",
    "loss",
    "metrics",
    "optimizer",
    "training step",
    "feeds",
)
"""All that a comparison looks at. Each is `not tested` until its test has reported, so none can count as passed by
being skipped."""


@dataclass(frozen=True)
class Test:
    """One subject of a comparison and what became of it.

    Attributes:
        subject: one of `SUBJECTS`, or `training on data` where that was asked for.
        outcome: `tested`; `not applicable`: the models have nothing of the kind; `not given`: the person gave nothing
            to compare; `not tested`: there is something, and it could not be compared.
        reason: why it was not tested.
    """

    subject: str
    outcome: Outcome
    reason: str = ""


class Coverage:
    """Collects the outcome of every test; a gap that was reported once stays."""

    def __init__(self, subjects: Sequence[str] = SUBJECTS) -> None:
        self._reported: dict[str, list[Test]] = {subject: [] for subject in subjects}
        self.asides: list[str] = []
        """Known differences that do no harm, and that a gap between scores can come from."""
        self.on_samples: list[str] = []
        """Own code that two sides wrote in different ways, and that agreed wherever it was tried."""

    def tested(self, subject: str) -> None:
        """Report that a subject was compared, whatever came out."""
        self._reported.setdefault(subject, []).append(Test(subject, "tested"))

    def not_applicable(self, subject: str, reason: str) -> None:
        """Report that the models have nothing of the kind."""
        self._reported[subject].append(Test(subject, "not applicable", reason))

    def not_given(self, subject: str, reason: str) -> None:
        """Report that the person gave nothing to compare; the reason names what would test it."""
        self._reported[subject].append(Test(subject, "not given", reason))

    def not_tested(self, subject: str, reason: str) -> None:
        """Report something that is there and could not be compared."""
        self._reported.setdefault(subject, []).append(Test(subject, "not tested", reason))

    @contextmanager
    def test(self, subject: str) -> Iterator[None]:
        """Report a subject as tested at the end of a block that reported nothing else; as not tested if it raises.

        Raises:
            TwinbenchError: What the block raised, if it is an error of use or a lack of memory.
        """
        try:
            yield
        except TwinbenchError:
            raise
        except Exception as error:
            raise_if_memory_ran_out(error)
            self.not_tested(subject, first_cause(error))
        else:
            if not self._reported[subject]:
                self.tested(subject)

    def tests(self) -> list[Test]:
        """The outcomes in order: for each subject its gaps, or else one outcome."""
        outcomes: list[Test] = []
        for subject, reports in self._reported.items():
            gaps = [test for test in dict.fromkeys(reports) if test.outcome == "not tested"]
            others = (
                sorted(reports, key=lambda test: ("tested", "not given", "not applicable").index(test.outcome))
                if not gaps
                else []
            )
            outcomes += gaps or others[:1] or [Test(subject, "not tested", "its test was not reached")]
        return outcomes

    @property
    def gaps(self) -> list[Test]:
        """Everything that is there and was not compared."""
        return [test for test in self.tests() if test.outcome == "not tested"]

    def not_given_of(self, *subjects: str) -> bool:
        """Whether the person gave nothing to compare for any of some subjects."""
        return any(test.subject in subjects and test.outcome == "not given" for test in self.tests())

    def in_words(self) -> list[str]:
        """What was not tested, gaps first, for a person to read."""
        reasons: dict[str, list[str]] = {}
        for outcome in ("not tested", "not given"):
            for test in self.tests():
                if test.outcome == outcome:
                    reasons.setdefault(test.reason, []).append(test.subject)
        if not any(test.outcome == "tested" for test in self.tests()):
            return [f"Everything: {reason}" for reason in list(reasons)[:1]]
        return [f"{', '.join(subjects).capitalize()}: {reason}" for reason, subjects in reasons.items()]

    @classmethod
    def stopped(cls, reason: str) -> "Coverage":
        """Nothing was tested, for one reason."""
        coverage = cls()
        for subject in SUBJECTS:
            coverage.not_tested(subject, reason)
        return coverage
