"""Files that are made from the code say what the code says (`make docs` makes them again)."""

from pathlib import Path

from twinbench.analysis.outputs import TABLES
from twinbench.analysis.reference import tables_reference
from twinbench.analysis.tables import COLUMNS
from twinbench.report.captions import captions

ROOT = Path(__file__).resolve().parents[1]


def test_the_captions_are_those_of_the_catalogues() -> None:
    folder = ROOT / "workflow" / "report"
    assert {path.name: path.read_text() for path in folder.glob("*.rst")} == captions()


def test_the_reference_of_the_tables_names_their_columns() -> None:
    assert (ROOT / "docs" / "tables.md").read_text() == tables_reference()


def test_every_table_has_its_columns_described() -> None:
    assert list(COLUMNS) == [entry.name for entry in TABLES]
