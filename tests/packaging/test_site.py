"""`make site`: built without a network, every link on it leads somewhere, and its search finds pages."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_OUTSIDE = {"http", "https", "mailto"}


def _build(folder, source=_ROOT, **environment):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", source / "mkdocs.yml"]
    return subprocess.run(
        [*command, "--site-dir", folder],
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    (results / "report.html").write_text("<html><p>A report</p></html>", encoding="utf-8")
    folder = tmp_path_factory.mktemp("site")
    finished = _build(folder, TWINBENCH_RESULTS=str(results))
    assert finished.returncode == 0, finished.stderr
    return folder


class _Page(HTMLParser):
    """The places that a page names, what it loads, and its anchors."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors.update(given[key] for key in ("id", "name") if given.get(key))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("script", "img", "link"):
            self.loaded += [given[key] for key in ("src", "href") if given.get(key)]


def test_every_link_of_every_page_leads_to_a_file_and_an_anchor_of_the_site(site):
    pages = {path: _Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.scheme in _OUTSIDE:
                continue
            if not target.is_file() or (target in pages and unquote(parts.fragment) not in pages[target].anchors):
                broken.append(f"{path.name}: {link}")
    assert broken == []
    assert {path.stem for path in (_ROOT / "docs").glob("*.md")} < {path.stem for path in pages}
    assert "example/report.html" in pages[site / "example.html"].links


def test_no_page_loads_anything_from_elsewhere(site):
    loaded = {place for path in site.rglob("*.html") for place in _Page(path).loaded}
    assert {place for place in loaded if urlsplit(place).scheme in _OUTSIDE} == set()


@pytest.mark.parametrize("wrong", ["[a page](missing.md)", "[a section](data.md#missing)"])
def test_a_link_that_leads_nowhere_stops_the_build(tmp_path, wrong):
    source = tmp_path / "repository"
    source.mkdir()
    shutil.copytree(_ROOT / "docs", source / "docs")
    for name in ("mkdocs.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "LICENSE"):
        shutil.copy(_ROOT / name, source)
    with (source / "docs" / "trust.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{wrong}\n")
    finished = _build(tmp_path / "site", source)
    assert finished.returncode != 0
    assert "missing" in finished.stderr


def test_the_search_of_the_site_finds_a_page_and_asks_no_other_machine(browser, site):
    handler = functools.partial(_Silent, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        address = f"http://127.0.0.1:{server.server_port}"
        page.goto(f"{address}/index.html")
        page.locator("input.md-search__input").click()
        page.keyboard.type("equivalence margin")
        results = page.locator(".md-search-result__link")
        results.first.wait_for(state="attached")
        assert any("statistics.html" in link.get_attribute("href") for link in results.all())
        page.close()
        server.shutdown()
    assert {url for url in asked if not url.startswith((address, "data:", "blob:"))} == set()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
