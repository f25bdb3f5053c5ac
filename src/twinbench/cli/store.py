"""`twinbench store`: what the store of finished runs holds, whether all of it is right, and what of it may go."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from twinbench.errors import UsageError

_F = TypeVar("_F", bound=Callable[..., object])


def _in_a_store(command: _F) -> _F:
    """Take the store's folder as an argument, or with --store."""
    option = click.option(
        "--store", "folder", type=click.Path(path_type=Path), default=Path("results/store"), show_default=True,
        help="Folder of the finished runs; PATH is the same.",
    )  # fmt: skip
    return click.argument("path", metavar="[PATH]", required=False, type=click.Path(path_type=Path))(option(command))


@click.group(
    short_help="Look at finished runs, check and remove them.",
    epilog="Example: twinbench store prune --other-versions --dry-run",
)
def store() -> None:
    """Look at the finished runs, check them, and remove what is no longer wanted."""


@store.command("ls", epilog="Example: twinbench store ls results/store")
@_in_a_store
def list_holdings(folder: Path, path: Path | None) -> None:
    """List what the store holds: runs and size by dataset, architecture and variant."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from twinbench.planning.pruning import holdings
    from twinbench.store.runs import RunStore

    held = holdings(RunStore(_existing(path or folder)))
    table = Table(box=box.SIMPLE_HEAD, show_footer=True)
    table.add_column("dataset", footer="all")
    table.add_column("architecture")
    table.add_column("variant")
    table.add_column("runs", footer=str(sum(entry.runs for entry in held)), justify="right")
    table.add_column("failed", footer=str(sum(entry.failed for entry in held)), justify="right")
    table.add_column("size", footer=_size(sum(entry.size for entry in held)), justify="right")
    for entry in held:
        table.add_row(
            entry.dataset, entry.architecture, entry.variant, str(entry.runs), str(entry.failed), _size(entry.size)
        )
    Console(soft_wrap=True, highlight=False).print(table)


@store.command(epilog="Example: twinbench store verify")
@_in_a_store
@click.pass_context
def verify(context: click.Context, folder: Path, path: Path | None) -> None:
    """Hold every record and checkpoint against its checksum. Exit status: 0 all right, 1 something is damaged."""
    from twinbench.planning.pruning import damaged
    from twinbench.store.runs import RunStore

    runs = RunStore(_existing(path or folder))
    wrong = list(damaged(runs))
    for entry in wrong:
        click.echo(entry.reason)
    count = len(list(runs.keys()))
    if wrong:
        click.echo(f"{_files(len(wrong))} of the store cannot be used; `twinbench store prune` removes them.")
        context.exit(1)
    click.echo(f"All {count} records match their checksums." if count != 1 else "The record matches its checksum.")


@store.command(epilog="Example: twinbench store prune --not-in config/mnist.yaml --dry-run")
@_in_a_store
@click.option("--other-versions", is_flag=True, help="Also runs of another engine, TensorFlow, Keras or NumPy.")
@click.option("--not-in", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Also runs that this configuration does not ask for, nor any other that is named.")  # fmt: skip
@click.option("--checkpoints", is_flag=True, help="Also the checkpoints of unfinished runs.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
def prune(
    folder: Path, path: Path | None, *, other_versions: bool, files: tuple[Path, ...], checkpoints: bool, dry_run: bool
) -> None:
    """Remove damaged files and, as the options say, what is no longer wanted.

    A process that trains into the store meanwhile loses at most a checkpoint or a run, which it trains again.
    """
    from twinbench.config import read_configuration
    from twinbench.planning.pruning import Wanted, unwanted
    from twinbench.store.runs import RunStore

    wanted = Wanted(
        this_version=other_versions, asked_for=[read_configuration(path) for path in files], checkpoints=not checkpoints
    )
    going = {entry.path: entry for entry in unwanted(RunStore(_existing(path or folder)), wanted)}
    for entry in going.values():
        click.echo(entry.reason)
        if not dry_run:
            entry.path.unlink(missing_ok=True)
    verb = "would be removed" if dry_run else "removed"
    click.echo(f"{_files(len(going))} {verb}, {_size(sum(entry.size for entry in going.values()))}.")


def _existing(folder: Path) -> Path:
    parts = ("records", "checkpoints", "locks")
    if any((folder / part).is_dir() for part in parts):
        return folder
    inside = next((path for path in (folder / "store", folder.parent / "store") if (path / "records").is_dir()), None)
    hint = f"; did you mean {inside}?" if inside else "."
    raise UsageError(f"There is no store in {folder}: name the folder of the finished runs{hint}")


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
