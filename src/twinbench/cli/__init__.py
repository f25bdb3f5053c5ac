"""The command line: `twinbench COMMAND`. Each command has its own module and imports what is heavy when it runs."""

from typing import Any

import click

from twinbench import __version__
from twinbench.cli.archive import archive
from twinbench.cli.check import check
from twinbench.cli.compare import compare
from twinbench.cli.plan import plan
from twinbench.cli.report import report
from twinbench.cli.report_diff import report_diff
from twinbench.cli.reproduce import reproduce
from twinbench.cli.roundtrip import roundtrip
from twinbench.cli.run import run
from twinbench.cli.store import store
from twinbench.cli.study import study
from twinbench.errors import TwinbenchError, benchmark_needed


class _Group(click.Group):
    """Shows a mistake of the user as its sentence, and exits with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with benchmark_needed():
                return super().invoke(ctx)
        except TwinbenchError as error:
            click.echo(f"twinbench: {error}", err=True)
            ctx.exit(2)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="twinbench")
def main() -> None:
    """Are two ways to write the same Keras model the same, and do they score the same?"""


main.add_command(archive)
main.add_command(check)
main.add_command(compare)
main.add_command(plan)
main.add_command(report)
main.add_command(report_diff)
main.add_command(reproduce)
main.add_command(roundtrip)
main.add_command(run)
main.add_command(store)
main.add_command(study)
