"""`twinbench report-diff A B`: which verdicts, means and hashes changed between two results folders."""

from pathlib import Path

import click

_FOLDER = click.Path(path_type=Path)


@click.command(
    "report-diff",
    short_help="Say what changed between two results folders.",
    epilog="Example: twinbench report-diff results-a results-b --html difference.html",
)
@click.argument("before", metavar="A", type=_FOLDER)
@click.argument("after", metavar="B", type=_FOLDER)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the comparison as a page too.")
@click.option("--most", type=click.IntRange(min=0), default=20, show_default=True, help="Changes listed of each kind.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when something but machine and versions changed.")
@click.pass_context
def report_diff(
    context: click.Context, before: Path, after: Path, *, html: Path | None, most: int, exit_code: bool
) -> None:
    """Compare two results folders: two commits, two machines, a CPU and a GPU."""
    from twinbench.report.difference import as_text, compare_results  # pandas only when it runs

    difference = compare_results(before, after)
    click.echo(as_text(difference, most=most))
    if html is not None:
        from twinbench.report.page.difference_page import build_difference_page  # the same

        build_difference_page(difference, html)
        click.echo(f"\nThe page: {html}")
    if exit_code and not difference.same:
        context.exit(1)
