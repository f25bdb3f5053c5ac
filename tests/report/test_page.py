import json
import re
from collections import Counter
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.report.synthetic import HOSTILE

from twinbench.analysis.claims import CLAIMS, Answer, answer
from twinbench.analysis.claims.answer import Cost, Line
from twinbench.config import Figures
from twinbench.errors import RecordError
from twinbench.report.page import build_page
from twinbench.report.page.drilldown import drilldown
from twinbench.report.page.first_screen import bars
from twinbench.report.page.notes import controls_apart, determinism_cost, misleading_counts
from twinbench.report.page.shown_tables import LONGEST, readable, shown_table
from twinbench.report.page.templating import enumerated
from twinbench.report.page.verdicts import finding
from twinbench.report.seeds_advice import seeds_advice
from twinbench.report.tables import Tables


def _changed(tables: Tables, **frames: pd.DataFrame | None) -> Tables:
    kept = {name: frame for name, frame in tables.frames.items() if frames.get(name, frame) is not None}
    return Tables(tables.folder, kept | {name: frame for name, frame in frames.items() if frame is not None})


@pytest.fixture(scope="module")
def html(crowded_page: Path) -> str:
    return crowded_page.read_text(encoding="utf-8")


def test_the_page_is_one_file_that_loads_nothing(html: str) -> None:
    assert not re.findall(r"<(?:link|iframe|object|embed)\b", html)
    assert all(link.startswith(("#", "data:text/csv")) for link in re.findall(r'\bhref="([^"]*)"', html))
    assert not re.findall(r"\bsrc=", html)
    assert "@import" not in html


def test_strings_from_outside_are_escaped_everywhere(html: str) -> None:
    assert HOSTILE not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "\\u003cscript\\u003e" in html


def test_no_two_elements_share_an_id_though_every_figure_came_with_its_own(html: str) -> None:
    twice = [name for name, count in Counter(re.findall(r'\bid="([^"]+)"', html)).items() if count > 1]
    assert not twice


def test_what_a_figure_refers_to_is_there(html: str) -> None:
    ids = set(re.findall(r'\bid="([^"]+)"', html))
    assert {*re.findall(r"url\(#([^)]+)\)", html), *re.findall(r'xlink:href="#([^"]+)"', html)} <= ids


def test_the_sections_come_in_the_order_in_which_a_reader_asks(html: str) -> None:
    places = [html.index(f'<section id="{name}"') for name in ("suspects", "words", "ladder", "claims", "scores")]
    assert places == sorted(places)
    assert html.index('id="answer"') < places[0]


def test_a_page_of_runs_alone_says_in_a_line_what_each_section_lacks(tables_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "runs.csv").write_bytes((tables_folder / "runs.csv").read_bytes())
    page = build_page(folder, tmp_path / "report.html", Figures()).read_text(encoding="utf-8")
    for name in ("suspects", "ladder", "summary", "parameters", "history", "gradients", "api_costs", "seeds_needed"):
        assert f"There is no table {name}.csv" in page, name
    assert "claims.csv is missing" in page
    assert "<svg class" not in page


def test_a_folder_that_holds_no_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"has no runs\.csv"):
        build_page(tmp_path, tmp_path / "report.html", Figures())


