"""The page of a comparison, opened in a real browser: complete in itself, without barriers, and readable when large."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from tests.watching import opened

import twinbench

HOSTILE = "<script>alert(1)</script>"
DEPTH = 60


def deep(activation: str = "relu", *, named: str = HOSTILE, normalised: bool = True) -> Any:
    """Sixty dense layers; the thirtieth has an activation of its own."""
    import keras
    from keras import layers

    x = start = keras.Input((4,))
    for number in range(DEPTH):
        x = layers.Dense(4, activation=activation if number == 30 else "tanh")(x)
    if normalised:
        x = layers.BatchNormalization()(x)
    model = keras.Model(start, layers.Dense(2, name="out")(x), name="deep")
    model.compile(keras.optimizers.Adam(0.01), keras.losses.MeanSquaredError(name=named))
    return model


@pytest.fixture(scope="module")
def report() -> Any:
    compared = twinbench.compare(deep, lambda: deep("linear"), names=(HOSTILE, "new.py:build"))
    scores = {"a": [90.0, 91.0, 92.0], "b": [88.0, 90.5, 89.0]}
    difference = {"mean": -1.83, "standard_deviation": 1.26, "ci_low": -4.96, "ci_high": 1.3, "p_value": 0.13}
    compared.seeds = {"accuracy": scores, "difference": difference, "finding": "On digits.", "sentence": "Chance."}
    return compared


@pytest.fixture(scope="module")
def written(report: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(report.to_html(), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, written: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield opened(context, written).page
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "dark"), (1920, "light")])
def test_the_page_is_without_errors_requests_overflow_and_barriers(
    browser: Browser, written: Path, width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, problems, asked = opened(context, written)
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert Axe().run(page).violations_count == 0
        page.evaluate("for (const one of [...document.querySelectorAll('details')].slice(0, 40)) one.open = true")
    context.close()
    assert problems == []
    assert asked == [written.as_uri()]


def test_a_deep_model_is_folded_but_for_what_differs_and_its_neighbours(page: Page) -> None:
    assert page.locator("details.row:visible").count() <= 8
    changed = page.locator("details.row.cause")
    assert changed.count() == 1
    assert changed.locator(".setting b").all_text_contents() == []  # nothing stands in its place
    assert "nothing in its place" in (changed.text_content() or "")
    assert page.locator("details.stretch summary").all_text_contents()[0].startswith("60 layers with the same settings")
    page.get_by_role("button", name="Unfold equal layers").click()
    assert page.locator("details.row:visible").count() == 2 * DEPTH + 3
    page.get_by_role("button", name="Fold equal layers").click()
    assert page.locator("details.row:visible").count() <= 8


def test_with_the_keyboard_one_goes_to_the_difference_and_opens_it(page: Page) -> None:
    page.get_by_role("button", name="Next difference").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('details.row').classList.contains('cause')")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.locator("details.row.cause[open] table").is_visible()


def test_a_cause_leads_to_its_row_and_the_first_layer_that_differs_says_so(page: Page) -> None:
    page.locator("#causes .places a").first.click()
    assert page.locator("details.row.cause[open]").count() == 1
    first = page.locator("details.row.first")
    assert "Values first differ here, in inference" in (first.text_content() or "")
    first.locator("summary").click()
    assert re.search(r"In inference mode their values differ by [\d.e-]+", first.text_content() or "")


def test_a_row_shows_the_line_that_made_the_layer_and_the_settings_of_both_sides(page: Page) -> None:
    row = page.locator("details.row:visible").last
    row.locator("summary").click()
    text = row.text_content() or ""
    assert text.count('layers.Dense(2, name="out")') == 2
    assert row.locator("tr", has_text="use_bias").locator("td").all_text_contents() == ["True", "True"]


def test_what_surrounds_the_models_and_the_seeds_are_there(page: Page) -> None:
    parts = page.locator("#training tbody tr")
    assert "Adam(learning_rate=0.01" in (parts.nth(1).text_content() or "")
    assert page.locator("#ladder li").count() == 8
    assert page.locator("#seeds svg").get_attribute("aria-label", timeout=1000).endswith("from -4.96 to 1.30 points")  # type: ignore[union-attr]
    assert page.locator("#seeds tbody tr").count() == 3


def test_printed_and_without_javascript_it_still_reads(browser: Browser, written: Path) -> None:
    context = browser.new_context(color_scheme="dark", java_script_enabled=False)
    page = opened(context, written).page
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator("#next").is_visible()
    assert page.locator("details.row.cause").is_visible()
    assert page.locator("#causes li").first.is_visible()
    context.close()


def test_in_a_notebook_it_stands_in_a_frame_of_its_own(browser: Browser, report: Any, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><title>A notebook</title>{report._repr_html_()}", encoding="utf-8")
    context = browser.new_context()
    page, problems, _ = opened(context, notebook)
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="Next difference").click()
    assert frame.locator("details.row.cause[open]").count() == 1
    context.close()
    assert problems == []


def test_a_report_on_what_does_not_build_has_a_page_too(browser: Browser, tmp_path: Path) -> None:
    def broken() -> Any:
        raise ValueError(HOSTILE)

    path = tmp_path / "report.html"
    path.write_text(twinbench.compare(deep, broken).to_html(), encoding="utf-8")
    context = browser.new_context()
    page = opened(context, path).page
    assert "cannot be shown side by side" in (page.locator("#layers").text_content() or "")
    assert HOSTILE in (page.locator("h1").text_content() or "")
    context.close()
