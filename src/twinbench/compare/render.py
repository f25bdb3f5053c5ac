"""A report as text for a terminal: verdict, causes, ladder, and what was not tested."""

import shutil
import textwrap

from twinbench.compare.damage import damage_in_words
from twinbench.compare.painting import VERDICTS, painted
from twinbench.compare.report import Report

_SIGNS = {"fail": "FAIL", "not applicable": "-"}


def as_text(report: Report, width: int | None = None, *, colour: bool = False) -> str:
    """Write a report as text, `width` columns wide (the terminal's, at most 100, if not given)."""
    width = width or min(100, shutil.get_terminal_size((90, 24)).columns)
    lines = [f"A: {report.names[0]}", f"B: {report.names[1]}", ""]
    answer = wrapped(f"{report.verdict.upper().replace('_', ' ')}  {report.sentence}", width)
    lines += painted(answer, VERDICTS.get(report.verdict, "yellow"), colour=colour)
    for number, cause in enumerate(report.causes, start=1):
        mark = "" if cause.explains_lower_score else "  (does not explain a lower score)"
        heading = wrapped(f"{number}. {cause.where}  [{cause.code}]{mark}", width, "   ")
        lines += ["", *painted(heading, "bold", colour=colour)]
        for letter, value, line in (("A", cause.a, cause.line_a), ("B", cause.b, cause.line_b)):
            lines += wrapped(f"   {letter}:    {value}", width, "         ")
            lines += painted([f"         | {line}"[:width]], "dim", colour=colour) if line else []
        lines += wrapped(f"   what: {cause.detail}.", width, "         ")
        lines += wrapped(f"   why:  {cause.why} {damage_in_words(cause)}".rstrip(), width, "         ")
        lines += painted(wrapped(f"   fix:  {cause.fix}", width, "         "), "green", colour=colour)
    if report.fixes is not None:
        lines += ["", "The fixes, tried on a copy of B"]
        for fix in report.fixes:
            causes = f"cause {fix.causes[0]}" if len(fix.causes) == 1 else f"causes {', '.join(map(str, fix.causes))}"
            lines += wrapped(f"  {causes}: {fix.sentence}.", width, "    ")
            lines += [f"    {line}" for line in fix.lines if fix.outcome in ("verified", "no difference left")]
    lines += ["", "The ladder of sameness"]
    passed = [rung for rung in report.rungs if rung.outcome == "pass"]
    if passed:
        lines += wrapped(f"  passed: {', '.join(f'{rung.number} {rung.name}' for rung in passed)}", width, "          ")
    for rung in (rung for rung in report.rungs if rung.outcome != "pass"):
        head = f"  {rung.number}  {_SIGNS[rung.outcome]:<5}{rung.name:<24}"
        lines += wrapped(head + rung.sentence, width, " " * len(head))
    if report.stored is not None:
        lines += [line for item in report.stored.listing() for line in wrapped(item, width, "    ")]
    if report.warnings:
        lines += ["", "Also different, but harmless"]
        for warning in report.warnings:
            lines += wrapped(f"  - {warning}", width, "    ") if "\n" not in warning else [f"  - {warning}"]
    if report.untested:
        lines += ["", "Not tested"]
        for item in report.untested:
            lines += wrapped(f"  - {item}", width, "    ")
    if report.noise and (report.verdict in ("identical", "equivalent") or report.seeds):
        lines += ["", "What chance does", *wrapped(f"  {report.noise}", width, "  ")]
    return "\n".join(lines)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of a text that are at most `width` columns wide."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]