def test_the_saved_figure_is_used_where_there_is_one(tables_folder: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures"
    figures.mkdir()
    svg = '<svg viewBox="0 0 9 9" id="a"><path d="M 1.25 1.25" style="fill: #1f2328"/></svg>'
    (figures / "suspects-digits.svg").write_text(svg, encoding="utf-8")
    keep = {"runs", "suspects"}
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in keep:
        (folder / f"{name}.csv").write_bytes((tables_folder / f"{name}.csv").read_bytes())
    page = build_page(folder, tmp_path / "report.html", Figures(), figures).read_text(encoding="utf-8")
    assert '<path d="M 1.25 1.25" style="fill: var(--ink)"/>' in page


def test_the_answer_at_the_top_is_the_one_that_the_analysis_gives_on_these_tables(
    html: str, crowded_folder: Path
) -> None:
    block = html[html.index('<div id="answer">') : html.index('<p class="facts">')]
    result = answer(Tables.read(crowded_folder).frames)
    lines = [unescape(re.sub(r"<[^>]+>", "", text)) for text in re.findall(r'<p class="line[^>]*>(.*?)</p>', block)]
    assert lines[:3] == [f"{line.lead} {line.text}" for line in result.lines]
    assert lines[3].endswith("twinbench compare a.py:build b.py:build")
    names = [unescape(name) for name in re.findall(r'class="name">(.*?)</span>', block)]
    assert names == ["Sequential instead of Functional", "another seed", *(cost.name for cost in result.worst)]


def test_the_bars_of_the_first_screen_are_as_long_as_what_they_stand_for() -> None:
    line = Line("", "")
    costs = (Cost("loss", -80.0), Cost("feed", -20.0, sure=False))
    api, chance, loss, feed = bars(Answer(line, line, line, costs, (0.4, 0.8), 0.0, identical=True))
    assert (api.text, api.percent) == ("0 (bit-identical)", 0)
    assert (chance.text, chance.percent) == ("±0.4 to 0.8", 1)
    assert (loss.text, loss.percent) == ("\u221280.0", 100)
    assert (feed.text, feed.percent) == ("\u221220.0 (unconfirmed)", 25)
    assert bars(Answer(line, line, line, (), None, None, identical=False)) == []


def test_a_verdict_leads_with_what_is_true_and_not_with_the_refuted_claim() -> None:
    claims = {claim.name: claim.statement for claim in CLAIMS}
    for name, statement in claims.items():
        assert finding(name, statement, "supported") == statement
        refuted = finding(name, statement, "refuted")
        assert refuted not in (statement, "There is no verdict."), name
        assert finding(name, statement, "depends").startswith("It depends")
        assert finding(name, statement, "inconclusive").startswith("Not settled")


def test_each_piece_of_evidence_that_is_in_a_table_of_the_page_is_a_link_to_its_row(html: str) -> None:
    ids = set(re.findall(r'\bid="([^"]+)"', html))
    lists = "".join(re.findall(r'<ul class="evidence">(.*?)</ul>', html))
    items = re.findall(r'<li>(<a href="#([^"]+)"[^>]*>)?(\w+): ', lists)
    assert len(items) > 20
    linked = {table for link, _, table in items if link}
    assert {table for link, _, table in items} == linked
    assert {target for link, target, _ in items if link} <= ids


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (["", "", ""], "The present seeds settle all 3 comparisons"),
        (["7", "40", "900"], "10 seeds settle 1 of 3 comparisons, 50 settle 2"),
        (["", "900", "6512"], "The present seeds settle 1 of 3 comparisons, 50 seeds would settle no more"),
    ],
)
def test_the_advice_on_seeds_names_numbers_that_people_run(wanted: list[str], sentence: str) -> None:
    plan = pd.DataFrame(
        {
            "n": 3,
            "verdict": ["undecided" if seeds else "equivalent" for seeds in wanted],
            "config_line": [f"seeds: {seeds}" if seeds else "" for seeds in wanted],
        }
    )
    advice = seeds_advice(plan)
    assert advice.startswith(sentence)
    assert "6512" not in advice
    assert "900" not in advice
    assert ("are not worth the time" in advice or "is not worth the time" in advice) is ("900" in wanted)


def test_the_page_names_the_variants_whose_parameters_keras_miscounts(tables_folder: Path) -> None:
    tables = Tables.read(tables_folder)
    sentence = misleading_counts(tables)
    assert re.search(r"misleads in \d+ variants: [^.]*mlp/subclass", sentence)
    assert re.search(r"refuses to count before the first call in 2 variants: mlp/sequential_deferred", sentence)
    right = tables.get("parameters").assign(keras_count=lambda table: table["parameters"])
    assert "its count is the number of unique weights" in misleading_counts(_changed(tables, parameters=right))


def test_the_drill_down_gives_back_every_run_as_it_is_in_the_table(tables_folder: Path) -> None:
    tables = Tables.read(tables_folder)
    text, note = drilldown(tables)
    assert not note
    assert "<" not in text
    data = json.loads(text)
    runs = tables.get("runs")
    assert data["count"] == len(runs)
    words = data["columns"]["final_weights_sha256"]
    assert [words["words"][code] for code in words["codes"]] == runs["final_weights_sha256"].fillna("").tolist()
    assert data["columns"]["learning_rate"] == {"same": 0.002}
    row = 17
    own = tables.get("history").query("run == @runs.run.iloc[@row]")
    np.testing.assert_allclose(data["history"][row][0], own["train_loss"], rtol=1e-3)


