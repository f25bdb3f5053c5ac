"""Putting the page together: figures, tables, answer and runs into one file."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
from markupsafe import Markup

from twinbench.analysis.claims import OwnModelsAnswer, answer
from twinbench.analysis.outputs import ARTICLE
from twinbench.config import Figures
from twinbench.html.templating import digest
from twinbench.report.catalogue import figure_entry, figure_file
from twinbench.report.figures import draw
from twinbench.report.figures.style import Style, style_of
from twinbench.report.headlines import headline
from twinbench.report.page.drilldown import drilldown
from twinbench.report.page.first_screen import bars
from twinbench.report.page.inline_svg import inline
from twinbench.report.page.notes import controls_apart, determinism_cost, misleading_counts
from twinbench.report.page.ranking import rankings
from twinbench.report.page.sections import SECTIONS, Section
from twinbench.report.page.shown_tables import ShownTable, failed_table, machines_table, shown_table
from twinbench.report.page.templating import asset, environment, style_sheet, write
from twinbench.report.page.verdicts import Card, cards, cited, link
from twinbench.report.provenance import provenance_of
from twinbench.report.seeds_advice import looks_in_brief, seeds_advice
from twinbench.report.tables import NothingToShowError, Tables


@dataclass(frozen=True)
class ShownFigure:
    """A figure of one dataset: its finding and its markup, or the sentence that takes its place."""

    name: str
    dataset: str
    title: str
    caption: str
    markup: Markup
    missing: str
    folded: bool


@dataclass(frozen=True)
class ShownSection:
    """A section with its figures and tables; `missing` has a sentence for each table that there is not."""

    section: Section
    figures: Sequence[ShownFigure]
    tables: Sequence[ShownTable]
    missing: Sequence[str]


def _svg(name: str, tables: Tables, dataset: str, style: Style, folder: Path | None) -> str:
    """Return a figure's SVG: the saved one where there is one, else drawn now."""
    saved = folder / figure_file(name, dataset, "svg") if folder else None
    part = tables.of_dataset(dataset)
    for table in figure_entry(name).needs:
        part.get(table)  # A figure without its table is a sentence on the page, not a picture of one.
    if saved and saved.is_file():
        return saved.read_text(encoding="utf-8")
    buffer = io.StringIO()
    with mpl.rc_context(style.rc):
        figure = draw(name, part, style, provenance_of(part))
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _figure(name: str, tables: Tables, dataset: str, style: Style, folder: Path | None, *, folded: bool) -> ShownFigure:
    entry = figure_entry(name)
    number = tables.datasets.index(dataset)
    markup, missing, title = Markup(), "", entry.title
    try:
        svg = _svg(name, tables, dataset, style, folder)
        title = headline(name, tables.of_dataset(dataset))
        alt = f"{title}. {entry.alt} Dataset: {dataset}."
        # Markup that matplotlib wrote, in which every text is escaped.
        markup = Markup(inline(svg, prefix=f"{name}-{number}", alt=alt))  # noqa: S704
    except NothingToShowError as nothing:
        missing = str(nothing)
    return ShownFigure(name, dataset, title, entry.caption, markup, missing, folded)


def _section(
    section: Section, tables: Tables, style: Style, folder: Path | None, evidence: dict[str, set[str]]
) -> ShownSection:
    figures = [
        _figure(name, tables, dataset, style, folder, folded=name in section.folded)
        for name in section.figures
        for dataset in tables.datasets
    ]
    shown, missing = [], []
    for name in section.tables:
        try:
            shown.append(shown_table(tables, name, evidence.get(name, ())))
        except NothingToShowError as nothing:
            missing.append(str(nothing))
    drawn_about = {figure.missing for figure in figures}
    return ShownSection(section, figures, shown, [line for line in missing if line not in drawn_about])


def _linked(shown: Sequence[Card], sections: Sequence[ShownSection]) -> list[Card]:
    """Return the verdicts with each piece of evidence linked to its row."""
    tables = {table.name: table for section in sections for table in section.tables}
    return [replace(card, evidence=tuple(link(citation, tables) for citation in card.evidence)) for card in shown]


def _machines(tables: Tables) -> ShownTable | None:
    try:
        return machines_table(tables)
    except NothingToShowError:
        return None


def render(tables: Tables, figures: Figures, folder: Path | None, *, lacking: str = "") -> str:
    """Return the page's HTML; what is `lacking` of the plan stands at the top."""
    style = style_of(figures)
    runs, runs_note = drilldown(tables)
    script = asset("tables.js", "runs.js")
    verdicts = cards(tables)
    evidence = cited(verdicts)
    shown = {section.anchor: _section(section, tables, style, folder, evidence) for section in SECTIONS}
    all_runs = tables.get("runs")
    found = answer(tables.frames)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            answer=found,
            article=ARTICLE,
            bars=bars(found),
            claims=_linked(verdicts, list(shown.values())),
            controls=controls_apart(tables),
            counts=misleading_counts(tables),
            datasets=tables.datasets,
            determinism=determinism_cost(tables),
            failed=failed_table(tables),
            lacking=lacking,
            machines=_machines(tables),
            own=isinstance(found, OwnModelsAnswer),
            provenance=provenance_of(tables),
            rankings=rankings(tables),
            runs=Markup(runs),  # noqa: S704 # JSON with <, > and & escaped
            runs_count=len(all_runs),
            runs_note=runs_note,
            runs_path=str(tables.folder / "runs.csv"),
            script=script,
            script_digest=digest(script),
            sections=shown,
            seeds=len(tables.seeds),
            seeds_advice=looks_in_brief(tables.optional("comparisons"), all_runs)
            or seeds_advice(tables.optional("seeds_needed")),
            study=isinstance(found, OwnModelsAnswer) and set(all_runs["kind"]) <= {"reference", "candidate"},
            style=style_sheet(),
        )
    )


def build_page(tables: Path, output: Path, figures: Figures, folder: Path | None = None, *, lacking: str = "") -> Path:
    """Write the page and return its path; what is `lacking` of the plan stands at the top.

    Raises:
        RecordError: the folder holds no tables.
    """
    return write(output, render(Tables.read(tables, complete=True), figures, folder, lacking=lacking))
