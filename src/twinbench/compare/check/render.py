"""The report of a check as text for a terminal."""

from twinbench.compare.check.report import CheckReport, Finding, Gap
from twinbench.compare.painting import VERDICTS, painted
from twinbench.compare.render import wrapped

_SMALL = 0.005
"""A part of a gap is listed where it is at least this share of the numbers."""


def as_text(report: CheckReport, width: int = 90, *, colour: bool = False) -> str:
    """Write a report as text, `width` columns wide."""
    answer = wrapped(f"{report.verdict.upper().replace('_', ' ')}  {report.sentence}", width)
    lines = painted(answer, VERDICTS.get(report.verdict, "yellow"), colour=colour)
    for number, finding in enumerate(report.warnings, start=1):
        heading = wrapped(f"{number}. {finding.where}  [{finding.code}]", width, "   ")
        lines += ["", *painted(heading, "bold", colour=colour), *_body(finding, width)]
    if report.notes:
        lines += ["", "May be meant as it is"]
        for finding in report.notes:
            lines += [*wrapped(f"-  {finding.where}  [{finding.code}]", width, "   "), *_body(finding, width)]
    if report.repeat is not None:
        lines += ["", "Is it repeatable?", *wrapped(f"   {report.repeat.sentence}", width, "   ")]
        lines += wrapped(f"   fix:  {report.repeat.fix}", width, "         ") if report.repeat.fix else []
    if report.gaps:
        lines += ["", "fit against evaluate, on the same samples"]
        for gap in report.gaps:
            lines += _gap(gap, width)
    if report.coverage.in_words():
        lines += ["", "Not looked at"]
        for item in report.coverage.in_words():
            lines += wrapped(f"  - {item}", width, "    ")
    return "\n".join(lines)


def _body(finding: Finding, width: int) -> list[str]:
    lines = wrapped(f"   what: {finding.what}.", width, "         ")
    lines += wrapped(f"   why:  {finding.why}", width, "         ")
    return lines + wrapped(f"   fix:  {finding.fix}", width, "         ")


def _gap(gap: Gap, width: int) -> list[str]:
    lines = [f"   {gap.number}: fit reads {gap.fit:.4g}, evaluate {gap.evaluate:.4g}; apart by {gap.size:+.4g}"]
    least = _SMALL * max(abs(gap.fit), abs(gap.evaluate), 1e-12)
    for part in sorted(gap.parts, key=lambda part: -abs(part.size)):
        if abs(part.size) >= least or (part.name == "penalties" and part.what):
            text = f"     {part.size:+10.4g}  {part.name}{f': {part.what}' if part.what else ''}"
            lines += wrapped(text, width, " " * 17)
    return lines
