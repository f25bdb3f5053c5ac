import itertools
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from twinbench.config import Figures
from twinbench.report.catalogue import FIGURES, figure_entry
from twinbench.report.figures import charts, draw, draw_all, draw_figure
from twinbench.report.figures.differences import signed
from twinbench.report.figures.ladder import brief, number_of
from twinbench.report.figures.style import shorten, style_of
from twinbench.report.provenance import provenance_of
from twinbench.report.tables import Tables


def _drawn(name: str, tables: Tables, figures: Figures | None = None) -> Figure:
    style = style_of(figures or Figures())
    with mpl.rc_context(style.rc):
        figure = draw(name, tables, style, provenance_of(tables))
        FigureCanvasAgg(figure)
        figure.draw_without_rendering()
    return figure


def _texts(figure: Figure) -> Iterator[Text]:
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_visible() and text.get_text().strip():
            yield text


def _box(text: Text, figure: Figure) -> Bbox:
    return text.get_window_extent(figure.canvas.get_renderer())  # type: ignore[attr-defined]


def _words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in _texts(figure))


def _without(folder: Path, name: str) -> Tables:
    tables = Tables.read(folder)
    return Tables(folder, {key: frame for key, frame in tables.frames.items() if key != name})


@pytest.mark.parametrize("name", [entry.name for entry in FIGURES])
def test_no_text_is_cut_off_and_no_names_overlap_with_many_variants_and_long_names(
    name: str, crowded_folder: Path
) -> None:
    figure = _drawn(name, Tables.read(crowded_folder).of_dataset("digits"))
    page = figure.bbox
    for axes in figure.axes:
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, sorted(axes.get_ylim()))):
            # Locators offer ticks beyond the axis too; those are not drawn.
            shown = [
                label
                for place, label in zip(
                    axis.get_ticklocs(), axis.get_ticklabels(), strict=False
                )  # fewer where unlabelled
                if label.get_text() and low <= place <= high
            ]
            for label in shown:
                box = _box(label, figure)
                assert box.x0 >= page.x0 - 1, label.get_text()
                assert box.x1 <= page.x1 + 1, label.get_text()
        rows = sorted(
            (_box(label, figure) for label in axes.yaxis.get_ticklabels() if label.get_text()), key=lambda box: box.y0
        )
        assert all(low.y1 <= high.y0 + 1.5 for low, high in itertools.pairwise(rows))
    for legend in figure.legends:
        assert legend.get_window_extent().x1 <= page.x1
    for text in figure.texts:
        box = _box(text, figure)
        assert box.x0 >= -1, text.get_text()
        assert box.x1 <= page.x1 + 1, text.get_text()
        assert box.y0 >= -1, text.get_text()
        assert box.y1 <= page.y1 + 1, text.get_text()


@pytest.mark.parametrize("name", [entry.name for entry in FIGURES])
def test_a_missing_table_becomes_a_picture_of_the_sentence_that_says_so(
    name: str, tables_folder: Path, tmp_path: Path
) -> None:
    table = next(table for table in figure_entry(name).needs if table != "runs")
    [path] = draw_figure(name, _without(tables_folder, table), "digits", tmp_path, Figures(formats=["svg"]))
    assert f"There is no table {table}.csv" in path.read_text(encoding="utf-8")


def test_drawing_twice_gives_the_same_bytes_with_the_provenance_in_the_file(
    tables_folder: Path, tmp_path: Path
) -> None:
    first = draw_all(tables_folder, tmp_path / "a", Figures(), ["noise_floor", "parameters"])
    second = draw_all(tables_folder, tmp_path / "b", Figures(), ["noise_floor", "parameters"])
    assert [path.name for path in first] == [
        "noise_floor-digits.svg",
        "noise_floor-digits.png",
        "parameters-digits.svg",
        "parameters-digits.png",
    ]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    provenance = provenance_of(Tables.read(tables_folder))
    assert provenance.commit in first[0].read_text(encoding="utf-8")
    with Image.open(first[1]) as image:
        assert image.info["Commit"] == provenance.commit
        assert image.info["Seeds"] == "1-5"
    assert "<dc:date>" not in first[0].read_text(encoding="utf-8")


def test_failed_runs_are_named_on_the_figure_that_they_are_missing_from(tables_folder: Path) -> None:
    words = _words(_drawn("suspects", Tables.read(tables_folder).of_dataset("digits")))
    assert "1 run failed" in words
    assert ", 1 failed" in words


def test_what_was_not_tested_for_failed_runs_is_not_said_to_need_ten_thousand_seeds(tables_folder: Path) -> None:
    tables = Tables.read(tables_folder).of_dataset("digits")
    plan = tables.get("seeds_needed")
    undecided = plan[plan["verdict"] == "undecided"].head(2).assign(config_line="")
    undecided.loc[undecided.index[0], "level"] = np.nan
    words = _words(_drawn("seeds_needed", Tables(tables.folder, {**tables.frames, "seeds_needed": undecided})))
    assert words.count("no number of seeds") == 1
    assert words.count("more than 10,000 seeds") == 1


