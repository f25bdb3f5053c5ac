"""Writes a report as a page: one file, without a network, under a strict content security policy."""

from html import escape
from typing import Any

from twinbench.compare.page.rows import folded
from twinbench.compare.page.view import View
from twinbench.compare.report import Report
from twinbench.html.templating import asset, digest, environment, style_sheet

_PACKAGE = "twinbench.compare.page"
_HEIGHT = 720


def as_page(report: Report) -> str:
    """Write a report as HTML."""
    view = report.view or View()
    script, sheet = asset(_PACKAGE, "comparison.js"), style_sheet(_PACKAGE, "comparison.css")
    return (
        environment(_PACKAGE)
        .get_template("comparison.html.j2")
        .render(
            report=report,
            view=view,
            stretches=list(folded(view.rows)),
            different=sum(row.status == "cause" for row in view.rows),
            seeds=_seeds(report.seeds),
            script=script,
            script_digest=digest(script),
            style=sheet,
            style_digest=digest(sheet),
        )
    )


def in_a_frame(report: Report) -> str:
    """Write a report as HTML that a notebook shows, apart from its own styles and scripts."""
    page = escape(as_page(report), quote=True)
    return (
        f'<iframe title="twinbench: two models compared" sandbox="allow-scripts" width="100%" height="{_HEIGHT}" '
        f'frameborder="0" srcdoc="{page}"></iframe>'
    )


def _seeds(seeds: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the figure of paired seeds shows: each difference and the interval, as places between 0 and 100."""
    if seeds is None:
        return None
    difference = seeds["difference"]
    gaps = [second - first for first, second in zip(seeds["accuracy"]["a"], seeds["accuracy"]["b"], strict=True)]
    reach = 1.1 * max(0.1, *map(abs, (*gaps, difference["ci_low"], difference["ci_high"])))

    def place(points: float) -> float:
        return float(round(50 + 50 * points / reach, 2))

    return {
        "reach": reach,
        "gaps": gaps,
        "places": [place(gap) for gap in gaps],
        "low": place(difference["ci_low"]),
        "high": place(difference["ci_high"]),
        "mean": place(difference["mean"]),
    }
