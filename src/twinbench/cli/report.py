"""`twinbench report --so-far`: the page from what is finished, while the rest still trains."""

from pathlib import Path

import click


@click.command(epilog="Example: twinbench report --so-far --configfile config/mnist.yaml")
@click.option("--so-far", is_flag=True, required=True, help="From the finished runs; what is missing stands on top.")
@click.option("--configfile", type=click.Path(path_type=Path), metavar="FILE",
              help="The configuration.  [default: the defaults]")  # fmt: skip
@click.option("--config", "settings", multiple=True, metavar="KEY=VALUE",
              help="Set a key, as for snakemake; may be repeated.")  # fmt: skip
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
              help="Where to write.  [default: `so-far` in the configuration's output]")  # fmt: skip
def report(*, so_far: bool, configfile: Path | None, settings: tuple[str, ...], output: Path | None) -> None:
    """Make tables, figures and page of the runs that are finished.

    Run it where you run snakemake, while that is running or after it was stopped. The results folder itself stays as
    it is. The page of all runs comes from `snakemake report`.
    """
    import logging

    from twinbench.config import read_with_settings  # pandas and matplotlib only when it runs
    from twinbench.report.so_far import report_so_far

    del so_far  # the only kind that there is
    logging.getLogger("twinbench.store").setLevel(logging.ERROR)  # records of another version are no runs of this one
    configuration = read_with_settings(configfile, settings)
    made = report_so_far(configuration, output or Path(configuration.output) / "so-far")
    click.echo(made.lacking or "Every run is finished: this is the whole report.")
    click.echo(f"Report:  {made.page}")
