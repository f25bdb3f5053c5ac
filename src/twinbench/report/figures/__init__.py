"""Drawing figures from tables. `twinbench.report.catalogue` lists them without importing matplotlib."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from twinbench.config import Figures
from twinbench.report.catalogue import FIGURES, figure_entry, figure_file
from twinbench.report.figures import (
    accuracy,
    api_costs,
    differences,
    gradients,
    ladder,
    learning,
    parameters,
    seeds,
    suspects,
    training_time,
)
from twinbench.report.figures.saving import save
from twinbench.report.figures.style import Style, add_footer, new_figure, style_of
from twinbench.report.headlines import headline
from twinbench.report.provenance import Provenance, provenance_of
from twinbench.report.tables import NothingToShowError, Tables

DRAW: Final[Mapping[str, Callable[[Tables, Style], Figure]]] = {
    "suspects": suspects.draw,
    "ladder": ladder.draw,
    "accuracy": accuracy.draw,
    "differences": differences.draw,
    "noise_floor": seeds.draw_noise_floor,
    "parameters": parameters.draw,
    "learning_curves": learning.draw,
    "training_time": training_time.draw,
    "gradients": gradients.draw_gradients,
    "updates": gradients.draw_updates,
    "api_costs": api_costs.draw,
    "seeds_needed": seeds.draw_seeds_needed,
}


def draw(name: str, tables: Tables, style: Style, provenance: Provenance) -> Figure:
    """Return a figure of one dataset with its footer.

    Call within `matplotlib.rc_context(style.rc)`, which must last until the figure is saved.

    Args:
        name: as in the catalogue.
        tables: of one dataset (`Tables.of_dataset`).
        style: how it looks.
        provenance: for the footer.

    Raises:
        NothingToShowError: there are no rows for it; the sentence says what is missing.
    """
    figure = DRAW[name](tables, style)
    add_footer(figure, style, provenance.footer(seeds=figure_entry(name).rests_on_runs))
    return figure


def _empty(name: str, sentence: str, tables: Tables, style: Style, provenance: Provenance) -> Figure:
    """Return a figure that says in one sentence why there is nothing to see."""
    figure = new_figure(style, 0.7 * style.scale, figure_entry(name).title, ", ".join(tables.datasets))
    figure.text(0.5, 0.42, sentence, ha="center", va="center", wrap=True)
    add_footer(figure, style, provenance.line)
    return figure


def draw_figure(name: str, tables: Tables, dataset: str, output: Path, figures: Figures) -> list[Path]:
    """Draw one figure of one dataset in every configured format, and return the files.

    A figure whose table is missing is a picture of the sentence that says so.

    Args:
        name: as in the catalogue.
        tables: all tables.
        dataset: name of the dataset.
        output: folder to write into.
        figures: the section of the configuration.
    """
    entry = figure_entry(name)
    style = style_of(figures)
    part = tables.of_dataset(dataset)
    provenance = provenance_of(part)
    paths = [output / figure_file(name, dataset, file_format) for file_format in figures.formats]
    title = entry.title
    with mpl.rc_context(style.rc):
        try:
            figure = draw(name, part, style, provenance)
            title = headline(name, part)
        except NothingToShowError as nothing:
            figure = _empty(name, str(nothing), part, style, provenance)
        for path in paths:
            save(figure, path, f"{title} ({dataset})", entry.caption, provenance)
    return paths


def draw_all(
    tables: Path,
    output: Path,
    figures: Figures,
    names: Sequence[str] | None = None,
    datasets: Sequence[str] | None = None,
) -> list[Path]:
    """Draw figures from a folder of tables, and return the files.

    Args:
        tables: folder of `.csv` tables.
        output: folder to write into.
        figures: the section of the configuration.
        names: as in the catalogue; all of them when None.
        datasets: the datasets' names; all that the tables have when None.

    Raises:
        RecordError: the folder holds no tables.
    """
    read = Tables.read(tables, complete=True)
    wanted = [entry.name for entry in FIGURES] if names is None else names
    return [
        path
        for dataset in (read.datasets if datasets is None else datasets)
        for name in wanted
        for path in draw_figure(name, read, dataset, output, figures)
    ]
