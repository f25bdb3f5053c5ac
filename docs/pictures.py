"""The pictures of this folder, made from the kept results: the ranking of suspects, and the page at two widths.

`make findings` runs it. Each picture holds the digest of the tables that it was made from, so that a test can tell one
that shows an older state.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import sync_playwright

from twinbench.config import Figures
from twinbench.report.catalogue import figure_file
from twinbench.report.figures import draw_all
from twinbench.report.findings import PICTURE, Kept
from twinbench.report.kept import digest, unpack
from twinbench.report.page import build_page
from twinbench.report.tables import Tables

MADE_FROM = "tables"
_WINDOWS = {1280: 1600, 390: 1200}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def make_pictures(kept: Path, docs: Path) -> None:
    """Write every picture of the documentation.

    Args:
        kept: folder of kept tables.
        docs: folder of the documentation.
    """
    with tempfile.TemporaryDirectory() as folder:
        tables, figures = unpack(kept, Path(folder) / "tables"), Path(folder) / "figures"
        draw_all(tables, figures, Figures())
        page = build_page(tables, Path(folder) / "report.html", Figures(), figures)
        ranking = figure_file("suspects", Tables.read(tables).datasets[0], "png")
        shutil.copyfile(figures / ranking, docs / PICTURE)
        pictures = [docs / PICTURE, *_photographed(page, docs / PICTURE.parent)]
    for path in pictures:
        _stamp(path, digest(kept))


def _photographed(page: Path, folder: Path) -> list[Path]:
    """Write the first screen of a page in each window, light and dark, and return the files."""
    chromium = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    paths = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--headless", "--no-sandbox"])
        for width, height in _WINDOWS.items():
            for scheme in _SCHEMES:
                window = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                window.goto(page.as_uri())
                paths.append(folder / f"report-{width}-{scheme}.png")
                window.screenshot(path=paths[-1])
                window.close()
        browser.close()
    return paths


def _stamp(path: Path, made_from: str) -> None:
    """Note in a picture what it was made from, and save it in few colours, which screens of text need."""
    notes = PngInfo()
    notes.add_text(MADE_FROM, made_from)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256).save(path, optimize=True, pnginfo=notes)


if __name__ == "__main__":
    make_pictures(Kept.read(Path(sys.argv[1])).main.folder, Path(sys.argv[2]))
