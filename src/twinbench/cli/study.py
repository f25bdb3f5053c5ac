"""`twinbench study A B`: train models of a person's own under many seeds, and say whether they score the same."""

import os
import subprocess
import sys

import click

NAME = "study"
SETTLE = "settle"


def _how_many(context: click.Context, parameter: click.Parameter, value: str) -> int | str:
    return value if value == SETTLE else int(click.IntRange(2, 100_000)(value, parameter, context))


@click.command(
    short_help="Train your own models under many seeds.",
    epilog="Example: twinbench study old.py:build new.py:build --data mine.npz --seeds 10",
)
@click.argument("models", nargs=-1, required=True, metavar="A B [C ...]")
@click.option("--data", default="digits", show_default=True, metavar="FILE",
              help="What to train on: an .npz, file.py:load, digits, or a dataset of tensorflow-datasets.")  # fmt: skip
@click.option("--seeds", default="5", show_default=True, metavar="N|settle", callback=_how_many,
              help="How many seeds, or settle: as many as it takes.")  # fmt: skip
@click.option("--output", default=NAME, show_default=True, metavar="FOLDER", help="Folder of everything that is made.")
@click.option("--task", type=click.Choice(["classify", "regress", "reconstruct"]), default="classify",
              show_default=True, help="What the models are for.")  # fmt: skip
@click.option("--score", metavar="METRIC", help="Score by a metric that the models are compiled with, as auc.")
@click.option("--config", "settings", multiple=True, metavar="KEY=VALUE",
              help="Set any other key of the configuration: training='{epochs: 2}'; may be repeated.")  # fmt: skip
@click.option("--cores", type=click.IntRange(min=1), help="How many cores to use.  [default: all]")
@click.option("--profile", metavar="NAME", help="A profile for a cluster: slurm, generic, or a folder.")
def study(  # noqa: PLR0917 - click passes the options by name
    models: tuple[str, ...],
    data: str,
    seeds: int | str,
    output: str,
    task: str,
    score: str | None,
    settings: tuple[str, ...],
    cores: int | None,
    profile: str | None,
) -> None:
    """Train models under many seeds: are they the same, and do they score the same?

    A, B, ... are functions that return a keras.Model, as file.py:function or package.module:function; the others are
    compared with A. The output folder gets tables, figures, the page (report.html) and the configuration
    (study.yaml), with which `twinbench run` or snakemake goes on. What is finished is never trained again: run the same
    command after an interruption, with more seeds, or after a change to one of the files.
    """
    from twinbench.cli.run import snakemake_command
    from twinbench.planning.study import write_study
    from twinbench.report.ending import SAID_LATER, answer_in_words

    jobs = None if profile else cores or os.cpu_count()
    file = write_study(
        models, data=data, seeds=seeds, output=output, task=task, score=score, jobs=jobs, settings=settings
    )
    options = ["--workflow-profile", profile] if profile else ["--cores", str(cores or "all")]
    command = snakemake_command([*options, "--configfile", str(file)])
    done = subprocess.run(command, check=False, env={**os.environ, SAID_LATER: "1"})  # noqa: S603
    if done.returncode:
        click.echo(
            f"\ntwinbench: not finished (see above). To go on: the same command, or twinbench run --configfile {file}"
        )
        sys.exit(done.returncode)
    click.echo("")
    for line in answer_in_words(file.parent / "tables"):
        click.echo(line)
    click.echo(f"Page: {file.parent}/report.html. Again, or with other settings: twinbench run --configfile {file}")
