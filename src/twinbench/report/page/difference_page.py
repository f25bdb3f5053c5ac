"""The page of `twinbench report-diff`: one self-contained file."""

from pathlib import Path
from typing import Final

from twinbench.html.templating import digest
from twinbench.report.difference import Difference
from twinbench.report.page.templating import asset, environment, style_sheet, write

MOST: Final = 500


def build_difference_page(difference: Difference, output: Path) -> Path:
    """Write the page and return its path.

    Raises:
        DataError: it cannot be written.
    """
    script = asset("tables.js")
    template = environment().get_template("difference.html.j2")
    return write(
        output,
        template.render(
            difference=difference, most=MOST, script=script, script_digest=digest(script), style=style_sheet()
        ),
        setting="--html",
    )
