"""`twinbench run`: the benchmark from any folder, with every option of snakemake."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click


@click.command(
    short_help="Run the benchmark in this folder.",
    epilog="Example: twinbench run --configfile mnist.yaml --cores 4",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def run(options: tuple[str, ...]) -> None:
    """Run the benchmark in this folder: twinbench run --configfile FILE [options of snakemake].

    As snakemake in a clone of the repository, with all cores unless --cores or an executor says otherwise. A profile of
    the workflow is known by its name: --workflow-profile slurm. The configurations that come with it are, too:
    --configfile smoke.yaml.
    """
    if options in ((), ("-h",), ("--help",)):
        context = click.get_current_context()
        click.echo(context.get_help())
        return
    command = snakemake_command(options)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 # snakemake takes the place of this process, signals and status with it


def snakemake_command(options: Sequence[str]) -> list[str]:
    """Return the command that runs the workflow with these options of snakemake.

    Raises:
        ModuleNotFoundError: there is no snakemake.
        UsageError: the workflow was not installed.
    """
    import snakemake

    from twinbench.planning.workflow import workflow_folder

    folder = workflow_folder()
    profiles, configurations = folder / "workflow" / "profiles", folder / "config"
    options = _known(options, "--workflow-profile", profiles)
    options = _known(options, "--configfile", configurations)
    start = [sys.executable, "-m", snakemake.__name__, "--snakefile", str(folder / "Snakefile")]
    if not _sets(options, "--workflow-profile"):
        start += ["--workflow-profile", str(profiles / "default")]
    if not _sets(options, "--cores", "-c", "--jobs", "-j", "--executor", "-e", "--profile", "--workflow-profile"):
        start += ["--cores", "all"]
    return [*start, *options]


def _sets(options: Sequence[str], *names: str) -> bool:
    return any(
        option.partition("=")[0] in names or (option[:2] in names and option[1:2] != "-" and option[2:].isdigit())
        for option in options
    )


def _known(options: Sequence[str], name: str, folder: Path) -> list[str]:
    """The options, with the names of what comes with the workflow as paths, where no such file lies here."""
    given = list(options)
    for position, option in enumerate(given[:-1]):
        value = given[position + 1]
        if option == name and not Path(value).exists() and (folder / value).exists():
            given[position + 1] = str(folder / value)
    return given
