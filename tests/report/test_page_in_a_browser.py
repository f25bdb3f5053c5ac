from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture
def page(browser: Browser, crowded_page: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield _opened(context, crowded_page)
    context.close()


def _opened(context: BrowserContext, report: Path, **listeners: Any) -> Page:
    page = context.new_page()
    for event, listener in listeners.items():
        page.on(event, listener)  # type: ignore[call-overload] # the events are literals there
    page.goto(report.as_uri())
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_without_errors_overflow_and_barriers(
    browser: Browser, crowded_page: Path, width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    problems: list[str] = []
    asked: list[str] = []
    page = _opened(
        context,
        crowded_page,
        console=lambda message: problems.append(message.text) if message.type in ("error", "warning") else None,
        pageerror=lambda error: problems.append(str(error)),
        requestfailed=lambda request: problems.append(f"failed: {request.url[:80]}"),
        request=lambda request: asked.append(request.url),
        dialog=lambda dialog: problems.append(f"a string was run as a script: {dialog.message}"),
    )
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
        page = _opened(context, crowded_page)
        assert page.locator("#suspects ol.ranking").is_visible() is listed
        assert page.locator("#suspects svg.figure").is_visible() is not listed
        assert page.locator("#suspects .ranking .name").first.text_content() == "logits as probabilities"
        context.close()


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
    page = _opened(context, crowded_page)
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator("#runs").is_visible()
    assert page.locator("#answer p").count() == 3
    assert page.locator("svg.figure").first.is_visible()
    context.close()
