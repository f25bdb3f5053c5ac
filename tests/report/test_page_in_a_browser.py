import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from tests.watching import opened

from twinbench.config import Figures
from twinbench.report.page import build_page


@pytest.fixture
def page(browser: Browser, crowded_page: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield opened(context, crowded_page).page
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_the_page_is_without_errors_overflow_and_barriers(
    browser: Browser, crowded_page: Path, width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, problems, asked = opened(context, crowded_page)
    page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    unnamed = page.evaluate(
        "[...document.querySelectorAll('img, svg')].filter(one => !(one.alt || one.getAttribute('aria-label'))).length"
    )
    pictures = page.evaluate("document.querySelectorAll('svg.figure').length")
    # Within a picture there is nothing to name, and a hundred rows are no more accessible than five.
    page.evaluate("for (const one of document.querySelectorAll('svg.figure')) one.replaceChildren()")
    page.evaluate("for (const row of document.querySelectorAll('tbody tr:nth-child(n+6)')) row.remove()")
    result = Axe().run(page)
    context.close()
    assert not problems
    assert asked == [crowded_page.as_uri()]
    assert unnamed == 0
    assert pictures == 12
    assert result.violations_count == 0, result.generate_report()


def test_on_a_phone_the_ranking_is_a_list_and_on_a_desktop_a_figure(browser: Browser, crowded_page: Path) -> None:
    for width, listed in ((390, True), (1280, False)):
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = opened(context, crowded_page).page
        assert page.locator("#suspects ol.ranking").is_visible() is listed
        assert page.locator("#suspects svg.figure").is_visible() is not listed
        assert page.locator("#suspects .ranking .name").first.text_content() == "logits as probabilities"
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_screen_of_a_phone_has_the_whole_answer_and_its_chart(
    browser: Browser, crowded_page: Path, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = opened(context, crowded_page).page
    for part in ("#answer .first", "#answer .bars", "#answer .check"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 844, part
    assert page.locator("#answer .bars li").count() >= 4
    context.close()


def test_each_piece_of_evidence_leads_to_its_row(page: Page) -> None:
    page.evaluate("for (const folded of document.querySelectorAll('.claim details')) folded.open = true")
    links = page.locator(".evidence a")
    names = links.all_text_contents()
    # Every table once, and where it is searched for.
    tried = {name.partition(":")[0]: place for place, name in enumerate(names)}
    assert {"comparisons", "parameters", "ladder", "gradients", "api_costs", "runs"} <= set(tried)
    for table, place in tried.items():
        links.nth(place).click()
        _, _, row = names[place].partition(": ")
        variant = row.partition(" ")[2]
        if table == "runs":
            assert page.get_by_label("Search runs").input_value() == row.replace("/", " ")
            assert page.locator("#run h3").text_content() == f"{variant.replace('/', ' / ')}, seed 1, digits"
            continue
        target = page.locator("tr:target")
        assert target.is_visible()
        assert target.locator("td").first.text_content() == variant
        assert target.evaluate("row => row.closest('table').id") == f"table-{table}"


def test_no_table_is_cut_off_on_a_screen_of_1280_pixels(page: Page) -> None:
    page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    cut = page.evaluate(
        """[...document.querySelectorAll("table")].filter(one => one.id !== "table-provenance")
            .filter(one => one.scrollWidth > one.parentElement.clientWidth).map(one => one.id)"""
    )
    assert not cut


def test_more_columns_and_a_filter_are_at_hand(page: Page) -> None:
    folded = _unfold(page, "comparisons")
    table = folded.locator("table")
    more = folded.locator("button.more")
    before = table.locator("th:visible").count()
    more.click()
    assert more.get_attribute("aria-pressed") == "true"
    assert table.locator("th:visible").count() > before
    folded.get_by_label("Filter").fill("residual_cnn identical")
    rows = table.locator("tbody tr:visible").all_text_contents()
    assert rows
    assert all("residual_cnn/" in row for row in rows)


def test_the_contents_fold_on_a_phone_and_mark_where_one_is(browser: Browser, crowded_page: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page = opened(context, crowded_page).page
    assert not page.locator("#contents").is_visible()
    page.locator("#menu").click()
    assert all(link.is_visible() for link in page.locator("#contents a").all())
    page.locator("#contents a", has_text="Gradients").click()
    assert not page.locator("#contents").is_visible()
    page.wait_for_function("document.getElementById('menu').textContent === 'Contents: Gradients'")
    assert page.locator("#contents a[aria-current]").text_content() == "Gradients"
    context.close()


def test_the_finder_shows_a_run_that_its_search_finds(page: Page) -> None:
    search = page.get_by_label("Search runs")
    search.fill("residual_cnn subclass 2")
    assert "residual_cnn / subclass, seed 2" in (page.locator("#run h3").text_content() or "")
    search.fill("residual_cnn subclass")
    assert "seed 2" in (page.locator("#run h3").text_content() or "")
    search.fill("no such run")
    assert page.locator("#run").text_content() == "No run matches."


def _column(page: Page, table: str, heading: str) -> list[str]:
    """The texts of a column, as they stand."""
    cells: list[str] = page.evaluate(
        """([table, heading]) => {
            const folded = document.querySelector(`a[download="${table}.csv"]`).closest("details");
            const found = folded.querySelector("table");
            const place = [...found.tHead.rows[0].cells].findIndex(cell => cell.textContent === heading);
            return [...found.tBodies[0].rows].map(row => row.cells[place].textContent);
        }""",
        [table, heading],
    )
    return cells


def _unfold(page: Page, table: str) -> Any:
    folded = page.locator("details").filter(has=page.locator(f'a[download="{table}.csv"]'))
    folded.locator("summary").click()
    return folded


def test_a_click_on_a_heading_sorts_by_number_and_a_second_turns_it_round(page: Page) -> None:
    folded = _unfold(page, "parameters")
    before = _column(page, "parameters", "unique")
    heading = folded.locator("th").filter(has_text="unique")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    upwards = [int(text.replace(",", "")) for text in _column(page, "parameters", "unique")]
    assert upwards == sorted(upwards) != [int(text.replace(",", "")) for text in before]
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert [int(text.replace(",", "")) for text in _column(page, "parameters", "unique")] == upwards[::-1]


def test_empty_cells_stay_last_whichever_way_a_column_is_sorted(page: Page) -> None:
    folded = _unfold(page, "comparisons")
    folded.locator("button.more").click()
    button = folded.locator("th").filter(has_text="p equivalence").locator("button")
    for _ in range(2):
        button.click()
        cells = _column(page, "comparisons", "p equivalence (corrected)")
        assert cells[0] != ""
        assert cells[-1] == ""


def test_a_table_downloads_as_the_file_it_was_made_from(page: Page, crowded_folder: Path) -> None:
    folded = _unfold(page, "summary")
    with page.expect_download() as waiting:
        folded.locator("a[download]").click()
    assert waiting.value.suggested_filename == "summary.csv"
    assert Path(waiting.value.path()).read_bytes() == (crowded_folder / "summary.csv").read_bytes()


def test_a_run_is_found_with_its_curve_its_hashes_and_the_command_that_reproduces_it(
    page: Page, crowded_folder: Path
) -> None:
    page.get_by_label("Search runs").fill("mlp subclass 2")
    assert page.locator("#found").text_content() == "1 run."
    page.locator("#hits button").click()
    runs = pd.read_csv(crowded_folder / "runs.csv", keep_default_na=False)
    row = runs.index[(runs["architecture"] == "mlp") & (runs["variant"] == "subclass") & (runs["seed"] == 2)][0]
    text = page.locator("#run").text_content() or ""
    assert f"twinbench reproduce {crowded_folder}/runs.csv --row {row + 1}" in text
    assert runs.loc[row, "final_weights_sha256"] in text
    assert page.locator("#run svg polyline").count() == 3


def test_a_failed_run_says_why_and_its_reason_is_text(page: Page) -> None:
    page.get_by_label("Search runs").fill("failed")
    page.locator("#hits button").first.click()
    assert "Failed: the loss became NaN in epoch 3 <script>" in (page.locator("#run").text_content() or "")


def test_the_runs_found_download_as_csv(page: Page, tmp_path: Path) -> None:
    page.get_by_label("Search runs").fill("plain_cnn sequential_deferred")
    with page.expect_download() as waiting:
        page.locator("#download-runs").click()
    saved = tmp_path / "runs.csv"
    waiting.value.save_as(saved)
    table = pd.read_csv(saved)
    assert set(table["variant"]) == {"sequential_deferred"}
    assert sorted(table["seed"]) == [1, 2, 3]


def test_printed_the_page_is_on_white_without_controls_and_without_javascript_it_still_reads(
    browser: Browser, crowded_page: Path
) -> None:
    context = browser.new_context(color_scheme="dark", java_script_enabled=False)
    page = opened(context, crowded_page).page
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator("#runs").is_visible()
    assert page.locator("#answer .line").count() == 4
    assert page.locator("svg.figure").first.is_visible()
    context.close()


def test_printed_it_takes_less_than_ten_pages(browser: Browser, tables_folder: Path, tmp_path: Path) -> None:
    report = build_page(tables_folder, tmp_path / "report.html", Figures())
    page = browser.new_page()
    page.goto(report.as_uri())
    printed = page.pdf(format="A4")
    page.close()
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) < 10