def test_the_ranking_has_the_largest_damage_on_top_and_says_what_the_person_sees(tables_folder: Path) -> None:
    figure = _drawn("suspects", Tables.read(tables_folder).of_dataset("digits"))
    names = [text for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
    order = [text.get_text() for text in sorted(names, key=lambda text: -_box(text, figure).y0)]
    assert order[0] == "logits as probabilities"
    assert {"Sequential instead of Functional", "another seed", "nothing"} <= set(order)
    assert "0 (identical)\nseen" in _words(figure)


def test_the_test_set_s_binomial_standard_error_is_a_band_of_its_width(tables_folder: Path) -> None:
    tables = Tables.read(tables_folder).of_dataset("digits")
    figure = _drawn("accuracy", tables)
    axes = next(axes for axes in figure.axes if axes.get_title(loc="left") == "mlp")
    summary = tables.get("summary").set_index(["architecture", "variant"]).loc[("mlp", "functional")]
    narrow = min(patch.get_window_extent().transformed(axes.transData.inverted()).width for patch in axes.patches)
    assert narrow == pytest.approx(2 * summary["binomial_se"], rel=1e-3)


def test_a_dataset_s_figure_shows_nothing_of_another(tmp_path: Path, tables_folder: Path) -> None:
    tables = Tables.read(tables_folder)
    other = {
        name: pd.concat([frame, frame.assign(dataset="mnist")]) if "dataset" in frame else frame
        for name, frame in tables.frames.items()
    }
    both = Tables(tables_folder, other)
    assert both.datasets == ["digits", "mnist"]
    assert len(both.of_dataset("mnist").get("runs")) == len(tables.get("runs"))
    [path] = draw_figure("noise_floor", both, "mnist", tmp_path, Figures(formats=["svg"]))
    assert "(mnist)" in path.read_text(encoding="utf-8")


def test_the_configured_width_context_and_format_are_used(tables_folder: Path, tmp_path: Path) -> None:
    tables = Tables.read(tables_folder)
    paper = _drawn("noise_floor", tables, Figures(width=5, context="paper"))
    talk = _drawn("noise_floor", tables, Figures(width=12, context="talk"))
    assert paper.get_size_inches()[0] == 5
    assert talk.get_size_inches()[0] == 12
    assert talk.texts[0].get_fontsize() > paper.texts[0].get_fontsize()
    [path] = draw_figure("noise_floor", tables, "digits", tmp_path, Figures(formats=["pdf"]))
    assert path.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (-0.001, "0.00"), (0.5, "+0.50"), (-71.5, "\u221271.50"), (float("nan"), "not known")],
)
def test_differences_carry_a_sign_and_zero_does_not(value: float, text: str) -> None:
    assert signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (18_624, "19k"),
        (-4288, "-4.3k"),
        (0.0, "0"),
        (0.734, "0.73"),
        (3e-7, "3e-7"),
        (412.0, "412"),
        (float("nan"), ""),
    ],
)
def test_numbers_on_the_ladder_are_brief(value: float, text: str) -> None:
    assert brief(value) == text


@pytest.mark.parametrize(
    ("rung", "outcome", "value", "text"),
    [
        (4, "fail", 18_624.0, "+19k"),
        (4, "fail", -412.0, "\u2212412"),
        (4, "pass", 0.0, ""),
        (5, "pass", 1.0, ""),
        (5, "fail", 0.5, "50 %"),
        (6, "pass", 3e-7, "3e\u22125 %"),
        (7, "fail", 1.0, "100 %"),
        (3, "fail", 4.0, "4"),
        (9, "pass", 0.0, "0.00"),
    ],
)
def test_a_rung_says_its_number_in_the_unit_of_the_rung(rung: int, outcome: str, value: float, text: str) -> None:
    assert number_of(rung, outcome, value) == text


def test_a_long_label_loses_its_middle() -> None:
    assert shorten("short") == "short"
    assert len(shorten("x" * 100)) <= 34


@pytest.mark.parametrize(("seeds", "images"), [(500, 0), (501, 1)])
def test_the_dots_of_more_seeds_than_500_are_one_image_and_not_shapes(seeds: int, images: int, tmp_path: Path) -> None:
    style, path = style_of(Figures()), tmp_path / "dots.svg"
    with mpl.rc_context(style.rc):
        figure = Figure()
        charts.seed_dots(figure.subplots(), pd.Series(np.linspace(90, 99, seeds)), 0, "#0173b2", style)
        figure.savefig(path)
    assert path.read_text().count("<image") == images
