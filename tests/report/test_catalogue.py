import re
import subprocess
import sys

from twinbench.report.catalogue import FIGURES, figure_file
from twinbench.report.figures import DRAW


def test_every_figure_of_the_catalogue_can_be_drawn_and_no_other() -> None:
    assert {entry.name for entry in FIGURES} == set(DRAW)


def test_a_figure_name_cannot_be_confused_with_the_dataset_beside_it() -> None:
    assert all(re.fullmatch(r"[a-z_]+", name) for name in (entry.name for entry in FIGURES))
    assert figure_file("suspects", "emnist-balanced", "svg") == "suspects-emnist-balanced.svg"


def test_every_figure_says_what_to_see_and_has_an_alternative_text() -> None:
    for entry in FIGURES:
        assert entry.caption.endswith(".")
        assert entry.alt.endswith(".")
        assert entry.needs


def test_the_catalogue_imports_no_drawing_library_and_the_figures_no_tensorflow() -> None:
    program = (
        "import sys, twinbench.report.catalogue\n"
        "assert not {'matplotlib', 'pandas', 'numpy'} & set(sys.modules)\n"
        "import twinbench.report.figures\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