def test_a_long_table_is_cut_on_the_page_and_whole_in_the_download(tables_folder: Path) -> None:
    shown = shown_table(Tables.read(tables_folder), "gradients")
    assert len(shown.rows) == LONGEST
    assert f"{LONGEST} of" in shown.note
    assert shown.download.startswith("data:text/csv")


def test_a_cited_row_is_on_the_page_however_long_its_table(tables_folder: Path) -> None:
    tables = Tables.read(tables_folder)
    last = tables.get("gradients").assign(variant="the_last", layer_index=10_000).tail(1)
    longer = _changed(tables, gradients=pd.concat([tables.get("gradients"), last]))
    name = f"digits {last['architecture'].iloc[0]}/the_last"
    shown = shown_table(longer, "gradients", {name})
    assert len(shown.rows) == LONGEST + 1
    assert shown.rows[-1].anchor == shown.anchors[name]
    assert shown.rows[-1].cells[0].text.endswith("/the_last")


@pytest.mark.parametrize(
    ("value", "text"),
    [(float("nan"), ""), (12345, "12,345"), (98.0, "98"), (0.0123456, "0.0123"), (98.7654, "98.77"), (True, "yes")],
)
def test_numbers_are_rounded_for_reading(value: float, text: str) -> None:
    assert readable(value) == text


def test_ten_thousand_runs_fit_into_twenty_megabytes(tables_folder: Path, tmp_path: Path) -> None:
    tables = Tables.read(tables_folder)
    copies = 10_000 // len(tables.get("runs")) + 1
    folder = tmp_path / "tables"
    folder.mkdir()
    hashes = ["run", "initial_weights_sha256", "final_weights_sha256"]
    for name in ("runs", "history"):
        frames = []
        for copy in range(copies):
            frame = tables.get(name).copy()
            frame["seed"] += 5 * copy
            for column in set(hashes) & set(frame):
                frame[column] = f"{copy:08x}" + frame[column].str[8:]  # no two copies share a hash
            frames.append(frame)
        pd.concat(frames).to_csv(folder / f"{name}.csv", index=False)
    (folder / "summary.csv").write_bytes((tables_folder / "summary.csv").read_bytes())
    page = build_page(folder, tmp_path / "report.html", Figures())
    assert len(Tables.read(folder).get("runs")) > 10_000
    assert page.stat().st_size < 20_000_000


def test_the_page_tells_what_determinism_cost(tables_folder: Path, html: str) -> None:
    assert "Deterministic operations change the time of a training step by" in html
    tables = Tables.read(tables_folder)
    costs = pd.DataFrame({"difference_percent": [1.0, 2.0, 9.0], "verdict": ["none", "none", "more"]})
    sentence = determinism_cost(_changed(tables, determinism_costs=costs))
    assert "by +2.0 % here" in sentence
    assert "1 of these differences is outside the noise" in sentence
    quiet = determinism_cost(_changed(tables, determinism_costs=costs.assign(verdict="none")))
    assert "none of these differences is outside the noise" in quiet
    assert determinism_cost(_changed(tables, determinism_costs=pd.DataFrame())) == ""


def test_what_a_sentence_lists_stands_below_it_when_it_is_long() -> None:
    text = "Built. Less than Functional: mlp +0.50 points; cnn none; views 0.1 (a: b). It ends: one; two."
    assert enumerated(text) == [
        ("Built.", []),
        ("Less than Functional:", ["mlp +0.50 points", "cnn none", "views 0.1 (a: b)"]),
        ("It ends: one; two.", []),
    ]


def test_a_control_that_differs_by_chance_is_said_to(tables_folder: Path) -> None:
    tables = Tables.read(tables_folder)
    suspects = tables.get("suspects").assign(verdict="undecided")
    assert controls_apart(_changed(tables, suspects=suspects)) == ""
    seed = suspects["suspect"] == "another_seed"
    changed = suspects.assign(
        verdict=suspects["verdict"].mask(seed, "different"),
        mean_difference=suspects["mean_difference"].mask(seed, 0.32),
        p_corrected=suspects["p_corrected"].mask(seed, 0.0218),
    )
    note = controls_apart(_changed(tables, suspects=changed))
    assert note.startswith("The control 'another_seed' on digits differs (+0.32 points, p 0.022 after")
