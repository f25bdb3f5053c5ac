"""`twinbench archive RESULTS`: one file to deposit."""

from pathlib import Path

import click


@click.command(
    short_help="Pack a results folder to deposit it.", epilog="Example: twinbench archive results --author 'A. Name'"
)
@click.argument("results", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="The archive.  [default: RESULTS.crate.zip]")  # fmt: skip
@click.option("--title", default="Results of twinbench", show_default=True, help="Name of the deposit.")
@click.option("--license", "licence", metavar="URL", help="The licence under which you publish the results.")
@click.option("--author", "authors", multiple=True, metavar="NAME", help="A name or an ORCID's address; once for each.")
def archive(results: Path, output: Path | None, title: str, licence: str | None, authors: tuple[str, ...]) -> None:
    """Pack a results folder as an RO-Crate, with checksums and provenance, to deposit it.

    The page, tables, figures, records and measurements go in, and what describes the datasets; not the datasets
    themselves, nor the store.
    """
    from twinbench.report.archive import archive_results  # pyarrow and rocrate only when it runs

    target = output or Path(f"{results.resolve().name}.crate.zip")
    files = archive_results(results, target, title=title, licence=licence, authors=authors)
    click.echo(f"{target}: {files} files of {results}, each with its SHA-256 in ro-crate-metadata.json.")
