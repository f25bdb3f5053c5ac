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
@click.option("--manual-dir", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="For a committed table: folder with the original files, instead of a download.")  # fmt: skip
@click.pass_context
def reproduce(
    context: click.Context,
    table: Path,
    *,
    numbers: tuple[int, ...],
    sample: int,
    folder: Path | None,
    data: Path | None,
    manual_dir: Path | None,
) -> None:
    """Train runs of a table runs.csv again, as they were recorded, and compare.

    A committed table, with configuration.json beside it, needs no store; its dataset is prepared in `data` beside it.
    Each is bit-identical, within seed noise, or different; where the software or the machine differ, it says in
    what. Exit status: 0 all bit-identical or within seed noise, 1 a run is different, 2 an error of use.
    """
    import logging

    from twinbench.store.runs import RunStore
    from twinbench.training.reproduction import Source, choose_rows, read_rows
    from twinbench.training.reproduction import reproduce as train_again
    from twinbench.training.tabled import is_kept

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    rows = read_rows(table)
    tables = table.resolve().parent
    results = tables.parent
    kept = folder is None and is_kept(tables)
    source = Source(
        store=None if kept else RunStore(folder or results / "store"),
        tables=tables,
        data=data or (tables if kept else results) / "data",
        manual_dir=manual_dir,
    )
    different = 0
    for row in choose_rows(rows, numbers, sample):
        with without_notices():
            made = train_again(row, rows, source)
        click.echo(f"{made.name}: {made.agreement} ({made.sentence}).")
        for name, recorded, now in made.differences:
            click.echo(f"    {name}: {recorded} then, {now} now")
        different += made.agreement == "different"
    context.exit(1 if different else 0)
