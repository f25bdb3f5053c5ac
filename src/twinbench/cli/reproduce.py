"""`twinbench reproduce TABLE`: train recorded runs again, and say how near they come."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click


@contextlib.contextmanager
def without_notices() -> Iterator[None]:
    """Keep off the terminal what TensorFlow's C++ writes to descriptor 2 as it starts; Python's own lines go there."""
    sys.stderr.flush()
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    python = sys.stderr
    os.dup2(nowhere, 2)
    try:
        with os.fdopen(os.dup(terminal), "w", encoding="utf-8", errors="replace") as lines:
            sys.stderr = lines
            yield
    finally:
        sys.stderr = python
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)


@click.command(
    short_help="Train recorded runs again, and compare.",
    epilog="Example: twinbench reproduce results/tables/runs.csv --row 3",
)
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--row", "numbers", multiple=True, type=int, metavar="K",
              help="Train row K of the table again, counted from 1 below the header; may be repeated.")  # fmt: skip
@click.option("--sample", default=0, type=click.IntRange(min=0), metavar="N", help="Train N rows drawn at random.")
@click.option("--store", "folder", type=click.Path(path_type=Path),
              help="Folder of the finished runs.  [default: `store` in the table's results folder]")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path),
              help="Folder of the prepared datasets.  [default: `data` in the table's results folder]")  # fmt: skip
@click.pass_context
def reproduce(
    context: click.Context,
    table: Path,
    *,
    numbers: tuple[int, ...],
    sample: int,
    folder: Path | None,
    data: Path | None,
) -> None:
    """Train runs of results/tables/runs.csv again, as they were recorded, and compare.

    Each is bit-identical, within seed noise, or different; where the software or the machine differ, it says in
    what. Exit status: 0 all bit-identical or within seed noise, 1 a run is different, 2 an error of use.
    """
    import logging

    from twinbench.store.runs import RunStore
    from twinbench.training.reproduction import choose_rows, read_rows
    from twinbench.training.reproduction import reproduce as train_again

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    rows = read_rows(table)
    results = table.resolve().parent.parent
    runs = RunStore(folder or results / "store")
    different = 0
    for row in choose_rows(rows, numbers, sample):
        with without_notices():
            made = train_again(row, rows, runs, data or results / "data")
        click.echo(f"{made.name}: {made.agreement} ({made.sentence}).")
        for name, recorded, now in made.differences:
            click.echo(f"    {name}: {recorded} then, {now} now")
        different += made.agreement == "different"
    context.exit(1 if different else 0)
