"""`twinbench plan`: what would a configuration do, and what would it take?"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinbench.durations import duration

if TYPE_CHECKING:
    from rich.table import Table

    from twinbench.planning.forecast import Forecast, Frozen


@click.command(epilog="Example: twinbench plan --configfile config/mnist.yaml --cores 8")
@click.option("--configfile", type=click.Path(path_type=Path), metavar="FILE",
              help="The configuration.  [default: the defaults]")  # fmt: skip
@click.option("--config", "settings", multiple=True, metavar="KEY=VALUE",
              help="Set a key, as for snakemake: seeds=5, training='{epochs: 2}'; may be repeated.")  # fmt: skip
@click.option("--cores", type=click.IntRange(min=1), default=os.cpu_count(), show_default=True, help="For the time.")
def plan(configfile: Path | None, settings: tuple[str, ...], cores: int) -> None:
    """What would a configuration do, and what would it take?

    Runs and jobs, how many of the runs the store has already, and an estimate of time, memory and disk, for each
    dataset and architecture. Nothing is downloaded or trained. Run it where you run snakemake: folders are relative.
    """
    from rich.console import Console

    from twinbench.architectures.places import unseen
    from twinbench.config import read_with_settings
    from twinbench.planning.feasible import check_feasible
    from twinbench.planning.forecast import make_forecast

    configuration = read_with_settings(configfile, settings)
    check_feasible(configuration)
    frozen: Frozen | None = None
    if configuration.looks:
        from twinbench.analysis.frozen import frozen_so_far  # pandas only where it is needed

        frozen = frozen_so_far
    forecast = make_forecast(configuration, cores, frozen)
    console = Console(soft_wrap=True, highlight=False)
    console.print(_table(forecast))
    for sentence in (*_sentences(forecast), *unseen(configuration)):
        console.print(sentence)


def _table(forecast: "Forecast") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_footer=True)
    unit = "GPU hours" if forecast.device == "gpu" else "core hours"
    rows = forecast.rows
    table.add_column("dataset", footer="all")
    table.add_column("architecture")
    for name, total in (
        ("runs", sum(row.runs for row in rows)),
        ("recorded", sum(row.recorded for row in rows)),
        ("jobs", sum(row.jobs for row in rows)),
    ):
        table.add_column(name, footer=str(total), justify="right")
    table.add_column(unit, footer=_hours(sum(row.hours for row in rows)), justify="right")
    for row in rows:
        table.add_row(row.dataset, row.group, str(row.runs), str(row.recorded), str(row.jobs), _hours(row.hours))
    return table


def _sentences(forecast: "Forecast") -> list[str]:
    jobs = sum(row.jobs for row in forecast.rows)
    if not jobs:
        return ["Every run is recorded: nothing would be trained."]
    time = duration(3600 * forecast.wall_hours, rough=True)
    found = [
        f"{_count(jobs, 'job')} of {_count(forecast.threads, 'core')} each: about {time} on "
        f"{_count(forecast.cores, 'core')}, "
        f"{forecast.memory_mb / 1000:.1f} GB of memory, {forecast.disk_mb:,.0f} MB of disk. "
        "The ladder and the measurements add minutes for each dataset.",
        f"The times rest on {forecast.measured} runs that the store has of these datasets."
        if forecast.measured
        else "The times are a first guess, which may be wrong by a factor of three: after a few finished runs they "
        "will rest on those.",
    ]
    if forecast.first_look:
        runs, hours = forecast.first_look
        found.append(
            f"`seeds: settle`: the first look takes {_count(runs, 'run')}, about {duration(3600 * hours, rough=True)}. "
            "All above is the most that it may come to: after each look only undecided comparisons train on."
        )
    if forecast.device == "gpu" and not forecast.measured:
        found.append("No run was measured on a GPU yet: the hours are those of a CPU core, and a card takes fewer.")
    if forecast.guessed:
        found.append(f"Counted as if as large as MNIST, since the size is not known: {', '.join(forecast.guessed)}.")
    if forecast.unprepared:
        found.append(
            "Not prepared yet, or to be prepared anew, so that none of their runs counts as recorded: "
            f"{', '.join(forecast.unprepared)}."
        )
    return found


def _hours(hours: float) -> str:
    return f"{hours:.2f}" if hours < 10 else f"{hours:,.0f}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
