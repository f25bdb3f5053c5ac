"""A page that is opened in the browser, and all that goes wrong or is asked for while it is open."""

from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import BrowserContext, Page


class Watched(NamedTuple):
    """An open page, what went wrong so far, and the addresses it asked for."""

    page: Page
    problems: list[str]
    asked: list[str]


def opened(context: BrowserContext, path: Path) -> Watched:
    """Open a file in a new page, watched from its first line on."""
    watched = Watched(context.new_page(), [], [])
    page, problems, asked = watched
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url[:80]}"))
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: problems.append(f"a string was run as a script: {dialog.message}"))
    page.goto(path.as_uri())
    return watched
